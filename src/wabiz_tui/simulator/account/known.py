"""Which messages there are: those the business sent, and those it was told of."""

from datetime import datetime, timedelta

import msgspec

from wabiz_tui.graph.reading import Json, instant_of, list_of, load_object, object_of, word
from wabiz_tui.simulator.webhooks.delivery import KEPT
from wabiz_tui.simulator.world import World

AGE = timedelta(days=30)
"""Older messages cannot be reacted to, and Meta advises not to mark them read (cloud-api §2, §4)."""


class Known(msgspec.Struct, frozen=True):
    type: str
    at: datetime
    number: str


def find_message(world: World, wamid: str) -> Known | None:
    """A message of either side; None for one this world does not know."""
    sent = world.sent.find(wamid)
    if sent is not None:
        return Known(word(sent.body.get("type")) or "text", sent.at, sent.number)
    return find_incoming(world, wamid)


def find_incoming(world: World, wamid: str) -> Known | None:
    """A message of a customer's that a webhook told."""
    log = world.courier.deliveries
    delivery = next((one for one in log if wamid in one.ids), None)
    if delivery is None:
        # Of what the log has forgotten nobody can say that it never was.
        return Known("text", world.now(), "") if log.told > KEPT else None
    body = load_object(delivery.body) if delivery.body else {}
    for entry in list_of(body.get("entry")):
        for change in list_of(object_of(entry).get("changes")):
            value = object_of(object_of(change).get("value"))
            message = _message(value, wamid)
            if message:
                number = word(object_of(value.get("metadata")).get("phone_number_id"))
                return Known(word(message.get("type")), instant_of(message.get("timestamp")) or delivery.at, number)
    return Known("text", delivery.at, delivery.number)


def _message(value: Json, wamid: str) -> Json:
    messages = [object_of(one) for key in ("messages", "message_echoes") for one in list_of(value.get(key))]
    return next((one for one in messages if one.get("id") == wamid), Json())
