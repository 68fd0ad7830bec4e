"""Episodes in the archive, as those ask for them who look at the work: a person's, and a conversation's from its first to its last."""

from typing import NamedTuple

import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.sight import Assigned
from wabiz_tui.hub.archive.store import Reading

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
