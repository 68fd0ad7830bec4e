"""Turn content into the object a send carries under the name of its type."""

from collections.abc import Mapping
from typing import Any

from wabiz_tui.graph.reading import Json
from wabiz_tui.model.content import (
    Audio,
    ContactCards,
    Content,
    Document,
    Image,
    Interactive,
    Location,
    Pin,
    Reaction,
    Sticker,
    Template,
    Text,
    Video,
    kind_of,
)
from wabiz_tui.model.errors import BadInput, LimitBroken

_REPLIES = ("button_reply", "list_reply", "nfm_reply", "call_permission_reply")


def outgoing(content: Content) -> tuple[str, Any]:
    """The type of the message and what stands under its name. Raises BadInput for kinds that cannot be sent."""
    match content:
        case Text():
            inner: Any = {"body": content.body, "preview_url": content.preview_url}
        case Image() | Video() | Audio() | Document() | Sticker():
            inner = media_object(content)
        case Location():
            inner = location_object(content)
        case ContactCards():
            inner = [dict(card) for card in content.contacts]
        case Reaction():
            inner = {"message_id": content.message_id, "emoji": content.emoji}
        case Interactive():
            inner = _interactive(content)
        case Template():
            inner = _template(content)
        case Pin():
            inner = said({"type": content.type, "message_id": content.message_id, "expiration_days": content.expiration_days})
        case _:
            raise BadInput(f"Content of kind {kind_of(content)} cannot be sent to a customer.")
    return kind_of(content), inner


def said(parts: Mapping[str, Any]) -> Json:
    """`parts` without what is None, empty text or False."""
    return {key: value for key, value in parts.items() if value is not None and value != "" and value is not False}


def media_object(media: Image | Video | Audio | Document | Sticker) -> Json:
    """The file by id or link, with what is told of it."""
    return said({key: getattr(media, key) for key in ("id", "link", "caption", "filename", "voice")})


def location_object(place: Location) -> Json:
    coordinates: Json = {"latitude": place.latitude, "longitude": place.longitude}
    return coordinates | said({"name": place.name, "address": place.address})


def _interactive(content: Interactive) -> Json:
    for key in _REPLIES:
        if getattr(content, key) is not None:
            raise LimitBroken(f"interactive.{key}", "is an answer, which only a customer can give", limit="absent")
    known = {key: getattr(content, key) for key in ("header", "body", "footer", "action")}
    return {"type": content.type, **(content.other or {}), **said(known)}


def _template(content: Template) -> Json:
    components = [dict(component) for component in content.components]
    return said({"name": content.name, "language": content.language}) | ({"components": components} if components else {})
