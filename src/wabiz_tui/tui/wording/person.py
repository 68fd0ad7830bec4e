"""The pane beside the talk: the contact, the window's clock, the work, and when this conversation leaves the machine."""

from datetime import datetime, timedelta

from wabiz_tui.model.desk import DeskStatus, TimelinePage
from wabiz_tui.model.text import safe_line
from wabiz_tui.model.values import Contact, Conversation
from wabiz_tui.policy.window import LENGTH, left
from wabiz_tui.tui.wording.rows import name_of
from wabiz_tui.tui.wording.spans import Line, Span, clip_spans, line, wrap
from wabiz_tui.tui.wording.times import CLOSING, age, long, moment


def person_lines(page: TimelinePage, status: DeskStatus, width: int, now: datetime) -> list[Line]:
    """The whole pane, top to bottom."""
    row = page.conversation
    lines = [_line(width), *_contact_lines(row, page.contact, width, now)]
    lines += _section("WINDOW", _window_lines(row, width, now), width)
    lines += _section("WORK", _work_lines(row, status, width, now), width)
    lines += _section("ON THIS MACHINE", _retention_lines(page, status, width, now), width)
    return lines


def _line(width: int, *spans: Span) -> Line:
    return line(*clip_spans([Span("  "), *spans], width), ground="panel")


def _section(title: str, lines: list[Line], width: int) -> list[Line]:
    return [_line(width), _line(width, Span(title, "faint")), *lines]


def _pair(width: int, name: str, *values: Span) -> Line:
    return _line(width, Span(f"{name:<10}", "muted"), *values)


def _contact_lines(row: Conversation, contact: Contact | None, width: int, now: datetime) -> list[Line]:
    lines = [_line(width, Span(name_of(row), "strong"))]
    if contact is None:
        return lines
    if contact.phone:
        lines.append(_line(width, Span(safe_line(contact.phone, limit=40), "text"), Span("  masked" if contact.is_masked else "", "faint")))
    if contact.username:
        lines.append(_line(width, Span("@" + safe_line(contact.username.removeprefix("@"), limit=40), "text")))
    if contact.country:
        lines.append(_line(width, Span(country_name(contact.country), "muted")))
    if contact.created_at is not None:
        lines.append(_line(width, Span(f"known for {age(contact.created_at, now)}", "muted")))
    if contact.identity_changed_at is not None:
        lines.append(_line(width, Span(f"identity changed {moment(contact.identity_changed_at, now)}", "warn")))
    if contact.marketing_opt_out:
        lines.append(_line(width, Span("no marketing, please", "warn")))
    return lines


def _window_lines(row: Conversation, width: int, now: datetime) -> list[Line]:
    remaining = left(row.window_until, now)
    if row.window_until is None or not remaining:
        when = f" since {moment(row.window_until, now)}" if row.window_until is not None else ""
        return [_line(width, Span(f"Shut{when}", "warn")), _line(width, Span("only a template may go out", "muted"))]
    cells = max(8, width - 4)
    filled = max(1, round(cells * (remaining / LENGTH)))
    role = "warn" if remaining < CLOSING else "good"
    return [
        _line(width, Span("━" * filled, role), Span("━" * (cells - filled), "rule")),
        _line(
            width,
            Span(long(remaining), "warn.strong" if role == "warn" else "text"),
            Span(" left", "muted"),
        ),
        _line(width, Span(f"until {moment(row.window_until, now)}", "muted")),
    ]


def _work_lines(row: Conversation, status: DeskStatus, width: int, now: datetime) -> list[Line]:
    if row.assignee is None:
        who = Span("nobody", "warn")
    else:
        who = Span("you" if row.assignee == status.person else safe_line(row.assignee_name, limit=30) or "somebody", "text")
    until = f" until {moment(row.snoozed_until, now)}" if row.snoozed_until is not None else ""
    lines = [_pair(width, "status", Span(row.status + until, "text")), _pair(width, "assignee", who)]
    if row.priority != "none":
        lines.append(_pair(width, "priority", Span(row.priority, "bad.strong" if row.priority == "urgent" else "warn")))
    if row.due_at is not None:
        is_late = row.due_at < now
        lines.append(_pair(width, "due", Span(moment(row.due_at, now), "bad.strong" if is_late else "text")))
    if row.waiting_since is not None:
        lines.append(_pair(width, "waiting", Span(long(now - row.waiting_since), "text")))
    if row.labels:
        lines.append(_pair(width, "labels", Span(" ".join(safe_line(label, limit=20) for label in row.labels), "label")))
    return lines


def _retention_lines(page: TimelinePage, status: DeskStatus, width: int, now: datetime) -> list[Line]:
    lines: list[Line] = []
    if page.leaves_at is not None:
        remaining = page.leaves_at - now
        soon = remaining < timedelta(days=1)
        lines.append(
            _pair(width, "leaves", Span(f"in {long(remaining)}" if remaining > timedelta() else "now", "warn" if soon else "text"))
        )
        lines.append(_pair(width, "", Span(moment(page.leaves_at, now), "muted")))
    if page.conversation.held:
        lines.append(_line(width, Span("HOLD", "hold"), Span("  the hub keeps it", "muted")))
    said = "The record stays at the hub." if not page.conversation.held else "It still leaves this machine."
    lines += [_line(width, Span(part, "muted")) for part in wrap(said, width - 4)]
    if status.policy:
        lines.append(_pair(width, "policy", Span(f"{status.policy} {safe_line(status.policy_name, limit=20)}".strip(), "text")))
    return lines


def country_name(code: str) -> str:
    """The country's name for an ISO 3166 code, its code where the name is not at hand."""
    from wabiz_tui.tui.wording.countries import NAMES

    return NAMES.get(code.upper(), safe_line(code, limit=8))
