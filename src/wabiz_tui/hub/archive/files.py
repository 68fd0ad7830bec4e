"""Media in the archive: what is still to be fetched, and the sealed files beside the database, one a message."""

import os
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.shelves import Shelved
from wabiz_tui.hub.archive.store import Archive, Reading, Writing
from wabiz_tui.hub.archive.times import to_ms

_media = schema.media.c
MEDIA: Shelved[None] = Shelved(schema.media, "message")


class DueMedia(NamedTuple):
    message: str
    attempts: int
    is_expired: bool


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
        sa.select(_media.message, _media.attempts, _media.expires_ms)
        .where(_media.tenant == reading.tenant, _media.state == "pending", _media.next_try_ms <= reading.now_ms)
        .order_by(_media.next_try_ms)
        .limit(limit)
    )
    return [DueMedia(row.message, row.attempts, row.expires_ms <= reading.now_ms) for row in rows]


def next_media_ms(reading: Reading) -> int | None:
    """When the next fetch is due."""
    return reading.connection.execute(
        sa.select(sa.func.min(_media.next_try_ms)).where(_media.tenant == reading.tenant, _media.state == "pending")
    ).scalar()


def retry_media(writing: Writing, message: str, *, attempts: int, next_try: datetime) -> None:
    _update(writing, message, attempts=attempts, next_try_ms=to_ms(next_try))


def settle_media(writing: Writing, message: str, state: str, *, size: int = 0) -> None:
    """`state` is stored, failed or expired."""
    _update(writing, message, state=state, size=size)


def unit_of_media(reading: Reading, message: str) -> str | None:
    row = reading.connection.execute(sa.select(_media.unit).where(_media.tenant == reading.tenant, _media.message == message)).first()
    return None if row is None else row.unit


def keep_file(archive: Archive, message: str, unit: str, content: bytes) -> None:
    """Write the sealed file whole and durably: under another name first, so that no half of it is ever found."""
    archive.keys.make_now(unit)
    archive.keys.find_all(unit, anew=True)  # another process may have renewed it
    sealed = archive.sealer.seal(unit, content, about=f"media/{message}")
    path = file_of(archive, message)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    with os.fdopen(os.open(partial, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(sealed)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_file(archive: Archive, message: str, unit: str) -> bytes | None:
    """The file opened; None when it or its key is gone."""
    try:
        sealed = file_of(archive, message).read_bytes()
    except FileNotFoundError:
        return None
    return archive.sealer.open(unit, sealed, about=f"media/{message}")


def _update(writing: Writing, message: str, **values: object) -> None:
    writing.connection.execute(sa.update(schema.media).where(_media.tenant == writing.tenant, _media.message == message).values(**values))


def file_of(archive: Archive, message: str) -> Path:
    """Where the sealed file of a message lies."""
    # two digits from the random end: ids begin with the time, which would put a day's files into one folder
    return archive.place.media / message[-2:] / message
