"""Pages of changes: each value read when it is sent, as its reader may see it, and encoded once for all who see the same."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from wabiz_tui.hub.archive.contacts import load_contacts
from wabiz_tui.hub.archive.conversations import conversations_with, load_conversations
from wabiz_tui.hub.archive.events import load_events, load_numbers, own_numbers
from wabiz_tui.hub.archive.messages import SealedMessage, message_of, messages_in_feed, open_messages
from wabiz_tui.hub.archive.people import load_people
from wabiz_tui.hub.archive.readers import Reader, load_readers
from wabiz_tui.hub.archive.routines import CANNED, MACROS
from wabiz_tui.hub.archive.sight import Assigned, assigned_of
from wabiz_tui.hub.archive.store import ChangeRow, Reading, changes_of, changes_since, feed_ends, feed_head
from wabiz_tui.hub.archive.teams import load_teams
from wabiz_tui.hub.feed.plain import plain_json
from wabiz_tui.hub.feed.seen import names_in, names_of_contact, seen_contact, seen_conversation, seen_event, seen_message
from wabiz_tui.hub.feed.viewer import Viewer
from wabiz_tui.hub.policy import InForce
from wabiz_tui.model.codec import encode
from wabiz_tui.model.errors import Revoked
from wabiz_tui.model.feed import Change, Entity
from wabiz_tui.model.values import Message, Number
from wabiz_tui.policy.permissions import can_see
from wabiz_tui.policy.standing import FLOWING_ENTITIES

MOST_CHANGES = 5000
USUAL_CHANGES = 1000
"""What a page holds at most unless more is asked for."""
MOST_BYTES = 2 * 1024 * 1024
"""After which a page ends, with the value that passed it."""
_AT_FIRST, _AT_MOST = 250, 1000
_CHUNK_BYTES = 512 * 1024
"""How many values are in memory at once: so many as come to this, judged by those before."""
_UNREAD = re.compile(rb',"unread":\d+')
_OF_CONVERSATIONS = frozenset({"contact", "conversation", "message"})


class Told(NamedTuple):
    """A change as bytes, with its value and without. `of` are the conversations it belongs to; None where it belongs to none."""

    row: ChangeRow
    of: tuple[Assigned, ...] | None
    shown: bytes
    gone: bytes

    @property
    def uncounted(self) -> bytes:
        """Without the count of what is unread. Inside a text the quotes would be escaped, so that only the key matches."""
        return _UNREAD.sub(b"", self.shown, count=1) if self.row.entity == "conversation" else self.shown


class _Sight:
    """What one reader sees, decided once for all that is with the same people."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._entities: dict[Entity, bool] = {}
        self._conversations: dict[tuple[Assigned, ...], bool] = {}

    def entity(self, entity: Entity) -> bool:
        found = self._entities.get(entity)
        if found is None:
            found = self._entities[entity] = can_see(self._viewer.role, entity)
        return found

    def all_of(self, of: tuple[Assigned, ...] | None) -> bool:
        """Whether they see what belongs to these conversations; with None, to none."""
        if of is None:
            return True
        found = self._conversations.get(of)
        if found is None:
            found = self._conversations[of] = any(self._viewer.can_see_conversation(*one) for one in of)
        return found


class Page(NamedTuple):
    """A page as it leaves, and the cursor after it."""

    raw: bytes
    next: int
    more: bool
    is_empty: bool


class Stretch(NamedTuple):
    """The changes from `since` to `next`, read in one snapshot, for several readers."""

    since: int
    next: int
    head: int
    at: datetime
    told: tuple[Told, ...]
    readers: dict[str, Reader]
    begins: int = 0

    def viewer(self, known: Viewer) -> Viewer | None:
        """The reader as they stood in the snapshot; None when they are no longer there."""
        reader = self.readers.get(known.person)
        return None if reader is None else known.as_now(reader)

    def page(self, viewer: Viewer, *, is_quiet: bool = False) -> Page:
        """What they may never see is left out; what is out of their sight comes without a value. `is_quiet` withholds the counts of
        what is unread."""
        sees = _Sight(viewer)
        changes = b",".join(
            (one.uncounted if is_quiet else one.shown) if sees.all_of(one.of) else one.gone
            for one in self.told
            if sees.entity(one.row.entity)
        )
        more = self.next < self.head
        begins = b',"begins":%d' % self.begins if self.begins else b""
        raw = b'{"changes":[%s],"next":%d,"head":%d,"more":%s,"at":%s%s}' % (
            changes, self.next, self.head, b"true" if more else b"false", encode(self.at), begins,
        )  # fmt: skip
        return Page(raw, self.next, more, not changes)


def page_for(reading: Reading, viewer: Viewer, policy: InForce, *, since: int, limit: int, is_quiet: bool = False) -> Page:
    """The next changes for one reader, as they stand in the snapshot; nothing is opened that they may not see."""
    stretch = stretch_after(reading, policy, since=since, limit=limit, viewer=viewer)
    current = stretch.viewer(viewer)
    if current is None:
        raise Revoked("An administrator has ended this person's access.")
    return stretch.page(current, is_quiet=is_quiet)


def stretch_after(
    reading: Reading, policy: InForce, *, since: int, limit: int, viewer: Viewer | None = None, most_bytes: int = MOST_BYTES
) -> Stretch:
    """The changes after `since`. With a `viewer` it is for them alone. Costs the values of one page, whatever there is."""
    rows = changes_since(reading, since, min(max(limit, 1), MOST_CHANGES))
    readers = load_readers(reading)
    if viewer is not None and viewer.person in readers:
        viewer = viewer.as_now(readers[viewer.person])
    told: list[Told] = []
    size = 0
    for one in _told(reading, policy, rows, viewer):
        told.append(one)
        size += len(one.shown)
        if size > most_bytes:
            break
    reached = told[-1].row.seq if told else since
    head, begins = feed_ends(reading)
    return Stretch(since, reached, head, reading.now, tuple(told), readers, begins)


class Flow(NamedTuple):
    """What goes on to readers who are closed out, up to `head`; `changes` are JSON objects without their braces' beginning."""

    changes: tuple[bytes, ...]
    head: int
    at: datetime
    readers: dict[str, Reader]

    def page(self, cursor: int) -> bytes:
        """As a page that leaves the reader's cursor where it is. Sequences and head are the cursor too: they would count what happened."""
        changes = b",".join(b'{"seq":%d,%s' % (cursor, change) for change in self.changes)
        return b'{"changes":[%s],"next":%d,"head":%d,"more":false,"at":%s}' % (changes, cursor, cursor, encode(self.at))


def flowing_after(reading: Reading, policy: InForce, *, since: int) -> Flow:
    """The changes after `since` of what shows no customer and no work (policy/standing.py); there are hundreds at most."""
    rows = changes_of(reading, since, FLOWING_ENTITIES)
    values = _Values(reading, policy).load(rows)
    changes = tuple(
        b'"entity":%s,"id":%s' % (encode(row.entity), encode(row.id)) + (b"}" if value is None else b',"value":%s}' % value)
        for row in rows
        for value in (values.get((row.entity, row.id)),)
    )
    return Flow(changes, feed_head(reading), reading.now, load_readers(reading))


def _told(reading: Reading, policy: InForce, rows: Sequence[ChangeRow], viewer: Viewer | None) -> Iterator[Told]:
    """Loaded some hundred at a time, the more the smaller they are, so that no page holds much more in memory than it sends."""
    values, sees = _Values(reading, policy), None if viewer is None else _Sight(viewer)
    start, count, size = 0, _AT_FIRST, 0
    while start < len(rows):
        chunk = rows[start : start + count]
        sealed = _messages_of(reading, chunk)
        of = _conversations_of(reading, chunk, sealed) | _routines_of(reading, chunk)
        wanted = chunk if sees is None else [row for row in chunk if sees.entity(row.entity) and sees.all_of(of.get((row.entity, row.id)))]
        found = values.load(wanted, sealed)
        for row in chunk:
            key = row.entity, row.id
            gone, value = encode(Change(*row)), found.get(key)
            told = Told(row, of.get(key), gone if value is None else _with_value(gone, value), gone)
            size += len(told.shown)
            yield told
        start += len(chunk)
        count = min(max(_CHUNK_BYTES * start // max(size, 1), _AT_FIRST), _AT_MOST)


def _with_value(change: bytes, value: bytes) -> bytes:
    return b'%s,"value":%s}' % (change[:-1], value)


def _messages_of(reading: Reading, rows: Sequence[ChangeRow]) -> dict[str, SealedMessage]:
    seqs = [row.seq for row in rows if row.entity == "message"]
    return messages_in_feed(reading, seqs[0], seqs[-1]) if seqs else {}


def _conversations_of(
    reading: Reading, rows: Sequence[ChangeRow], messages: Mapping[str, SealedMessage]
) -> dict[tuple[str, str], tuple[Assigned, ...]]:
    """Whom the conversations are with that contacts, conversations and messages belong to; none at all for what is not there."""
    ids: dict[str, list[str]] = {entity: [] for entity in _OF_CONVERSATIONS}
    for row in rows:
        if row.entity in _OF_CONVERSATIONS:
            ids[row.entity].append(row.id)
    of: dict[tuple[str, str], tuple[str, ...]] = {("conversation", one): (one,) for one in ids["conversation"]}
    if ids["message"]:
        of |= {("message", one): (messages[one].conversation,) if one in messages else () for one in ids["message"]}
    if ids["contact"]:
        several = conversations_with(reading, ids["contact"])
        of |= {("contact", one): tuple(several.get(one, ())) for one in ids["contact"]}
    if not of:
        return {}
    assigned = assigned_of(reading, (one for several in of.values() for one in several))
    alone = {one: (whom,) for one, whom in assigned.items()}
    return {
        key: alone.get(several[0], ()) if len(several) == 1 else tuple(assigned[one] for one in several if one in assigned)
        for key, several in of.items()
    }


def _routines_of(reading: Reading, rows: Sequence[ChangeRow]) -> dict[tuple[str, str], tuple[Assigned, ...]]:
    """Whose the canned responses and macros are, a team's or everybody's: who sees them sees what lies in the same queue."""
    found: dict[tuple[str, str], tuple[Assigned, ...]] = {}
    for entity, kept in (("canned", CANNED), ("macro", MACROS)):
        wanted = [row.id for row in rows if row.entity == entity]
        if wanted:
            found |= {(entity, one.id): (Assigned(None, one.team),) for one in kept.load(reading, wanted).values()}
    return found


class _Values:
    """Values as JSON by entity and id, loaded a kind at a time."""

    def __init__(self, reading: Reading, policy: InForce) -> None:
        self._reading, self._policy = reading, policy
        self._loaders: dict[str, Callable[[list[str]], dict[str, Any]]] = {
            "contact": self._contacts,
            "conversation": self._conversations,
            "event": self._events,
            "number": self._numbers,
            "policy": lambda wanted: dict.fromkeys(wanted, self._policy.signed),
            "person": lambda _wanted: dict(load_people(self._reading)),
            "team": lambda wanted: dict(load_teams(self._reading, wanted)),
            "canned": lambda wanted: dict(CANNED.load(self._reading, wanted)),
            "macro": lambda wanted: dict(MACROS.load(self._reading, wanted)),
        }

    def load(self, rows: Iterable[ChangeRow], messages: Mapping[str, SealedMessage] = MappingProxyType({})) -> dict[tuple[str, str], bytes]:
        """Of messages those that are given, not opened yet."""
        ids: dict[str, list[str]] = {}
        for row in rows:
            ids.setdefault(row.entity, []).append(row.id)
        found = {
            (entity, one): encode(value)
            for entity, wanted in ids.items()
            if entity in self._loaders
            for one, value in self._loaders[entity](wanted).items()
        }
        return found | self._messages([messages[one] for one in ids.get("message", ()) if one in messages])

    def _contacts(self, ids: list[str]) -> dict[str, Any]:
        stored = load_contacts(self._reading, ids)
        policy = self._policy.policy
        return {one: seen_contact(found.value(), policy, "agent", names_of_contact(found)) for one, found in stored.items()}

    def _conversations(self, ids: list[str]) -> dict[str, Any]:
        stored, names, policy = load_conversations(self._reading, ids), names_in(self._reading, ids), self._policy.policy
        return {one: seen_conversation(found, policy, "agent", names.get(one, frozenset())) for one, found in stored.items()}

    def _messages(self, rows: Sequence[SealedMessage]) -> dict[tuple[str, str], bytes]:
        found: dict[tuple[str, str], bytes] = {}
        others: list[Message] = []
        for row, raw in open_messages(self._reading, rows):
            plain = plain_json(raw, row.delivery)
            if plain is None:
                others.append(message_of(row, raw))
            else:
                found["message", row.id] = plain
        if others:
            ours, policy = own_numbers(self._reading), self._policy.policy
            names = names_in(self._reading, (message.conversation for message in others))
            for message in others:
                found["message", message.id] = encode(seen_message(message, policy, ours, names.get(message.conversation, frozenset())))
        return found

    def _events(self, ids: list[str]) -> dict[str, Any]:
        ours = own_numbers(self._reading)
        return {event: seen_event(found, self._policy.policy, ours) for event, found in load_events(self._reading, ids).items()}

    def _numbers(self, ids: list[str]) -> dict[str, Any]:
        found = load_numbers(self._reading, ids)
        return {number: Number(id=number, display=display, name=name) for number, (display, name) in found.items()}
