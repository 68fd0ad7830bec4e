"""The webhook journal: raw bodies made durable before the 200, in a file of its own, sealed by a key per day.

The raw driver is used, and one thread that owns the writing connection: requests that arrive while a commit is under way
share the next one, without a time window (limits.md decision 5).
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import NamedTuple

from wabiz_tui.hub.archive.cipher import JOURNAL_ID, check_version, connect, translated
from wabiz_tui.hub.archive.keyfile import KeyFile
from wabiz_tui.hub.archive.times import to_ms
from wabiz_tui.model.clock import Clock
from wabiz_tui.model.errors import StoreError, WabizError
from wabiz_tui.model.secret import Secret

VERSION = 1
_MOST_IN_A_COMMIT = 512
_KEPT_DAYS = 7  # as long as Meta redelivers: what folding got wrong can be folded again


class JournalEntry(NamedTuple):
    number: int
    raw: bytes
    at_ms: int


class _Waiting(NamedTuple):
    raw: bytes
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[int]"


class Journal:
    """`append` is for the event loop, `read_after` and `purge` for any thread. `stop` makes durable what was handed in."""

    def __init__(self, path: Path, file_key: Secret, keys: KeyFile, *, clock: Clock, random_bytes: Callable[[int], bytes]) -> None:
        self._path, self._keys, self._clock, self._random = path, keys, clock, random_bytes
        self._writer = connect(path, file_key, application_id=JOURNAL_ID)
        with translated(path):
            if check_version(self._writer, path, known=VERSION) < VERSION:
                self._writer.execute(
                    "CREATE TABLE IF NOT EXISTS entry (number INTEGER PRIMARY KEY AUTOINCREMENT, day TEXT NOT NULL,"
                    " at_ms INTEGER NOT NULL, sealed BLOB NOT NULL)"
                )
                self._writer.execute(f"PRAGMA user_version = {VERSION}")
        self._reader = connect(path, file_key, application_id=JOURNAL_ID)
        self._reader_lock, self._writer_lock = Lock(), Lock()
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    async def append(self, raw: bytes) -> int:
        """Keep `raw`; its number, once it is on disk. Raises StoreFull and its kin: then nothing was acknowledged."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()
        self._queue.put(_Waiting(raw, loop, future))
        return await future

    def read_after(self, number: int, *, limit: int = 200, most_bytes: int = 16 * 1024 * 1024) -> list[JournalEntry]:
        """The next entries in order, opened; fewer when they are large. Entries whose day key is gone are skipped."""
        entries: list[JournalEntry] = []
        size = 0
        with self._reader_lock, translated(self._path):
            cursor = self._reader.execute(
                "SELECT number, day, at_ms, sealed FROM entry WHERE number > ? ORDER BY number LIMIT ?", (number, limit)
            )
            for entry, day, at_ms, sealed in cursor:
                raw = self._open(day, sealed)
                if raw is not None:
                    entries.append(JournalEntry(entry, raw, at_ms))
                    size += len(raw)
                if size >= most_bytes:
                    break
            cursor.close()
        return entries

    def last(self) -> int:
        """The number of the newest entry; 0 when there never was one."""
        with self._reader_lock, translated(self._path):
            row = self._reader.execute("SELECT seq FROM sqlite_sequence WHERE name = 'entry'").fetchone()
        return int(row[0]) if row else 0

    def purge(self, *, folded: int) -> int:
        """Delete the days before the last seven, as far as they are folded, and destroy their keys; how many entries went."""
        before = (self._clock.now() - timedelta(days=_KEPT_DAYS)).date().isoformat()
        with self._writer_lock, translated(self._path):
            deleted = self._writer.execute("DELETE FROM entry WHERE day < ? AND number <= ?", (before, folded)).rowcount
            left = {row[0] for row in self._writer.execute("SELECT DISTINCT day FROM entry WHERE day < ?", (before,)).fetchall()}
        due = [name for name in self._keys.names("journal/") if (day := name.removeprefix("journal/")) < before and day not in left]
        if due:
            self._keys.destroy(due)
        return deleted

    def stop(self) -> None:
        self._queue.put(None)
        self._thread.join()
        with self._reader_lock, self._writer_lock:
            self._reader.close()
            self._writer.close()

    def _run(self) -> None:
        while True:
            first = self._queue.get()
            if first is None:
                return
            batch, is_last = [first], False
            while len(batch) < _MOST_IN_A_COMMIT:
                try:
                    waiting = self._queue.get_nowait()
                except Empty:
                    break
                if waiting is None:
                    is_last = True
                    break
                batch.append(waiting)
            self._keep(batch)
            if is_last:
                return

    def _keep(self, batch: list[_Waiting]) -> None:
        outcome: list[int] | WabizError
        try:
            outcome = self._commit([waiting.raw for waiting in batch])
        except WabizError as error:
            outcome = error
        except Exception as error:  # noqa: BLE001 the thread must outlive any failure; each waiting request is told of it
            outcome = StoreError(f"The journal could not be written ({type(error).__name__}).", path=self._path)
        batch[0].loop.call_soon_threadsafe(_tell, batch, outcome)

    def _commit(self, bodies: list[bytes]) -> list[int]:
        now = self._clock.now()
        day, at_ms = now.date().isoformat(), to_ms(now)
        sealed = [self._seal(day, raw) for raw in bodies]
        with self._writer_lock, translated(self._path):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                numbers = [
                    int(self._writer.execute("INSERT INTO entry (day, at_ms, sealed) VALUES (?, ?, ?)", (day, at_ms, blob)).lastrowid)
                    for blob in sealed
                ]
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise
        return numbers

    def _seal(self, day: str, raw: bytes) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = self._random(12)
        return nonce + AESGCM(self._keys.make_now(f"journal/{day}")).encrypt(nonce, raw, day.encode())

    def _open(self, day: str, sealed: bytes) -> bytes | None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key = self._keys.find(f"journal/{day}")
        return None if key is None else AESGCM(key).decrypt(sealed[:12], sealed[12:], day.encode())


def _tell(batch: list[_Waiting], outcome: list[int] | WabizError) -> None:
    for index, waiting in enumerate(batch):
        if waiting.future.done():  # its request went away; the body is kept all the same
            continue
        if isinstance(outcome, WabizError):
            waiting.future.set_exception(outcome)
        else:
            waiting.future.set_result(outcome[index])
