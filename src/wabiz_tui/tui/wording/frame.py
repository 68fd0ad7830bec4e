"""What surrounds the work: the bar of views, the status line with its fixed fields, hints, notices and empty states."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from wabiz_tui.model.desk import DeskStatus, View
from wabiz_tui.model.text import safe_line
from wabiz_tui.tui.wording.spans import Line, Span, cell_width, clip, clip_spans, line, spans_width, spread, wrap
from wabiz_tui.tui.wording.times import CLOSING, long, short

VIEWS: Final[tuple[tuple[View, str], ...]] = (
    ("mine", "Mine"),
    ("unassigned", "Unassigned"),
    ("open", "Open"),
    ("snoozed", "Snoozed"),
    ("resolved", "Resolved"),
    ("pending", "Pending"),
    ("unread", "Unread"),
    ("all", "All"),
)
"""The views by their number keys. The first five always stand in the bar, the others while they are shown."""
SHOWN_VIEWS: Final = 5

EMPTY: Final[dict[View, tuple[str, str]]] = {
    "mine": ("Nothing is assigned to you.", "Take the next one: g u, then A."),
    "unassigned": ("Nobody is waiting.", "Every conversation has an owner."),
    "open": ("The queue is clear.", "New messages appear here by themselves."),
    "snoozed": ("Nothing is snoozed.", "b puts a conversation off until later."),
    "resolved": ("Nothing has been resolved yet.", "e resolves a conversation and goes on to the next."),
    "pending": ("Nothing is pending.", "s sets the status of a conversation."),
    "unread": ("Everything has been read.", "n goes to whatever needs you next."),
    "all": ("This machine holds no conversations.", "Policy decides what it may hold; the hub keeps the record."),
}

MOST_ROWS: Final = 3
"""Rows of a notice at most."""

_LINKS: Final = {
    "online": ("●", "good", "online"),
    "connecting": ("◌", "warn", "connecting"),
    "offline": ("○", "warn.strong", "offline"),
    "refused": ("✗", "bad.strong", "refused"),
    "revoked": ("✗", "bad.strong", "revoked"),
}


def view_title(view: View) -> str:
    return dict(VIEWS)[view]


def views_bar(view: View, counts: Mapping[str, int], status: DeskStatus, width: int) -> Line:
    """The views with their number keys and counts; the present one stands out. Business and person at the end where there is room."""
    spans: list[Span] = [Span(" ")]
    for number, (name, title) in enumerate(VIEWS, start=1):
        if number > SHOWN_VIEWS and name != view:
            continue
        ground = "base" if name == view else ""
        spans += [Span(" ", ground=ground), Span(f"{number} ", "faint", ground), Span(title, "title" if name == view else "text", ground)]
        if name in counts:
            spans.append(Span(f" {counts[name]}", "accent" if name == view else "muted", ground))
        spans += [Span(" ", ground=ground)]
    who = " · ".join(safe_line(part, limit=30) for part in (status.business, status.person_name) if part)
    room = width - spans_width(spans) - 2
    ending = [Span(who, "muted"), Span(" ")] if cell_width(who) <= room else []
    return spread(spans, ending, width, ground="bar")


def lease_field(status: DeskStatus, now: datetime) -> Span:
    if status.lease_until is None:
        return Span("with the hub" if status.link == "online" else "none", "text")
    left = status.lease_until - now
    if left.total_seconds() <= 0:
        return Span("ended", "bad.strong")
    return Span(long(left), "warn.strong" if left < CLOSING and status.link != "online" else "text")


def _fixed_fields(status: DeskStatus, now: datetime, policy_name: str, *, gap: str) -> list[Span]:
    glyph, role, word = _LINKS[status.link]
    policy = f"{status.policy} {policy_name}".strip() if status.policy else "none"
    fields: list[Span] = [Span(" "), Span("link: ", "faint"), Span(f"{glyph} {word}", role)]
    fields += [Span(f"{gap}policy: ", "faint"), Span(policy, "text" if status.policy else "warn")]
    fields += [Span(f"{gap}lease: ", "faint"), lease_field(status, now)]
    return [*fields, Span(f"{gap}shift: ", "faint"), Span(safe_line(status.shift, limit=20) or "open", "text")]


def status_line(status: DeskStatus, width: int, now: datetime) -> Line:
    """Fixed fields `link policy lease shift`, the policy without its name where that is too much, then what has room: outbox, next
    purge, what is held."""
    fields = _fixed_fields(status, now, safe_line(status.policy_name, limit=20), gap="   ")
    if spans_width(fields) > width:
        fields = _fixed_fields(status, now, "", gap="  ")
    more: list[list[Span]] = []
    if status.outbox:
        more.append([Span("outbox: ", "faint"), Span(str(status.outbox), "warn" if status.link != "online" else "text")])
    if status.next_purge is not None:
        left = status.next_purge - now
        more.append([Span("purge: ", "faint"), Span(f"in {short(left)}" if left.total_seconds() > 0 else "due", "text")])
    more.append([Span("held: ", "faint"), Span(f"{status.messages} messages", "text")])
    ending: list[Span] = []
    room = width - spans_width(fields) - 3
    for field in more:
        needed = spans_width(field) + 3
        if needed > room:
            continue
        ending += [Span("   "), *field]
        room -= needed
    return spread(fields, [*ending, Span(" ")], width, ground="bar")


def banner(status: DeskStatus, width: int, now: datetime) -> Line | None:
    """What the agent must not miss, above the work; None where all is well."""
    if status.link == "revoked":
        return _alarm(" This device was revoked. What it held cannot be opened again. ", width, "danger")
    if status.link == "refused":
        return _alarm(" The hub refuses this device. Ask your administrator. ", width, "danger")
    if status.notice:
        return _alarm(f" {safe_line(status.notice, limit=200)} ", width, "alarm")
    if status.link == "offline":
        left = f"for {long(status.lease_until - now)} more" if status.lease_until and status.lease_until > now else "no longer"
        return _alarm(f" The hub is out of reach. This machine may be used {left}; replies wait in the outbox. ", width, "alarm")
    if status.is_syncing and status.head > status.cursor:
        done = status.cursor * 100 // max(1, status.head)
        filled = done * 20 // 100
        bar = [Span("━" * filled, "accent"), Span("━" * (20 - filled), "rule")]
        return spread([Span(" Receiving the queue  ", "text"), *bar, Span(f"  {done}%", "muted")], [], width, ground="bar")
    return None


def _alarm(text: str, width: int, role: str) -> Line:
    shown = clip(text, width)
    return line(Span(shown + " " * (width - cell_width(shown)), role))


def hints(pairs: tuple[tuple[str, str], ...], width: int) -> Line:
    """Keys and what they do, as many as fit."""
    spans: list[Span] = [Span(" ")]
    for key, words in pairs:
        addition = [Span(key, "key"), Span(f" {words}   ", "faint")]
        if spans_width(spans) + spans_width(addition) > width:
            break
        spans += addition
    return Line(tuple(clip_spans(spans, width)), "base")


def notice(text: str, role: str, width: int) -> list[Line]:
    """One sentence about what just happened, in the place of the hints: whole, on as many rows as it needs."""
    rows = wrap(safe_line(text, limit=300), max(20, width - 2))
    return [spread([Span(" "), Span(row, role)], [], width) for row in rows[:MOST_ROWS]]


def empty_state(view: View, width: int, height: int) -> list[Line]:
    """What an empty queue says, in its middle."""
    said, way = EMPTY[view]
    return centred([line(Span(said, "strong")), line(Span(way, "muted"))], width, height)


def frame_top(count: int, height: int) -> int:
    """The row at which `count` lines begin to stand a little above the middle."""
    return max(0, (height - count) * 2 // 5)


def centred(lines: list[Line], width: int, height: int) -> list[Line]:
    above = frame_top(len(lines), height)
    middle = [Line((Span(" " * max(0, (width - spans_width(each.spans)) // 2)), *each.spans), each.ground) for each in lines]
    return [Line()] * above + middle


# In the order of their worth: a narrow screen shows the first ones only.
INBOX_HINTS: Final = (
    ("j k", "move"),
    ("Enter", "open"),
    ("i", "write"),
    ("e", "resolve"),
    ("b", "snooze"),
    ("/", "find"),
    ("?", "keys"),
    ("n", "needs you"),
    ("A", "take"),
    ("Ctrl+P", "all actions"),
)
TALK_HINTS: Final = (
    ("r", "reply"),
    ("i", "write"),
    ("j k", "messages"),
    ("e", "resolve"),
    ("h", "back"),
    ("?", "keys"),
    ("J K", "next, previous"),
    ("I", "contact"),
)
HIT_HINTS: Final = (
    ("n N", "next, previous hit"),
    ("Esc", "close the search"),
    ("j k", "messages"),
    ("r", "reply"),
    ("/", "find"),
    ("?", "keys"),
)
COMPOSER_HINTS: Final = (("Enter", "send"), ("Esc", "leave, the draft is kept"), ("Ctrl+J", "new line"), ("Ctrl+G", "drop the quote"))
