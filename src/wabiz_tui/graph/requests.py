"""Build the bodies we send, and read those that others send us: every outbound type of cloud-api §3 to §5."""

import re
from typing import Any, NoReturn

import msgspec

from wabiz_tui.graph.contents import read_content
from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.limits import CALLBACK_DATA, OURS, check_envelope, check_message, refusing
from wabiz_tui.graph.limits.measuring import Part
from wabiz_tui.graph.outgoing import outgoing
from wabiz_tui.graph.reading import Json, load_object, number_of, object_of, word, word_or_none
from wabiz_tui.model.content import Content, Pin, Text, Unsupported
from wabiz_tui.model.errors import BadInput, LimitBroken

TYPES = (
    "audio", "contacts", "document", "image", "interactive", "location", "pin", "reaction", "sticker", "template", "text", "video",
)  # fmt: skip
MEDIA_TYPES = ("audio", "document", "image", "sticker", "video")
MAX_CALLBACK_DATA = CALLBACK_DATA
_PIN_DAYS = range(1, 31)
_PHONE = re.compile(r"\+[0-9() -]{1,30}", re.ASCII)


class SendRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message to be sent. `to` is as the caller wrote it, `original` the whole object."""

    type: str
    content: Content
    original: dict[str, Any]
    to: str | None = None
    recipient: str | None = None
    is_group: bool = False
    reply_to: str | None = None
    callback_data: str | None = None
    identity_key_hash: str | None = None


class ReadRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """Marks an incoming message, and everything before it in that chat, as read; `typing` also shows the typing indicator."""

    message_id: str
    original: dict[str, Any]
    typing: bool = False


def build_message(
    content: Content,
    *,
    to: str | None = None,
    recipient: str | None = None,
    group: str | None = None,
    reply_to: str | None = None,
    callback_data: str | None = None,
    identity_key_hash: str | None = None,
) -> dict[str, Any]:
    """The body of `POST /{phone_number_id}/messages` for any content that can be sent.

    `to` (a phone number or wa_id) gets the `+` it may lack: without it Meta puts our own country code in front. `recipient` is a
    BSUID; with both, Meta takes `to`. `group` is a group's id and stands alone. What a file was received with (MIME type, hash,
    size) and a received card's or place's origin are not sent.

    Raises LimitBroken when a limit of Meta's is broken, and BadInput for content of a kind that cannot be sent or where nobody
    is addressed.
    """
    kind, inner = outgoing(content)
    message = {"messaging_product": "whatsapp", **_address(to, recipient, group), "type": kind, kind: inner}
    if reply_to is not None:
        message["context"] = {"message_id": reply_to}
    if callback_data is not None:
        message["biz_opaque_callback_data"] = callback_data
    if identity_key_hash is not None:
        message["recipient_identity_key_hash"] = identity_key_hash
    check_message(message, kind, OURS)
    return message


def build_text(
    *,
    to: str | None = None,
    recipient: str | None = None,
    body: str,
    preview_url: bool = False,
    reply_to: str | None = None,
    callback_data: str | None = None,
) -> dict[str, Any]:
    """A text message, as build_message makes it."""
    return build_message(Text(body, preview_url), to=to, recipient=recipient, reply_to=reply_to, callback_data=callback_data)


def _address(to: str | None, recipient: str | None, group: str | None) -> Json:
    if group:
        if to or recipient:
            raise BadInput("A message goes to a group or to a person, not to both.")
        return {"recipient_type": "group", "to": group}
    if not to and not recipient:
        raise BadInput("A message needs a phone number or a user id to go to.")
    address: Json = {"recipient_type": "individual"}
    if to:
        address["to"] = to if to.startswith("+") else f"+{to}"
        digits = sum(character.isdigit() for character in to)
        if not _PHONE.fullmatch(address["to"]) or not 1 <= digits <= 15:
            raise LimitBroken("to", "must be a phone number of at most 15 digits", limit=15, value=digits)
    if recipient:
        address["recipient"] = recipient
    return address


def build_read(message_id: str, typing: bool = False) -> dict[str, Any]:
    """Marks `message_id` read; with `typing` the customer sees that an answer is being written, for 25 seconds at most."""
    body: Json = {"messaging_product": "whatsapp", "status": "read", "message_id": message_id}
    return {**body, "typing_indicator": {"type": "text"}} if typing else body


def parse_request(raw: bytes) -> SendRequest | ReadRequest:
    """What `POST /{phone_number_id}/messages` asks for: a message, or to mark one read. Raises CloudError as parse_send does."""
    body = _load(raw)
    if "status" in body and "type" not in body:
        return _read_request(body)
    return _send_request(body)


def parse_send(raw: bytes) -> SendRequest:
    """A message of any outbound type. Raises CloudError 100 (no such thing), 131008 (missing) or 131009 (not valid) naming the field.

    The form is judged here, and the envelope's limits; those of the content by graph.limits. A missing `type` means text.
    """
    return _send_request(_load(raw))


def _load(raw: bytes) -> Json:
    try:
        body = load_object(raw)
    except BadInput as error:
        raise graph_error(100, error.sentence.rstrip(".")) from error
    if body.get("messaging_product") != "whatsapp":
        raise graph_error(100, "The parameter messaging_product is required and must be 'whatsapp'")
    return body


def _read_request(body: Json) -> ReadRequest:
    if body.get("status") != "read":
        _refuse("status", "must be 'read'")
    message_id = body.get("message_id")
    if not isinstance(message_id, str) or not message_id:
        _miss("message_id")
    indicator = body.get("typing_indicator")
    if indicator is not None and object_of(indicator).get("type") != "text":
        _refuse("typing_indicator.type", "must be 'text'")
    return ReadRequest(message_id=message_id, typing=indicator is not None, original=body)


def _send_request(body: Json) -> SendRequest:
    kind = body.get("type", "text")
    if not isinstance(kind, str) or kind not in TYPES:
        raise graph_error(100, "Param type must be one of {" + ", ".join(name.upper() for name in TYPES) + "}")
    with refusing():
        check_envelope(Part(body), kind)
    to, recipient = word_or_none(body.get("to")), word_or_none(body.get("recipient"))
    if to is None and recipient is None:
        _miss("to")
    return SendRequest(
        type=kind,
        content=_content(body, kind),
        to=to,
        recipient=recipient,
        is_group=word(body.get("recipient_type")).lower() == "group",
        reply_to=_reply_to(body),
        callback_data=word_or_none(body.get("biz_opaque_callback_data")),
        identity_key_hash=word_or_none(body.get("recipient_identity_key_hash")),
        original=body,
    )


def _reply_to(body: Json) -> str | None:
    context = body.get("context")
    if context is None:
        return None
    quoted = object_of(context).get("message_id")
    if not isinstance(quoted, str) or not quoted:
        _miss("context.message_id")
    return quoted


def _content(body: Json, kind: str) -> Content:
    if kind not in body:
        _miss(kind)
    if kind == "pin":
        return _pin(body)
    content = read_content({**body, "type": kind}).content
    if isinstance(content, Unsupported):
        if isinstance(body[kind], dict):
            _name_missing(object_of(body[kind]), kind)
        _refuse(kind, content.reason or "cannot be read")
    return content


_REQUIRED: dict[str, tuple[str, ...]] = {
    "text": ("body",),
    "location": ("latitude", "longitude"),
    "reaction": ("message_id",),
    "interactive": ("type",),
    "template": ("name",),
}


def _name_missing(inner: Json, kind: str) -> None:
    """Tell a missing key apart from one that is there and wrong."""
    for key in _REQUIRED.get(kind, ()):
        if inner.get(key) is None:
            _miss(f"{kind}.{key}")
    if kind in MEDIA_TYPES and not inner.get("id") and not inner.get("link"):
        _miss(f"{kind}.id or {kind}.link")


def _pin(body: Json) -> Pin:
    inner = object_of(body["pin"])
    if word(inner.get("type")) not in ("pin", "unpin"):
        _refuse("pin.type", "must be 'pin' or 'unpin'")
    if not word(inner.get("message_id")):
        _miss("pin.message_id")
    days = number_of(inner.get("expiration_days"))
    if inner.get("expiration_days") is not None and days not in _PIN_DAYS:
        _refuse("pin.expiration_days", "must be 1 to 30")
    return Pin(word(inner["type"]), word(inner["message_id"]), None if days is None else int(days))


def _miss(field: str) -> NoReturn:
    raise graph_error(131008, f"The parameter {field} is required")


def _refuse(field: str, why: str) -> NoReturn:
    raise graph_error(131009, f"The parameter {field} {why}")
