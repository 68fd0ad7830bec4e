"""Messages that go out as they are archived: nothing but words that somebody wrote, ids and a name of ours. Most are, and to decode,
look into and encode each of them costs more than all else that is done to send it."""

import re
from typing import Any, Literal

import msgspec

_IDS = re.compile(r"[0-9a-f]{32}")


class _Text(msgspec.Struct, tag_field="kind", tag="text", forbid_unknown_fields=True):
    body: str
    preview_url: bool = False


class _Note(msgspec.Struct, tag_field="kind", tag="note", forbid_unknown_fields=True):
    body: str


class _Plain(msgspec.Struct, forbid_unknown_fields=True):
    """The fields of model.values.Message in which nothing of a customer can stand, and no other."""

    id: str
    conversation: str
    direction: Literal["incoming", "outgoing"]
    content: _Text | _Note
    sent_at: str
    wamid: str | None = None
    author: str | None = None
    author_name: str = ""
    reply_to: str | None = None
    forwarded: Literal["once", "often"] | None = None
    edited_at: str | None = None
    revoked_at: str | None = None
    key: str | None = None
    origin: Literal["customer", "wabiz", "phone_app", "integration", "history"] = "customer"
    mentions: tuple[str, ...] = ()


class _PlainDelivery(msgspec.Struct, forbid_unknown_fields=True):
    """model.values.Delivery without Meta's words about a failure."""

    state: str
    at: dict[str, Any] = {}


_message = msgspec.json.Decoder(_Plain)
_delivery = msgspec.json.Decoder(_PlainDelivery)


def plain_json(message: bytes, delivery: str | None) -> bytes | None:
    """The JSON of an archived message with its delivery, where nothing in it could be masked; None for every other. What is no plain
    message, or has a key that is not known here, is never passed on unseen."""
    try:
        seen = _message.decode(message)
        if delivery is not None:
            _delivery.decode(delivery)
    except (msgspec.DecodeError, RecursionError):
        return None
    if seen.author_name and seen.direction == "incoming":
        return None
    if seen.key is not None and _IDS.fullmatch(seen.key) is None:
        return None
    return message if delivery is None else b'%s,"delivery":%s}' % (message[:-1], delivery.encode())
