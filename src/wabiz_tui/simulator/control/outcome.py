"""What became of a webhook that was asked for."""

import asyncio

from wabiz_tui.graph.reading import Json, number_of
from wabiz_tui.model.errors import BadInput
from wabiz_tui.simulator.spans import span_of
from wabiz_tui.simulator.webhooks.courier import Delivery
from wabiz_tui.simulator.world import World

PATIENCE = 15.0
LONGEST_PATIENCE = 300.0


def patience_of(asked: Json, key: str = "timeout", usual: float = PATIENCE) -> float:
    """How many real seconds the asker is ready to wait. Raises BadInput."""
    span = span_of(asked.get(key), key)
    seconds = usual if span is None else span.total_seconds()
    if seconds > LONGEST_PATIENCE:
        raise BadInput(f"`{key}` is at most {LONGEST_PATIENCE:.0f} seconds.")
    return seconds


async def outcome_of(world: World, asked: Json, delivery: Delivery | None, *, wamid: str | None) -> Json:
    """Waits for the hub's answer to the first attempt that reached it, unless `wait` is false."""
    answer: Json = {"wamid": wamid, "delivered": False, "status": None}
    if delivery is None:
        return {**answer, "delivery": None, "pending": True}
    route = world.courier.callback_for(delivery)
    if asked.get("wait") is False or (route is None and not delivery.is_dropped):
        return {**answer, "delivery": delivery.name, "pending": True}
    try:
        await asyncio.wait_for(delivery.answered.wait(), patience_of(asked))
    except TimeoutError:
        refusal = {"error": route.refusal} if route is not None and route.refusal else {"error": delivery.error} if delivery.error else {}
        return {**answer, "delivery": delivery.name, "pending": True, **refusal}
    return {
        **answer,
        "delivered": delivery.is_delivered,
        "status": delivery.status,
        "delivery": delivery.name,
        "attempts": delivery.attempts,
        **({"dropped": True} if delivery.is_dropped else {}),
        **({"error": delivery.error} if delivery.error else {}),
    }


def number_asked(world: World, asked: Json) -> str:
    """The business number a request names, or the first. Raises BadInput for one the account does not have."""
    named = asked.get("number", asked.get("phone_number_id"))
    if named is None:
        return world.options.phone_number_ids[0]
    if str(named) not in world.options.phone_number_ids:
        raise BadInput(f"`number` is a phone number id of this account: {', '.join(world.options.phone_number_ids)}.")
    return str(named)


def whole(asked: Json, key: str, usual: int) -> int:
    """A whole number not below 0. Raises BadInput."""
    if asked.get(key) is None:
        return usual
    number = number_of(asked[key])
    if number is None or number < 0:
        raise BadInput(f"`{key}` is a number not below 0.")
    return int(number)
