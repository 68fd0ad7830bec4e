"""Read in one pass the webhooks that nearly all traffic consists of; whatever surprises is left whole to `graph/webhooks.py`.

What does not fit `wire.py` fails its decoder, and the body is then read part by part. So this file may only know what it reads
exactly as the tolerant reader would: `tests/unit/graph/test_usual.py` compares the two on every sample and on mutations of them.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import msgspec

from wabiz_tui.graph.contents import read_content
from wabiz_tui.graph.incoming import wire
from wabiz_tui.graph.incoming.context import read_context, read_referral
from wabiz_tui.graph.incoming.place import AHEAD
from wabiz_tui.graph.parsed import Identity, IncomingMessage, Parsed, StatusUpdate, name_status
from wabiz_tui.graph.reading import EARLIEST, LATEST, Json, word
from wabiz_tui.model.content import (
    Audio,
    Button,
    ContactCards,
    Content,
    Document,
    Image,
    Interactive,
    Location,
    MetaError,
    Order,
    Reaction,
    Sticker,
    Text,
    Unsupported,
    Video,
)

# Not strict, for the sake of times that are written as text: what else this would let pass as a number or a flag is declared as
# text too, and then refused.
_decoder = msgspec.json.Decoder(wire.Webhook, strict=False)


class _Surprise(Exception):
    """Something that the tolerant reader must look at."""


def read_usual(raw: bytes, received_at: datetime | None) -> list[Parsed] | None:
    """What `raw` says when it holds only the common kinds in their common form; None for the tolerant reader. Never raises."""
    try:
        webhook = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    parsed: list[Parsed] = []
    originals = _unsupported_in(raw)
    try:
        for entry in webhook.entry:
            for change in entry.changes:
                _read_value(entry.id, change.value, received_at, originals, parsed.append)
    except _Surprise:
        return None
    return parsed


def _unsupported_in(raw: bytes) -> Iterator[Json]:
    """The messages of type `unsupported`, which are kept whole, as they came and in their order; `raw` is decoded again for the first."""
    body = msgspec.json.decode(raw)
    changes = (change for entry in body["entry"] for change in entry["changes"])
    yield from (message for change in changes for message in change["value"].get("messages", ()) if message["type"] == "unsupported")


def _unsupported(message: wire.Message, originals: Iterator[Json]) -> Content:
    original = next(originals, None)
    if original is None or original.get("id") != message.id:
        raise _Surprise
    return read_content(original).content


def _read_value(
    waba: str, value: wire.Value, received_at: datetime | None, originals: Iterator[Json], add: Callable[[Parsed], None]
) -> None:
    contacts, metadata = value.contacts, value.metadata
    # Several contacts are matched by id in `contacts.py`; a lone one is the person of all that stands beside it, or a surprise.
    if len(contacts) > 1 or not (value.messages or value.statuses) or not metadata.phone_number_id:
        raise _Surprise
    contact = contacts[0] if contacts else None
    for message in value.messages:
        read = _read_message(waba, metadata, contact, message, received_at)
        is_kept_whole = type(message) is wire.UnsupportedMessage
        add(msgspec.structs.replace(read, content=_unsupported(message, originals)) if is_kept_whole else read)
    for status in value.statuses:
        add(_read_status(waba, metadata, contact, status, received_at))


def _read_message(
    waba: str, metadata: wire.Metadata, contact: wire.Contact | None, message: wire.Message, received_at: datetime | None
) -> IncomingMessage:
    content, extra = _CONTENTS[type(message)](message)
    if not message.id:
        raise _Surprise
    context, reply_to, forwarded = (None, None, None) if message.context is msgspec.UNSET else _read_context(message.context)
    return IncomingMessage(
        waba,
        metadata.phone_number_id,
        message.id,
        _person(contact, message.from_, message.from_user_id, message.from_parent_user_id),
        _believed(message.timestamp, received_at),
        content,
        metadata.display_phone_number,
        reply_to,
        forwarded,
        None if message.referral is msgspec.UNSET else read_referral(message.referral),
        context,
        extra,
        True,
        type(content) is not Reaction,
    )


def _read_context(context: dict[str, Any]) -> tuple[Any, ...]:
    read = read_context(context)
    if read == (None, None, None):
        raise _Surprise
    return read


def _read_status(
    waba: str, metadata: wire.Metadata, contact: wire.Contact | None, status: wire.Status, received_at: datetime | None
) -> StatusUpdate:
    if not status.id or not status.status:
        raise _Surprise
    wa_id, user_id, parent = status.recipient_id, status.recipient_user_id, status.recipient_parent_user_id
    return StatusUpdate(
        waba,
        metadata.phone_number_id,
        status.id,
        status.status,
        _believed(status.timestamp, received_at),
        _person(contact, wa_id, user_id, parent),
        name_status(status.id, status.status, None, user_id or parent or wa_id),
        metadata.display_phone_number,
        status.biz_opaque_callback_data or None,
        None if status.errors is msgspec.UNSET else _read_error(status.errors[0]),
        None if status.pricing is msgspec.UNSET else status.pricing,
        None if status.conversation is msgspec.UNSET else status.conversation,
    )


def _read_error(error: wire.Error) -> MetaError:
    href = "" if error.href is msgspec.UNSET else error.href
    code = error.code
    if not isinstance(code, int) or isinstance(code, bool) or abs(code) > 10**9:
        raise _Surprise
    if not (error.title and error.message and error.error_data.details) or error.href == "":
        raise _Surprise
    return MetaError(code, error.title, error.message, error.error_data.details, href)


def _person(contact: wire.Contact | None, wa_id: str, user_id: str, parent: str) -> Identity:
    # What stands in a phone's place and is no phone may be a user id.
    if not wa_id.isdigit() and (wa_id or not (user_id or parent)):
        raise _Surprise
    if contact is None:
        return Identity(wa_id or None, user_id or None, parent or None)
    if not (contact.wa_id == wa_id and contact.user_id == user_id and contact.parent_user_id == parent):
        _check_same(contact, wa_id, user_id, parent)
    return Identity(
        wa_id or contact.wa_id or None,
        user_id or contact.user_id or None,
        parent or contact.parent_user_id or None,
        contact.profile.username or None,
        contact.profile.name or None,
        None,
        contact.identity_key_hash or None,
    )


def _check_same(contact: wire.Contact, wa_id: str, user_id: str, parent: str) -> None:
    """One of the ids is the contact's, and none is another than the contact's."""
    if contact.wa_id and not contact.wa_id.isdigit():
        raise _Surprise
    pairs = ((contact.user_id, user_id), (contact.parent_user_id, parent), (contact.wa_id, wa_id))
    if not any(one and one == other for one, other in pairs) or any(one and other and one != other for one, other in pairs):
        raise _Surprise


def _believed(told: datetime, received_at: datetime | None) -> datetime:
    if not EARLIEST <= told < LATEST or (received_at is not None and told > received_at and told - received_at > AHEAD):
        raise _Surprise
    return told


_Read = tuple[Content, dict[str, Any] | None]


def _text(message: wire.TextMessage) -> _Read:
    return Text(message.text.body), None


def _file(kind: str, content: type[Image | Video | Audio | Document | Sticker]) -> Callable[[Any], _Read]:
    def read(message: Any) -> _Read:
        file: wire.File = getattr(message, kind)
        voice, animated = file.voice, file.animated
        if not file.id or not isinstance(voice, bool) or not isinstance(animated, bool):
            raise _Surprise
        extra = None if file.url is msgspec.UNSET else {kind: {"url": file.url}}
        return content(file.id, file.mime_type, file.sha256, file.caption, file.filename, voice, animated), extra

    return read


def _location(message: wire.LocationMessage) -> _Read:
    at, latitude, longitude = message.location, message.location.latitude, message.location.longitude
    if isinstance(latitude, str | bool) or isinstance(longitude, str | bool):
        raise _Surprise
    return Location(float(latitude), float(longitude), at.name, at.address, at.url), None


def _reaction(message: wire.ReactionMessage) -> _Read:
    return Reaction(message.reaction.message_id, message.reaction.emoji), None


def _button(message: wire.ButtonMessage) -> _Read:
    return Button(message.button.text, message.button.payload), None


def _interactive(message: wire.InteractiveMessage) -> _Read:
    reply = message.interactive
    replies = (None if one is msgspec.UNSET else one for one in (reply.button_reply, reply.list_reply, reply.nfm_reply))
    return Interactive(reply.type, *replies), None


def _order(message: wire.OrderMessage) -> _Read:
    order = message.order
    return Order(order.catalog_id, order.text, tuple(order.product_items)), None


def _cards(message: wire.ContactsMessage) -> _Read:
    cards: Any = message.contacts
    return ContactCards(tuple(cards), next((origin for card in cards if (origin := word(card.get("origin")))), "")), None


_CONTENTS: dict[type[Any], Callable[[Any], _Read]] = {
    wire.TextMessage: _text,
    wire.ImageMessage: _file("image", Image),
    wire.VideoMessage: _file("video", Video),
    wire.AudioMessage: _file("audio", Audio),
    wire.DocumentMessage: _file("document", Document),
    wire.StickerMessage: _file("sticker", Sticker),
    wire.LocationMessage: _location,
    wire.ReactionMessage: _reaction,
    wire.ButtonMessage: _button,
    wire.InteractiveMessage: _interactive,
    wire.OrderMessage: _order,
    wire.ContactsMessage: _cards,
    wire.UnsupportedMessage: lambda _: (Unsupported(), None),
}
