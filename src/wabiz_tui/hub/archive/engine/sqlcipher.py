"""The archive in SQLCipher files: `archive.db` and beside it `.keys`, `.shares`, `.journal`, `.media` and `.lock`."""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Event, Lock, Thread

import sqlalchemy as sa
from sqlalchemy import event, pool

from wabiz_tui.hub.archive.engine.cipher import (
    ARCHIVE_ID,
    JOURNAL_ID,
    KEYS_ID,
    Connection,
    check_version,
    connect,
    driver,
    store_error,
    translated,
)
from wabiz_tui.hub.archive.engine.places import Engines, KeyTable, SealedEntry, Seated
from wabiz_tui.hub.archive.engine.sql import WRITER, migrate, translated_sql
from wabiz_tui.model.errors import Conflict, DamagedStore, StoreError
from wabiz_tui.model.secret import Secret

_VERSION = 1
_PAGE = 4096
_LOG_COPIED_AT, _LONGEST_LOG = 4 * 1024 * 1024, 64 * 1024 * 1024


class SqlcipherPlace:
    """Files named after the archive's, all opened by one raw key."""

    def __init__(self, path: Path, key: Secret) -> None:
        self.path, self._key = path, key
        self.process = secrets.token_hex(16)

    @property
    def media(self) -> Path:
        return beside(self.path, ".media")

    def open(self, tenant: str) -> Engines:
        """Readers never wait for the writer (WAL); writers begin IMMEDIATE so they never deadlock."""
        from sqlcipher3 import dbapi2

        connect(self.path, self._key, application_id=ARCHIVE_ID).close()  # refusals come here, as errors of ours
        engine = sa.create_engine(
            "sqlite+pysqlite://",
            module=dbapi2,
            creator=lambda: connect(self.path, self._key, application_id=ARCHIVE_ID),
            poolclass=pool.QueuePool,
            pool_size=8,
            max_overflow=4,
            hide_parameters=True,
        )

        @event.listens_for(engine, "begin")
        def begin(connection: sa.Connection) -> None:  # pyright: ignore[reportUnusedFunction] the event keeps it
            writes = connection.get_execution_options().get(WRITER, False)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

        writer = engine.execution_options(**{WRITER: tenant})
        try:
            migrate(writer, self, name=self.path.name)
        except BaseException:
            engine.dispose()
            raise
        return Engines(engine, writer)

    def translated(self) -> contextlib.AbstractContextManager[None]:
        return translated_sql(lambda error: store_error(error, self.path) if isinstance(error, driver.Error) else None)

    def open_signals(self, tenant: str) -> "NoSignals":
        return NoSignals()

    def take_seat(self, tenant: str) -> "OnlySeat":
        return OnlySeat()

    def open_keys(self, table: KeyTable, tenant: str) -> "KeyFile":
        return KeyFile(beside(self.path, f".{table}"), self._key, tenant)

    def open_journal(self, tenant: str) -> "JournalFile":
        return JournalFile(beside(self.path, ".journal"), self._key)

    def prepare_months(self, months: Iterable[str]) -> None:
        """One table holds all months here."""

    def served(self, tenant: str) -> contextlib.AbstractContextManager[Callable[[], None]]:
        """One process a file."""
        return self.held_alone(tenant)

    @contextlib.contextmanager
    def held_alone(self, tenant: str) -> Generator[Callable[[], None]]:
        """The kernel lets go when the process ends, however it ends."""
        path = beside(self.path, ".lock")
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise StoreError(f"{path} cannot be written ({error.strerror}); check its folder.", path=path) from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Conflict(f"Another hub already serves {self.path}; end it first.", code="hub_runs") from error
            yield lambda: None
        finally:
            os.close(descriptor)


class NoSignals:
    """The files are one process's: nobody else is there to be told anything."""

    @property
    def is_shared(self) -> bool:
        return False

    def put(self, connection: sa.Connection, told: Sequence[tuple[str, str]]) -> None: ...

    def send(self, told: Sequence[tuple[str, str]]) -> None: ...

    def listen(self, hear: Callable[[str, str], object], missed: Callable[[], object]) -> None: ...

    def stop(self) -> None: ...

    def close(self) -> None: ...


class OnlySeat:
    """Whoever has the files leads, and every other process that had them is dead."""

    def look(self) -> Seated:
        return Seated(leads=True, is_anew=False)

    def living(self, processes: Collection[str]) -> set[str]:
        return set()

    def claim(self, connection: sa.Connection, process: str) -> bool:
        return True

    def close(self) -> None: ...


class KeyFile:
    """Wrapped keys in a file of their own, through the raw driver."""

    def __init__(self, path: Path, key: Secret, tenant: str) -> None:
        self._path, self._tenant = path, tenant
        self._connection = connect(path, key, application_id=KEYS_ID)
        with translated(path):
            if check_version(self._connection, path, known=_VERSION) < _VERSION:
                self._connection.execute(
                    "CREATE TABLE IF NOT EXISTS sealed_key (tenant TEXT NOT NULL, name TEXT NOT NULL, wrapped BLOB NOT NULL,"
                    " PRIMARY KEY (tenant, name)) WITHOUT ROWID"
                )
                self._connection.execute(f"PRAGMA user_version = {_VERSION}")

    @property
    def name(self) -> str:
        return self._path.name

    def find(self, name: str) -> bytes | None:
        with translated(self._path):
            row = self._connection.execute("SELECT wrapped FROM sealed_key WHERE tenant = ? AND name = ?", (self._tenant, name)).fetchone()
        return None if row is None else row[0]

    def find_many(self, names: Sequence[str]) -> list[tuple[str, bytes]]:
        marks = ", ".join("?" * len(names))
        query = f"SELECT name, wrapped FROM sealed_key WHERE tenant = ? AND name IN ({marks})"  # noqa: S608 question marks alone
        with translated(self._path):
            return list(self._connection.execute(query, (self._tenant, *names)))

    def add(self, name: str, wrapped: bytes) -> bool:
        with translated(self._path):
            if not self._connection.in_transaction:
                self._connection.execute("BEGIN IMMEDIATE")
            added = self._connection.execute("INSERT OR IGNORE INTO sealed_key VALUES (?, ?, ?)", (self._tenant, name, wrapped))
            return added.rowcount == 1

    def put(self, name: str, wrapped: bytes) -> None:
        with translated(self._path):
            if not self._connection.in_transaction:
                self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("INSERT OR REPLACE INTO sealed_key VALUES (?, ?, ?)", (self._tenant, name, wrapped))

    def page(self, after: str, limit: int) -> list[tuple[str, bytes]]:
        query = "SELECT name, wrapped FROM sealed_key WHERE tenant = ? AND name > ? ORDER BY name LIMIT ?"
        with translated(self._path):
            return list(self._connection.execute(query, (self._tenant, after, limit)))

    def commit(self) -> None:
        if self._connection.in_transaction:
            with translated(self._path):
                self._connection.execute("COMMIT")

    def rollback(self) -> None:
        if self._connection.in_transaction:
            with translated(self._path):
                self._connection.execute("ROLLBACK")

    def names(self, prefix: str) -> list[str]:
        query = "SELECT name FROM sealed_key WHERE tenant = ? AND name >= ? AND name < ? ORDER BY name"
        with translated(self._path):
            return [row[0] for row in self._connection.execute(query, (self._tenant, prefix, prefix + "\U0010ffff"))]

    def destroy(self, names: Iterable[str], *, replaced: Mapping[str, bytes] | None = None) -> int:
        with translated(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            deleted = sum(
                self._connection.execute("DELETE FROM sealed_key WHERE tenant = ? AND name = ?", (self._tenant, name)).rowcount
                for name in names
            )
            for name, wrapped in (replaced or {}).items():
                update = "UPDATE sealed_key SET wrapped = ? WHERE tenant = ? AND name = ?"
                deleted += self._connection.execute(update, (wrapped, self._tenant, name)).rowcount
            self._connection.execute("COMMIT")
            if deleted:
                # secure_delete alone leaves copies in page slack and in the log (security.md §2.3)
                self._connection.execute("VACUUM")
                busy, *_ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                if busy:
                    raise DamagedStore(f"{self._path.name} is in use by another program; its log could not be cut.", path=self._path)
        return deleted

    def close(self) -> None:
        self._connection.close()


class JournalFile:
    """Sealed bodies in a file of their own, through the raw driver: one connection reads, one writes."""

    def __init__(self, path: Path, key: Secret) -> None:
        self._path = path
        self._writer = connect(path, key, application_id=JOURNAL_ID)
        with translated(path):
            if check_version(self._writer, path, known=_VERSION) < _VERSION:
                self._writer.execute(
                    "CREATE TABLE IF NOT EXISTS entry (number INTEGER PRIMARY KEY AUTOINCREMENT, day TEXT NOT NULL,"
                    " at_ms INTEGER NOT NULL, sealed BLOB NOT NULL)"
                )
                self._writer.execute(f"PRAGMA user_version = {_VERSION}")
        self._reader = connect(path, key, application_id=JOURNAL_ID)
        self._log = CopiedLog(self._writer, lambda: connect(path, key, application_id=JOURNAL_ID))
        self._reader_lock, self._writer_lock = Lock(), Lock()

    @property
    def name(self) -> str:
        return self._path.name

    def add(self, day: str, at_ms: int, sealed: Sequence[bytes]) -> list[int]:
        insert = "INSERT INTO entry (day, at_ms, sealed) VALUES (?, ?, ?)"
        with self._writer_lock, translated(self._path):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                self._writer.executemany(insert, [(day, at_ms, one) for one in sealed])
                [last] = self._writer.execute("SELECT last_insert_rowid()").fetchone()
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise
        self._log.grew(sum(map(len, sealed)))
        # One writer, and a number is never given twice: they follow each other.
        return list(range(last - len(sealed) + 1, last + 1))

    def after(self, number: int, limit: int) -> Iterator[SealedEntry]:
        query = "SELECT number, day, at_ms, sealed FROM entry WHERE number > ? ORDER BY number LIMIT ?"
        with self._reader_lock, translated(self._path):
            cursor = self._reader.execute(query, (number, limit))
            try:
                for row in cursor:
                    yield SealedEntry(*row)
            finally:
                cursor.close()

    def last(self) -> int:
        with self._reader_lock, translated(self._path):
            row = self._reader.execute("SELECT seq FROM sqlite_sequence WHERE name = 'entry'").fetchone()
        return int(row[0]) if row else 0

    def check(self) -> None:
        with self._writer_lock, translated(self._path):
            self._writer.execute(f"PRAGMA user_version = {_VERSION}")

    def skip_to(self, number: int) -> None:
        with self._writer_lock, translated(self._path):
            self._writer.execute("BEGIN IMMEDIATE")
            known = self._writer.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'entry'", (number,)).rowcount
            if not known:
                self._writer.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('entry', ?)", (number,))
            self._writer.execute("COMMIT")

    def purge(self, before: str, folded: int) -> tuple[int, set[str]]:
        with self._writer_lock, translated(self._path):
            deleted = self._writer.execute("DELETE FROM entry WHERE day < ? AND number <= ?", (before, folded)).rowcount
            left = self._writer.execute("SELECT DISTINCT day FROM entry WHERE day < ?", (before,)).fetchall()
        return deleted, {row[0] for row in left}

    def close(self) -> None:
        self._log.close()
        with self._reader_lock, self._writer_lock:
            self._reader.close()
            self._writer.close()


class CopiedLog:
    """Copies a file's log into the file beside its writer, which would do that within a commit that webhooks wait for."""

    def __init__(self, writer: Connection, connected: Callable[[], Connection]) -> None:
        """The writer still does it by itself where the log has grown far beyond what is copied here."""
        writer.execute(f"PRAGMA wal_autocheckpoint = {_LONGEST_LOG // _PAGE}")
        self._connection = connected()
        self._bytes, self._is_due, self._is_ending = 0, Event(), False
        self._thread = Thread(target=self._run, name="journal-log", daemon=True)
        self._thread.start()

    def grew(self, size: int) -> None:
        self._bytes += size
        if self._bytes >= _LOG_COPIED_AT:
            self._bytes = 0
            self._is_due.set()

    def close(self) -> None:
        self._is_ending = True
        self._is_due.set()
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        while True:
            self._is_due.wait()
            self._is_due.clear()
            if self._is_ending:
                return
            # What fails here, a full disk for one, the writer comes upon in its own commit, and tells whoever waits.
            with contextlib.suppress(driver.Error):
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()


def beside(path: Path, suffix: str) -> Path:
    """The file or folder that belongs to the archive `path`, named after it."""
    return path.with_name(path.name + suffix)
