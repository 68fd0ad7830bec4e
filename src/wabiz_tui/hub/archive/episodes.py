"""Episodes in the archive, as those ask for them who look at the work: a person's, and a conversation's from its first to its last."""

from typing import NamedTuple

import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.conversations import change_episode, current_episode
from wabiz_tui.hub.archive.sight import Assigned
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.archive.times import from_ms, perhaps_from_ms
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.values import Priority
from wabiz_tui.model.work import Episode

_conversation, _episode = schema.conversation.c, schema.episode.c


class Held(NamedTuple):
    """A conversation that somebody has, with its team."""

    conversation: str
    assigned: Assigned


def work_of(reading: Reading, person: str, *, limit: int) -> list[Held]:
    """What a person has that is not resolved, longest open first."""
    rows = reading.connection.execute(
        sa.select(_conversation.id, _episode.team)
        .join(schema.episode, (_episode.tenant == _conversation.tenant) & (_episode.id == _conversation.episode))
        .where(_episode.tenant == reading.tenant, _episode.assignee == person, _episode.status != "resolved")
        .order_by(_episode.opened_ms, _conversation.id)
        .limit(limit)
    )
    return [Held(row.id, Assigned(person, row.team)) for row in rows]


def episodes_of(reading: Reading, conversation: str) -> list[Episode]:
    """All episodes of a conversation, the first first."""
    rows = reading.connection.execute(
        sa.select(schema.episode)
        .where(_episode.tenant == reading.tenant, _episode.conversation == conversation)
        .order_by(_episode.opened_ms, _episode.id)
    )
    return [
        Episode(
            id=row.id,
            status=row.status,
            opened_at=from_ms(row.opened_ms),
            resolved_at=perhaps_from_ms(row.resolved_ms),
            snoozed_until=perhaps_from_ms(row.snoozed_until_ms),
            assignee=row.assignee,
            team=row.team,
            labels=decode(row.labels, tuple[str, ...]),
            priority=row.priority,
        )
        for row in rows
    ]


def assigned_by(reading: Reading, conversation: str) -> str | None:
    """Who gave it to whom it is with now."""
    return current_episode(reading, conversation)["assigned_by"]


def set_labels(writing: Writing, conversation: str, labels: tuple[str, ...]) -> None:
    _set(writing, conversation, labels=encode(labels).decode())


def set_priority(writing: Writing, conversation: str, priority: Priority) -> None:
    _set(writing, conversation, priority=priority)


def _set(writing: Writing, conversation: str, **values: str) -> None:
    change_episode(writing, current_episode(writing, conversation)["id"], **values)
    writing.touch("conversation", conversation)
