"""What the unlock and the lock screen say: who, why and how, and nothing of what is behind them."""

from wabiz_tui.model.desk import DeskStatus
from wabiz_tui.model.text import safe_line
from wabiz_tui.tui.wording.frame import centred
from wabiz_tui.tui.wording.frame import frame_top as top_of
from wabiz_tui.tui.wording.spans import Line, Span, line, wrap

MARK = (
    Span("wabiz", "title"),
    Span("  the compliant WhatsApp inbox", "muted"),
)


FIELD_BELOW = 5
"""Rows from the first line of the unlock screen to its passphrase field."""
_TALL = 8


def frame_top(height: int) -> int:
    """The row of the unlock screen's first line: the same with and without a field, so that nothing jumps when it appears."""
    return top_of(_TALL, height)


def unlock_frame(
    status: DeskStatus,
    width: int,
    height: int,
    *,
    said: str = "",
    role: str = "muted",
    reason: str = "",
    hint: str = "",
    has_field: bool | None = None,
) -> list[Line]:
    """The unlock screen without its passphrase field, for which row FIELD_BELOW is left free. `reason` is why the desk locked,
    empty at the start of the program; `has_field` whether a passphrase is asked for, by `status` unless given."""
    asks = status.needs_passphrase if has_field is None else has_field
    who = " · ".join(safe_line(part, limit=40) for part in (status.person_name, status.business) if part)
    way = said or _way(status, asks=asks)
    why = wrap(safe_line(lock_reason(reason, status.notice)), max(20, width - 12))
    head = line(Span("Locked", "title"), Span(f"  {why[0]}", "muted")) if reason else line(*MARK)
    rest = line(Span(" ".join(why[1:]), "muted")) if reason else line()
    told = [*wrap(safe_line(way), max(20, width - 4)), "", ""]
    rows = [head, rest, line(Span(who or "This machine", "text")), *(line(Span(each, role)) for each in told[:2])]
    if asks:
        rows += [line(), line(Span(hint, "accent")) if hint else line()]
        rows.append(line(Span("Enter", "key"), Span(" unlock   ", "faint"), Span("Ctrl+Q", "key"), Span(" leave", "faint")))
    elif status.link == "revoked":
        rows += [line(), line(), line(Span("q", "key"), Span(" leave", "faint"))]
    rows += [line()] * (_TALL - len(rows))
    return _framed(rows, width, height)


def _way(status: DeskStatus, *, asks: bool) -> str:
    if status.link == "revoked":
        return "To use this machine again: wabiz enroll HUB_URL CODE, with a new code."
    return "Type your passphrase." if asks else "Opening; the hub gives its share of the key …"


def lock_frame(status: DeskStatus, width: int, height: int, *, reason: str = "") -> list[Line]:
    who = " · ".join(safe_line(part, limit=40) for part in (status.person_name, status.business) if part)
    rows = [line(Span("Locked", "title")), line(), line(Span(who or "This machine", "text"))]
    rows += [line(Span(each, "muted")) for each in wrap(safe_line(lock_reason(reason, status.notice)), max(20, width - 4))]
    rows += [line(), line(Span("Enter", "key"), Span(" unlock   ", "faint"), Span("q", "key"), Span(" leave", "faint"))]
    return _framed(rows, width, height)


def lock_reason(reason: str, notice: str = "") -> str:
    """Why the desk locked, as a sentence: the desk's own `notice` where it has one, as of a shift's end with the time it goes on."""
    if notice:
        return notice
    known = {
        "": "The keys are dropped; nothing can be read here.",
        "locked": "The keys are dropped; nothing can be read here.",
        "asked": "You locked it; the keys are dropped.",
        "idle": "Nobody pressed a key for a while; the keys are dropped.",
        "lease_ended": "The lease ended; the hub must be reached to go on.",
        "off_shift": "Your shift has ended; work goes on when the next one begins.",
        "suspend": "The machine slept; the keys are dropped.",
        "clock": "The machine's clock was moved; the keys are dropped.",
        "stop": "The program was stopped; the keys are dropped.",
        "detach": "Nobody was at the terminal any more; the keys are dropped.",
        "hangup": "The connection was lost; the keys are dropped.",
        "revoked": "This device was revoked; what it held cannot be opened again.",
    }
    return known.get(reason) or safe_line(reason, limit=120)


def _framed(rows: list[Line], width: int, height: int) -> list[Line]:
    return [*centred(rows, width, height), *[line()] * height][:height]


def ended_frame(width: int, height: int, reason: str = "") -> list[Line]:
    """The desk's process is gone."""
    said = safe_line(reason, limit=120) or "The desk has ended. Nothing that was sent or drafted is lost."
    rows = [line(Span("The desk has ended", "title")), line(), line(Span(said, "text")), line()]
    rows.append(line(Span("Enter", "key"), Span(" open it again   ", "faint"), Span("q", "key"), Span(" leave", "faint")))
    return _framed(rows, width, height)


__all__ = ["FIELD_BELOW", "ended_frame", "frame_top", "lock_frame", "lock_reason", "unlock_frame"]
