"""Deal open work out: each conversation that waits goes to whoever of those on shift has the least."""

from typing import NamedTuple

from wabiz_tui.hub.archive.clocks import EPISODE_CLOCKS, Queued, had_before, last_turns, note_turns, open_work, queued
from wabiz_tui.hub.archive.conversations import set_assignee
from wabiz_tui.hub.archive.people import load_people
from wabiz_tui.hub.archive.shifts import NOTHING_SAID, load_shifts
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.audit import Act, record
from wabiz_tui.hub.ingest.folding import add_activity
from wabiz_tui.model.content import Activity
from wabiz_tui.model.values import Person
from wabiz_tui.policy.document import Policy
from wabiz_tui.policy.permissions import can
from wabiz_tui.policy.service import Candidate, choose
from wabiz_tui.policy.standing import standing

AT_ONCE = 200
"""Conversations looked at in one transaction."""


class Dealt(NamedTuple):
    """`has_more`: others wait behind those that were looked at."""

    given: int
    has_more: bool


class _Loads(NamedTuple):
    """Who is there, how much each has and when each was given something last; it grows as work is given."""

    workers: list[Person]
    open: dict[str, int]
    turns: dict[str, int]

    def has_room(self, most_open: int) -> bool:
        return any(self.open.get(person.id, 0) < most_open for person in self.workers)


def deal(writing: Writing, policy: Policy) -> Dealt:
    """Give what waits to people on shift, the longest waiting first. Two never get the same: a tenant has one writer at a time."""
    if policy.assignment.auto == "off":
        return Dealt(0, has_more=False)
    waiting = queued(writing, limit=AT_ONCE)
    workers = workers_on_duty(writing, policy) if waiting else []
    if not workers:
        return Dealt(0, has_more=False)
    loads = _Loads(workers, open_work(writing), last_turns(writing))
    given = 0
    for one in waiting:
        if not loads.has_room(policy.assignment.most_open):
            break
        chosen = _choose(writing, policy, one, loads)
        if chosen is None:
            continue
        _give(writing, one, chosen)
        loads.open[chosen.id] = loads.open.get(chosen.id, 0) + 1
        # Within one instant the order in which they were given work decides between equals.
        loads.turns[chosen.id] = writing.now_ms + given
        given += 1
    return Dealt(given, has_more=len(waiting) == AT_ONCE and given > 0)


def workers_on_duty(reading: Reading, policy: Policy) -> list[Person]:
    """Who may be given work now: of the roles the policy names, on shift and in no break."""
    said, now = load_shifts(reading), reading.now
    found: list[Person] = []
    for person in load_people(reading).values():
        if person.role not in policy.assignment.roles or person.revoked_at is not None or not can(person.role, "message.send"):
            continue
        shift = said.get(person.id, NOTHING_SAID)
        if standing(policy, person.role, now, own=shift.own, override=shift.override).state == "working":
            found.append(person)
    return found


def _choose(reading: Reading, policy: Policy, one: Queued, loads: _Loads) -> Person | None:
    suited = {
        person.id: person for person in loads.workers if person.id not in one.let_go_by and (one.team is None or one.team in person.teams)
    }
    if not suited:
        return None
    candidates = [Candidate(person, loads.open.get(person, 0), loads.turns.get(person, 0)) for person in suited]
    most_open = policy.assignment.most_open
    if not any(candidate.open < most_open for candidate in candidates):
        return None
    preferred = had_before(reading, one.conversation, one.episode) if policy.assignment.sticky else None
    chosen = choose(candidates, most_open=most_open, preferred=preferred)
    return None if chosen is None else suited[chosen]


def _give(writing: Writing, one: Queued, to: Person) -> None:
    set_assignee(writing, one.conversation, to.id)
    add_activity(writing, one.conversation, Activity(verb="assigned", to=to.name, reason="dealt out by load"))
    record(writing, Act("conversation.assigned", about=one.conversation, details={"from": "", "to": to.id}))
    note_turns(writing, [to.id])
    writing.shelf(EPISODE_CLOCKS).change(one.episode, had_by=to.id, queued_ms=None)
