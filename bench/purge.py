"""The purge of half a cache with nothing recoverable: wabiz's rebuild under the next key, while an agent reads and the sync writes,
against deleting in place with everything that SQLite and FTS5 offer for it. In turns, in one run."""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sqlite3 import Connection
from typing import NamedTuple

from wabiz_tui.desk.cache.driver import open_connection
from wabiz_tui.desk.cache.marks import Pending
from wabiz_tui.desk.cache.store import Cache
from wabiz_tui.desk.cache.words import indexed
from wabiz_tui.desk.cache.writing import Holding, Item
from wabiz_tui.desk.process.steadiness import be_steady
from wabiz_tui.desk.purge.shelf import Shelf
from wabiz_tui.desk.purge.successor import Successor
from wabiz_tui.model.codec import decode
from wabiz_tui.model.content import Text, plain_text
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.values import Contact, Conversation, Direction, Message
from wabiz_tui.model.wire import ReceiptCounts

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
OLD, NEXT = Secret(b"o" * 32), Secret(b"n" * 32)
WINDOW = timedelta(days=14)
_PER_CONVERSATION = 25
_COMMIT = 5000


class Stalls(NamedTuple):
    reader: float
    writer: float


def holding(at: datetime, resolved_at: datetime | None) -> datetime:
    del resolved_at
    return at + WINDOW


def business(messages: int, seed: int = 1) -> Iterator[Item]:
    """Conversations and messages of 28 days, so that half are due; words as people use them, few often and many rarely."""
    chance = random.Random(seed)
    words = [f"w{number:x}" for number in range(30_000)]
    count = max(messages // _PER_CONVERSATION, 1)
    for number in range(count):
        name = f"Customer {number:05}"
        yield Item("contact", _id(2, number), Contact(_id(2, number), name))
        yield Item("conversation", _id(1, number), Conversation(_id(1, number), "1", _id(2, number), name, last_at=NOW))
    step = WINDOW * 2 / messages
    for number in range(messages):
        text = " ".join(words[min(int(chance.paretovariate(0.7)), len(words)) - 1] for _ in range(chance.randint(3, 22)))
        sent_at = NOW - WINDOW * 2 + step * number
        kind = Direction.INCOMING if number % 2 else Direction.OUTGOING
        yield Item("message", _id(3, number), Message(_id(3, number), _id(1, number % count), kind, Text(text), sent_at, f"wamid.{number}"))


def _id(kind: int, number: int) -> str:
    return f"{kind:02x}{number:030x}"


async def fill(path: Path, messages: int) -> None:
    """Held under a policy that keeps everything; the purge comes when the clock stands at NOW."""
    cache = Cache(path, OLD, epoch=1, now=lambda: NOW - WINDOW * 2, me="")
    batch: list[Item] = []
    for item in business(messages):
        batch.append(item)
        if len(batch) == _COMMIT:
            await cache.apply(batch, Holding(holding, messages * 2), cursor=1)
            batch.clear()
    await cache.apply(batch, Holding(holding, messages * 2), cursor=1)
    cache.close()


class Agent:
    """Reads the queue, a timeline and a search, and writes what comes, all the time; how long each waited at most."""

    def __init__(self, cache: Cache, messages: int) -> None:
        self.cache, self.messages = cache, messages
        self.turn = asyncio.Lock()
        self.reads: list[float] = []
        self.writes: list[float] = []
        self._count = 0

    async def at_work(self, until: Callable[[], Awaitable[None]]) -> None:
        tasks = [asyncio.create_task(self._reading()), asyncio.create_task(self._writing())]
        await until()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    async def _reading(self) -> None:
        chance = random.Random(2)
        while True:
            cache, begun = self.cache, time.perf_counter()
            try:
                await cache.queue("all", offset=0, limit=50)
                await cache.timeline(_id(1, chance.randrange(self.messages // _PER_CONVERSATION)), before=None, after=None, limit=50)
            except Exception:
                if cache is self.cache:
                    raise
            self.reads.append(time.perf_counter() - begun)
            await asyncio.sleep(0.01)

    async def _writing(self) -> None:
        while True:
            self._count += 1
            number = self.messages + self._count
            written = Message(_id(3, number), _id(1, number % 50), Direction.INCOMING, Text(f"new {number}"), NOW)
            begun = time.perf_counter()
            async with self.turn:
                await self.cache.apply([Item("message", written.id, written)], Holding(holding, self.messages * 2), cursor=number)
            self.writes.append(time.perf_counter() - begun)
            await asyncio.sleep(0.02)


async def ours(source: Path, messages: int, *, is_used: bool) -> tuple[float, Stalls, Stalls]:
    """Seconds, and the longest waits of a reader and a writer meanwhile and in as long a time before."""
    folder = Path(tempfile.mkdtemp(prefix="wabiz-purge-", dir=source.parent))
    shelf = Shelf(folder)
    shutil.copy(source, shelf.path(1))
    cache = Cache(shelf.path(1), OLD, epoch=1, now=lambda: NOW, me="")
    agent = Agent(cache, messages)
    nothing = ReceiptCounts()
    pending = Pending(1, 2, 1, "due", NOW, removed=nothing, kept=nothing, ids_hash="")

    def open_cache(epoch: int, path: Path) -> Cache:
        return Cache(path, NEXT, epoch=epoch, now=lambda: NOW, me="")

    async def purge() -> None:
        successor = await asyncio.to_thread(Successor, cache, OLD, pending, NEXT, in_memory=False, shelf=shelf, open_cache=open_cache)
        await asyncio.to_thread(successor.fill)
        async with agent.turn:
            agent.cache = await asyncio.to_thread(successor.take_over)
        await asyncio.to_thread(cache.close)
        await asyncio.to_thread(shelf.destroy_up_to, 1)

    before = Stalls(0.0, 0.0)
    if is_used:
        await agent.at_work(lambda: asyncio.sleep(1.5))
        before = Stalls(max(agent.reads[3:]), max(agent.writes[3:]))
        agent.reads.clear()
        agent.writes.clear()
    begun = time.perf_counter()
    await (agent.at_work(purge) if is_used else purge())
    seconds = time.perf_counter() - begun
    during = Stalls(max(agent.reads, default=0.0), max(agent.writes, default=0.0))
    done = await agent.cache.pending_receipt()
    assert done is not None
    assert abs(done.removed.messages - messages // 2) <= 1, done.removed
    agent.cache.close()
    shutil.rmtree(folder)
    return seconds, before, during


def peer(source: Path, messages: int) -> Path:
    """The same messages in the same tables, with a full-text table of FTS5's ordinary kind, for its `secure-delete` is ignored by a
    contentless one."""
    path = source.with_name("peer.db")
    shutil.copy(source, path)
    connection = open_connection(path, OLD)
    connection.execute("DROP TABLE words")
    connection.execute("CREATE VIRTUAL TABLE words USING fts5 (body, tokenize = 'unicode61 remove_diacritics 2')")
    connection.execute("BEGIN")
    rows = connection.execute("SELECT doc, value FROM messages ORDER BY doc").fetchall()
    connection.executemany(
        "INSERT INTO words (rowid, body) VALUES (?, ?)", ((doc, indexed(plain_text(decode(value, Message).content))) for doc, value in rows)
    )
    connection.execute("COMMIT")
    assert len(rows) == messages
    connection.close()
    return path


def straightforward(source: Path, messages: int, *, with_fts_delete: bool = True) -> float:
    path = source.with_name("deleted.db")
    shutil.copy(source, path)
    connection = open_connection(path, OLD)
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("INSERT INTO words (words, rank) VALUES ('secure-delete', ?)", (int(with_fts_delete),))
    limit = int((NOW - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))
    begun = time.perf_counter()
    _delete(connection, limit)
    connection.execute("INSERT INTO words (words) VALUES ('optimize')")
    connection.execute("VACUUM")
    assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    seconds = time.perf_counter() - begun
    left = connection.execute("SELECT count(*) FROM messages").fetchone()[0]
    assert abs(left - messages // 2) <= 1
    connection.close()
    path.unlink()
    return seconds


def _delete(connection: Connection, limit: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM words WHERE rowid IN (SELECT doc FROM messages WHERE expires_at_ms <= ?)", (limit,))
    connection.execute("DELETE FROM messages WHERE expires_at_ms <= ?", (limit,))
    connection.execute("COMMIT")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=2)
    options = parser.parse_args()
    be_steady()
    with tempfile.TemporaryDirectory(prefix="wabiz-bench-") as folder:
        source = Path(folder) / "cache.db"
        asyncio.run(fill(source, options.messages))
        plain = peer(source, options.messages)
        rows: list[tuple[float, float, float]] = []
        for run in range(options.runs):
            gc.collect()
            mine, _, _ = asyncio.run(ours(source, options.messages, is_used=False))
            all_of_it, lazy = straightforward(plain, options.messages), straightforward(plain, options.messages, with_fts_delete=False)
            rows.append((mine, all_of_it, lazy))
            print(f"run {run + 1}: wabiz {mine:6.2f} s   straightforward {all_of_it:6.2f} s   without FTS5's secure-delete {lazy:6.2f} s")
        for index, name in ((1, "straightforward"), (2, "without FTS5's secure-delete")):
            print(f"ratio to {name}: {statistics.median(row[0] / row[index] for row in rows):.2f}")
        for run in range(options.runs):
            seconds, before, during = asyncio.run(ours(source, options.messages, is_used=True))
            print(
                f"run {run + 1}, used meanwhile ({seconds:.2f} s): longest wait of a reader {during.reader * 1000:.1f} ms"
                f" (before {before.reader * 1000:.1f}), of a writer {during.writer * 1000:.1f} ms (before {before.writer * 1000:.1f})"
            )


if __name__ == "__main__":
    main()
