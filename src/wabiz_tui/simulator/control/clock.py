"""Move time, stop it, hurry it."""

from datetime import timedelta

from wabiz_tui.graph.reading import Json, number_of
from wabiz_tui.model.errors import BadInput
from wabiz_tui.simulator.control.asked import refuse_slips
from wabiz_tui.simulator.control.outcome import patience_of
from wabiz_tui.simulator.control.times import read_time
from wabiz_tui.simulator.spans import span_of
from wabiz_tui.simulator.webhooks.envelope import rfc3339
from wabiz_tui.simulator.world import World

MAX_RATE = 100_000.0
PATIENCE = 10.0


async def move_clock(world: World, asked: Json) -> Json:
    """Whatever falls due on the way happens in order, and is done (or `timeout` is over) when this answers."""
    refuse_slips(asked, ("advance", "set", "freeze", "rate", "timeout"))
    clock, patience = world.clock, patience_of(asked, usual=PATIENCE)
    _set_rate(world, asked)
    is_settled = True
    if "advance" in asked:
        by = span_of(asked["advance"], "advance")
        is_settled = await world.timeline.advance(clock.now() + (by or timedelta()), patience=patience)
    elif "set" in asked:
        moment = read_time(world, asked["set"])
        if moment is None:
            raise BadInput("`set` must be an instant.")
        if moment < clock.now():
            clock.set(moment)
        is_settled = await world.timeline.advance(moment, patience=patience)
    world.timeline.stir()
    return {**clock_of(world), "settled": is_settled}


def clock_of(world: World) -> Json:
    due = world.timeline.next_due
    told: Json = {"now": rfc3339(world.now()), "rate": world.clock.rate, "frozen": world.clock.rate == 0}
    return {**told, "waiting": world.timeline.waiting, "next_due": rfc3339(due) if due is not None else None}


def _set_rate(world: World, asked: Json) -> None:
    if "freeze" in asked:
        if not isinstance(asked["freeze"], bool):
            raise BadInput("`freeze` is true or false.")
        world.clock.run_at(0.0 if asked["freeze"] else 1.0)
    if "rate" in asked:
        rate = number_of(asked["rate"])
        if rate is None or not 0 <= rate <= MAX_RATE:
            raise BadInput(f"`rate` is how many times as fast the clock runs: 0 (it stands) to {MAX_RATE:.0f}.")
        world.clock.run_at(rate)
