"""The lengths and counts Meta allows in what we send (cloud-api §4, §17)."""

from collections.abc import Callable
from typing import NoReturn

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.reading import Json, list_of, object_of, word
from wabiz_tui.graph.requests import SendRequest
from wabiz_tui.model.content import Audio, ContactCards, Document, Image, Location, Sticker, Text, Video

TEXT = 4096
CAPTION = 1024
# Meta's pages and its OpenAPI file disagree on the list's body (4096 or 1024): the larger one is let through.
BODIES = {"list": 4096, "button": 1024, "cta_url": 1024, "location_request_message": 1024, "flow": 1024}
CONTACTS = 257
_MEGABYTE = 1024 * 1024

MEDIA_TYPES: dict[str, tuple[str, ...]] = {
    "image": ("image/jpeg", "image/png"),
    "video": ("video/mp4", "video/3gpp"),
    "audio": ("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"),
    "document": (
        "text/plain",
        "application/pdf",
        "application/msword",
        "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
    "sticker": ("image/webp",),
}
MEDIA_SIZES = {
    "image": 5 * _MEGABYTE,
    "video": 16 * _MEGABYTE,
    "audio": 16 * _MEGABYTE,
    "document": 100 * _MEGABYTE,
    "sticker": 500 * 1024,
}


def media_kind(mime_type: str) -> str | None:
    """The message type files of this MIME type are sent as; parameters (`; codecs=opus`) do not matter."""
    plain = mime_type.split(";", maxsplit=1)[0].strip().lower()
    return next((kind for kind, allowed in MEDIA_TYPES.items() if plain in allowed), None)


def check(request: SendRequest) -> None:
    """Raises CloudError 131009 (131008 for what is missing) naming the field that breaks a limit."""
    content, inner = request.content, object_of(request.original.get(request.type))
    match content:
        case Text():
            _length("text.body", content.body, TEXT, least=1)
        case Image() | Video() | Document():
            _length(f"{request.type}.caption", content.caption, CAPTION)
        case Audio() | Sticker():
            if "caption" in inner:
                _refuse(f"{request.type}.caption", "is not allowed")
        case Location():
            _within("location.latitude", content.latitude, 90)
            _within("location.longitude", content.longitude, 180)
        case ContactCards():
            _contacts(request.original.get("contacts"))
        case _:
            if request.type == "interactive":
                _interactive(inner)


def _contacts(value: object) -> None:
    cards = [object_of(card) for card in list_of(value)]
    _count("contacts", len(cards), 1, CONTACTS)
    for index, card in enumerate(cards):
        name = object_of(card.get("name"))
        if not word(name.get("formatted_name")):
            _miss(f"contacts[{index}].name.formatted_name")
        if not any(word(name.get(part)) for part in ("first_name", "last_name", "middle_name", "suffix", "prefix")):
            _miss(f"contacts[{index}].name.first_name")


def _interactive(inner: Json) -> None:
    kind, body = word(inner.get("type")), word(object_of(inner.get("body")).get("text"))
    if kind not in _KINDS:
        _refuse("interactive.type", "must be one of " + ", ".join(sorted(_KINDS)))
    if not body and kind not in ("product", "call_permission_request", "catalog_message"):
        _miss("interactive.body.text")
    _length("interactive.body.text", body, BODIES.get(kind, TEXT))
    _length("interactive.footer.text", word(object_of(inner.get("footer")).get("text")), 60)
    _length("interactive.header.text", word(object_of(inner.get("header")).get("text")), 60)
    if "action" not in inner and kind != "carousel":
        _miss("interactive.action")
    _KINDS[kind](object_of(inner.get("action")))


def _buttons(action: Json) -> None:
    buttons = [object_of(object_of(one).get("reply")) for one in list_of(action.get("buttons"))]
    _count("interactive.action.buttons", len(buttons), 1, 3)
    for index, reply in enumerate(buttons):
        _length(f"interactive.action.buttons[{index}].reply.id", word(reply.get("id")), 256, least=1)
        _length(f"interactive.action.buttons[{index}].reply.title", word(reply.get("title")), 20, least=1)
    _unique("interactive.action.buttons", [word(reply.get("id")) for reply in buttons])
    _unique("interactive.action.buttons", [word(reply.get("title")) for reply in buttons])


def _list(action: Json) -> None:
    _length("interactive.action.button", word(action.get("button")), 20, least=1)
    sections = [object_of(one) for one in list_of(action.get("sections"))]
    _count("interactive.action.sections", len(sections), 1, 10)
    rows = [object_of(row) for section in sections for row in list_of(section.get("rows"))]
    # Ten rows in all sections together, not in each.
    _count("interactive.action.sections.rows", len(rows), 1, 10)
    for section in sections:
        _length("interactive.action.sections.title", word(section.get("title")), 24, least=1 if len(sections) > 1 else 0)
    for row in rows:
        _length("interactive.action.sections.rows.id", word(row.get("id")), 200, least=1)
        _length("interactive.action.sections.rows.title", word(row.get("title")), 24, least=1)
        _length("interactive.action.sections.rows.description", word(row.get("description")), 72)
    _unique("interactive.action.sections.rows", [word(row.get("id")) for row in rows])


def _link(action: Json) -> None:
    parameters = object_of(action.get("parameters"))
    _length("interactive.action.parameters.display_text", word(parameters.get("display_text")), 20, least=1)
    if not word(parameters.get("url")).startswith(("http://", "https://")):
        _refuse("interactive.action.parameters.url", "must be an http(s) URL")


def _flow(action: Json) -> None:
    parameters = object_of(action.get("parameters"))
    _length("interactive.action.parameters.flow_cta", word(parameters.get("flow_cta")), 30, least=1)
    if not word(parameters.get("flow_id")) and not word(parameters.get("flow_name")):
        _miss("interactive.action.parameters.flow_id")


def _products(action: Json) -> None:
    sections = [object_of(one) for one in list_of(action.get("sections"))]
    _count("interactive.action.sections", len(sections), 1, 10)
    _count("interactive.action.sections.product_items", sum(len(list_of(one.get("product_items"))) for one in sections), 1, 30)


def _any(_: Json) -> None:
    """Kinds of which only the common parts have limits."""


_KINDS: dict[str, Callable[[Json], None]] = {
    "button": _buttons,
    "list": _list,
    "cta_url": _link,
    "flow": _flow,
    "product_list": _products,
    **dict.fromkeys(
        ("product", "catalog_message", "location_request_message", "request_contact_info", "call_permission_request", "voice_call"), _any
    ),
    **dict.fromkeys(("carousel", "address_message", "order_details", "order_status"), _any),
}


def _length(field: str, text: str, most: int, *, least: int = 0) -> None:
    if len(text) < least:
        _miss(field)
    if len(text) > most:
        _refuse(field, f"must be at most {most} characters long")


def _count(field: str, number: int, least: int, most: int) -> None:
    if not least <= number <= most:
        _refuse(field, f"must hold {least} to {most} items")


def _within(field: str, number: float, most: float) -> None:
    if abs(number) > most:
        _refuse(field, f"must be between -{most} and {most}")


def _unique(field: str, texts: list[str]) -> None:
    if len(set(texts)) != len(texts):
        _refuse(field, "must not repeat ids or titles")


def _miss(field: str) -> NoReturn:
    raise graph_error(131008, f"The parameter {field} is required")


def _refuse(field: str, why: str) -> NoReturn:
    raise graph_error(131009, f"The parameter {field} {why}")
