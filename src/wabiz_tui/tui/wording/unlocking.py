"""What the unlock and the lock screen say: who, why and how, and nothing of what is behind them."""

from wabiz_tui.model.desk import DeskStatus
from wabiz_tui.model.text import safe_line
from wabiz_tui.tui.wording.frame import centred, frame_top
from wabiz_tui.tui.wording.spans import Line, Span, line

MARK = (
    Span("wabiz", "title"),
    Span("  the compliant WhatsApp inbox", "muted"),
)


def unlock_frame(status: DeskStatus, width: int, height: int, *, said: str = "", role: str = "muted") -> list[Line]:
    """The unlock screen without its passphrase field, which stands in the second line below the last one."""
    who = " · ".join(safe_line(part, limit=40) for part in (status.person_name, status.business) if part)
    way = said or ("Enter your passphrase." if status.needs_passphrase else "Fetching the key share from the hub …")
    rows = [line(*MARK), line(), line(Span(who or "This machine", "text")), line(Span(way, role))]
    return _framed(rows, width, height)


def lock_frame(status: DeskStatus, width: int, height: int, *, reason: str = "") -> list[Line]:
    who = " · ".join(safe_line(part, limit=40) for part in (status.person_name, status.business) if part)
    rows = [line(Span("Locked", "title")), line(), line(Span(who or "This machine", "text"))]
    rows.append(line(Span(lock_reason(reason), "muted")))
    rows += [line(), line(Span("Enter", "key"), Span(" unlock   ", "faint"), Span("q", "key"), Span(" leave", "faint"))]
    return _framed(rows, width, height)


def lock_reason(reason: str) -> str:
    """Why the desk locked, as a sentence."""
    known = {
        "": "The keys are dropped; nothing can be read here.",
        "asked": "You locked it; the keys are dropped.",
        "idle": "Nobody pressed a key for a while; the keys are dropped.",
        "lease": "The lease ended; the hub must be reached to go on.",
        "shift": "Your shift has ended; work goes on when the next one begins.",
        "suspend": "The terminal was suspended; the keys are dropped.",
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


__all__ = ["ended_frame", "frame_top", "lock_frame", "lock_reason", "unlock_frame"]
