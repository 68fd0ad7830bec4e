"""Erase messages, or a person with everything of theirs, so that a crash at any step is finished at the next start.

The order is what makes it safe. In one transaction tombstones, new keys for the rest of each unit, and a note of what is under way
are written to the keys' store; rows go, the rest is sealed anew, the feed and the audit log are told in the archive. The keys commit
first. After both: files go, and old keys are destroyed, with the note. Whoever finds such a note does it all again; what is
done already is not there any more.

What lies in the webhook journal is sealed by the day and is destroyed with the day's key, seven days later at most; folded again
before that, it meets the tombstones.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.conversations import refresh_state
from wabiz_tui.hub.archive.engine.sql import put
from wabiz_tui.hub.archive.erasure.finding import Found, find_buried, find_contact_whole, find_messages, in_chunks, target_of
from wabiz_tui.hub.archive.erasure.resealing import (
    remove_files,
    remove_shut_files,
    reseal,
    reseal_files,
    units_of_messages,
    unopenable,
)
from wabiz_tui.hub.archive.messages import find_by_wamid, load_message, load_messages, save_message
from wabiz_tui.hub.archive.sealing import contact_unit, event_unit
from wabiz_tui.hub.archive.sends import ERASED
from wabiz_tui.hub.archive.store import Archive, Reading, Writing
from wabiz_tui.hub.audit import Act, record
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.content import Reaction
from wabiz_tui.model.feed import Entity
from wabiz_tui.model.values import Direction, Message

_UNDER_WAY = "erasure/"
_UNITS = ("unit/", "event/", "waiting/")
# Their rows stay, emptied: a repeat under the same idempotency key must not send or write again.
_KEPT = (schema.outgoing, schema.note_key)
# Found by their wamids, which an index leads to.
_APART = (schema.status,)


class Erased(msgspec.Struct, frozen=True):
    """How many of each went, and how many units of others' content were sealed anew."""

    messages: int = 0
    conversations: int = 0
    contacts: int = 0
    events: int = 0
    bodies: int = 0
    resealed: int = 0


class _Task(msgspec.Struct):
    """What is under way, by ids and names alone: what to find again, and what to do once the rows are gone."""

    act: Act
    messages: list[str] = []
    contact: str = ""
    files: list[str] = []
    renewed: list[str] = []
    destroyed: list[str] = []


def erase_messages(writing: Writing, messages: Iterable[str], act: Act) -> Erased:
    """Erase these messages of whatever conversations, with edits and reactions of them. Ids that name none are passed over.

    `act` says who, and why; the counts are added to it. Cost: sealing anew what else their units hold, opening the events since."""
    wanted = list(messages)
    return _erase(writing, find_messages(writing, wanted), _Task(act, messages=wanted))


def erase_contact(writing: Writing, contact: str, act: Act) -> Erased:
    """Erase a person: who was merged into them, conversations, messages, files, aliases, what events and quarantined bodies say.

    Nobody is banned: who writes again is a new contact."""
    return _erase(writing, find_contact_whole(writing, contact), _Task(act, contact=contact))


def erase_buried(writing: Writing, act: Act) -> Erased:
    """Erase again whatever has a tombstone: for an archive that was restored from a backup older than the erasure."""
    if not writing.tombstones.has_any():
        return Erased()
    return _erase(writing, find_buried(writing), _Task(act))


def drop_shut(archive: Archive) -> int:
    """Remove rows and files that no key opens any more: of a backup older than an erasure in their unit, restored without the keys of
    then. How many rows. Their neighbours' erasure is what shut them: nothing that could be read is lost here."""
    count = 0
    for unit in _renewed_units(archive):
        count += archive.write_now(lambda writing, unit=unit: _drop_shut(writing, unit))
        if unit.endswith("/media"):
            count += remove_shut_files(archive, unit)
    return count


def _renewed_units(archive: Archive) -> list[str]:
    with archive.reading() as reading:
        if not reading.tombstones.has_any():
            return []
        hashes = {reading.sealer.lookup("renewed", name): name for prefix in _UNITS for name in archive.keys.names(prefix)}
        return sorted(hashes[one] for one in reading.tombstones.among("renewed", list(hashes)))


def _drop_shut(writing: Writing, unit: str) -> int:
    found, count = Found(), 0
    for table, rows in unopenable(writing, unit):
        count += len(rows)
        match table.name:
            case "message":
                found.messages = [row.id for row in rows]
            case "event":
                found.events = [row.id for row in rows]
            case "quarantine":
                found.entries = [row.entry for row in rows]
            case _:
                column = next(column.name for column in table.primary_key if column.name != "tenant")
                _delete(writing, table, column, [getattr(row, column) for row in rows])
    left = _conversations_of(writing, found)
    _delete_messages(writing, found)
    _delete_people(writing, found)
    for conversation in left:
        _refresh(writing, conversation)
    return count


def finish_erasures(archive: Archive) -> int:
    """Do what an earlier end left undone; how many erasures were unfinished. Call it before serving."""
    names = archive.keys.note_names(_UNDER_WAY)
    for name in names:
        raw = archive.keys.notes([name]).get(name)
        if raw is not None:
            task = decode(raw, _Task)
            archive.write_now(lambda writing, name=name, task=task: _again(writing, name, task))
    return len(names)


def _again(writing: Writing, name: str, task: _Task) -> None:
    found = find_contact_whole(writing, task.contact) if task.contact else find_messages(writing, task.messages)
    _erase(writing, found, task, name=name)


def _erase(writing: Writing, found: Found, task: _Task, *, name: str = "") -> Erased:
    if not found and not name:
        return Erased()
    archive = writing.archive
    counted = Erased()
    if found:
        counted = _remove(writing, found, task)
        details = {**task.act.details, **msgspec.structs.asdict(counted)}
        record(writing, msgspec.structs.replace(task.act, details=details))
        _raise_key_epoch(writing)
    name = name or f"{_UNDER_WAY}{writing.new_id()}"
    archive.keys.note(name, encode(task))
    writing.afterwards(lambda: _finish(archive, name, task))
    return counted


def _finish(archive: Archive, name: str, task: _Task) -> None:
    remove_files(archive, task.files)
    for unit in task.renewed:
        if unit.endswith("/media"):
            reseal_files(archive, unit)
    archive.keys.settle(task.renewed, task.destroyed, notes=[name])


def _remove(writing: Writing, found: Found, task: _Task) -> Erased:
    units = units_of_messages(writing, found.messages) | _units_of_others(writing, found)
    units |= _units_of_uploads(writing, found.messages)
    touched = _conversations_of(writing, found)
    _take_reactions_back(writing, found)
    _bury(writing, found)
    task.files = sorted({*task.files, *_files(writing, found.messages)})
    _delete_messages(writing, found)
    _delete_people(writing, found)
    for conversation in touched:
        _refresh(writing, conversation)
    emptied = [name for one in found.conversations for name in writing.archive.keys.names(f"unit/{one}/")]
    gone = {*emptied, *(contact_unit(one) for one in found.contacts)}
    units -= gone
    resealed: list[str] = []
    for unit in sorted(units):
        if writing.archive.keys.renew(unit):
            reseal(writing, unit)
            resealed.append(unit)
    task.renewed = sorted({*task.renewed, *resealed})
    task.destroyed = sorted({*task.destroyed, *gone})
    writing.tombstones.put("renewed", (writing.sealer.lookup("renewed", one) for one in resealed), at_ms=writing.now_ms)
    writing.tombstones.put("key", (writing.sealer.lookup("key", one) for one in gone), at_ms=writing.now_ms)
    return Erased(len(found.messages), len(found.conversations), len(found.contacts), len(found.events), len(found.entries), len(resealed))


def _units_of_others(writing: Writing, found: Found) -> set[str]:
    event, body = schema.event.c, schema.quarantine.c
    units: set[str] = set()
    for chunk in in_chunks(found.events):
        query = sa.select(event.month).distinct().where(event.tenant == writing.tenant, event.id.in_(chunk))
        units |= {event_unit(row.month) for row in writing.connection.execute(query)}
    for chunk in in_chunks(found.entries):
        query = sa.select(body.unit).distinct().where(body.tenant == writing.tenant, body.entry.in_(chunk))
        units |= {row.unit for row in writing.connection.execute(query)}
    return units


def _units_of_uploads(writing: Writing, messages: list[str]) -> set[str]:
    upload = schema.upload.c
    units: set[str] = set()
    for chunk in in_chunks(_media_hashes(writing, messages)):
        query = sa.select(upload.unit).distinct().where(upload.tenant == writing.tenant, upload.media_hash.in_(chunk))
        units |= {row.unit for row in writing.connection.execute(query)}
    return units


def _media_hashes(reading: Reading, messages: list[str]) -> list[bytes]:
    """Of the files that no message but these holds."""
    use = schema.media_use.c
    hashes: set[bytes] = set()
    for chunk in in_chunks(messages):
        query = sa.select(use.media_hash).where(use.tenant == reading.tenant, use.message.in_(chunk))
        hashes |= {row.media_hash for row in reading.connection.execute(query)}
    gone, kept = set(messages), set[bytes]()
    for chunk in in_chunks(sorted(hashes)):
        query = sa.select(use.media_hash, use.message).where(use.tenant == reading.tenant, use.media_hash.in_(chunk))
        kept |= {row.media_hash for row in reading.connection.execute(query) if row.message not in gone}
    return sorted(hashes - kept)


def _conversations_of(writing: Writing, found: Found) -> list[str]:
    """The conversations that lose messages and stay."""
    message, whole = schema.message.c, set(found.conversations)
    left: set[str] = set()
    for chunk in in_chunks(found.messages):
        query = sa.select(message.conversation).distinct().where(message.tenant == writing.tenant, message.id.in_(chunk))
        left |= {row.conversation for row in writing.connection.execute(query)}
    return sorted(left - whole)


def _take_reactions_back(writing: Writing, found: Found) -> None:
    gone = set(found.messages)
    for chunk in in_chunks(found.messages):
        for message in load_messages(writing, chunk).values():
            if not isinstance(message.content, Reaction):
                continue
            target = find_by_wamid(writing, target_of(message.content) or "")
            shown = load_message(writing, target) if target is not None and target not in gone else None
            if shown is not None:
                save_message(writing, _without_reaction(shown, message))


def _without_reaction(target: Message, reaction: Message) -> Message:
    who = "customer" if reaction.direction is Direction.INCOMING else reaction.author or "us"
    return msgspec.structs.replace(target, reactions={name: shown for name, shown in target.reactions.items() if name != who})


def _bury(writing: Writing, found: Found) -> None:
    key, event, held = schema.message_key.c, schema.event.c, schema.alias.c
    lookup, at_ms, bury = writing.sealer.lookup, writing.now_ms, writing.tombstones.put
    bury("message", (lookup("message", one) for one in found.messages), at_ms=at_ms)
    bury("media", _media_hashes(writing, found.messages), at_ms=at_ms)
    for chunk in in_chunks(found.messages):
        query = sa.select(key.wamid_hash).where(key.tenant == writing.tenant, key.message.in_(chunk))
        bury("wamid", (row.wamid_hash for row in writing.connection.execute(query)), at_ms=at_ms)
    for chunk in in_chunks(found.events):
        query = sa.select(event.identity).where(event.tenant == writing.tenant, event.id.in_(chunk))
        bury("event", (row.identity for row in writing.connection.execute(query)), at_ms=at_ms)
    bury("quarantine", (lookup("quarantine", str(one)) for one in found.entries), at_ms=at_ms)
    bury("conversation", (lookup("conversation", one) for one in found.conversations), at_ms=at_ms)
    bury("contact", (lookup("contact", one) for one in found.contacts), at_ms=at_ms)
    for chunk in in_chunks(found.contacts):
        query = sa.select(held.hash).where(held.tenant == writing.tenant, held.contact.in_(chunk))
        bury("alias", (row.hash for row in writing.connection.execute(query)), at_ms=at_ms)


def _files(writing: Writing, messages: list[str]) -> list[str]:
    media = schema.media.c
    return [
        row.message
        for chunk in in_chunks(messages)
        for row in writing.connection.execute(sa.select(media.message).where(media.tenant == writing.tenant, media.message.in_(chunk)))
    ]


def _delete_messages(writing: Writing, found: Found) -> None:
    uploads = _media_hashes(writing, found.messages)
    key, waiting, out = schema.message_key.c, schema.awaited.c, schema.outgoing.c
    for chunk in in_chunks(found.messages):
        hashes = [
            row.wamid_hash
            for row in writing.connection.execute(sa.select(key.wamid_hash).where(key.tenant == writing.tenant, key.message.in_(chunk)))
        ]
        _delete(writing, schema.status, "wamid_hash", hashes)
        writing.connection.execute(sa.delete(schema.awaited).where(waiting.tenant == writing.tenant, waiting.target_hash.in_(hashes)))
        for table in _tables_with("message"):
            _delete(writing, table, "message", chunk)
        # What was sent is told from a repeat by its key alone; a hash of its words could be guessed at.
        writing.connection.execute(
            sa.update(schema.outgoing)
            .where(out.tenant == writing.tenant, out.message.in_(chunk))
            .values(body_hash=ERASED, state="settled", http_status=410, answer=_GONE)
        )
        _delete(writing, schema.message, "id", chunk)
    _delete(writing, schema.upload, "media_hash", uploads)
    for message in found.messages:
        writing.touch("message", message)


_GONE = encode({"error": {"message": "This message was erased", "type": "OAuthException", "code": 100}})


def _delete_people(writing: Writing, found: Found) -> None:
    _delete(writing, schema.event, "id", found.events)
    _delete(writing, schema.quarantine, "entry", found.entries)
    for table in _tables_with("conversation"):
        _delete(writing, table, "conversation", found.conversations)
    _delete(writing, schema.conversation, "id", found.conversations)
    for table in _tables_with("contact"):
        _delete(writing, table, "contact", found.contacts)
    for column in ("kept", "merged"):
        _delete(writing, schema.contact_merge, column, found.contacts)
    _delete(writing, schema.contact, "id", found.contacts)
    told: tuple[tuple[Entity, list[str]], ...] = (
        ("event", found.events),
        ("conversation", found.conversations),
        ("contact", found.contacts),
    )
    for entity, ids in told:
        for one in ids:
            writing.touch(entity, one)


def _tables_with(column: str) -> list[sa.Table]:
    """Every table that speaks of one by its id: also those that come to the schema later."""
    return [table for table in schema.metadata.sorted_tables if column in table.c and table not in (*_KEPT, *_APART)]


def _delete(writing: Writing, table: sa.Table, column: str, values: Iterable[Any]) -> None:
    for chunk in in_chunks(list(values)):
        writing.connection.execute(sa.delete(table).where(table.c.tenant == writing.tenant, table.c[column].in_(chunk)))


def _refresh(writing: Writing, conversation: str) -> None:
    """As if the erased had never been, but for the window: that Meta opened, and it stays open."""
    column = schema.conversation.c
    this = (column.tenant == writing.tenant, column.id == conversation)
    window = writing.connection.execute(sa.select(column.window_until_ms).where(*this)).scalar()
    refresh_state(writing, conversation)
    writing.connection.execute(sa.update(schema.conversation).where(*this).values(window_until_ms=window))


def _raise_key_epoch(writing: Writing) -> None:
    column = schema.key_epoch.c
    number = writing.connection.execute(sa.select(column.number).where(column.tenant == writing.tenant)).scalar() or 0
    put(writing.connection, schema.key_epoch, [{"tenant": writing.tenant, "number": number + 1}])
