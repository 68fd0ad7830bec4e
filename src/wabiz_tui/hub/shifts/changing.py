"""What a worker says of their own shift, and the override that lets somebody work outside the hours."""

from datetime import datetime, timedelta

from wabiz_tui.hub.archive.people import load_people
from wabiz_tui.hub.archive.shifts import NOTHING_SAID, load_shifts, set_override, set_own_word
from wabiz_tui.hub.archive.store import Writing
from wabiz_tui.hub.audit import Act, record
from wabiz_tui.hub.shifts.board import SHIFTS
from wabiz_tui.hub.shifts.turning import turn_shifts
from wabiz_tui.model.errors import BadInput, Conflict, Denied, NotFound
from wabiz_tui.model.shift import ShiftChange, ShiftOverride, ShiftStanding
from wabiz_tui.model.values import Person
from wabiz_tui.policy.document import Policy
from wabiz_tui.policy.standing import BOUND_ROLES, OwnWord, standing

LONGEST_REASON = 500
LONGEST_OVERRIDE = timedelta(days=7)
LONGEST_BREAK = timedelta(days=1)


def say(writing: Writing, person: Person, wanted: ShiftChange, policy: Policy, *, device: str = "") -> ShiftStanding:
    """Take a worker's own word, and do what follows from it, in one transaction; how they stand then.

    Raises Conflict for a break or an end of somebody who does not work now, BadInput for an `until` or reason that is none."""
    stored = load_shifts(writing, person.id).get(person.id, NOTHING_SAID)
    before = standing(policy, person.role, writing.now, own=stored.own, override=stored.override)
    reason, until = _checked_reason(wanted.reason), wanted.until
    if until is not None:
        _check_until(writing, until, LONGEST_BREAK)
        if wanted.state != "break":
            raise BadInput("Only a break has an 'until'; an end lasts to the start of the next shift.")
    if wanted.state != "start" and before.state == "off":
        raise Conflict("You are off shift already.", code="off_shift")
    own = None if wanted.state == "start" else OwnWord(wanted.state, writing.now, until, reason)
    set_own_word(writing, person.id, own)
    details = {} if until is None else {"until": until}
    record(writing, Act(f"shift.{wanted.state}", by=person.id, device=device, about=person.id, details=details))
    return _follow(writing, person, policy)


def override(writing: Writing, person: str, wanted: ShiftOverride, policy: Policy, *, by: Person, device: str = "") -> ShiftStanding:
    """Let somebody work until an instant; how they stand then. It ends by itself.

    Raises NotFound, Denied where the policy's `hours.override` does not name the caller's role or for one's own shift, BadInput."""
    if by.role not in policy.hours.override:
        allowed = ", ".join(policy.hours.override) or "nobody"
        raise Denied(f"The policy lets {allowed} override working hours.", code="forbidden")
    whom = load_people(writing).get(person)
    if whom is None or whom.revoked_at is not None:
        raise NotFound("There is no such person.")
    if whom.id == by.id:
        raise Denied("Nobody overrides their own rest time; ask somebody else who may.", code="forbidden")
    if whom.role not in BOUND_ROLES:
        raise BadInput("Working hours do not bind this role, so there is nothing to override.")
    reason = _checked_reason(wanted.reason)
    if not reason:
        raise BadInput("An override needs a reason: it is told to the person and kept in the log.")
    _check_until(writing, wanted.until, LONGEST_OVERRIDE)
    set_override(writing, whom.id, until=wanted.until, reason=reason, by=by.id)
    details = {"until": wanted.until, "reason": reason}
    record(writing, Act("shift.override", by=by.id, device=device, about=whom.id, details=details))
    return _follow(writing, whom, policy)


def _follow(writing: Writing, person: Person, policy: Policy) -> ShiftStanding:
    turn_shifts(writing, policy)
    writing.tell(SHIFTS)
    stored = load_shifts(writing, person.id).get(person.id, NOTHING_SAID)
    return standing(policy, person.role, writing.now, own=stored.own, override=stored.override)


def _checked_reason(reason: str) -> str:
    if len(reason) > LONGEST_REASON or not all(character.isprintable() for character in reason):
        raise BadInput(f"A reason is one line of at most {LONGEST_REASON} characters.")
    return reason.strip()


def _check_until(writing: Writing, until: datetime, longest: timedelta) -> None:
    if until.tzinfo is None or not writing.now < until <= writing.now + longest:
        days = f"{longest.days} day{'s' * (longest.days > 1)}"
        raise BadInput(f"'until' is a time in the future with its zone, at most {days} ahead.")
