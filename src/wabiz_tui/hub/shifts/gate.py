"""The refusal of somebody who is closed out, the same at every door of /v1 and at the gateway."""

from datetime import datetime, tzinfo

from wabiz_tui.model.errors import Denied
from wabiz_tui.model.shift import ShiftStanding


class OffShift(Denied):
    """The policy closes the inbox to this person now. `resumes_at` is when it opens, where that is known."""

    code = "off_shift"

    def __init__(self, stands: ShiftStanding, zone: tzinfo) -> None:
        super().__init__(closed_sentence(stands, zone))
        self.resumes_at = stands.resumes_at


def closed_sentence(stands: ShiftStanding, zone: tzinfo) -> str:
    """What somebody who is closed out reads, with the time in the policy's zone."""
    why = "You are on a break" if stands.state == "break" else "You are off shift"
    return f"{why}; the inbox is closed{_until(stands.resumes_at, zone)}."


def closed_until(stands: ShiftStanding) -> str:
    """The same for whoever wrote the program that asks."""
    why = "The person is on a break" if stands.state == "break" else "The person is off shift"
    when = "" if stands.resumes_at is None else f" until {stands.resumes_at.isoformat(timespec='minutes')}"
    return f"{why}; the policy closes the inbox{when}"


def _until(resumes_at: datetime | None, zone: tzinfo) -> str:
    if resumes_at is None:
        return " until you start again (`wabiz shift start`)"
    return f"; work resumes on {resumes_at.astimezone(zone):%A %d %B at %H:%M}"
