"""What an erasure takes with it: everything that was made of a message, or of a person."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.contacts import load_contacts
from wabiz_tui.hub.archive.erasure.tombstones import TombstoneKind
from wabiz_tui.hub.archive.messages import load_messages
from wabiz_tui.hub.archive.sealing import event_unit
from wabiz_tui.hub.archive.store import Reading
from wabiz_tui.model.content import Content, Edit, Reaction, Revoke
from wabiz_tui.model.values import Message

_AT_ONCE = 500
_message, _key, _contact = schema.message.c, schema.message_key.c, schema.contact.c
_conversation, _event, _quarantine = schema.conversation.c, schema.event.c, schema.quarantine.c


class Found(msgspec.Struct):
    """Ids and names of rows; nothing of what stands in them. `conversations` go whole, with their contact."""

    contacts: list[str] = []
    conversations: list[str] = []
    messages: list[str] = []
    events: list[str] = []
    entries: list[int] = []
    """Of quarantined bodies."""

    def __bool__(self) -> bool:
        return bool(self.contacts or self.conversations or self.messages or self.events or self.entries)


def find_messages(reading: Reading, messages: Iterable[str]) -> Found:
    """These messages with the edits, reactions and revokes of them, and events and quarantined bodies that name one."""
    found = list(dict.fromkeys(_present(reading, messages)))
    found += [one for one in _about(reading, found) if one not in found]
    opened = list(_opened(reading, found))
    wamids = [message.wamid for message in opened if message.wamid]
    since = min((message.sent_at for message in opened), default=None)
    needles = _needles(wamids)
    first = "" if since is None else f"{since.year:04}-{since.month:02}"
    return Found(messages=found, events=_events(reading, needles, first), entries=_quarantined(reading, needles))


def find_contact_whole(reading: Reading, contact: str) -> Found:
    """The contact, who was merged into it, and everything said with them."""
    contacts = _family(reading, contact)
    conversations = _ids(reading, schema.conversation, _conversation.contact, contacts)
    messages = _ids(reading, schema.message, _message.conversation, conversations)
    names = [value for stored in load_contacts(reading, contacts).values() for _, value in stored.record.aliases]
    needles = _needles((*contacts, *conversations, *names))
    return Found(contacts, conversations, messages, _events(reading, needles, ""), _quarantined(reading, needles))


def find_buried(reading: Reading) -> Found:
    """Whatever stands in the archive though there is a tombstone of it. Cost: reading the keys of every row."""
    found = Found()
    for contact in _buried(reading, schema.contact, "contact"):
        whole = find_contact_whole(reading, contact)
        found.contacts += whole.contacts
        found.conversations += whole.conversations
        found.messages += whole.messages
        found.events += whole.events
        found.entries += whole.entries
    found.conversations += _buried(reading, schema.conversation, "conversation")
    found.messages += _ids(reading, schema.message, _message.conversation, found.conversations)
    found.messages += find_messages(reading, (*_buried(reading, schema.message, "message"), *_of_buried_wamids(reading))).messages
    found.events += _of_hashes(reading, schema.event, _event.id, _event.identity, "event")
    entries = reading.connection.execute(sa.select(_quarantine.entry).where(_quarantine.tenant == reading.tenant))
    hashes = {reading.sealer.lookup("quarantine", str(row.entry)): row.entry for row in entries}
    found.entries += [hashes[one] for one in reading.tombstones.among("quarantine", list(hashes))]
    return Found(*(list(dict.fromkeys(getattr(found, name))) for name in found.__struct_fields__))


def _buried(reading: Reading, table: sa.Table, kind: TombstoneKind) -> list[str]:
    """By our own ids."""
    found: list[str] = []
    for ids in _all_of(reading, table, table.c.id):
        hashes = {reading.sealer.lookup(kind, one): one for one in ids}
        found += [hashes[one] for one in reading.tombstones.among(kind, list(hashes))]
    return found


def _of_buried_wamids(reading: Reading) -> list[str]:
    return _of_hashes(reading, schema.message_key, _key.message, _key.wamid_hash, "wamid")


def _of_hashes(
    reading: Reading, table: sa.Table, wanted: sa.ColumnElement[str], hashed: sa.ColumnElement[bytes], kind: TombstoneKind
) -> list[str]:
    found: list[str] = []
    for hashes in _all_of(reading, table, hashed):
        gone = reading.tombstones.among(kind, hashes)
        if gone:
            query = sa.select(wanted.label("wanted")).where(table.c.tenant == reading.tenant, hashed.in_(gone))
            found += [row.wanted for row in reading.connection.execute(query)]
    return found


def _all_of(reading: Reading, table: sa.Table, column: sa.ColumnElement[Any]) -> Iterator[list[Any]]:
    """The values of a column that tells rows apart, in its order."""
    last: Any = None
    while True:
        query = sa.select(column.label("value")).where(table.c.tenant == reading.tenant).order_by(column).limit(_AT_ONCE)
        values = [row.value for row in reading.connection.execute(query if last is None else query.where(column > last))]
        if values:
            yield values
        if len(values) < _AT_ONCE:
            return
        last = values[-1]


def target_of(content: Content) -> str | None:
    """The wamid of the message that this one reacts to, edits or revokes."""
    match content:
        case Reaction(message_id=target) | Edit(original_message_id=target) | Revoke(original_message_id=target):
            return target
        case _:
            return None


def in_chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))


def _present(reading: Reading, messages: Iterable[str]) -> list[str]:
    return _ids(reading, schema.message, _message.id, list(messages))


def _ids(reading: Reading, table: sa.Table, column: sa.ColumnElement[Any], values: Sequence[str]) -> list[str]:
    return [
        row.id
        for chunk in in_chunks(values)
        for row in reading.connection.execute(sa.select(table.c.id).where(table.c.tenant == reading.tenant, column.in_(chunk)))
    ]


def _about(reading: Reading, messages: Sequence[str]) -> list[str]:
    """What speaks of these messages: an edit holds their words anew, and a reaction says nothing without them."""
    opened = list(_opened(reading, messages))
    wamids = {message.wamid for message in opened if message.wamid}
    conversations = sorted({message.conversation for message in opened})
    if not wamids:
        return []
    candidates = [
        row.id
        for chunk in in_chunks(conversations)
        for row in reading.connection.execute(
            sa.select(_message.id).where(
                _message.tenant == reading.tenant,
                _message.conversation.in_(chunk),
                _message.kind.in_(("edit", "reaction", "revoke")),
            )
        )
    ]
    return [message.id for message in _opened(reading, candidates) if target_of(message.content) in wamids]


def _opened(reading: Reading, messages: Sequence[str]) -> Iterator[Message]:
    for chunk in in_chunks(messages):
        yield from load_messages(reading, chunk).values()


def _family(reading: Reading, contact: str) -> list[str]:
    top = contact
    seen = {top}
    while (into := _merged_into(reading, top)) is not None and into not in seen:
        top = into
        seen.add(top)
    family, new = [top], [top]
    while new:
        new = [one for one in _ids(reading, schema.contact, _contact.merged_into, new) if one not in family]
        family += new
    return family if _ids(reading, schema.contact, _contact.id, [top]) else []


def _merged_into(reading: Reading, contact: str) -> str | None:
    return reading.connection.execute(
        sa.select(_contact.merged_into).where(_contact.tenant == reading.tenant, _contact.id == contact)
    ).scalar()


def _needles(names: Iterable[str]) -> re.Pattern[bytes] | None:
    """Finds any of these as a whole word; a number is none where it is part of a longer one."""
    escaped = [re.escape(name.encode()) for name in dict.fromkeys(names) if name]
    return re.compile(rb"(?<![0-9A-Za-z])(?:" + b"|".join(escaped) + rb")(?![0-9A-Za-z])") if escaped else None


def _events(reading: Reading, needles: re.Pattern[bytes] | None, first_month: str) -> list[str]:
    """Cost: opening every event since that month, for which no index could be without telling of whom they speak."""
    if needles is None:
        return []
    found: list[str] = []
    last = ""
    while True:
        rows = reading.connection.execute(
            sa.select(_event.id, _event.month, _event.sealed)
            .where(_event.tenant == reading.tenant, _event.id > last, _event.month >= first_month)
            .order_by(_event.id)
            .limit(_AT_ONCE)
        ).all()
        for row in rows:
            plain = reading.sealer.open(event_unit(row.month), row.sealed, about=f"event/{row.id}")
            if plain is not None and needles.search(plain):
                found.append(row.id)
        if len(rows) < _AT_ONCE:
            return found
        last = rows[-1].id


def _quarantined(reading: Reading, needles: re.Pattern[bytes] | None) -> list[int]:
    if needles is None:
        return []
    found: list[int] = []
    last = -1
    while True:
        rows = reading.connection.execute(
            sa.select(_quarantine.entry, _quarantine.unit, _quarantine.sealed)
            .where(_quarantine.tenant == reading.tenant, _quarantine.entry > last)
            .order_by(_quarantine.entry)
            .limit(20)  # a body may have 3 MB
        ).all()
        for row in rows:
            plain = reading.sealer.open(row.unit, row.sealed, about=f"quarantine/{row.entry}")
            # Meta writes a slash as \/.
            if plain is not None and needles.search(plain.replace(b"\\/", b"/")):
                found.append(row.entry)
        if not rows:
            return found
        last = rows[-1].entry
