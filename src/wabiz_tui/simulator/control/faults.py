"""Break things, and mend them."""

from collections.abc import Awaitable, Callable

from wabiz_tui.graph.reading import Json, number_of, word
from wabiz_tui.simulator.customers.incoming import write
from wabiz_tui.simulator.webhooks.faults import KINDS
from wabiz_tui.simulator.world import World


async def post_fault(world: World, asked: Json) -> Json:
    if word(asked.get("kind")) in ("clear", "none"):
        count = world.faults.clear(word(asked.get("which")))
        world.courier.release()
        return {"cleared": count}
    if word(asked.get("kind")) == "replay":
        return {"replayed": world.courier.replay(int(number_of(asked.get("count")) or 1))}
    fault = world.faults.add(asked, world.now())
    if fault.kind == "hold_statuses" and fault.until is not None:
        world.timeline.at(fault.until, _release(world))
    if fault.kind == "burst":
        _burst(world, fault.number("rate", 20.0), number_of(asked.get("for_seconds")) or 1.0)
        world.faults.clear("burst")
    return {"fault": fault.describe(), "kinds": list(KINDS)}


def _release(world: World) -> Callable[[], Awaitable[None]]:
    async def act() -> None:
        world.courier.release()

    return act


def _burst(world: World, rate: float, seconds: float) -> None:
    """`rate` messages a second from many customers, evenly spread."""
    for index in range(min(int(rate * seconds), 100_000)):

        async def act(index: int = index) -> None:
            customer = world.people.meet(wa_id=f"1555200{index % 500:04d}", name=f"Burst {index % 500}")
            write(world, customer, {"type": "text", "text": {"body": f"burst {index}"}})

        world.timeline.after(index / rate, act)
