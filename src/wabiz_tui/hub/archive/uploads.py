"""Files that passed the gateway: who uploaded them, and which messages hold them. Meta's media ids stand here as keyed hashes."""

from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.engine.sql import put
from wabiz_tui.hub.archive.sealing import month_of, waiting_unit
from wabiz_tui.hub.archive.shelves import Shelved
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.model.codec import decode, encode

_upload, _use, _media = schema.upload.c, schema.media_use.c, schema.media.c
MEDIA_USES: Shelved[None] = Shelved(schema.media_use, "media_hash", "message")


class FileFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was seen of a file as it went by; `sha256` in hexadecimal."""

    mime_type: str
    size: int
    sha256: str
    filename: str = ""


class StoredUpload(NamedTuple):
    caller: str
    number: str
    facts: FileFacts | None
    """None when the key it was sealed under is destroyed."""


def add_upload(writing: Writing, media: str, *, caller: str, number: str, facts: FileFacts) -> None:
    hashed = _hash(writing, media)
    unit = waiting_unit(month_of(writing.now))
    row = {
        "tenant": writing.tenant,
        "media_hash": hashed,
        "caller": caller,
        "number": number,
        "unit": unit,
        "sealed": writing.sealer.seal(unit, encode(facts), about=f"upload/{hashed.hex()}"),
        "at_ms": writing.now_ms,
    }
    put(writing.connection, schema.upload, [row])


def find_upload(reading: Reading, media: str) -> StoredUpload | None:
    hashed = _hash(reading, media)
    row = reading.connection.execute(
        sa.select(schema.upload).where(_upload.tenant == reading.tenant, _upload.media_hash == hashed)
    ).first()  # fmt: skip
    if row is None:
        return None
    plain = reading.sealer.open(row.unit, row.sealed, about=f"upload/{hashed.hex()}")
    return StoredUpload(row.caller, row.number, None if plain is None else decode(plain, FileFacts))


def forget_upload(writing: Writing, media: str) -> None:
    writing.connection.execute(
        sa.delete(schema.upload).where(_upload.tenant == writing.tenant, _upload.media_hash == _hash(writing, media))
    )  # fmt: skip


def note_media_use(writing: Writing, media: str, message: str) -> None:
    """Remember that this message, which is new, holds the file of that id."""
    writing.shelf(MEDIA_USES).add({"media_hash": _hash(writing, media), "message": message})


def messages_with(reading: Reading, media: str, limit: int = 100) -> list[str]:
    """The messages that hold the file, the newest first."""
    rows = reading.connection.execute(
        sa.select(_use.message)
        .where(_use.tenant == reading.tenant, _use.media_hash == _hash(reading, media))
        .order_by(_use.message.desc())
        .limit(limit)
    )
    return [row.message for row in rows]


def is_being_archived(reading: Reading, media: str) -> bool:
    """Whether a message holds the file whose bytes the archive has yet to fetch."""
    waiting = messages_with(reading, media)
    row = reading.connection.execute(
        sa.select(_media.message).where(_media.tenant == reading.tenant, _media.message.in_(waiting), _media.state == "pending")
    ).first()
    return row is not None


def _hash(reading: Reading, media: str) -> bytes:
    return reading.sealer.lookup("media", media)
