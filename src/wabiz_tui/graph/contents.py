"""Turn a message object into its content, and say which of its parts no field holds."""

from collections.abc import Callable
from typing import Any, NamedTuple

from wabiz_tui.graph.reading import Json, list_of, number_of, object_of, without, word
from wabiz_tui.model.content import (
    Audio,
    Button,
    ContactCards,
    Content,
    Document,
    Edit,
    Image,
    Interactive,
    Location,
    MetaError,
    Order,
    Reaction,
    RequestWelcome,
    Revoke,
    Sticker,
    System,
    Template,
    Text,
    Unsupported,
    Video,
)

_MEDIA: dict[str, type[Image | Video | Audio | Document | Sticker]] = {
    "image": Image,
    "video": Video,
    "audio": Audio,
    "document": Document,
    "sticker": Sticker,
}
_REPLIES = ("button_reply", "list_reply", "nfm_reply", "call_permission_reply")
_INTERACTIVE_PARTS = ("header", "body", "footer", "action")


class Read(NamedTuple):
    """`rest` is what the content does not hold of the object named like the type; `taken` further keys of the message it holds."""

    content: Content
    rest: Any = None
    taken: tuple[str, ...] = ()


class _Unreadable(Exception):
    """The object named like the type has not the form that type has; the message says which part."""


def read_content(message: Json) -> Read:
    """The content of a message object. Unknown or malformed ones become Unsupported with the whole object in `json`. Never raises."""
    kind = type_of(message)
    reader = _READERS.get(kind)
    if reader is None:
        return Read(_unsupported(message, kind))
    try:
        return reader(message, kind)
    except _Unreadable as error:
        return Read(Unsupported(type=kind, errors=read_errors(message.get("errors")), json=message, reason=str(error)))


def type_of(message: Json) -> str:
    """The type of a message object. Some of Meta's examples leave the word out: then the one type whose object is there."""
    if message.get("type") is not None:
        return word(message["type"])
    there = [kind for kind in _READERS if kind in message]
    return there[0] if len(there) == 1 and not message.get("errors") else ""


def read_errors(value: Any) -> tuple[MetaError, ...]:
    """Meta's error objects; what is no object is left out."""
    return tuple(read_error(item) for item in list_of(value) if isinstance(item, dict))


def read_error(value: Any) -> MetaError:
    error = object_of(value)
    code = number_of(error.get("code"))
    return MetaError(
        code=int(code) if code is not None else 0,
        title=word(error.get("title")),
        message=word(error.get("message")),
        details=word(object_of(error.get("error_data")).get("details")),
        href=word(error.get("href")),
    )


def is_whole(error: MetaError, value: Any) -> bool:
    """Whether `error` holds everything that the object it was read from holds."""
    written: Json = {key: text for key in ("title", "message", "href") if (text := getattr(error, key))}
    written["code"] = error.code
    if error.details:
        written["error_data"] = {"details": error.details}
    return written == value


def _unsupported(message: Json, kind: str) -> Unsupported:
    told = word(object_of(message.get("unsupported")).get("type"))
    reason = "" if kind == "unsupported" else "unknown type" if kind else "no type"
    return Unsupported(type=told or kind or "unsupported", errors=read_errors(message.get("errors")), json=message, reason=reason)


def _inner(message: Json, kind: str) -> Json:
    value = message.get(kind)
    if not isinstance(value, dict):
        raise _Unreadable(f"no object '{kind}'")
    return object_of(value)


def _words(inner: Json, *keys: str) -> dict[str, str]:
    """The named texts that are there; one that is there but no text makes the whole unreadable."""
    texts: dict[str, str] = {}
    for key in keys:
        value = inner.get(key)
        if value is None:
            continue
        if isinstance(value, dict | list | bool | float):
            raise _Unreadable(f"'{key}' is not text")
        texts[key] = word(value)
    return texts


def _need(inner: Json, key: str) -> str:
    value = inner.get(key)
    if not isinstance(value, str):
        raise _Unreadable(f"'{key}' is not text")
    return value


def _nulls_and_unknown(inner: Json, *known: str) -> Json | None:
    return without(inner, *(key for key in known if inner.get(key) is not None)) or None


def _text(message: Json, kind: str) -> Read:
    inner = _inner(message, kind)
    preview = inner.get("preview_url")
    held = ("body", "preview_url") if isinstance(preview, bool) else ("body",)
    return Read(Text(body=_need(inner, "body"), preview_url=preview is True), without(inner, *held) or None)


def _media(message: Json, kind: str) -> Read:
    inner = _inner(message, kind)
    texts = _words(inner, "id", "mime_type", "sha256", "caption", "filename", "link")
    # Meta's `url` dies after five minutes: it stays in the rest and never becomes the message's link.
    content = _MEDIA[kind](
        id=texts.get("id", ""),
        mime_type=texts.get("mime_type", ""),
        sha256=texts.get("sha256", ""),
        caption=texts.get("caption", ""),
        filename=texts.get("filename", ""),
        link=texts.get("link", ""),
        voice=inner.get("voice") is True,
        animated=inner.get("animated") is True,
    )
    if not content.id and not content.link:
        raise _Unreadable("no media id")
    flags = tuple(key for key in ("voice", "animated") if isinstance(inner.get(key), bool))
    return Read(content, _nulls_and_unknown(inner, *texts, *flags))


def _location(message: Json, kind: str) -> Read:
    inner = _inner(message, kind)
    latitude, longitude = number_of(inner.get("latitude")), number_of(inner.get("longitude"))
    if latitude is None or longitude is None:
        raise _Unreadable("no coordinates")
    texts = _words(inner, "name", "address", "url")
    content = Location(latitude=latitude, longitude=longitude, **texts)
    return Read(content, _nulls_and_unknown(inner, "latitude", "longitude", *texts))


def _contacts(message: Json, kind: str) -> Read:
    cards = message.get(kind)
    if not isinstance(cards, list) or not all(isinstance(card, dict) for card in list_of(cards)):
        raise _Unreadable("'contacts' is not a list of objects")
    contacts = tuple(object_of(card) for card in list_of(cards))
    told = message.get("origin")
    inside = next((origin for card in contacts if (origin := word(card.get("origin")))), "")
    return Read(ContactCards(contacts=contacts, origin=word(told) or inside), taken=("origin",) if word(told) else ())


def _reaction(message: Json, kind: str) -> Read:
    inner = _inner(message, kind)
    emoji = inner.get("emoji")
    if emoji is not None and not isinstance(emoji, str):
        raise _Unreadable("'emoji' is not text")
    return Read(Reaction(message_id=_need(inner, "message_id"), emoji=emoji or ""), without(inner, "message_id", "emoji") or None)


def _interactive(message: Json, kind: str) -> Read:
    inner = _inner(message, kind)
    known = {key: object_of(inner[key]) for key in (*_REPLIES, *_INTERACTIVE_PARTS) if isinstance(inner.get(key), dict)}
    other = without(inner, "type", *known)
    if not known and not other and message.get("errors"):
        raise _Unreadable("errors only")
    return Read(Interactive(type=_need(inner, "type"), other=other or None, **known))


def _button(message: Json, kind: str) -> Read:
    inner = _inner(message, kind)
    texts = _words(inner, "text", "payload")
    return Read(Button(**texts), _nulls_and_unknown(inner, *texts))


def _order(message: Json, kind: str) -> Read:
    inner = _inner(message, kind)
    texts = _words(inner, "catalog_id", "text")
    items = inner.get("product_items")
    if items is not None and not (isinstance(items, list) and all(isinstance(item, dict) for item in list_of(items))):
        raise _Unreadable("'product_items' is not a list of objects")
    content = Order(product_items=tuple(object_of(item) for item in list_of(items)), **texts)
    return Read(content, _nulls_and_unknown(inner, "product_items", *texts))


def _system(message: Json, kind: str) -> Read:
    inner = _inner(message, kind)
    texts = _words(inner, "type", "body", "wa_id", "user_id", "parent_user_id")
    return Read(System(other=_nulls_and_unknown(inner, *texts), **texts))


def _edit(message: Json, kind: str) -> Read:
    inner = _inner(message, kind)
    edited = inner.get("message")
    if edited is not None and not isinstance(edited, dict):
        raise _Unreadable("'message' is not an object")
    content = Edit(original_message_id=_need(inner, "original_message_id"), message=None if edited is None else object_of(edited))
    return Read(content, without(inner, "original_message_id", "message") or None)


def _revoke(message: Json, kind: str) -> Read:
    inner = _inner(message, kind)
    return Read(Revoke(original_message_id=_need(inner, "original_message_id")), without(inner, "original_message_id") or None)


def _request_welcome(message: Json, kind: str) -> Read:
    return Read(RequestWelcome(), message.get(kind))


def _template(message: Json, kind: str) -> Read:
    """Templates stand in echoes and history, and in what we send."""
    inner = _inner(message, kind)
    language, components = inner.get("language"), inner.get("components")
    if components is not None and not (isinstance(components, list) and all(isinstance(part, dict) for part in list_of(components))):
        raise _Unreadable("'components' is not a list of objects")
    held = ["name", "components"]
    if isinstance(language, dict):
        held.append("language")
    content = Template(
        name=_need(inner, "name"),
        language=object_of(language) or None,
        components=tuple(object_of(part) for part in list_of(components)),
    )
    return Read(content, _nulls_and_unknown(inner, *held))


_READERS: dict[str, Callable[[Json, str], Read]] = {
    "text": _text,
    **dict.fromkeys(_MEDIA, _media),
    "location": _location,
    "contacts": _contacts,
    "reaction": _reaction,
    "interactive": _interactive,
    "button": _button,
    "order": _order,
    "system": _system,
    "edit": _edit,
    "revoke": _revoke,
    "request_welcome": _request_welcome,
    "template": _template,
}
