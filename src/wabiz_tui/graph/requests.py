"""Build the bodies we send, and read those that others send us: every outbound type of cloud-api §3 and §4."""

from typing import Any, NoReturn

import msgspec

from wabiz_tui.graph.contents import read_content
from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.reading import Json, load_object, number_of, object_of, word, word_or_none
from wabiz_tui.model.content import Content, Unsupported
from wabiz_tui.model.errors import BadInput

TYPES = (
    "audio", "contacts", "document", "image", "interactive", "location", "pin", "reaction", "sticker", "template", "text", "video",
)  # fmt: skip
MEDIA_TYPES = ("audio", "document", "image", "sticker", "video")
MAX_CALLBACK_DATA = 512


class SendRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message to be sent. `to` is as the caller wrote it, `original` the whole object; a `pin` is Unsupported with its JSON."""

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


def build_text(
    *,
    to: str | None = None,
    recipient: str | None = None,
    body: str,
    preview_url: bool = False,
    reply_to: str | None = None,
    callback_data: str | None = None,
) -> dict[str, Any]:
    """A text message. `to` (a phone number or wa_id) gets the `+` it may lack: without it Meta puts our own country code in front.

    Raises BadInput when neither `to` nor `recipient` (a BSUID) is given; with both, Meta takes `to`.
    """
    message: Json = {"messaging_product": "whatsapp", "recipient_type": "individual"}
    if to:
        message["to"] = to if to.startswith("+") else f"+{to}"
    if recipient:
        message["recipient"] = recipient
    if not to and not recipient:
        raise BadInput("A message needs a phone number or a user id to go to.")
    message |= {"type": "text", "text": {"body": body, "preview_url": preview_url}}
    if reply_to is not None:
        message["context"] = {"message_id": reply_to}
    if callback_data is not None:
        message["biz_opaque_callback_data"] = callback_data
    return message


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

    The form is judged here; lengths and counts by graph.limits. A missing `type` means text.
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
    is_group = _is_group(body)
    to, recipient = word_or_none(body.get("to")), word_or_none(body.get("recipient"))
    if to is None and recipient is None:
        _miss("to")
    return SendRequest(
        type=kind,
        content=_content(body, kind),
        to=to,
        recipient=recipient,
        is_group=is_group,
        reply_to=_reply_to(body, kind),
        callback_data=_callback_data(body),
        identity_key_hash=word_or_none(body.get("recipient_identity_key_hash")),
        original=body,
    )


def _is_group(body: Json) -> bool:
    recipient_type = body.get("recipient_type", "individual")
    if recipient_type not in ("individual", "group"):
        _refuse("recipient_type", "must be 'individual' or 'group'")
    return recipient_type == "group"


def _reply_to(body: Json, kind: str) -> str | None:
    context = body.get("context")
    if context is None:
        return None
    quoted = object_of(context).get("message_id")
    if not isinstance(quoted, str) or not quoted:
        _miss("context.message_id")
    if kind == "reaction":
        _refuse("context", "is not allowed for reactions")
    return quoted


def _callback_data(body: Json) -> str | None:
    value = body.get("biz_opaque_callback_data")
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > MAX_CALLBACK_DATA:
        _refuse("biz_opaque_callback_data", f"must be text of at most {MAX_CALLBACK_DATA} characters")
    return value


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


def _pin(body: Json) -> Content:
    inner = object_of(body["pin"])
    if inner.get("type") not in ("pin", "unpin"):
        _refuse("pin.type", "must be 'pin' or 'unpin'")
    if not word(inner.get("message_id")):
        _miss("pin.message_id")
    days = inner.get("expiration_days")
    if days is not None and not 1 <= (number_of(days) or 0) <= 30:
        _refuse("pin.expiration_days", "must be 1 to 30")
    return Unsupported(type="pin", json=inner, reason="shown by its JSON")


def _miss(field: str) -> NoReturn:
    raise graph_error(131008, f"The parameter {field} is required")


def _refuse(field: str, why: str) -> NoReturn:
    raise graph_error(131009, f"The parameter {field} {why}")
