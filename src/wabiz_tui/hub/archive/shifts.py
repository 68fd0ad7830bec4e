"""What people said of their shifts, overrides, and the state the hub last acted upon."""

from datetime import datetime
from typing import Any, Literal, NamedTuple, cast

import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.archive.times import from_ms, perhaps_from_ms, to_ms
from wabiz_tui.model.shift import ShiftState
from wabiz_tui.policy.standing import Override, OwnWord

_shift, _person = schema.shift.c, schema.person.c
_conversation, _episode = schema.conversation.c, schema.episode.c


class StoredShift(NamedTuple):
    """`state` is what the feed tells of the person; `is_handed_over` whether this absence gave their work up already."""

    state: ShiftState = "working"
    is_handed_over: bool = False
    own: OwnWord | None = None
    override: Override | None = None


NOTHING_SAID = StoredShift()
"""Of whom nothing was ever kept."""


def load_shifts(reading: Reading, person: str | None = None) -> dict[str, StoredShift]:
    """By person: of all, or of one. Whoever is absent has NOTHING_SAID."""
    joined = sa.outerjoin(schema.shift, schema.person, (_person.tenant == _shift.tenant) & (_person.id == _shift.override_by))
    wanted = sa.select(schema.shift, _person.name.label("by_name")).select_from(joined).where(_shift.tenant == reading.tenant)
    if person is not None:
        wanted = wanted.where(_shift.person == person)
    return {row.person: _stored(row) for row in reading.connection.execute(wanted)}


def states_of_people(reading: Reading) -> dict[str, ShiftState]:
    """Person's id → the state the feed tells; who is absent works."""
    rows = reading.connection.execute(sa.select(_shift.person, _shift.state).where(_shift.tenant == reading.tenant))
    return {row.person: row.state for row in rows}


def set_own_word(writing: Writing, person: str, own: OwnWord | None) -> None:
    values = {
        "own_state": None if own is None else own.state,
        "own_since_ms": None if own is None else to_ms(own.since),
        "own_until_ms": _ms(None if own is None else own.until),
        "own_reason": None if own is None else own.reason,
    }
    _put(writing, person, values)


def set_override(writing: Writing, person: str, *, until: datetime, reason: str, by: str) -> None:
    """From now on; `by` is a person's id. It takes the place of an earlier one."""
    values = {
        "override_since_ms": writing.now_ms,
        "override_until_ms": to_ms(until),
        "override_reason": reason,
        "override_by": by,
    }
    _put(writing, person, values)


def set_state(writing: Writing, person: str, state: ShiftState, *, is_handed_over: bool) -> None:
    """What the hub has done about it; in the feed where the state is another."""
    _put(writing, person, {"state": state, "is_handed_over": is_handed_over})
    writing.touch("person", person)


def touch_unread(writing: Writing, person: str) -> None:
    """Say of what is theirs, or nobody's, and unread that it changed: its count was withheld from them."""
    rows = writing.connection.execute(
        sa.select(_conversation.id)
        .join(schema.episode, (_episode.tenant == _conversation.tenant) & (_episode.id == _conversation.episode))
        .where(_conversation.tenant == writing.tenant, _conversation.unread > 0, _episode.status != "resolved")
        .where(_episode.assignee.is_(None) | (_episode.assignee == person))
    )
    for row in rows:
        writing.touch("conversation", row.id)


def _put(writing: Writing, person: str, values: dict[str, Any]) -> None:
    mine = (_shift.tenant == writing.tenant, _shift.person == person)
    if writing.connection.execute(sa.update(schema.shift).where(*mine).values(**values)).rowcount:
        return
    first = {"state": NOTHING_SAID.state, "is_handed_over": NOTHING_SAID.is_handed_over}
    writing.connection.execute(sa.insert(schema.shift).values(tenant=writing.tenant, person=person, **first | values))


def _stored(row: sa.Row[Any]) -> StoredShift:
    own = override = None
    if row.own_state is not None:
        state = cast("Literal['break', 'end']", row.own_state)
        own = OwnWord(state, from_ms(row.own_since_ms), perhaps_from_ms(row.own_until_ms), row.own_reason or "")
    if row.override_until_ms is not None:
        since, until = from_ms(row.override_since_ms), from_ms(row.override_until_ms)
        override = Override(since, until, row.override_reason or "", row.by_name or "")
    return StoredShift(row.state, bool(row.is_handed_over), own, override)


def _ms(at: datetime | None) -> int | None:
    return None if at is None else to_ms(at)
