"""How episodes stand with their service levels and their queue, which levels ran out, and whose turn it is."""

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.engine.sql import put
from wabiz_tui.hub.archive.shelves import Shelved
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.model.work import Clock

_conversation, _episode, _clock = schema.conversation.c, schema.episode.c, schema.episode_clock.c
_breach, _turn = schema.breach.c, schema.turn.c
EPISODE_CLOCKS: Shelved[None] = Shelved(schema.episode_clock, "episode")
_AT_ONCE = 500


class Breach(NamedTuple):
    """A level that ran out at `due_ms`; its clock began at `begun_ms`."""

    episode: str
    conversation: str
    clock: Clock
    begun_ms: int
    due_ms: int


class Queued(NamedTuple):
    """An open conversation that waits to be given to somebody; `let_go_by` are those who had it and did not want it."""

    conversation: str
    episode: str
    team: str | None
    let_go_by: frozenset[str]


def conversations_with_alarm(reading: Reading, *, limit: int = _AT_ONCE) -> list[str]:
    """Whose next level has run out by now, the first first."""
    rows = reading.connection.execute(
        sa.select(_clock.conversation)
        .where(_clock.tenant == reading.tenant, _clock.alarm_ms <= reading.now_ms)
        .order_by(_clock.alarm_ms)
        .limit(limit)
    )
    return [row.conversation for row in rows]


def silence(writing: Writing, conversations: Sequence[str]) -> None:
    """No alarm of theirs is left that has rung; one of an episode that its conversation has left behind would ring for ever."""
    mine = (_clock.tenant == writing.tenant, _clock.conversation.in_(sorted(set(conversations))))
    writing.connection.execute(sa.update(schema.episode_clock).where(*mine, _clock.alarm_ms <= writing.now_ms).values(alarm_ms=None))


def next_instant(reading: Reading) -> int | None:
    """When the next level runs out or the next snooze ends, in milliseconds; two looks into an index."""
    alarm = reading.connection.execute(sa.select(sa.func.min(_clock.alarm_ms)).where(_clock.tenant == reading.tenant)).scalar()
    snooze = reading.connection.execute(sa.select(sa.func.min(_episode.snoozed_until_ms)).where(_episode.tenant == reading.tenant)).scalar()
    return min((instant for instant in (alarm, snooze) if instant is not None), default=None)


def unresolved(reading: Reading) -> list[str]:
    """All conversations whose episode is not resolved."""
    rows = reading.connection.execute(
        sa.select(_conversation.id)
        .join(schema.episode, (_episode.tenant == _conversation.tenant) & (_episode.id == _conversation.episode))
        .where(_conversation.tenant == reading.tenant, _episode.status != "resolved")
        .order_by(_conversation.id)
    )
    return [row.id for row in rows]


def record_breaches(writing: Writing, breaches: Sequence[Breach]) -> list[Breach]:
    """Keep each once; those that are new."""
    if not breaches:
        return []
    known = writing.connection.execute(
        sa.select(_breach.episode, _breach.clock, _breach.begun_ms).where(
            _breach.tenant == writing.tenant, _breach.episode.in_(sorted({one.episode for one in breaches}))
        )
    )
    there = {(row.episode, row.clock, row.begun_ms) for row in known}
    fresh = {key: one for one in breaches if (key := (one.episode, one.clock, one.begun_ms)) not in there}
    put(writing.connection, schema.breach, [{"tenant": writing.tenant, "at_ms": writing.now_ms, **one._asdict()} for one in fresh.values()])
    return list(fresh.values())


def take_back(writing: Writing, episode: str, clock: Clock, begun_ms: int) -> None:
    """A webhook tells that the answer came in time: the level had not run out."""
    writing.connection.execute(
        sa.delete(schema.breach).where(
            _breach.tenant == writing.tenant, _breach.episode == episode, _breach.clock == clock, _breach.begun_ms == begun_ms
        )
    )


def breaches_of(reading: Reading, conversation: str) -> list[Breach]:
    """Of all its episodes, the first first."""
    rows = reading.connection.execute(
        sa.select(_breach.episode, _breach.conversation, _breach.clock, _breach.begun_ms, _breach.due_ms)
        .join(schema.episode, (_episode.tenant == _breach.tenant) & (_episode.id == _breach.episode))
        .where(_breach.tenant == reading.tenant, _episode.conversation == conversation)
        .order_by(_breach.due_ms, _breach.clock)
    )
    return [Breach(*row) for row in rows]


def queued(reading: Reading, *, limit: int) -> list[Queued]:
    """Open conversations that wait for somebody, the longest waiting first."""
    rows = reading.connection.execute(
        sa.select(_clock.conversation, _clock.episode, _episode.team, _clock.let_go_by)
        .join(schema.episode, (_episode.tenant == _clock.tenant) & (_episode.id == _clock.episode))
        .where(_clock.tenant == reading.tenant, _clock.queued_ms.is_not(None))
        .where(_episode.status == "open", _episode.assignee.is_(None))
        .order_by(_clock.queued_ms, _clock.episode)
        .limit(limit)
    )
    return [Queued(row.conversation, row.episode, row.team, frozenset((row.let_go_by or "").split())) for row in rows]


def open_work(reading: Reading) -> dict[str, int]:
    """Person → how many open conversations they have."""
    rows = reading.connection.execute(
        sa.select(_episode.assignee, sa.func.count().label("open"))
        .where(_episode.tenant == reading.tenant, _episode.status == "open", _episode.assignee.is_not(None))
        .group_by(_episode.assignee)
    )
    return {row.assignee: row.open for row in rows}


def last_turns(reading: Reading) -> dict[str, int]:
    """Person → when they were last given a conversation."""
    return {row.person: row.at_ms for row in reading.connection.execute(sa.select(schema.turn).where(_turn.tenant == reading.tenant))}


def note_turns(writing: Writing, people: Sequence[str]) -> None:
    put(writing.connection, schema.turn, [{"tenant": writing.tenant, "person": one, "at_ms": writing.now_ms} for one in people])


def had_before(reading: Reading, conversation: str, episode: str) -> str | None:
    """Who had the conversation in its last episode before this one."""
    return reading.connection.execute(
        sa.select(_episode.assignee)
        .where(_episode.tenant == reading.tenant, _episode.conversation == conversation, _episode.id != episode)
        .where(_episode.assignee.is_not(None))
        .order_by(_episode.opened_ms.desc(), _episode.id.desc())
        .limit(1)
    ).scalar()
