"""Which note was written under which key of its author: a repeat finds the note that is there."""

from typing import NamedTuple

import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.sends import digest
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.model.codec import encode_canonical
from wabiz_tui.model.work import NewNote

_key = schema.note_key.c


class WrittenNote(NamedTuple):
    """`is_same`: what was written under the key is what is to be written now."""

    message: str
    is_same: bool


def find_note(reading: Reading, author: str, conversation: str, note: NewNote) -> WrittenNote | None:
    if note.key is None:
        return None
    row = reading.connection.execute(
        sa.select(_key.message, _key.body_hash).where(
            _key.tenant == reading.tenant, _key.author == author, _key.key_hash == digest(note.key.encode())
        )
    ).first()
    return None if row is None else WrittenNote(row.message, row.body_hash == _hash(reading, conversation, note))


def keep_key(writing: Writing, author: str, conversation: str, note: NewNote, message: str) -> None:
    if note.key is None:
        return
    writing.connection.execute(
        sa.insert(schema.note_key).values(
            tenant=writing.tenant,
            author=author,
            key_hash=digest(note.key.encode()),
            body_hash=_hash(writing, conversation, note),
            message=message,
            at_ms=writing.now_ms,
        )
    )


def _hash(reading: Reading, conversation: str, note: NewNote) -> bytes:
    return reading.sealer.lookup("note", f"{conversation}\n{encode_canonical(note).decode()}")
