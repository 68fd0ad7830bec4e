"""A customer writes: the message object, its webhook, and the window it opens."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from wabiz_tui.graph.reading import Json, instant_of, object_of, word
from wabiz_tui.simulator.customers.forms import MEDIA_TYPES
from wabiz_tui.simulator.customers.people import Customer
from wabiz_tui.simulator.customers.pictures import sample
from wabiz_tui.simulator.webhooks.courier import Delivery
from wabiz_tui.simulator.webhooks.envelope import Told, seconds
from wabiz_tui.simulator.world import World

CALLS_ALLOWED_FOR = timedelta(days=7)


class Written(msgspec.Struct, frozen=True):
    """A message told, or kept to be told with others. `delivery` None: a fault keeps it back, or it was only prepared."""

    wamid: str
    told: Told
    delivery: Delivery | None = None


def write(
    world: World, customer: Customer, content: Json, *, number: str | None = None, at: datetime | None = None, wamid: str = ""
) -> Written:
    """`content` is `{"type": …, "<type>": …}` with any further keys of a message object (context, referral, errors …)."""
    prepared = prepare(world, customer, content, number=number, at=at, wamid=wamid)
    return msgspec.structs.replace(prepared, delivery=world.courier.tell([prepared.told]))


def prepare(
    world: World, customer: Customer, content: Json, *, number: str | None = None, at: datetime | None = None, wamid: str = ""
) -> Written:
    """As `write`, but not posted. The window counts from `at`."""
    to, moment = number or world.options.phone_number_ids[0], at or world.now()
    name = wamid or world.wamid(customer.wa_id or customer.key[-15:], is_ours=False)
    told = (("from", customer.shown_wa_id), ("from_user_id", customer.user_id), ("from_parent_user_id", customer.parent_user_id))
    message: Json = {key: value for key, value in told if value}
    message |= {"id": name, "timestamp": seconds(moment), **with_files(world, content, number=to)}
    value: Json = {"messages": [message]}
    system = word(object_of(message.get("system")).get("type")) if message["type"] == "system" else ""
    # Number and id changes come without contacts, identity changes with them (cloud-api §8).
    if system in ("", "customer_identity_changed"):
        value = {"contacts": [customer.contact()], **value}
    if message["type"] != "system":
        customer.note_incoming(to, moment)
        _note_call_permission(customer, object_of(object_of(message.get("interactive")).get("call_permission_reply")), to, moment)
    world.incoming += 1
    return Written(name, world.told(to, value, "messages"))


def _note_call_permission(customer: Customer, reply: Json, number: str, at: datetime) -> None:
    """A permission to call lasts seven days unless the reply says otherwise (cloud-api §16)."""
    if reply.get("response") == "accept":
        told = instant_of(reply.get("expiration_timestamp"))
        customer.calls_until[number] = None if reply.get("is_permanent") is True else told or at + CALLS_ALLOWED_FOR
    elif reply:
        customer.calls_until.pop(number, None)


def echo(world: World, customer: Customer, content: Json, *, number: str | None = None, at: datetime, wamid: str = "") -> Written:
    """What staff sent from the WhatsApp Business app, as `smb_message_echoes` tell it."""
    to = number or world.options.phone_number_ids[0]
    name = wamid or world.wamid(customer.wa_id or customer.key[-15:], is_ours=True)
    told = (("to", customer.shown_wa_id), ("to_user_id", customer.user_id), ("to_parent_user_id", customer.parent_user_id))
    message: Json = {"from": world.display(to), **{key: value for key, value in told if value}}
    message |= {"id": name, "timestamp": seconds(at), **with_files(world, content, number=to)}
    value = {"contacts": [customer.contact()], "message_echoes": [message]}
    return Written(name, world.told(to, value, "echoes", field_name="smb_message_echoes"))


def tell_together(world: World, told: Sequence[Told], *, at_most: int = 25) -> list[Delivery | None]:
    """Several changes a POST, as Meta batches them when much is to be told."""
    return [world.courier.tell(told[start : start + at_most]) for start in range(0, len(told), at_most)]


def with_files(world: World, content: Json, *, number: str) -> Json:
    """Media without an id gets a small real file."""
    kind = word(content.get("type")) or "text"
    inner = object_of(content.get(kind))
    if kind not in MEDIA_TYPES or inner.get("id"):
        return {**content, "type": kind}
    wanted = {key: value for key, value in inner.items() if key not in ("mime_type", "bytes", "sample")}
    raw, mime_type = _file(inner, kind)
    stored = world.media.add(raw, mime_type, filename=word(inner.get("filename")), now=world.now(), is_incoming=True, number=number)
    told = stored.told()
    if kind == "audio" and "voice" not in wanted:
        told["voice"] = mime_type.startswith("audio/ogg")
    if kind == "sticker" and "animated" not in wanted:
        told["animated"] = False
    if world.faults.take("media_hash", world.now()) is not None:
        told["sha256"] = base64.b64encode(hashlib.sha256(b"another file").digest()).decode()
    return {**content, "type": kind, kind: {**wanted, **told}}


def _file(inner: Json, kind: str) -> tuple[bytes, str]:
    given: Any = inner.get("bytes")
    made, mime_type = sample(kind, word(inner.get("sample")) or "default")
    return (
        (given, word(inner.get("mime_type")) or mime_type)
        if isinstance(given, bytes)
        else (made, word(inner.get("mime_type")) or mime_type)
    )
