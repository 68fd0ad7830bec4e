"""What became of a webhook that was asked for."""

import asyncio

from wabiz_tui.graph.reading import Json, number_of
from wabiz_tui.simulator.webhooks.courier import Delivery
from wabiz_tui.simulator.world import World

PATIENCE = 15.0


async def outcome_of(world: World, asked: Json, delivery: Delivery | None, *, wamid: str | None) -> Json:
    """Waits for the hub's answer to the first attempt that reached it, unless `wait` is false."""
    answer: Json = {"wamid": wamid, "delivered": False, "status": None}
    if delivery is None or asked.get("wait") is False or world.courier.callback is None:
        return {**answer, "delivery": delivery.name if delivery is not None else None, "pending": True}
    try:
        await asyncio.wait_for(delivery.answered.wait(), number_of(asked.get("timeout")) or PATIENCE)
    except TimeoutError:
        return {**answer, "delivery": delivery.name, "pending": True}
    return {
        **answer,
        "delivered": delivery.is_delivered,
        "status": delivery.status,
        "delivery": delivery.name,
        "attempts": delivery.attempts,
    }
