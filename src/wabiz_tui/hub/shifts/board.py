"""How everybody's shift stands now, from memory: asked before anything leaves the hub."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from wabiz_tui.hub.archive.shifts import NOTHING_SAID, StoredShift, load_shifts
from wabiz_tui.hub.archive.store import Archive
from wabiz_tui.hub.policy import InForce
from wabiz_tui.hub.shifts.gate import OffShift
from wabiz_tui.model.shift import ShiftStanding
from wabiz_tui.model.values import Person
from wabiz_tui.policy.standing import BOUND_ROLES, next_change, standing

SHIFTS = "shifts"
"""What processes tell each other (processes/bus.py) when somebody's shift was changed or turned."""

_WORKS = ShiftStanding("working")


class _Known(NamedTuple):
    """A standing that holds from `since` until before `until`."""

    version: int
    since: datetime
    until: datetime | None
    stands: ShiftStanding


class _Said(NamedTuple):
    """What was said, and what followed from it so far; one value, so that a thread that refreshes never mixes two."""

    stored: dict[str, StoredShift]
    known: dict[tuple[str, str], _Known]


class ShiftBoard:
    """Answers without I/O and by the clock of the moment: what has ended is over at its very instant, whoever was woken or not."""

    def __init__(self, archive: Archive, in_force: Callable[[], InForce]) -> None:
        self._archive, self._in_force = archive, in_force
        self.refresh()
        archive.bus.on(SHIFTS, lambda _: self.refresh())
        archive.bus.on_gap(self.refresh)

    def refresh(self) -> None:
        """Read again what was said. In the writer's thread or the bus's."""
        self._said = _Said(self._archive.read_now(load_shifts), {})

    def standing(self, person: str, role: str) -> ShiftStanding:
        if role not in BOUND_ROLES:
            return _WORKS
        current, now, said = self._in_force(), self._archive.clock.now(), self._said
        known = said.known.get((person, role))
        if known is None or known.version != current.version or now < known.since or (known.until is not None and now >= known.until):
            shift = said.stored.get(person, NOTHING_SAID)
            stands = standing(current.policy, role, now, own=shift.own, override=shift.override)
            until = next_change(current.policy, role, now, own=shift.own, override=shift.override)
            known = said.known[person, role] = _Known(current.version, now, until, stands)
        return known.stands

    def is_closed(self, person: str, role: str) -> bool:
        return self.standing(person, role).is_closed

    def check(self, person: Person) -> None:
        """Raises OffShift where the policy closes this person out now."""
        stands = self.standing(person.id, person.role)
        if stands.is_closed:
            raise OffShift(stands, self._in_force().policy.hours.zone)

    def next_change(self) -> datetime | None:
        """When the clock alone may next change somebody's standing."""
        policy, now = self._in_force().policy, self._archive.clock.now()
        worker = next(iter(BOUND_ROLES))
        shifts = (NOTHING_SAID, *self._said.stored.values())
        instants = (next_change(policy, worker, now, own=shift.own, override=shift.override) for shift in set(shifts))
        return min((instant for instant in instants if instant is not None), default=None)
