"""What the hub does when a shift turns: the feed tells it, and the work of who went is handed over. Idempotent: what was done stands
in the archive, so that a restart neither repeats nor forgets it."""

from datetime import timedelta

from wabiz_tui.hub.archive.people import load_people
from wabiz_tui.hub.archive.shifts import NOTHING_SAID, StoredShift, load_shifts, set_state, touch_unread
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.shifts.board import SHIFTS
from wabiz_tui.hub.work.handover import hand_over
from wabiz_tui.model.shift import ShiftStanding
from wabiz_tui.model.values import Person
from wabiz_tui.policy.document import Policy
from wabiz_tui.policy.standing import gives_work_up, standing

_JUST_ENDED = timedelta(minutes=1)


def is_due(reading: Reading, policy: Policy) -> bool:
    """Whether `turn_shifts` has anything to do."""
    stored = load_shifts(reading)
    return any(_is_behind(reading, policy, person, stored.get(person.id, NOTHING_SAID)) for person in _at_work(reading))


def turn_shifts(writing: Writing, policy: Policy) -> bool:
    """Bring everybody to how their shift stands, and hand over the work of who is away; whether anything was done.

    A whole business may go off at one instant: everybody's state comes first, so that nobody's work goes to somebody who goes too."""
    stored = load_shifts(writing)
    behind = [person for person in _at_work(writing) if _is_behind(writing, policy, person, stored.get(person.id, NOTHING_SAID))]
    away: list[tuple[Person, ShiftStanding]] = []
    for person in behind:
        shift = stored.get(person.id, NOTHING_SAID)
        stands = _stands(writing, policy, person, shift)
        is_same = stands.state == shift.state
        set_state(writing, person.id, stands.state, is_handed_over=shift.is_handed_over and is_same)
        if gives_work_up(policy, stands, writing.now, own=shift.own):
            away.append((person, stands))
        elif stands.state == "working" and policy.hours.off_shift == "quiet":
            # What was told without its count while nothing was to call for them.
            touch_unread(writing, person.id)
    for person, stands in away:
        moved = hand_over(
            writing, person.id, reason=_why(stands, stored.get(person.id, NOTHING_SAID), writing), to_queue=policy.hours.hand_over == "team"
        )
        set_state(writing, person.id, stands.state, is_handed_over=not moved.has_more)
    if behind:
        writing.tell(SHIFTS)
    return bool(behind)


def _at_work(reading: Reading) -> list[Person]:
    return [person for person in load_people(reading).values() if person.revoked_at is None]


def _is_behind(reading: Reading, policy: Policy, person: Person, shift: StoredShift) -> bool:
    stands = _stands(reading, policy, person, shift)
    return stands.state != shift.state or (not shift.is_handed_over and gives_work_up(policy, stands, reading.now, own=shift.own))


def _stands(reading: Reading, policy: Policy, person: Person, shift: StoredShift) -> ShiftStanding:
    return standing(policy, person.role, reading.now, own=shift.own, override=shift.override)


def _why(stands: ShiftStanding, shift: StoredShift, writing: Writing) -> str:
    """The line's reason. A worker's own words are not in it: why somebody rests is theirs."""
    if stands.state == "break":
        return "a break"
    if shift.own is not None and shift.own.state == "end" and shift.own.since > writing.now - _JUST_ENDED:
        return "the shift was ended early"
    override = shift.override
    if override is not None and timedelta() <= writing.now - override.until < _JUST_ENDED:
        return "the override ended"
    return "the shift ended"
