"""Read in one pass the webhooks that nearly all traffic consists of; whatever surprises is left whole to `graph/webhooks.py`.

The structs below describe, strictly, what Meta sends for the common kinds: an unknown key, another type of a value, a null or
a kind that is not here fails the typed decoder, and the body is then read part by part. So this file may only know what it reads
exactly as the tolerant reader would: `tests/unit/graph/test_usual.py` compares the two on every sample and on mutations of them.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

import msgspec

from wabiz_tui.graph.incoming.context import read_context, read_referral
from wabiz_tui.graph.incoming.place import AHEAD
from wabiz_tui.graph.parsed import Identity, IncomingMessage, Parsed, StatusUpdate
from wabiz_tui.graph.reading import EARLIEST, LATEST, Instant, fingerprint, word
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
    Video,
)

_Scalar = str | bool | int | float
_Words = dict[str, str]
_Flat = dict[str, _Scalar]
_Nested = dict[str, _Scalar | _Words]


class _Wire(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    pass


class _Profile(_Wire, frozen=True):
    name: str = ""
    username: str = ""


class _Contact(_Wire, frozen=True):
    profile: _Profile = _Profile()
    wa_id: str = ""
    user_id: str = ""
    parent_user_id: str = ""
    identity_key_hash: str = ""


class _Metadata(_Wire, frozen=True):
    display_phone_number: str
    phone_number_id: str


class _Body(_Wire, frozen=True):
    body: str


class _File(_Wire, frozen=True):
    id: str
    mime_type: str = ""
    sha256: str = ""
    caption: str = ""
    filename: str = ""
    voice: _Scalar = False
    animated: _Scalar = False
    url: str | msgspec.UnsetType = msgspec.UNSET


class _Position(_Wire, frozen=True):
    latitude: _Scalar
    longitude: _Scalar
    name: str = ""
    address: str = ""
    url: str = ""


class _Reaction(_Wire, frozen=True):
    message_id: str
    emoji: str = ""


class _Button(_Wire, frozen=True):
    payload: str = ""
    text: str = ""


class _Reply(_Wire, frozen=True):
    type: str
    button_reply: _Words | msgspec.UnsetType = msgspec.UNSET
    list_reply: _Words | msgspec.UnsetType = msgspec.UNSET
    nfm_reply: _Words | msgspec.UnsetType = msgspec.UNSET


class _Order(_Wire, frozen=True):
    catalog_id: str = ""
    text: str = ""
    product_items: list[_Flat] = []


class _Message(_Wire, frozen=True, kw_only=True, tag_field="type"):
    id: str
    timestamp: Instant
    from_: str = msgspec.field(name="from", default="")
    from_user_id: str = ""
    from_parent_user_id: str = ""
    context: _Nested | msgspec.UnsetType = msgspec.UNSET
    referral: _Nested | msgspec.UnsetType = msgspec.UNSET


class _TextMessage(_Message, frozen=True, kw_only=True, tag="text"):
    text: _Body


class _ImageMessage(_Message, frozen=True, kw_only=True, tag="image"):
    image: _File


class _VideoMessage(_Message, frozen=True, kw_only=True, tag="video"):
    video: _File


class _AudioMessage(_Message, frozen=True, kw_only=True, tag="audio"):
    audio: _File


class _DocumentMessage(_Message, frozen=True, kw_only=True, tag="document"):
    document: _File


class _StickerMessage(_Message, frozen=True, kw_only=True, tag="sticker"):
    sticker: _File


class _LocationMessage(_Message, frozen=True, kw_only=True, tag="location"):
    location: _Position


class _ReactionMessage(_Message, frozen=True, kw_only=True, tag="reaction"):
    reaction: _Reaction


class _ButtonMessage(_Message, frozen=True, kw_only=True, tag="button"):
    button: _Button


class _InteractiveMessage(_Message, frozen=True, kw_only=True, tag="interactive"):
    interactive: _Reply


class _OrderMessage(_Message, frozen=True, kw_only=True, tag="order"):
    order: _Order


class _ContactsMessage(_Message, frozen=True, kw_only=True, tag="contacts"):
    contacts: list[dict[str, str | _Words | list[_Words]]]


_AnyMessage = (
    _TextMessage
    | _ImageMessage
    | _VideoMessage
    | _AudioMessage
    | _DocumentMessage
    | _StickerMessage
    | _LocationMessage
    | _ReactionMessage
    | _ButtonMessage
    | _InteractiveMessage
    | _OrderMessage
    | _ContactsMessage
)


class _Details(_Wire, frozen=True):
    details: str


class _Error(_Wire, frozen=True, kw_only=True):
    code: _Scalar
    title: str
    message: str
    error_data: _Details
    href: str | msgspec.UnsetType = msgspec.UNSET


class _Status(_Wire, frozen=True, kw_only=True):
    id: str
    status: str
    timestamp: Instant
    recipient_id: str = ""
    recipient_user_id: str = ""
    recipient_parent_user_id: str = ""
    biz_opaque_callback_data: str = ""
    pricing: _Flat | msgspec.UnsetType = msgspec.UNSET
    conversation: _Nested | msgspec.UnsetType = msgspec.UNSET
    errors: tuple[_Error] | msgspec.UnsetType = msgspec.UNSET


class _Value(_Wire, frozen=True, kw_only=True):
    messaging_product: Literal["whatsapp"]
    metadata: _Metadata
    contacts: list[_Contact] = []
    messages: list[_AnyMessage] = []
    statuses: list[_Status] = []


class _Change(_Wire, frozen=True):
    field: Literal["messages"]
    value: _Value


class _Entry(_Wire, frozen=True):
    id: str
    changes: list[_Change]


class _Webhook(_Wire, frozen=True):
    object: Literal["whatsapp_business_account"]
    entry: list[_Entry]


# Not strict, for the sake of times that are written as text: what else this would let pass as a number or a flag is declared as
# text too, and then refused.
_decoder = msgspec.json.Decoder(_Webhook, strict=False)


class _Surprise(Exception):
    """Something that the tolerant reader must look at."""


def read_usual(raw: bytes, received_at: datetime | None) -> list[Parsed] | None:
    """What `raw` says when it holds only the common kinds in their common form; None for the tolerant reader. Never raises."""
    try:
        webhook = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    parsed: list[Parsed] = []
    try:
        for entry in webhook.entry:
            for change in entry.changes:
                _read_value(entry.id, change.value, received_at, parsed.append)
    except _Surprise:
        return None
    return parsed


def _read_value(waba: str, value: _Value, received_at: datetime | None, add: Callable[[Parsed], None]) -> None:
    contacts, metadata = value.contacts, value.metadata
    # Several contacts are matched by id in `contacts.py`; a lone one is the person of all that stands beside it, or a surprise.
    if len(contacts) > 1 or not (value.messages or value.statuses) or not metadata.phone_number_id:
        raise _Surprise
    contact = contacts[0] if contacts else None
    for message in value.messages:
        add(_read_message(waba, metadata, contact, message, received_at))
    for status in value.statuses:
        add(_read_status(waba, metadata, contact, status, received_at))


def _read_message(
    waba: str, metadata: _Metadata, contact: _Contact | None, message: _Message, received_at: datetime | None
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


def _read_status(waba: str, metadata: _Metadata, contact: _Contact | None, status: _Status, received_at: datetime | None) -> StatusUpdate:
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
        fingerprint(status.id, status.status, None, user_id or parent or wa_id),
        metadata.display_phone_number,
        status.biz_opaque_callback_data or None,
        None if status.errors is msgspec.UNSET else _read_error(status.errors[0]),
        None if status.pricing is msgspec.UNSET else status.pricing,
        None if status.conversation is msgspec.UNSET else status.conversation,
    )


def _read_error(error: _Error) -> MetaError:
    href = "" if error.href is msgspec.UNSET else error.href
    code = error.code
    if not isinstance(code, int) or isinstance(code, bool) or abs(code) > 10**9:
        raise _Surprise
    if not (error.title and error.message and error.error_data.details) or error.href == "":
        raise _Surprise
    return MetaError(code, error.title, error.message, error.error_data.details, href)


def _person(contact: _Contact | None, wa_id: str, user_id: str, parent: str) -> Identity:
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


def _check_same(contact: _Contact, wa_id: str, user_id: str, parent: str) -> None:
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


def _text(message: _TextMessage) -> _Read:
    return Text(message.text.body), None


def _file(kind: str, content: type[Image | Video | Audio | Document | Sticker]) -> Callable[[Any], _Read]:
    def read(message: Any) -> _Read:
        file: _File = getattr(message, kind)
        voice, animated = file.voice, file.animated
        if not file.id or not isinstance(voice, bool) or not isinstance(animated, bool):
            raise _Surprise
        extra = None if file.url is msgspec.UNSET else {kind: {"url": file.url}}
        return content(file.id, file.mime_type, file.sha256, file.caption, file.filename, voice, animated), extra

    return read


def _location(message: _LocationMessage) -> _Read:
    at, latitude, longitude = message.location, message.location.latitude, message.location.longitude
    if isinstance(latitude, str | bool) or isinstance(longitude, str | bool):
        raise _Surprise
    return Location(float(latitude), float(longitude), at.name, at.address, at.url), None


def _reaction(message: _ReactionMessage) -> _Read:
    return Reaction(message.reaction.message_id, message.reaction.emoji), None


def _button(message: _ButtonMessage) -> _Read:
    return Button(message.button.text, message.button.payload), None


def _interactive(message: _InteractiveMessage) -> _Read:
    reply = message.interactive
    replies = (None if one is msgspec.UNSET else one for one in (reply.button_reply, reply.list_reply, reply.nfm_reply))
    return Interactive(reply.type, *replies), None


def _order(message: _OrderMessage) -> _Read:
    order = message.order
    return Order(order.catalog_id, order.text, tuple(order.product_items)), None


def _cards(message: _ContactsMessage) -> _Read:
    cards: Any = message.contacts
    return ContactCards(tuple(cards), next((origin for card in cards if (origin := word(card.get("origin")))), "")), None


_CONTENTS: dict[type[Any], Callable[[Any], _Read]] = {
    _TextMessage: _text,
    _ImageMessage: _file("image", Image),
    _VideoMessage: _file("video", Video),
    _AudioMessage: _file("audio", Audio),
    _DocumentMessage: _file("document", Document),
    _StickerMessage: _file("sticker", Sticker),
    _LocationMessage: _location,
    _ReactionMessage: _reaction,
    _ButtonMessage: _button,
    _InteractiveMessage: _interactive,
    _OrderMessage: _order,
    _ContactsMessage: _cards,
}
