"""Begin anew without a restart: between two tests, or with another scenario."""

import dataclasses

from wabiz_tui.graph.reading import Json, word
from wabiz_tui.model.errors import BadInput
from wabiz_tui.simulator.control.asked import refuse_slips
from wabiz_tui.simulator.control.clock import clock_of
from wabiz_tui.simulator.customers.scenario import Scenario, load_scenario, parse_scenario
from wabiz_tui.simulator.world import World, build_world

# These hold each other: they are emptied instead of replaced.
_STAYS = ("options", "clock", "timeline", "faults", "courier", "play", "on_sent", "_serial")


async def reset(world: World, asked: Json) -> Json:
    """As at the start, but that the callback stays (handshake and all). The scenario of the command line plays again unless `scenario`
    is false."""
    refuse_slips(asked, ("scenario",))
    if asked.get("scenario", True) not in (True, False):
        raise BadInput("`scenario` is true or false; POST /_control/scenario takes another one.")
    path = world.options.scenario
    await begin_anew(world, load_scenario(path) if path is not None and asked.get("scenario") is not False else None)
    return {"reset": True, **clock_of(world)}


async def play_scenario(world: World, asked: Json) -> Json:
    """Begin anew with the scenario of the request. Raises DocumentError with line, key and the nearest valid name."""
    refuse_slips(asked, ("toml",))
    text = word(asked.get("toml"))
    if not text:
        raise BadInput("Give the scenario as `toml`: the text of a scenario file.")
    scenario = parse_scenario(text)
    await begin_anew(world, scenario)
    return {"business": scenario.business, "customers": len(world.people.all()), **clock_of(world)}


async def begin_anew(world: World, scenario: Scenario | None) -> None:
    await world.timeline.stop()
    world.clock.reset()
    fresh = build_world(world.options)
    for field in dataclasses.fields(world):
        if field.name not in _STAYS:
            setattr(world, field.name, getattr(fresh, field.name))
    world.restart_ids()
    world.faults.reset()
    world.courier.forget()
    world.courier.subscribe(None)
    if world.play is not None:
        world.play.begin(scenario)
