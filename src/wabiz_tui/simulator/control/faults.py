"""Break things, and mend them."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from wabiz_tui.graph.reading import Json, number_of, word
from wabiz_tui.model.errors import BadInput
from wabiz_tui.simulator.control.outcome import number_asked, whole
from wabiz_tui.simulator.customers.incoming import write
from wabiz_tui.simulator.spans import span_of
from wabiz_tui.simulator.webhooks.faults import KINDS, Fault
from wabiz_tui.simulator.world import World

MAX_BURST = 1_000_000
MAX_RATE = 10_000.0
_AT_ONCE = 100


async def post_fault(world: World, asked: Json) -> Json:
    kind = word(asked.get("kind"))
    if kind in ("clear", "none"):
        count = world.faults.clear(word(asked.get("which")))
        world.courier.release()
        return {"cleared": count}
    if kind == "replay":
        return {"replayed": world.courier.replay(whole(asked, "count", 1))}
    fault = world.faults.add(asked, world.now())
    if fault.kind in ("hold_statuses", "batch", "reorder") and fault.until is not None:
        world.timeline.at(fault.until, _release(world))
    if fault.kind == "burst":
        seconds = span_of(asked.get("for_seconds", asked.get("for")), "for") or timedelta(seconds=1)
        _burst(world, fault, number_asked(world, asked), seconds.total_seconds())
        world.faults.clear("burst")
    return {"fault": fault.describe(), "kinds": list(KINDS)}


def _release(world: World) -> Callable[[], Awaitable[None]]:
    async def act() -> None:
        world.courier.release()

    return act


def _burst(world: World, fault: Fault, number: str, seconds: float) -> None:
    """`rate` messages a second from many customers, evenly spread over simulated time; a hundredth of a second at a time."""
    rate = number_of(fault.params.get("rate"))
    rate, people, text = (20.0 if rate is None else rate), whole(fault.params, "customers", 500), fault.word("text", "burst")
    count = int(rate * seconds)
    if not 0 < rate <= MAX_RATE or count > MAX_BURST or not 1 <= people <= 10_000:
        raise BadInput(f"A burst has a `rate` of at most {MAX_RATE:.0f}, at most {MAX_BURST} messages and 10000 customers.")
    started = world.now() + (fault.since - world.now() if fault.since is not None else timedelta())

    def expect(first: int) -> None:
        async def act() -> None:
            last = min(first + max(1, min(_AT_ONCE, round(rate / 100))), count)
            for index in range(first, last):
                customer = world.people.meet(wa_id=f"1555200{index % people:04d}", name=f"Burst {index % people}")
                write(world, customer, {"type": "text", "text": {"body": f"{text} {index}"}}, number=number)
            if last < count:
                expect(last)

        world.timeline.at(started + timedelta(seconds=first / rate), act)

    if count:
        expect(0)
