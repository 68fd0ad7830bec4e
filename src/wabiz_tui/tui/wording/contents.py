"""Every kind of content as what it is: rows of spans that stand in a bubble. All of it is safe text, none of it is obeyed."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, cast

from wabiz_tui.model.content import (
    Activity,
    Audio,
    Button,
    ContactCards,
    Content,
    Document,
    Edit,
    Image,
    Interactive,
    Location,
    Media,
    Note,
    Order,
    Pin,
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
from wabiz_tui.model.text import safe_line, safe_text
from wabiz_tui.policy.privacy import mask_phone
from wabiz_tui.tui.wording.spans import Span, cell_width, clip, clip_middle, clip_spans, wrap

Row = list[Span]

FOLD_AT: Final = 24
"""Lines of one message that are shown; the rest is folded until it is asked for."""
LONGEST: Final = 20_000
"""Characters of a body that are laid out; Meta's own limit is 4 096."""
_STORED: Final = {
    "pending": "being fetched",
    "failed": "could not be fetched",
    "expired": "no longer kept",
}
_TYPES: Final = {
    "image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WebP", "video/mp4": "MP4", "video/3gpp": "3GP", "audio/ogg": "Ogg",
    "audio/mpeg": "MP3", "audio/mp4": "M4A", "audio/aac": "AAC", "audio/amr": "AMR", "application/pdf": "PDF", "text/plain": "text",
    "text/csv": "CSV", "application/zip": "ZIP",
}  # fmt: skip


def content_rows(content: Content, width: int, *, is_struck: bool = False) -> list[Row]:
    """`content` in at most `width` cells."""
    match content:
        case Text() | Note():
            return body_rows(content.body, width, role="struck" if is_struck else "text")
        case Media():
            return _media_rows(content, width)
        case Location():
            return _location_rows(content, width)
        case ContactCards():
            return _card_rows(content, width)
        case Interactive():
            return _interactive_rows(content, width)
        case Button():
            return _chosen("pressed", content.text or content.payload, width)
        case Order():
            return _order_rows(content, width)
        case Template():
            return _template_rows(content, width)
        case Unsupported():
            return _unsupported_rows(content, width)
        case _:
            return _one(remark(content), width, "quiet")


def remark(content: Content) -> str:
    """The sentence for what is no message but something that happened; empty for all other kinds."""
    match content:
        case Activity():
            by = f" by {safe_line(content.by, limit=40)}" if content.by else ""
            to = f" to {safe_line(content.to, limit=40)}" if content.to else ""
            reason = f": {safe_line(content.reason, limit=120)}" if content.reason else ""
            return f"{safe_line(content.verb, limit=40).capitalize()}{to}{by}{reason}"
        case System():
            return safe_line(content.body, limit=200) or "The contact's number or identity changed"
        case RequestWelcome():
            return "Opened the chat for the first time"
        case Reaction():
            return f"Reacted {safe_line(content.emoji, limit=12)}" if content.emoji else "Took a reaction back"
        case Pin():
            return "Took a pin off a message" if content.type == "unpin" else "Pinned a message"
        case Edit():
            return "Edited an earlier message"
        case Revoke():
            return "Deleted an earlier message"
        case _:
            return ""


def body_rows(body: str, width: int, *, role: str = "text") -> list[Row]:
    """Free text, wrapped; addresses of pages are set apart but never live."""
    return [_linked(text, role) for text in wrap(safe_text(body, limit=LONGEST), width)]


def _linked(text: str, role: str) -> Row:
    if "://" not in text or role != "text":
        return [Span(text, role)]
    row: Row = []
    for number, word in enumerate(text.split(" ")):
        if number:
            row.append(Span(" ", role))
        row.append(Span(word, "link" if word.startswith(("http://", "https://")) else role))
    return row


def _one(text: str, width: int, role: str = "text") -> list[Row]:
    return [[Span(part, role)] for part in wrap(text, width)] if text else []


def _head(glyph: str, title: str, details: list[str], width: int) -> Row:
    told = " · ".join(part for part in details if part)
    return clip_spans([Span(f"{glyph} ", "accent"), Span(title, "strong"), Span(f"  {told}" if told else "", "muted")], width)


def size_of(count: int) -> str:
    """Bytes as people say them."""
    if count <= 0:
        return ""
    if count < 1_000:
        return f"{count} B"
    return f"{count / 1_000:.0f} KB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def _media_rows(media: Media, width: int) -> list[Row]:
    glyph, title = _media_title(media)
    kind = media.mime_type.partition(";")[0].strip()
    details = [_TYPES.get(kind, safe_line(kind, limit=32)), size_of(media.size), _STORED.get(media.stored, "")]
    rows = [_head(glyph, title, details, width)]
    if media.filename:
        # The last part of the path alone: a name that climbs folders is a trick, not a name.
        name = safe_line(media.filename.replace("\\", "/").rpartition("/")[2], limit=200)
        rows.append([Span(clip_middle(name, width), "text")])
    return rows + (body_rows(media.caption, width) if media.caption else [])


def _media_title(media: Media) -> tuple[str, str]:
    match media:
        case Image():
            return "▣", "Photo"
        case Video():
            return "▶", "Video"
        case Audio():
            return "♪", "Voice message" if media.voice else "Audio"
        case Document():
            return "▤", "Document"
        case Sticker():
            return "☺", "Animated sticker" if media.animated else "Sticker"
        case _:
            return "▤", "File"


def _location_rows(place: Location, width: int) -> list[Row]:
    rows = [_head("◎", safe_line(place.name, limit=120) or "Location", [], width)]
    rows += _one(safe_line(place.address, limit=200), width)
    return [*rows, [Span(clip(f"{place.latitude:.5f}, {place.longitude:.5f}", width), "muted")]]


def _card_rows(cards: ContactCards, width: int) -> list[Row]:
    rows: list[Row] = []
    for card in cards.contacts[:10]:
        name = _field(_mapping(card.get("name")), "formatted_name") or _field(_mapping(card.get("name")), "first_name")
        rows.append(_head("☺", name or "Contact card", ["contact card" if name else ""], width))
        for phone in _list(card.get("phones"))[:5]:
            # A third person's number: masked for everybody.
            kind = _field(phone, "type").lower()
            rows.append(clip_spans([Span(f"  {mask_phone(_field(phone, 'phone'))}", "text"), Span(f"  {kind}", "muted")], width))
    if len(cards.contacts) > 10:
        rows.append([Span(f"and {len(cards.contacts) - 10} more", "muted")])
    return rows


def _chosen(verb: str, title: str, width: int) -> list[Row]:
    return [clip_spans([Span("↳ ", "accent"), Span(f"{verb} ", "muted"), Span(safe_line(title, limit=200), "strong")], width)]


def _interactive_rows(content: Interactive, width: int) -> list[Row]:
    if content.button_reply is not None:
        return _chosen("chose", _field(content.button_reply, "title"), width)
    if content.list_reply is not None:
        return _chosen("chose", _field(content.list_reply, "title"), width) + _one(
            _field(content.list_reply, "description"), width, "muted"
        )
    if content.nfm_reply is not None:
        return _form_rows(content.nfm_reply, width)
    if content.call_permission_reply is not None:
        return _chosen("answered a call request:", _field(content.call_permission_reply, "response"), width)
    rows = _one(_field(content.header, "text"), width, "strong")
    rows += body_rows(_field(content.body, "text", lines=True), width) + _one(_field(content.footer, "text"), width, "muted")
    return rows + _choice_rows(content.action or {}, width)


def _choice_rows(action: Mapping[str, Any], width: int) -> list[Row]:
    titles = [_field(_mapping(button.get("reply")), "title") for button in _list(action.get("buttons"))]
    titles += [_field(row, "title") for section in _list(action.get("sections")) for row in _list(section.get("rows"))]
    titles += [_field(action, "button")] if not titles else []
    return [clip_spans([Span("[ ", "faint"), Span(title, "accent"), Span(" ]", "faint")], width) for title in titles[:12] if title]


def _form_rows(reply: Mapping[str, Any], width: int) -> list[Row]:
    import json

    rows = [_head("▤", "Form filled in", [_field(reply, "name")], width)]
    answers: Mapping[str, Any] = {}
    with suppress(ValueError, RecursionError):
        answers = _mapping(json.loads(str(reply.get("response_json") or "{}")[:LONGEST]))
    for name, value in list(answers.items())[:30]:
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        rows.append(clip_spans([Span(f"{safe_line(name, limit=40)}: ", "muted"), Span(safe_line(shown, limit=300), "text")], width))
    return rows


def _order_rows(order: Order, width: int) -> list[Row]:
    rows = [_head("▤", "Order", [f"{len(order.product_items)} lines"], width)]
    total, currency = 0.0, ""
    for item in order.product_items[:30]:
        quantity, price = _number(item.get("quantity", 1)), _number(item.get("item_price", 0))
        currency = _field(item, "currency") or currency
        total += quantity * price
        rows.append(_money_row(f"{quantity:g} × {_field(item, 'product_retailer_id') or '?'}", f"{quantity * price:,.2f}", width))
    if len(order.product_items) > 30:
        rows.append([Span(f"and {len(order.product_items) - 30} more lines, not in the total", "muted")])
    rows.append([Span("─" * min(width, 40), "rule")])
    rows.append(_money_row("Total", f"{total:,.2f} {currency}".strip(), width, role="strong"))
    return rows + (body_rows(order.text, width) if order.text else [])


def _money_row(name: str, amount: str, width: int, *, role: str = "text") -> Row:
    room = min(width, 40)
    shown = clip(name, max(4, room - cell_width(amount) - 1))
    return [Span(shown, role), Span(" " * max(1, room - cell_width(shown) - cell_width(amount))), Span(amount, role)]


def _template_rows(template: Template, width: int) -> list[Row]:
    language = _field(template.language, "code")
    rows = [_head("▤", f"Template {safe_line(template.name, limit=60)}", [language], width)]
    for component in template.components[:10]:
        values = [_parameter(each) for each in _list(component.get("parameters"))[:20]]
        if values:
            kind = _field(component, "type").lower()
            rows.append(clip_spans([Span(f"{kind}: ", "muted"), Span(" · ".join(values), "text")], width))
    return rows


def _parameter(parameter: Mapping[str, Any]) -> str:
    kind = _field(parameter, "type")
    value = parameter.get(kind, "")
    return safe_line(value, limit=100) if isinstance(value, str) else kind


def _unsupported_rows(content: Unsupported, width: int) -> list[Row]:
    error = content.errors[0] if content.errors else None
    reason = content.reason or (error and (error.details or error.title)) or "WhatsApp does not pass it on to businesses."
    rows = [_head("▨", f"Not supported: {safe_line(content.type, limit=40)}", [], width)]
    return rows + _one(safe_line(reason, limit=300), width, "muted")


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[Mapping[str, Any]]:
    return [_mapping(each) for each in cast("list[Any]", value)] if isinstance(value, list) else []


def _field(value: Mapping[str, Any] | None, name: str, *, lines: bool = False) -> str:
    text = (value or {}).get(name)
    if not isinstance(text, str):
        return ""
    return text if lines else safe_line(text, limit=300)


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return number if abs(number) < 1e12 else 0.0
