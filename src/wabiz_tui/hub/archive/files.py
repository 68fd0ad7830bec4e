"""Media in the archive: what is still to be fetched, and the sealed files beside the database, one a message."""

import contextlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.sealed_files import FileWriter, SealedFile, open_file
from wabiz_tui.hub.archive.shelves import Shelved
from wabiz_tui.hub.archive.store import Archive, Reading, Writing
from wabiz_tui.hub.archive.times import from_ms, to_ms

_media = schema.media.c
MEDIA: Shelved[None] = Shelved(schema.media, "message")


class DueMedia(NamedTuple):
    message: str
    attempts: int
    is_expired: bool
    unit: str


class MediaCounts(NamedTuple):
    """Of a tenant's files: `oldest` is the message that has waited longest for its file, `failed` counts up to a thousand."""

    pending: int
    oldest: str | None
    soonest_expiry: datetime | None
    failed: int


def add_media(writing: Writing, message: str, unit: str, *, expires_at: datetime) -> None:
    row = {
        "message": message,
        "unit": unit,
        "state": "pending",
        "attempts": 0,
        "next_try_ms": writing.now_ms,
        "expires_ms": to_ms(expires_at),
        "size": 0,
    }
    writing.shelf(MEDIA).add(row)


def due_media(reading: Reading, limit: int = 16) -> list[DueMedia]:
    rows = reading.connection.execute(
        sa.select(_media.message, _media.attempts, _media.expires_ms, _media.unit)
        .where(_media.tenant == reading.tenant, _media.state == "pending", _media.next_try_ms <= reading.now_ms)
        .order_by(_media.next_try_ms)
        .limit(limit)
    )
    return [DueMedia(row.message, row.attempts, row.expires_ms <= reading.now_ms, row.unit) for row in rows]


def next_media_ms(reading: Reading, *, besides: Sequence[str] = ()) -> int | None:
    """When the next fetch is due, of those that are not for these messages."""
    query = sa.select(sa.func.min(_media.next_try_ms)).where(_media.tenant == reading.tenant, _media.state == "pending")
    return reading.connection.execute(query.where(_media.message.not_in(besides)) if besides else query).scalar()


def media_state(reading: Reading, message: str) -> str | None:
    return reading.connection.execute(sa.select(_media.state).where(_media.tenant == reading.tenant, _media.message == message)).scalar()


def retry_media(writing: Writing, message: str, *, attempts: int, next_try: datetime) -> None:
    _update(writing, message, attempts=attempts, next_try_ms=to_ms(next_try))


def settle_media(writing: Writing, message: str, state: str, *, size: int = 0) -> None:
    """`state` is stored, failed or expired."""
    _update(writing, message, state=state, size=size)


def unit_of_media(reading: Reading, message: str) -> str | None:
    row = reading.connection.execute(sa.select(_media.unit).where(_media.tenant == reading.tenant, _media.message == message)).first()
    return None if row is None else row.unit


def media_counts(reading: Reading) -> MediaCounts:
    """Cost: the pending files, and as many failed ones as are counted, by index."""
    pending = reading.connection.execute(
        sa.select(sa.func.count(), sa.func.min(_media.message), sa.func.min(_media.expires_ms)).where(
            _media.tenant == reading.tenant, _media.state == "pending"
        )
    ).one()
    failed = sa.select(_media.message).where(_media.tenant == reading.tenant, _media.state == "failed").limit(1000).subquery()
    count = reading.connection.execute(sa.select(sa.func.count()).select_from(failed)).scalar()
    return MediaCounts(pending[0], pending[1], None if pending[2] is None else from_ms(pending[2]), count or 0)


def place_of(archive: Archive, message: str, unit: str) -> SealedFile:
    return SealedFile(file_of(archive, message), message, unit)


def keep_file(archive: Archive, message: str, unit: str, content: bytes) -> None:
    """Write the sealed file whole and durably: under another name first, so that no half of it is ever found."""
    writer = FileWriter(archive, place_of(archive, message, unit))
    try:
        writer.write(content)
        writer.finish()
    finally:
        writer.give_up()


def read_file(archive: Archive, message: str, unit: str) -> bytes | None:
    """The file opened, whole in memory; None when it or its key is gone."""
    reader = open_file(archive, place_of(archive, message, unit))
    if reader is None:
        return None
    try:
        return b"".join(reader.pieces())
    finally:
        reader.close()


def reseal_file(archive: Archive, message: str, unit: str) -> None:
    """Replace the file by itself, sealed under the unit's key of today; nothing where it or its key is gone."""
    place = place_of(archive, message, unit)
    reader = open_file(archive, place)
    if reader is None:
        return
    writer = FileWriter(archive, place)
    try:
        for piece in reader.pieces():
            writer.write(piece)
        writer.finish()
    finally:
        writer.give_up()
        reader.close()


def forget_partial_files(archive: Archive, message: str) -> None:
    """Unlink what earlier attempts at this message's file left when their process ended."""
    path = file_of(archive, message)
    for left in path.parent.glob(f"{path.name}*.part"):
        with contextlib.suppress(OSError):
            left.unlink()


def _update(writing: Writing, message: str, **values: object) -> None:
    writing.connection.execute(sa.update(schema.media).where(_media.tenant == writing.tenant, _media.message == message).values(**values))


def file_of(archive: Archive, message: str) -> Path:
    """Where the sealed file of a message lies."""
    # two digits from the random end: ids begin with the time, which would put a day's files into one folder
    return archive.place.media / message[-2:] / message
