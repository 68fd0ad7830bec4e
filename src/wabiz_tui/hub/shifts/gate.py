"""The refusal of somebody who is closed out, the same at every door of /v1 and at the gateway."""

from datetime import tzinfo

from wabiz_tui.model.errors import Denied
from wabiz_tui.model.shift import OFF_SHIFT, ShiftStanding
from wabiz_tui.policy.standing import closed_sentence


class OffShift(Denied):
    """The policy closes the inbox to this person now. `resumes_at` is when it opens, where that is known."""

    code = OFF_SHIFT

    def __init__(self, stands: ShiftStanding, zone: tzinfo) -> None:
        super().__init__(closed_sentence(stands, zone))
        self.resumes_at = stands.resumes_at


def closed_until(stands: ShiftStanding) -> str:
    """The same for whoever wrote the program that asks."""
    why = "The person is on a break" if stands.state == "break" else "The person is off shift"
    when = "" if stands.resumes_at is None else f" until {stands.resumes_at.isoformat(timespec='minutes')}"
    return f"{why}; the policy closes the inbox{when}"
