"""One encrypted database on its own threads: a single writer, a few readers, nothing on the event loop."""

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from sqlite3 import Connection
from typing import Any, TypeVar

from wabiz_tui.desk.cache.driver import keep_no_log, open_connection, refuse_plain, translated
from wabiz_tui.desk.cache.migrations import Kind, migrate
from wabiz_tui.model.errors import Locked, StoreError, StoreFull
from wabiz_tui.model.secret import Secret

T = TypeVar("T")
MEMORY = Path(":memory:")
"""In place of a file: the database lives and ends with its object."""
_READERS = 3
_TRIES = 5
_AGAIN = 0.005


class Database:
    """An open database. `read` and `write` run a function with a connection on one of its threads.

    Writes happen one after the other in the order of the calls, each in one IMMEDIATE transaction that is on the disk when
    the call returns. Reads see the last commit. After `close` every call raises Locked.
    """

    def __init__(self, path: Path, key: Secret, kind: Kind, *, is_draft: bool = False) -> None:
        """Open or create. Raises what open_connection and migrate raise. A draft is filled and closed, and thrown away if anything
        goes wrong meanwhile: it has no log, and is on the disk only when the caller has seen to it."""
        self.path = path
        self.kind = kind
        self.commits = 0
        """How many transactions were written through this object."""
        self._key = Secret(key.reveal())
        # A database in memory, or in the making, is one connection's own: what reads it takes turns with what writes it.
        is_alone = path == MEMORY or is_draft
        self._idle: queue.SimpleQueue[Connection] = queue.SimpleQueue()
        self._opened: list[Connection] = []
        self._writer_connection = open_connection(path, key)
        try:
            migrate(self._writer_connection, kind, path)
            # A driver without the cipher would write a plain file and say nothing.
            refuse_plain(path)
            if is_draft:
                keep_no_log(self._writer_connection)
            if path != MEMORY:
                path.chmod(0o600)
            self._file = _file_at(path)
            self._idle.put(self._writer_connection if is_alone else self._new_reader())
        except BaseException:
            self._writer_connection.close()
            raise
        self._writer = ThreadPoolExecutor(1, thread_name_prefix=f"{kind.folder}-writer")
        self._readers = self._writer if is_alone else ThreadPoolExecutor(_READERS, thread_name_prefix=f"{kind.folder}-reader")
        self._unwanted: dict[Future[Any], _Running] = {}
        self._gate = threading.Lock()
        self._is_closed = False

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Broken off within milliseconds when the caller is cancelled, so that nobody waits for an answer that nobody wants."""
        running = _Running()
        future = self._submit(self._readers, lambda given: self._reading(given, running), work)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            self._unwanted[future] = running
            self._break_off(future)
            raise

    async def write(self, work: Callable[[Connection], T]) -> T:
        # Shielded: a caller that goes away must not leave it unknown whether its transaction was made.
        return await asyncio.shield(asyncio.wrap_future(self._submit(self._writer, self._writing, work)))

    async def vacuum(self) -> None:
        """Write the file anew and cut the log, so that neither holds anything deleted. For small files: it copies everything."""

        def work() -> None:
            with translated(self.path):
                self._writer_connection.execute("VACUUM")
                # Busy (first column) while a reader is inside a transaction; readers take milliseconds.
                for _ in range(_TRIES):
                    if self._writer_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0:
                        return
            raise StoreError(f"{self.path.name} is being read all the time; its log could not be cut.", path=self.path)

        with self._gate:
            self._refuse_closed()
            future = self._writer.submit(work)
        await asyncio.shield(asyncio.wrap_future(future))

    def read_now(self, work: Callable[[Connection], T]) -> T:
        """`read` for a caller that has no event loop."""
        return self._submit(self._readers, self._reading, work).result()

    def write_now(self, work: Callable[[Connection], T]) -> T:
        """`write` for a caller that has no event loop; it waits for its turn."""
        return self._submit(self._writer, self._writing, work).result()

    def close(self) -> None:
        """Wait for running calls, fold the log into the file, close all connections and forget the key."""
        with self._gate:
            if self._is_closed:
                return
            self._is_closed = True
        while left := [future for future in list(self._unwanted) if not future.done()]:
            for future in left:
                self._unwanted[future].interrupt()
            wait(left, timeout=_AGAIN)
        self._readers.shutdown()
        self._writer.shutdown()
        # The last to close would do this too, but the driver holds the interpreter meanwhile, and readers of the next cache wait.
        with suppress(StoreError), translated(self.path):
            self._writer_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for connection in (*self._opened, self._writer_connection):
            connection.close()
        self._key.forget()

    def _break_off(self, future: Future[Any]) -> None:
        """Again until it has ended: an interruption between two statements does nothing."""
        if future.done():
            del self._unwanted[future]
            return
        self._unwanted[future].interrupt()
        asyncio.get_running_loop().call_later(_AGAIN, self._break_off, future)

    def _submit(
        self, pool: ThreadPoolExecutor, run: Callable[[Callable[[Connection], T]], T], work: Callable[[Connection], T]
    ) -> Future[T]:
        with self._gate:
            if self._is_closed:
                raise Locked("The desk is locked; unlock it first.")
            return pool.submit(run, work)

    def _refuse_closed(self) -> None:
        if self._is_closed:
            raise Locked("The desk is locked; unlock it first.")

    def _reading(self, work: Callable[[Connection], T], running: "_Running | None" = None) -> T:
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:
            connection = self._another_reader()
        try:
            with translated(self.path):
                # One transaction a call, so that a page and its counts are of the same moment.
                connection.execute("BEGIN")
                running = running or _Running()
                running.begin(connection)
                try:
                    return work(connection)
                finally:
                    running.end()
                    # Damage may have ended the transaction already; the error that tells of it must not be hidden.
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
        finally:
            self._idle.put(connection)

    def _new_reader(self) -> Connection:
        connection = open_connection(self.path, self._key, is_reader=True)
        self._opened.append(connection)
        return connection

    def _another_reader(self) -> Connection:
        """One more, or a turn on those there are: a file that was removed or moved away can be opened by nobody, and what stands in its
        place is another's, while all that are open read on."""
        if _file_at(self.path) == self._file:
            with suppress(StoreFull):
                return self._new_reader()
        return self._idle.get()

    def _writing(self, work: Callable[[Connection], T]) -> T:
        connection = self._writer_connection
        # A cache is filled again from the hub; a letter in a file that nobody finds again would be lost without a word.
        if self.kind is Kind.OUTBOX and _file_at(self.path) != self._file:
            raise StoreFull(
                f"{self.path.name} was removed or moved away while the desk runs: put it back, or lock and unlock to begin a new one.",
                path=self.path,
            )
        with translated(self.path):
            connection.execute("BEGIN IMMEDIATE")
            try:
                done = work(connection)
                connection.execute("COMMIT")
                self.commits += 1
            except BaseException:
                # A full disk ends the transaction by itself; then there is nothing to roll back.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        return done


def _file_at(path: Path) -> tuple[int, int] | None:
    """Which file it is, whatever its name."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


class _Running:
    """What one reading runs on, while it does: an interruption must not hit the next one on the same connection."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: Connection | None = None

    def begin(self, connection: Connection) -> None:
        with self._lock:
            self._connection = connection

    def end(self) -> None:
        with self._lock:
            self._connection = None

    def interrupt(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.interrupt()
