"""What comes into somebody's sight and what leaves it, told in the feed: values are read when they are sent, so it is enough to
say of what that it changed."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import NamedTuple

import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.engine.direct import DirectLookup
from wabiz_tui.hub.archive.people import load_people
from wabiz_tui.hub.archive.policies import policy_in_force
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.archive.times import to_ms
from wabiz_tui.model.feed import Entity
from wabiz_tui.model.values import Person
from wabiz_tui.policy.document import parse_policy
from wabiz_tui.policy.permissions import can_see
from wabiz_tui.policy.sight import can_see_conversation

_conversation, _episode, _message, _change = schema.conversation.c, schema.episode.c, schema.message.c, schema.change.c
_AT_ONCE = 500
_BY_ROLE: tuple[Entity, ...] = ("event", "number", "team", "canned", "macro")
"""What the feed carries without regard to a conversation."""

_ASSIGNED = (
    sa.select(_conversation.id, _episode.assignee, _episode.team)
    .join(schema.episode, (_episode.tenant == _conversation.tenant) & (_episode.id == _conversation.episode))
    .where(_conversation.tenant == sa.bindparam("of_tenant"))
)
_ASSIGNED_OF = DirectLookup(_ASSIGNED, _conversation.id)
_CONTACTS_OF = DirectLookup(
    sa.select(_conversation.id, _conversation.contact).where(_conversation.tenant == sa.bindparam("of_tenant")), _conversation.id
)


class Assigned(NamedTuple):
    """Whom a conversation is with: a person, a team, both or nobody. Who may see it follows from it."""

    assignee: str | None = None
    team: str | None = None

    def is_seen_by(self, person: Person) -> bool:
        return can_see_conversation(person.role, person.id, person.teams, assignee=self.assignee, team=self.team)


def assigned_of(reading: Reading, conversations: Iterable[str]) -> dict[str, Assigned]:
    """Conversation id → whom its current episode is assigned to; what is absent does not exist."""
    rows = _ASSIGNED_OF.rows(reading.connection, {"of_tenant": reading.tenant}, sorted(set(conversations)))
    return {conversation: Assigned(assignee, team) for conversation, assignee, team in rows}


def contacts_of(reading: Reading, conversations: Iterable[str]) -> dict[str, str]:
    """Conversation id → contact id."""
    return dict(_CONTACTS_OF.rows(reading.connection, {"of_tenant": reading.tenant}, sorted(set(conversations))))


def note_reassigned(writing: Writing, conversation: str, before: Assigned) -> None:
    """Tell that a conversation which was with `before` is with somebody else: it goes from whom it left, and comes, with its contact
    and what a cache may hold of its messages, to whom may see it only since."""
    writing.touch("conversation", conversation)
    after = assigned_of(writing, [conversation])[conversation]
    if after == before:
        return
    _touch_contacts(writing, [conversation])
    if any(after.is_seen_by(person) and not before.is_seen_by(person) for person in load_people(writing).values()):
        _touch_messages(writing, [conversation])


def note_person_changed(writing: Writing, before: Person, after: Person) -> None:
    """Tell what a person of another role or other teams may see that they could not, and what no longer; the person too."""
    writing.touch("person", after.id)
    if (before.role, set(before.teams)) == (after.role, set(after.teams)):
        return
    seen: list[str] = []
    hidden: list[str] = []
    for row in writing.connection.execute(_ASSIGNED, {"of_tenant": writing.tenant}):
        assigned = Assigned(row.assignee, row.team)
        was_seen, is_seen = assigned.is_seen_by(before), assigned.is_seen_by(after)
        if was_seen != is_seen:
            (seen if is_seen else hidden).append(row.id)
    for conversation in (*seen, *hidden):
        writing.touch("conversation", conversation)
    _touch_contacts(writing, (*seen, *hidden))
    _touch_messages(writing, seen)
    for entity in _BY_ROLE:
        if can_see(after.role, entity):
            _touch_all(writing, entity)


def _touch_contacts(writing: Writing, conversations: Sequence[str]) -> None:
    for chunk in _chunks(conversations):
        query = sa.select(_conversation.contact).where(_conversation.tenant == writing.tenant, _conversation.id.in_(chunk))
        for row in writing.connection.execute(query):
            writing.touch("contact", row.contact)


def _touch_messages(writing: Writing, conversations: Sequence[str]) -> None:
    window, most = _cache_allows(writing)
    query = sa.select(_message.id).where(_message.tenant == writing.tenant, _message.sent_ms >= to_ms(writing.now - window))
    newest_first = query.order_by(_message.sent_ms.desc(), _message.id.desc()).limit(most)
    for chunk in _chunks(conversations):
        for row in writing.connection.execute(newest_first.where(_message.conversation.in_(chunk))).all():
            writing.touch("message", row.id)


def _touch_all(writing: Writing, entity: Entity) -> None:
    for row in writing.connection.execute(sa.select(_change.id).where(_change.tenant == writing.tenant, _change.entity == entity)).all():
        writing.touch(entity, row.id)


def _cache_allows(reading: Reading) -> tuple[timedelta, int]:
    stored = policy_in_force(reading)
    return _cache_of("" if stored is None else stored.text)


@lru_cache(maxsize=4)
def _cache_of(text: str) -> tuple[timedelta, int]:
    cache = parse_policy(text, accepted=True).cache
    return cache.window, cache.max_messages


def _chunks(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE))
