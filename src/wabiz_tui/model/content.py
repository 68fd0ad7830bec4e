"""What a message carries: a closed union tagged by `kind`, with Meta's own field names inside, so that nothing is renamed away.

The field names inside a content object are those of the Cloud API object of the same name (`text.body`, `image.caption`,
`interactive.list_reply` …): the same object is read by scripts, exports and other Cloud API programs.
"""

from typing import Any, cast

import msgspec


class MetaError(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error object of Meta's, in a status or an unsupported message."""

    code: int = 0
    title: str = ""
    message: str = ""
    details: str = ""
    href: str = ""


# Thousands live at once, and what they hold came from JSON, so no cycle goes through them: the collector need not look.
class Text(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag_field="kind", tag="text"):
    body: str
    preview_url: bool = False


class Media(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind"):
    """A file. `id` is Meta's media id; `stored` tells what became of the bytes at the hub: pending, stored, failed, expired."""

    id: str = ""
    mime_type: str = ""
    sha256: str = ""
    caption: str = ""
    filename: str = ""
    voice: bool = False
    animated: bool = False
    size: int = 0
    stored: str = "pending"
    link: str = ""


class Image(Media, frozen=True, tag="image"):
    pass


class Video(Media, frozen=True, tag="video"):
    pass


class Audio(Media, frozen=True, tag="audio"):
    pass


class Document(Media, frozen=True, tag="document"):
    pass


class Sticker(Media, frozen=True, tag="sticker"):
    pass


class Location(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="location"):
    latitude: float
    longitude: float
    name: str = ""
    address: str = ""
    url: str = ""


class ContactCards(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="contacts"):
    """Shared contact cards, each as Meta gave it."""

    contacts: tuple[dict[str, Any], ...]
    origin: str = ""


class Reaction(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="reaction"):
    """A reaction to another message; an empty `emoji` takes it back."""

    message_id: str
    emoji: str = ""


class Interactive(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="interactive"):
    """An answer to an interactive message (incoming) or the interactive message itself (outgoing): `type` names the key that is set."""

    type: str
    button_reply: dict[str, Any] | None = None
    list_reply: dict[str, Any] | None = None
    nfm_reply: dict[str, Any] | None = None
    call_permission_reply: dict[str, Any] | None = None
    header: dict[str, Any] | None = None
    body: dict[str, Any] | None = None
    footer: dict[str, Any] | None = None
    action: dict[str, Any] | None = None
    other: dict[str, Any] | None = None


class Button(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="button"):
    """A tap on a template's quick-reply button."""

    text: str = ""
    payload: str = ""


class Order(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="order"):
    """A cart; prices are in major units, as Meta gave them."""

    catalog_id: str = ""
    text: str = ""
    product_items: tuple[dict[str, Any], ...] = ()


class System(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="system"):
    """A number or id change: opens no window, raises no unread."""

    type: str = ""
    body: str = ""
    wa_id: str = ""
    user_id: str = ""
    parent_user_id: str = ""
    other: dict[str, Any] | None = None


class Template(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="template"):
    name: str
    language: dict[str, Any] | None = None
    components: tuple[dict[str, Any], ...] = ()


class Pin(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="pin"):
    """Pins a message of a group for 1 to 30 days, or takes that back: `type` is pin or unpin."""

    type: str
    message_id: str
    expiration_days: int | None = None


class Edit(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="edit"):
    original_message_id: str
    message: dict[str, Any] | None = None


class Revoke(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="revoke"):
    original_message_id: str


class RequestWelcome(msgspec.Struct, frozen=True, tag_field="kind", tag="request_welcome"):
    """The customer opened an empty chat."""


class Unsupported(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="unsupported"):
    """What Meta says it does not support, and what we do not know or cannot read: the original object is kept in `json`."""

    type: str = "unsupported"
    errors: tuple[MetaError, ...] = ()
    json: dict[str, Any] | None = None
    reason: str = ""


class Activity(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="activity"):
    """Something that happened to the conversation itself: `verb` is resolved, reopened, assigned …; `by` a person's name."""

    verb: str
    by: str = ""
    to: str = ""
    reason: str = ""


class Note(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="note"):
    """A private note; never leaves the business."""

    body: str


Content = (
    Text
    | Image
    | Video
    | Audio
    | Document
    | Sticker
    | Location
    | ContactCards
    | Reaction
    | Interactive
    | Button
    | Order
    | System
    | Template
    | Pin
    | Edit
    | Revoke
    | RequestWelcome
    | Unsupported
    | Activity
    | Note
)


def kind_of(content: Content) -> str:
    """The tag of `content`: Meta's type name, or note / activity."""
    return str(content.__struct_config__.tag)


def plain_text(content: Content) -> str:
    """The words of `content`, for search, previews and scripts; raw as the sender wrote them (see model/text.py before showing)."""
    match content:
        case Text(body=body) | Note(body=body):
            return body
        case Media():
            return content.caption or content.filename
        case Location():
            return ", ".join(part for part in (content.name, content.address) if part) or f"{content.latitude:.5f}, {content.longitude:.5f}"
        case ContactCards():
            return ", ".join(_card_name(card) for card in content.contacts)
        case Reaction():
            return content.emoji
        case Interactive():
            return _interactive_text(content)
        case Button():
            return content.text
        case Order():
            return content.text or ", ".join(
                f"{item.get('quantity', 1)} × {item.get('product_retailer_id', '?')}" for item in content.product_items
            )
        case System():
            return content.body
        case Template():
            return content.name
        case Unsupported():
            return content.errors[0].details or content.errors[0].title if content.errors else ""
        case Activity():
            return " ".join(part for part in (content.verb, content.to, content.reason) if part)
        case Pin() | Edit() | Revoke() | RequestWelcome():
            return ""


def _card_name(card: dict[str, Any]) -> str:
    name: Any = card.get("name")
    if not isinstance(name, dict):
        return "contact"
    parts = cast("dict[str, Any]", name)
    return str(parts.get("formatted_name") or parts.get("first_name") or "contact")


def _interactive_text(content: Interactive) -> str:
    for reply in (content.button_reply, content.list_reply):
        if reply is not None:
            return str(reply.get("title", ""))
    if content.nfm_reply is not None:
        return str(content.nfm_reply.get("body") or content.nfm_reply.get("name") or "")
    if content.call_permission_reply is not None:
        return str(content.call_permission_reply.get("response", ""))
    if content.body is not None:
        return str(content.body.get("text", ""))
    return ""
