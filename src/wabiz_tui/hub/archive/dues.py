"""What falls due in a device's cache, as far as the hub can tell from what its person may see."""

from datetime import datetime

import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.store import Reading
from wabiz_tui.hub.archive.times import from_ms, to_ms
from wabiz_tui.model.values import Person
from wabiz_tui.policy.document import Cache
from wabiz_tui.policy.permissions import can

_conversation, _episode, _message = schema.conversation.c, schema.episode.c, schema.message.c


def first_due(reading: Reading, person: Person, cache: Cache, *, after: datetime) -> datetime | None:
    """The first instant after `after`, and not after now, at which something fell due that this person's devices may hold.

    By the window of the cache, or some time after the conversation was resolved. None where nothing did, and for roles that hold no
    content. Cost: a look into each conversation of their sight; so it is asked only of devices that are late by all else."""
    if not can(person.role, "conversation.read"):
        return None
    joined = sa.join(
        schema.conversation, schema.episode, (_episode.tenant == _conversation.tenant) & (_episode.id == _conversation.episode)
    )
    messages = joined.join(schema.message, (_message.tenant == _conversation.tenant) & (_message.conversation == _conversation.id))
    aged = sa.select(sa.func.min(_message.sent_ms)).select_from(messages)
    resolved = sa.select(sa.func.min(_episode.resolved_ms)).select_from(joined).where(_episode.status == "resolved")
    queries = (
        (aged, _message.sent_ms, cache.window),
        (resolved.where(_conversation.last_ms > to_ms(after - cache.window)), _episode.resolved_ms, cache.after_resolve),
    )
    found: list[datetime] = []
    for query, column, held_for in queries:
        due = query.where(column > to_ms(after - held_for), column <= to_ms(reading.now - held_for), _is_seen(reading, person))
        at_ms = reading.connection.execute(due).scalar()
        if at_ms is not None:
            found.append(from_ms(at_ms) + held_for)
    return min(found, default=None)


def _is_seen(reading: Reading, person: Person) -> sa.ColumnElement[bool]:
    """As policy/sight.py decides of one conversation."""
    ours = _conversation.tenant == reading.tenant
    if can(person.role, "conversation.read_all"):
        return ours
    waiting = _episode.assignee.is_(None) & (_episode.team.is_(None) | _episode.team.in_(person.teams))
    return ours & ((_episode.assignee == person.id) | waiting)
