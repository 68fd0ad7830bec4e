"""Hand a person's open work over: to somebody named, to their buddy, or back to its queues."""

from typing import NamedTuple

from wabiz_tui.hub.archive.conversations import set_assignee
from wabiz_tui.hub.archive.episodes import Held, work_of
from wabiz_tui.hub.archive.people import load_people
from wabiz_tui.hub.archive.store import Writing
from wabiz_tui.hub.audit import Act, record
from wabiz_tui.hub.ingest.folding import add_activity
from wabiz_tui.hub.work.reasons import short
from wabiz_tui.hub.work.recipients import check_recipient, may_have
from wabiz_tui.model.content import Activity
from wabiz_tui.model.errors import BadInput, NotFound
from wabiz_tui.model.values import Person

AT_ONCE = 200
"""Conversations handed over in one transaction; a person rarely has as many."""


class HandedOver(NamedTuple):
    """What one transaction moved: to the taker, and to nobody. `has_more`: the same call again goes on where this one ended."""

    taker: Person | None
    given: int
    queued: int
    has_more: bool


def hand_over(
    writing: Writing,
    person: str,
    *,
    to: str | None = None,
    reason: str = "",
    by: Person | None = None,
    device: str = "",
    at_once: int = AT_ONCE,
    to_queue: bool = False,
) -> HandedOver:
    """Give what `person` has, and is not resolved, to `to`, or to their buddy, or to nobody (`to_queue`: to nobody whatever buddy
    there is), at most `at_once` conversations.

    What the taker may not see by its team goes to nobody: whoever is in the team finds it. A buddy who left, is off shift or on a
    break takes nothing. `by` is None where the hub does it by itself. Raises NotFound where there is no such person, BadInput where
    `to` can be given nothing."""
    people = load_people(writing)
    if person not in people:
        raise NotFound("There is no such person.")
    taker = None if to_queue else _taker(people, people[person], to)
    held = work_of(writing, person, limit=at_once + 1)
    batch = held[:at_once]
    given = [one for one in batch if taker is not None and may_have(taker, one.assigned.team)]
    queued = [one for one in batch if one not in given]
    for one in given:
        _move(writing, one, taker, reason=reason, by=by)
    for one in queued:
        _move(writing, one, None, reason=reason, by=by)
    if batch:
        details = {"to": "" if taker is None else taker.id, "given": [one.conversation for one in given]}
        details["queued"] = [one.conversation for one in queued]
        record(writing, Act("work.handed_over", by="" if by is None else by.id, device=device, about=person, details=details))
    return HandedOver(taker, len(given), len(queued), len(held) > len(batch))


def _taker(people: dict[str, Person], person: Person, to: str | None) -> Person | None:
    if to is not None:
        if to == person.id:
            raise BadInput("Work is handed over to somebody else.", code="same_person")
        return check_recipient(people.get(to))
    buddy = people.get(person.buddy or "")
    if buddy is None or buddy.id == person.id:
        return None
    try:
        return check_recipient(buddy)
    except BadInput:
        return None


def _move(writing: Writing, held: Held, taker: Person | None, *, reason: str, by: Person | None) -> None:
    set_assignee(writing, held.conversation, None if taker is None else taker.id, by=None if by is None else by.id)
    activity = Activity(
        verb="handed over" if taker is not None else "unassigned",
        by="" if by is None else by.name,
        to="" if taker is None else taker.name,
        reason=short(reason),
    )
    add_activity(writing, held.conversation, activity, author=None if by is None else by.id)
