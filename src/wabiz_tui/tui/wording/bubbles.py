"""Messages as bubbles: theirs at the left, ours at the right, notes in their own colour, what happened in the middle."""

from datetime import datetime, timedelta
from typing import Final

from wabiz_tui.model.content import Activity, Edit, Reaction, RequestWelcome, Revoke, System, kind_of, plain_text
from wabiz_tui.model.desk import Earlier
from wabiz_tui.model.text import safe_line
from wabiz_tui.model.values import Direction, Message, Referral
from wabiz_tui.tui.wording.contents import FOLD_AT, Row, content_rows, remark
from wabiz_tui.tui.wording.delivery import sentence, tick
from wabiz_tui.tui.wording.rows import KINDS
from wabiz_tui.tui.wording.spans import Line, Span, clip, clip_spans, line, spans_width, wrap
from wabiz_tui.tui.wording.times import clock, day

WIDEST: Final = 72
TOGETHER: Final = timedelta(minutes=5)
"""Messages of one author that follow each other this closely stand together, under one name."""


def day_separator(at: datetime, now: datetime, width: int) -> Line:
    return _separator(day(at, now), width, "muted", "rule")


def unread_separator(width: int) -> Line:
    return _separator("Unread", width, "accent", "accent")


def earlier_lines(earlier: Earlier, width: int, *, is_empty: bool = False) -> list[Line]:
    """What stands above the oldest message where the machine's copy ends, so that nobody takes that for where the talk began."""
    said = {
        "none": "",
        "hub": "Anything said before is at the hub. PgUp reads it there.",
        "unreachable": "Anything said before is at the hub, which does not answer. PgUp asks it again.",
    }[earlier]
    if is_empty and said:
        # From no message there is no way up.
        said = "What was said before is not on this machine; the record is at the hub" + (
            ", which does not answer." if earlier == "unreachable" else "."
        )
    rows = wrap(said, width - 4) if said else []
    role = "warn" if earlier == "unreachable" else "faint"
    return [line(Span(" " * max(1, (width - len(row)) // 2)), Span(row, role)) for row in rows]


def _separator(words: str, width: int, role: str, rule: str) -> Line:
    side = max(1, (width - len(words) - 4) // 2)
    return line(Span(" " + "─" * (side - 1), rule), Span(f" {words} ", role), Span("─" * max(0, width - side - len(words) - 3), rule))


def is_together(earlier: Message | None, later: Message) -> bool:
    """Whether `later` goes on where `earlier` ended: the same author, soon after, and both are bubbles."""
    return (
        earlier is not None
        and not is_remark(earlier)
        and not is_remark(later)
        and (earlier.direction, earlier.author) == (later.direction, later.author)
        and later.sent_at - earlier.sent_at < TOGETHER
    )


def is_remark(message: Message) -> bool:
    """Whether a message is drawn as a line in the middle, which no customer's text can imitate."""
    return message.direction is Direction.ACTIVITY or isinstance(
        message.content, Activity | System | RequestWelcome | Reaction | Edit | Revoke
    )


def message_lines(
    message: Message,
    width: int,
    now: datetime,
    *,
    contact: str,
    quoted: Message | None = None,
    goes_on: bool = False,
    is_unfolded: bool = False,
) -> list[Line]:
    """All lines of a message in `width` cells. `contact` names the customer; `goes_on` leaves the name away."""
    if is_remark(message):
        return _remark_lines(message, width, now)
    is_theirs = message.direction is Direction.INCOMING
    ground = "theirs" if is_theirs else "note" if message.direction is Direction.NOTE else "ours"
    room = min(WIDEST, max(16, width - 8)) - 2
    rows: list[Row] = [] if goes_on else [clip_spans(_author_row(message, contact), room)]
    rows += _context_rows(message, quoted, contact, room)
    body = content_rows(message.content, room, is_struck=message.revoked_at is not None)
    if len(body) > FOLD_AT and not is_unfolded:
        body = [*body[:FOLD_AT], [Span(f"… {len(body) - FOLD_AT} more lines, Enter shows them", "accent")]]
    rows = _with_foot(rows + body, _foot(message, now), room)
    lines = _bubble(rows, width, ground, at_left=is_theirs)
    return lines + _below(message, width, room, at_left=is_theirs)


def _author_row(message: Message, contact: str) -> Row:
    if message.direction is Direction.INCOMING:
        return [Span(contact, "author")]
    who = safe_line(message.author_name, limit=40)
    if message.direction is Direction.NOTE:
        return [Span("Note", "warn.strong"), Span(f" by {who}" if who else "", "muted"), Span("  stays in the business", "faint")]
    origins = {"phone_app": "phone app", "integration": "integration", "history": "history"}
    return [
        Span(who or origins.get(message.origin, "We").capitalize(), "good"),
        Span(f"  {origins[message.origin]}" if message.origin in origins and who else "", "faint"),
    ]


def _context_rows(message: Message, quoted: Message | None, contact: str, room: int) -> list[Row]:
    rows: list[Row] = []
    if message.referral is not None:
        rows += _referral_rows(message.referral, room)
    if message.forwarded is not None:
        rows.append([Span("» Forwarded many times" if message.forwarded == "often" else "» Forwarded", "quiet")])
    if message.reply_to is not None:
        rows.append(quote_row(quoted, contact, room))
    return rows


def quote_row(quoted: Message | None, contact: str, room: int) -> Row:
    """The message that is answered, on one line."""
    if quoted is None:
        return clip_spans([Span("▏", "accent"), Span("an earlier message, not on this machine", "quiet")], room)
    who = contact if quoted.direction is Direction.INCOMING else safe_line(quoted.author_name, limit=30) or "We"
    return clip_spans([Span("▏", "accent"), Span(f"{who}  ", "muted"), Span(summary(quoted), "muted")], room)


def summary(message: Message) -> str:
    """A message in a few words."""
    said = safe_line(" ".join(plain_text(message.content).split()), limit=160)
    kind = KINDS.get(kind_of(message.content), "")
    return " · ".join(part for part in (kind, said) if part)


def _referral_rows(referral: Referral, room: int) -> list[Row]:
    kind = "a post" if referral.source_type == "post" else "an advertisement"
    headline = safe_line(referral.headline or referral.body, limit=120)
    return [clip_spans([Span("» ", "accent"), Span(f"Came from {kind}  ", "quiet"), Span(headline, "text")], room)]


def _foot(message: Message, now: datetime) -> Row:
    foot: Row = []
    if message.revoked_at is not None:
        foot.append(Span(f"deleted by the customer {clock(message.revoked_at, now)}  ", "quiet"))
    elif message.edited_at is not None:
        foot.append(Span(f"edited {clock(message.edited_at, now)}  ", "faint"))
    foot.append(Span(clock(message.sent_at, now), "muted"))
    if message.delivery is not None and message.direction is Direction.OUTGOING:
        foot += [Span(" "), tick(message.delivery.state)]
    return foot


def _with_foot(rows: list[Row], foot: Row, room: int) -> list[Row]:
    """The time (and the ticks) at the end of the last row where it fits, else on a row of their own."""
    needed = spans_width(foot) + 2
    last = rows[-1] if rows else []
    widest = max((spans_width(row) for row in rows), default=0)
    if spans_width(last) + needed <= room:
        inner = max(widest, spans_width(last) + needed)
        gap = inner - spans_width(last) - spans_width(foot)
        return [*rows[:-1], [*last, Span(" " * gap), *foot]]
    gap = max(0, max(widest, spans_width(foot)) - spans_width(foot))
    return [*rows, [Span(" " * gap), *foot]]


def _bubble(rows: list[Row], width: int, ground: str, *, at_left: bool) -> list[Line]:
    inner = max(spans_width(row) for row in rows)
    indent = " " if at_left else " " * max(1, width - inner - 4)
    lines: list[Line] = []
    for row in rows:
        filled = [Span(" "), *row, Span(" " * (inner - spans_width(row) + 1))]
        lines.append(Line((Span(indent), *(span._replace(ground=ground) for span in filled)), "base"))
    return lines


def _below(message: Message, width: int, room: int, *, at_left: bool) -> list[Line]:
    """What hangs on a bubble: reactions, and the sentence about a message that did not arrive."""
    rows: list[Row] = []
    faces = [safe_line(emoji, limit=12) for emoji in message.reactions.values() if emoji]
    if faces:
        rows.append([Span(" ".join(faces), "text"), Span("  reacted", "faint")])
    if message.delivery is not None and (said := sentence(message.delivery)):
        role = "bad" if message.delivery.state == "failed" else "warn"
        rows += [[Span(part, role)] for part in wrap(said, room)]
    return [line(Span(" " * (2 if at_left else max(1, width - spans_width(row) - 3))), *row) for row in rows]


def _remark_lines(message: Message, width: int, now: datetime) -> list[Line]:
    who = safe_line(message.author_name, limit=40)
    said = remark(message.content) or summary(message)
    text = clip(f"{said}{f' by {who}' if who and who not in said else ''} · {clock(message.sent_at, now)}", width - 4)
    indent = max(1, (width - spans_width([Span(text)])) // 2)
    return [line(Span(" " * indent), Span(text, "faint"))]


class Laid:
    """The lines of one conversation, and which message each belongs to. Lines of an unchanged message are laid out once."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.owners: list[str | None] = []
        self.starts: dict[str, tuple[int, int]] = {}
        self._cache: dict[str, tuple[object, list[Line]]] = {}

    def lay(
        self,
        messages: list[Message],
        width: int,
        now: datetime,
        *,
        contact: str,
        first_unread: str | None = None,
        unfolded: frozenset[str] = frozenset(),
        beyond: Earlier = "none",
    ) -> None:
        """Lay everything out. Days and groups depend on neighbours, so those are part of what an unchanged message is."""
        self.lines, self.owners, self.starts = [], [], {}
        if above := earlier_lines(beyond, width, is_empty=not messages):
            self._add(None, [*above, line()])
        by_wamid = {message.wamid: message for message in messages if message.wamid}
        earlier: Message | None = None
        for message in messages:
            is_new_day = earlier is None or day(earlier.sent_at, now) != day(message.sent_at, now)
            if is_new_day:
                self._add(None, [day_separator(message.sent_at, now, width), line()])
            is_unread = message.id == first_unread
            if is_unread:
                self._add(None, [unread_separator(width), line()])
            goes_on = is_together(earlier, message) and not is_new_day and not is_unread
            if goes_on:
                self._drop_gap()
            quoted = by_wamid.get(message.reply_to) if message.reply_to else None
            key = (message, quoted, width, day(message.sent_at, now), goes_on, message.id in unfolded, contact)
            self._add(message.id, self._lines_of(message, key, now))
            self._add(None, [line()])
            earlier = message
        self._cache = {identifier: self._cache[identifier] for identifier in self.starts}

    def _lines_of(self, message: Message, key: tuple[Message, Message | None, int, str, bool, bool, str], now: datetime) -> list[Line]:
        known = self._cache.get(message.id)
        if known is not None and known[0] == key:
            return known[1]
        _, quoted, width, _, goes_on, is_unfolded, contact = key
        lines = message_lines(message, width, now, contact=contact, quoted=quoted, goes_on=goes_on, is_unfolded=is_unfolded)
        self._cache[message.id] = (key, lines)
        return lines

    def _drop_gap(self) -> None:
        if self.owners and self.owners[-1] is None:
            self.owners.pop()
            self.lines.pop()

    def _add(self, owner: str | None, lines: list[Line]) -> None:
        if owner is not None:
            self.starts[owner] = (len(self.lines), len(self.lines) + len(lines))
        self.lines.extend(lines)
        self.owners.extend([owner] * len(lines))
