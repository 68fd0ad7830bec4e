"""Make an archive of a backup again, on either engine, without what was erased since the backup was made.

From the first step to the last a row says that the archive is half there: no hub serves it then, and a restore may begin anew.
Keys come first, then what they seal; tombstones are applied before anybody can read. The feed goes on far above every number
that a desk can have seen, so that each desk reads it from its start (`begins` in its pages).
"""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, cast

import msgspec
import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.backup.dumping import LEFT_OUT, Begin, Counts, Progress
from wabiz_tui.hub.archive.backup.stream import Header, frames, hash_of, read_header, told_of_disk
from wabiz_tui.hub.archive.backup.verifying import check_audit_log
from wabiz_tui.hub.archive.engine.places import JournalRows
from wabiz_tui.hub.archive.engine.sql import put
from wabiz_tui.hub.archive.erasure.erasing import Erased, drop_shut, erase_buried, finish_erasures
from wabiz_tui.hub.archive.erasure.resealing import settle_renewed
from wabiz_tui.hub.archive.files import file_of
from wabiz_tui.hub.archive.keystore import KeyStore
from wabiz_tui.hub.archive.store import Archive, Reading, Writing
from wabiz_tui.hub.audit import Act, record
from wabiz_tui.model.errors import BadInput, Conflict, DamagedStore, NewerSchema, StoreError
from wabiz_tui.model.secret import Secret

_ROWS_A_COMMIT = 10_000
_BYTES_A_COMMIT = 32 * 1024 * 1024
_KEYS_A_COMMIT = 2000
_SEQUENCES_A_SECOND = 2**21
_NOTES = "note/"
_Rows: TypeAlias = tuple[str, list[str], list[list[Any]]]
"""Table, columns, and the values of each row. Whoever wrote it had the hub's key, so it is not looked at cell by cell."""


class Restored(msgspec.Struct, frozen=True):
    """What was restored, from a backup made at `created`; `erased` is what its tombstones took away again."""

    created: str
    bytes: int
    sha256: str
    seconds: float
    counts: Counts
    erased: Erased
    shut: int = 0
    """Rows and files that no key opens any more, since something in their unit was erased after the backup; they are removed."""
    devices_revoked: int = 0


def is_half_restored(reading: Reading) -> bool:
    column = schema.restoration.c
    return reading.connection.execute(sa.select(column.tenant).where(column.tenant == reading.tenant)).first() is not None


def refuse_half_restored(archive: Archive) -> None:
    """Raises StoreError where a restore was cut short."""
    if archive.read_now(is_half_restored):
        raise StoreError("A restore of this archive did not come to its end; run `wabiz hub restore` again.")


def restore(
    archive: Archive, seal_key: Secret, content: Path, keys: Sequence[Path], *, replace: bool = False, progress: Progress
) -> Restored:
    """Fill an empty archive; with `replace` one that is not. Nobody else may have it open.

    Raises Conflict for an archive that is not empty, WrongKey, DamagedStore, NewerSchema and BadInput for backups; what was begun
    can be begun again. Cost: sealing anew what was erased since."""
    started = time.monotonic()
    header = read_header(content, kind="content", tenant=archive.tenant)
    ordered = _newest_first(keys, archive.tenant)
    first = next(frames(content, seal_key, kind="content", tenant=archive.tenant), None)  # a wrong key ends it before anything is touched
    begin = _begin(first, content, archive)
    _empty(archive, replace=replace)
    _take_keys(archive, seal_key, ordered)
    counts = _Filling(archive, seal_key, content, begin, progress).run()
    archive.read_now(lambda reading: check_audit_log(reading, begin.audit_size, bytes.fromhex(begin.audit_root)))
    shut = drop_shut(archive)
    erased = archive.write_now(lambda writing: erase_buried(writing, Act("erasure.repeated", details={"backup": header.created})))
    finish_erasures(archive)
    settle_renewed(archive)
    revoked = archive.write_now(lambda writing: _finish(writing, header, counts))
    size = content.stat().st_size
    return Restored(header.created, size, hash_of(content), round(time.monotonic() - started, 3), counts, erased, shut, revoked)


def _newest_first(keys: Sequence[Path], tenant: str) -> list[Path]:
    headers = [(read_header(path, kind="keys", tenant=tenant).created, path) for path in dict.fromkeys(keys)]
    return [path for _, path in sorted(headers, key=lambda pair: pair[0], reverse=True)]


def _begin(first: list[Any] | None, content: Path, archive: Archive) -> Begin:
    if first is None or first[0] != "begin":
        raise DamagedStore(f"{content.name} does not begin as a backup does.", path=content)
    begin = msgspec.convert(first[1], Begin)
    with archive.reading() as reading:
        present = reading.connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()
    if begin.revision > present:  # they are numbered in order
        raise NewerSchema(f"{content.name} was made by a newer wabiz (schema {begin.revision}, known {present}); update this installation.")
    return begin


def _empty(archive: Archive, *, replace: bool) -> None:
    def work(writing: Writing) -> list[str]:
        tables = [table for table in schema.metadata.sorted_tables if table is not schema.restoration]
        is_full = any(
            writing.connection.execute(sa.select(sa.literal(1)).select_from(table).where(table.c.tenant == writing.tenant).limit(1)).first()
            for table in tables
        )
        if is_full and not replace and not is_half_restored(writing):
            raise Conflict("The archive that hub.toml names is not empty; give --replace and --yes to put the backup in its place.")
        media = schema.media.c
        files = [row.message for row in writing.connection.execute(sa.select(media.message).where(media.tenant == writing.tenant))]
        put(writing.connection, schema.restoration, [{"tenant": writing.tenant, "begun_ms": writing.now_ms}])
        for table in tables:
            writing.connection.execute(sa.delete(table).where(table.c.tenant == writing.tenant))
        return files

    for message in archive.write_now(work):
        with suppress(FileNotFoundError):
            file_of(archive, message).unlink()


def _take_keys(archive: Archive, seal_key: Secret, files: Sequence[Path]) -> None:
    """What survived at the place comes first, then the newest backup. Tombstones of all of them count, before any key is taken."""
    store = archive.keys
    for path in files:
        for rows in _rows_of(path, seal_key, archive.tenant, "keys"):
            _take_notes(store, rows)
    for path in files:
        for rows in _rows_of(path, seal_key, archive.tenant, "keys"):
            _take_some(archive, rows)
    # Shares are destroyed one by one and have no tombstones: only the newest say which of them live.
    if files and not archive.shares.page("", 1):
        for rows in _rows_of(files[0], seal_key, archive.tenant, "shares"):
            for name, wrapped in rows:
                archive.shares.put_back(name, wrapped)
            archive.shares.commit()


def _rows_of(path: Path, seal_key: Secret, tenant: str, kind: str) -> Iterator[list[tuple[str, bytes]]]:
    ended = False
    for frame in frames(path, seal_key, kind="keys", tenant=tenant):
        if frame[0] == kind:
            rows = msgspec.convert(frame[1], list[tuple[str, bytes]])
            for start in range(0, len(rows), _KEYS_A_COMMIT):
                yield rows[start : start + _KEYS_A_COMMIT]
        ended = frame[0] == "end"
    if not ended:
        raise DamagedStore(f"{path.name} has no end; use another backup.", path=path)


def _take_notes(store: KeyStore, rows: Sequence[tuple[str, bytes]]) -> None:
    notes = {name.removeprefix(_NOTES): value for name, value in rows if name.startswith(_NOTES)}
    present = store.notes(list(notes))
    for name, value in notes.items():
        # Of two times of one erasure the later holds.
        if name not in present or (len(value) == len(present[name]) == 8 and value > present[name]):
            store.note(name, value)
    store.commit()


def _take_some(archive: Archive, rows: Sequence[tuple[str, bytes]]) -> None:
    with archive.reading() as reading:
        hashes = {name: reading.sealer.lookup("key", name) for name, _ in rows if not name.startswith(_NOTES)}
        buried = set(reading.tombstones.among("key", list(hashes.values())))
        wanted = [(name, wrapped) for name, wrapped in rows if name in hashes and hashes[name] not in buried]
    for name, wrapped in wanted:
        archive.keys.take_in(name, wrapped)
    archive.keys.commit()


class _Filling:
    """Puts the frames of one backup into an archive, a bounded number of rows a transaction."""

    def __init__(self, archive: Archive, seal_key: Secret, content: Path, begin: Begin, progress: Progress) -> None:
        self._archive, self._begin, self._progress, self._content = archive, begin, progress, content
        self._frames = frames(content, seal_key, kind="content", tenant=archive.tenant, seen=self._seen)
        self._counts, self._read = Counts(), 0
        self._waiting: list[tuple[sa.Table, list[dict[str, Any]]]] = []
        self._rows = self._size = 0
        now = int(archive.clock.now().timestamp())
        self.begins = max(now * _SEQUENCES_A_SECOND, begin.head + 1)
        """Above every number that the feed can have reached, however much came after the backup."""

    def run(self) -> Counts:
        told: Counts | None = None
        with closing(self._archive.place.open_journal(self._archive.tenant)) as journal, _OneFile() as files:
            numbers = _Numbers(journal, self._begin.position)
            for kind, *parts in self._frames:
                if kind != "bytes":
                    files.finish()
                if kind == "rows":
                    self._take(*cast("_Rows", parts))
                elif kind == "file":
                    files.begin(file_of(self._archive, msgspec.convert(parts[0], str)))
                    self._counts.files += 1
                elif kind == "bytes":
                    self._counts.file_bytes += files.write(msgspec.convert(parts[0], bytes))
                elif kind == "journal":
                    self._counts.journal += numbers.take(msgspec.convert(parts[0], list[tuple[int, str, int, bytes]]))
                elif kind == "end":
                    told = msgspec.convert(parts[0], Counts)
            self._write()
        if told is None or _contents(told) != _contents(self._counts):
            raise DamagedStore(f"{self._content.name} does not hold what its end says; use another backup.", path=self._content)
        return self._counts

    def _seen(self, read: int) -> None:
        self._read += read
        self._progress(self._counts.rows, self._read)

    def _take(self, name: str, columns: list[str], rows: list[list[Any]]) -> None:
        table = schema.metadata.tables.get(name)
        if table is None or name in LEFT_OUT or not set(columns) <= {column.name for column in table.columns}:
            raise BadInput(f"{self._content.name} holds rows of a kind that this wabiz does not know.", code="wrong_backup")
        tenant = self._archive.tenant
        made = [self._moved(name, {"tenant": tenant, **dict(zip(columns, row, strict=True))}) for row in rows]
        self._waiting.append((table, made))
        self._counts.tables[name] = self._counts.tables.get(name, 0) + len(rows)
        self._rows += len(rows)
        self._size += sum(len(value) for row in rows for value in row if isinstance(value, bytes | str))
        if self._rows >= _ROWS_A_COMMIT or self._size >= _BYTES_A_COMMIT:
            self._write()

    def _moved(self, table: str, row: dict[str, Any]) -> dict[str, Any]:
        """The feed's numbers, moved to where this feed begins."""
        if table in ("change", "feed_head"):
            row["seq"] += self.begins - self._begin.begins
        if table == "feed_head":
            row["begins"] = self.begins
        return row

    def _write(self) -> None:
        waiting, self._waiting, self._rows, self._size = self._waiting, [], 0, 0
        months = {row["month"] for table, rows in waiting if table is schema.message for row in rows}
        self._archive.place.prepare_months(sorted(months))

        def work(writing: Writing) -> None:
            for table, rows in waiting:
                writing.connection.execute(sa.insert(table), rows)

        if waiting:
            self._archive.write_now(work)


def _contents(counts: Counts) -> tuple[dict[str, int], int, int, int]:
    return counts.tables, counts.files, counts.file_bytes, counts.journal


class _OneFile:
    """The sealed file that is being written, under its own name only once it is whole."""

    def __init__(self) -> None:
        self._path = self._partial = Path()
        self._file: BinaryIO | None = None

    def __enter__(self) -> "_OneFile":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
            self._partial.unlink(missing_ok=True)

    def begin(self, path: Path) -> None:
        self._path, self._partial = path, path.with_name(f"{path.name}.restored.part")
        with told_of_disk(path):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.fdopen(os.open(self._partial, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb")

    def write(self, piece: bytes) -> int:
        if self._file is None:
            raise DamagedStore("The backup holds the bytes of a file without its name.")
        with told_of_disk(self._path):
            return self._file.write(piece)

    def finish(self) -> None:
        if self._file is not None:
            with told_of_disk(self._path), self._file:
                self._file.flush()
                os.fsync(self._file.fileno())
                self._partial.replace(self._path)
            self._file = None


class _Numbers:
    """Journal entries get numbers above the last folded one. A journal that survived is folded again from there on, so that what came
    after the backup comes back too."""

    def __init__(self, journal: JournalRows, position: int) -> None:
        self._journal = journal
        self._survived = journal.last() >= position and journal.last() > 0
        if not self._survived:
            journal.skip_to(position)

    def take(self, entries: Sequence[tuple[int, str, int, bytes]]) -> int:
        for number, day, at_ms, sealed in entries:
            if not (self._survived and self._has(number)):
                self._journal.add(day, at_ms, [sealed])
        return len(entries)

    def _has(self, number: int) -> bool:
        return any(entry.number == number for entry in self._journal.after(number - 1, 1))


def _finish(writing: Writing, header: Header, counts: Counts) -> int:
    revoked = _settle_devices(writing)
    details = {"backup": header.created, "rows": counts.rows, "files": counts.files, "devices_revoked": revoked}
    record(writing, Act("hub.restored", details=details))
    column = schema.restoration.c
    writing.connection.execute(sa.delete(schema.restoration).where(column.tenant == writing.tenant))
    return revoked


def _settle_devices(writing: Writing) -> int:
    """The shares are newer than the content or as old: a device without one was revoked since, and its newest is its epoch."""
    device, epoch = schema.device.c, schema.epoch.c
    newest: dict[str, int] = {}
    for name in writing.archive.shares.names("share/"):
        _, holder, number = name.split("/")
        newest[holder] = max(newest.get(holder, 0), int(number))
    if not newest:
        return 0
    revoked = 0
    live = sa.select(device.id, device.epoch).where(device.tenant == writing.tenant, device.revoked_ms.is_(None))
    for row in writing.connection.execute(live).all():
        this = (device.tenant == writing.tenant, device.id == row.id)
        if row.id not in newest:
            writing.connection.execute(sa.update(schema.device).where(*this).values(revoked_ms=writing.now_ms))
            record(writing, Act("device.revoked", about=row.id, device=row.id, details={"cause": "restore"}))
            revoked += 1
        elif newest[row.id] > row.epoch:
            writing.connection.execute(sa.update(schema.device).where(*this).values(epoch=newest[row.id]))
            known = {"tenant": writing.tenant, "device": row.id, "epoch": newest[row.id], "begun_ms": writing.now_ms}
            put(writing.connection, schema.epoch, [known])
    # A share that is there is not destroyed, whatever its record says of the time before.
    for holder, number in newest.items():
        writing.connection.execute(
            sa.update(schema.epoch)
            .where(epoch.tenant == writing.tenant, epoch.device == holder, epoch.epoch == number)
            .values(destroyed_ms=None, reason=None)
        )
    return revoked
