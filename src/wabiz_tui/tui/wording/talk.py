"""The line above a talk, and what the composer says when nothing may be written."""

from datetime import datetime, timedelta

from wabiz_tui.model.desk import DeskStatus, TimelinePage
from wabiz_tui.model.text import safe_line
from wabiz_tui.model.values import Conversation
from wabiz_tui.policy.window import is_open
from wabiz_tui.tui.wording.rows import assignee, marks, name_of, window_left
from wabiz_tui.tui.wording.spans import Line, Span, spread
from wabiz_tui.tui.wording.times import moment, short


def talk_head(page: TimelinePage, status: DeskStatus, width: int, now: datetime) -> Line:
    """Who it is, and the state of the conversation: status, assignee, window."""
    row, contact = page.conversation, page.contact
    left = [Span("  "), Span(name_of(row), "strong")]
    if contact is not None and contact.phone and width >= 60:
        left.append(Span(f"  {safe_line(contact.phone, limit=30)}", "muted"))
    window, role = window_left(row.window_until, now)
    person = assignee(row, status.person)
    right = [span for mark in marks(row, now) if mark.role in ("hold", "bad.strong") for span in (mark, Span("  "))]
    right += [Span(row.status, "text"), Span("  "), person._replace(text="unassigned" if person.text == "–" else person.text)]
    right += [Span("  window ", "faint"), Span(window, role)]
    if page.leaves_at is not None and width >= 60:
        remaining = page.leaves_at - now
        right += [Span("  leaves ", "faint"), Span(short(remaining), "warn" if remaining < timedelta(days=1) else "muted")]
    right.append(Span("  "))
    return spread(left, right, width, ground="bar")


def shut_sentence(row: Conversation, now: datetime) -> str:
    """Why nothing may be written now; empty while the window is open."""
    if is_open(row.window_until, now):
        return ""
    since = f" since {moment(row.window_until, now)}" if row.window_until is not None and row.window_until <= now else ""
    return f"The window has been shut{since}: only a template may go out until they write again."
