"""Rows of the queue: who, what was said last, what is left of the window, who works on it, how much is unread, how long ago."""

from datetime import datetime, timedelta
from typing import Final

from wabiz_tui.model.text import safe_line
from wabiz_tui.model.values import Conversation, Direction
from wabiz_tui.policy.window import is_open, left
from wabiz_tui.tui.wording.delivery import tick
from wabiz_tui.tui.wording.spans import Line, Span, clip, clip_spans, fit, spans_width
from wabiz_tui.tui.wording.times import CLOSING, age, moment, short

KINDS: Final = {
    "image": "Photo",
    "video": "Video",
    "audio": "Voice message",
    "document": "Document",
    "sticker": "Sticker",
    "location": "Location",
    "contacts": "Contact card",
    "order": "Order",
    "template": "Template",
    "interactive": "Answer",
    "button": "Button",
    "reaction": "Reaction",
    "unsupported": "Not supported",
    "system": "System",
    "request_welcome": "Opened the chat",
}
DUE_SOON: Final = timedelta(hours=1)


def name_of(conversation: Conversation) -> str:
    return safe_line(conversation.name, limit=80) or "Unknown contact"


def window_left(until: datetime | None, now: datetime) -> tuple[str, str]:
    """What is left of the customer service window and the role it wears: `21h`, `47m`, `shut`."""
    if not is_open(until, now):
        return "shut", "faint"
    remaining = left(until, now)
    return short(remaining), "warn.strong" if remaining < CLOSING else "muted"


def marks(conversation: Conversation, now: datetime) -> list[Span]:
    """What sets a conversation apart: hold, priority, due time, snooze, status, labels; each followed by a space."""
    shown: list[Span] = []
    if conversation.held:
        shown.append(Span("HOLD", "hold"))
    if conversation.priority in ("urgent", "high"):
        shown.append(Span(conversation.priority, "bad.strong" if conversation.priority == "urgent" else "warn"))
    if conversation.due_at is not None and conversation.status != "resolved":
        due = conversation.due_at - now
        if due < timedelta():
            shown.append(Span(f"late {short(-due)}", "bad.strong"))
        elif due < DUE_SOON:
            shown.append(Span(f"due {short(due)}", "warn"))
    if conversation.status == "snoozed":
        shown.append(Span("until " + moment(conversation.snoozed_until, now) if conversation.snoozed_until else "until reply", "muted"))
    elif conversation.status == "pending":
        shown.append(Span("pending", "muted"))
    shown.extend(Span(safe_line(label, limit=16), "label") for label in conversation.labels[:3])
    return [span for mark in shown for span in (mark, Span(" "))]


def preview(conversation: Conversation, *, ground: str = "") -> list[Span]:
    """Who spoke last, how far it came, and what was said, as one line."""
    said = safe_line(" ".join(conversation.preview.split()), limit=200)
    kind = KINDS.get(conversation.preview_kind, "")
    spans: list[Span] = []
    if conversation.preview_direction is Direction.OUTGOING:
        if conversation.preview_delivery is not None:
            spans += [tick(conversation.preview_delivery, ground=ground), Span(" ")]
        spans.append(Span("You: ", "faint", ground))
    elif conversation.preview_direction is Direction.NOTE:
        spans.append(Span("Note: ", "warn", ground))
    role = "text" if conversation.unread else "muted"
    if kind:
        spans.append(Span(kind, "quiet", ground))
        said = f" · {said}" if said else ""
    spans.append(Span(said, role, ground))
    return spans


def assignee(conversation: Conversation, me: str) -> Span:
    if conversation.assignee is None:
        return Span("–", "faint")
    if conversation.assignee == me:
        return Span("you", "accent")
    return Span(safe_line(conversation.assignee_name, limit=24).partition(" ")[0] or "taken", "muted")


def badge(count: int, *, width: int) -> list[Span]:
    """The unread count as a filled badge at the right of `width` cells."""
    if not count:
        return [Span(" " * width)]
    text = f" {count if count < 100 else '99'} " if count < 100 else " 99+ "
    return [Span(" " * max(0, width - len(text))), Span(text, "badge")]


def ground_of(*, is_selected: bool, is_focused: bool) -> str:
    if not is_selected:
        return "base"
    return "selected" if is_focused else "resting"


def row_line(conversation: Conversation, width: int, now: datetime, *, me: str, is_selected: bool = False, is_focused: bool = True) -> Line:
    """The row on one line, at 60 cells and more. Every column but the preview has a fixed width, so the eye runs down straight."""
    ground = ground_of(is_selected=is_selected, is_focused=is_focused)
    name_width = 18 if width < 100 else 24
    person_width = 7 if width < 100 else 10
    window, window_role = window_left(conversation.window_until, now)
    person = assignee(conversation, me)
    ending = [
        Span(" "),
        Span(fit(person.text, person_width), person.role),
        Span(fit(window, 4, right=True), window_role),
        *badge(conversation.unread, width=6),
        Span(fit(age(conversation.last_at, now), 5, right=True), "muted"),
        Span(" "),
    ]
    beginning = [
        Span("▌" if is_selected else " ", "accent" if is_focused else "faint"),
        Span(" "),
        Span(fit(name_of(conversation), name_width), "strong" if conversation.unread else "text"),
        Span("  "),
    ]
    room = max(0, width - spans_width(beginning) - spans_width(ending))
    apart = clip_spans(marks(conversation, now), room * 2 // 3)
    told = clip_spans(preview(conversation), room - spans_width(apart) - (1 if apart else 0))
    filling = Span(" " * max(0, room - spans_width(told) - spans_width(apart)))
    return Line((*beginning, *told, filling, *apart, *ending), ground)


def row_pair(
    conversation: Conversation, width: int, now: datetime, *, me: str, is_selected: bool = False, is_focused: bool = True
) -> tuple[Line, Line]:
    """The row on two lines, for a narrow pane: who and when above, what was said below."""
    ground = ground_of(is_selected=is_selected, is_focused=is_focused)
    window, window_role = window_left(conversation.window_until, now)
    bar = Span("▌" if is_selected else " ", "accent" if is_focused else "faint")
    above = [Span(fit(window, 5, right=True), window_role), Span(fit(age(conversation.last_at, now), 5, right=True), "muted"), Span(" ")]
    name = clip(name_of(conversation), max(4, width - 13))
    head = [bar, Span(" "), Span(name, "strong" if conversation.unread else "text")]
    gap = Span(" " * max(0, width - spans_width(head) - spans_width(above)))
    below = [*badge(conversation.unread, width=5 if conversation.unread else 0), Span(" ")]
    room = max(0, width - 2 - spans_width(below))
    apart = clip_spans(marks(conversation, now)[:4], room // 2)
    if apart and apart[-1].text != " ":
        apart.append(Span(" "))
    told = apart + clip_spans(preview(conversation), room - spans_width(apart))
    filling = Span(" " * max(0, room - spans_width(told)))
    return Line((*head, gap, *above), ground), Line((bar, Span(" "), *told, filling, *below), ground)
