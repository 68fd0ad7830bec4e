"""Write an archive into a backup while its hub goes on serving and writing.

Content is read in one snapshot. Keys are read before it begins and again after it ends: what was made meanwhile is in the second
reading, and what an erasure replaced meanwhile is in the first, so that everything of the snapshot opens.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.auditlog import log_size, read_node
from wabiz_tui.hub.archive.backup.stream import Header, Kind, Writer, written
from wabiz_tui.hub.archive.events import fold_position
from wabiz_tui.hub.archive.files import file_of
from wabiz_tui.hub.archive.keystore import KeyStore
from wabiz_tui.hub.archive.store import Archive, Reading, feed_head
from wabiz_tui.model.secret import Secret
from wabiz_tui.proof.merkle import root

Progress = Callable[[int, int], None]
"""Told now and then: rows and bytes so far."""
# Tokens end within the hour and are asked for again; the others are of this very place.
LEFT_OUT = frozenset({"token", "assertion", "key_epoch", "restoration"})
_MOST_ROWS = 1000
_PIECE = 512 * 1024


class Begin(msgspec.Struct, frozen=True):
    """The state of the snapshot. `position` is the last journal entry that is in it; `audit_root` is hexadecimal."""

    revision: str
    head: int
    begins: int
    position: int
    audit_size: int
    audit_root: str


class Counts(msgspec.Struct):
    """What a backup holds: rows of each table, journal entries, files and their bytes."""

    tables: dict[str, int] = {}
    journal: int = 0
    files: int = 0
    file_bytes: int = 0
    keys: int = 0
    shares: int = 0

    @property
    def rows(self) -> int:
        return sum(self.tables.values())


class Backup(msgspec.Struct, frozen=True):
    """One file that was made. `sha256` is hexadecimal, of the file as it lies there."""

    path: str
    kind: Kind
    bytes: int
    sha256: str
    seconds: float
    counts: Counts


def back_up(archive: Archive, seal_key: Secret, *, content: Path | None, keys: Path, progress: Progress) -> list[Backup]:
    """Both files, or the keys' alone. Raises StoreFull and its kin; a file has its name only once it is whole."""
    created, made = archive.clock.now().isoformat(), list[Backup]()
    with written(keys, seal_key, _header(archive, "keys", created)) as keys_writer:
        started, counts = time.monotonic(), Counts()
        keys_writer.frame("begin", {})
        _dump_keys(keys_writer, archive, counts)
        if content is not None:
            with written(content, seal_key, _header(archive, "content", created)) as writer:
                counted = _dump_content(writer, archive, progress)
            made.append(_done(writer, content, "content", started, counted))
            _dump_keys(keys_writer, archive, counts)
        keys_writer.frame("end", counts)
    return [*made, _done(keys_writer, keys, "keys", started, counts)]


def _header(archive: Archive, kind: Kind, created: str) -> Header:
    return Header("backup", 1, kind, archive.tenant, created, archive.random_bytes(32).hex())


def _done(writer: Writer, path: Path, kind: Kind, started: float, counts: Counts) -> Backup:
    return Backup(str(path), kind, writer.bytes, writer.sha256, round(time.monotonic() - started, 3), counts)


def _dump_keys(writer: Writer, archive: Archive, counts: Counts) -> None:
    for kind, store in (("keys", archive.keys), ("shares", archive.shares)):
        counted = 0
        for page in pages_of(store):
            writer.frame(kind, page)
            counted += len(page)
        setattr(counts, kind, max(counted, getattr(counts, kind)))


def pages_of(store: KeyStore) -> Iterator[list[tuple[str, bytes]]]:
    """All rows of a store of keys, in the order of their names."""
    after = ""
    while page := store.page(after):
        yield page
        after = page[-1][0]


def _dump_content(writer: Writer, archive: Archive, progress: Progress) -> Counts:
    counts = Counts()
    journal = archive.place.open_journal(archive.tenant)
    try:
        with archive.reading() as reading:
            begin = _begin(reading)
            writer.frame("begin", begin)
            for table in schema.metadata.sorted_tables:
                if table.name not in LEFT_OUT:
                    _dump_table(writer, reading, table, counts, progress)
            _dump_files(writer, reading, counts, progress)
        for batch in _unfolded(journal, begin.position):
            writer.frame("journal", batch)
            counts.journal += len(batch)
    finally:
        journal.close()
    writer.frame("end", counts)
    return counts


def _begin(reading: Reading) -> Begin:
    revision = reading.connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()
    begins = reading.connection.execute(sa.select(schema.head.c.begins).where(schema.head.c.tenant == reading.tenant)).scalar() or 0
    size = log_size(reading)
    audit_root = root(size, lambda level, index: read_node(reading, level, index))
    return Begin(revision, feed_head(reading), begins, fold_position(reading), size, audit_root.hex())


def _dump_table(writer: Writer, reading: Reading, table: sa.Table, counts: Counts, progress: Progress) -> None:
    columns = [column for column in table.columns if column.name != "tenant"]
    names = [f"{column.name}" for column in columns]  # SQLAlchemy's names are a kind of str of their own
    # Of what may have megabytes a row only few are held at a time.
    at_once = 8 if table is schema.quarantine else 200
    query = sa.select(*columns).where(table.c.tenant == reading.tenant).execution_options(yield_per=at_once)
    name = f"{table.name}"
    waiting: list[tuple[Any, ...]] = []
    size = 0
    with closing(reading.connection.execute(query)) as found:
        for row in found:
            waiting.append(tuple(row))
            size += sum(len(value) for value in row if isinstance(value, bytes | str))
            if size >= _PIECE or len(waiting) >= _MOST_ROWS:
                _rows(writer, name, names, waiting, counts)
                progress(counts.rows, writer.bytes)
                waiting, size = [], 0
    _rows(writer, name, names, waiting, counts)


def _rows(writer: Writer, table: str, names: list[str], rows: list[tuple[Any, ...]], counts: Counts) -> None:
    if rows:
        writer.frame("rows", table, names, rows)
        counts.tables[table] = counts.tables.get(table, 0) + len(rows)


def _dump_files(writer: Writer, reading: Reading, counts: Counts, progress: Progress) -> None:
    media = schema.media.c
    query = sa.select(media.message).where(media.tenant == reading.tenant, media.state == "stored").execution_options(yield_per=200)
    with closing(reading.connection.execute(query)) as found:
        for row in found:
            _dump_file(writer, reading.archive, row.message, counts)
            progress(counts.rows, writer.bytes)


def _dump_file(writer: Writer, archive: Archive, message: str, counts: Counts) -> None:
    try:
        file = file_of(archive, message).open("rb")
    except FileNotFoundError:  # erased since the snapshot began
        return
    with file:
        writer.frame("file", message)
        while piece := file.read(_PIECE):
            writer.frame("bytes", piece)
            counts.file_bytes += len(piece)
    counts.files += 1


def _unfolded(journal: Any, position: int) -> Iterator[list[tuple[int, str, int, bytes]]]:
    after = position
    while True:
        batch, size = list[tuple[int, str, int, bytes]](), 0
        for entry in journal.after(after, 100):
            batch.append(tuple(entry))
            size += len(entry.sealed)
            if size >= 16 * _PIECE:
                break
        if not batch:
            return
        yield batch
        after = batch[-1][0]
