"""Move time."""

from datetime import timedelta

from wabiz_tui.graph.reading import Json, number_of, word
from wabiz_tui.model.clock import parse_ahead
from wabiz_tui.model.errors import BadInput
from wabiz_tui.simulator.control.times import read_time
from wabiz_tui.simulator.webhooks.envelope import rfc3339
from wabiz_tui.simulator.world import World


async def move_clock(world: World, asked: Json) -> Json:
    if "advance" in asked:
        told = asked["advance"]
        seconds = number_of(told)
        world.clock.advance(timedelta(seconds=seconds) if seconds is not None else parse_ahead(word(told)))
    elif "set" in asked:
        moment = read_time(world, asked["set"])
        if moment is None:
            raise BadInput("`set` must be an instant.")
        world.clock.set(moment)
    world.timeline.stir()
    return {"now": rfc3339(world.now())}
