"""A delta of 100 changed messages taken in while a client asks for status and saves drafts through the socket, against the bare insert.

Goal: at most 2 times what SQLCipher takes to insert the same 100 rows into a table with full text, in one commit. The peer does not
decode, look for what is known, or mark how far it got. Where others use the machine, the ratio by CPU is the one to read: that of the
thread that writes, and what the desk spends around it, without what it answers the typing client meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import msgspec

from bench.support.caches import AT, KEY, fill, holding, items, messages, open_cache, people
from wabiz_tui.desk.cache.database import Database
from wabiz_tui.desk.cache.driver import open_connection
from wabiz_tui.desk.cache.letters import Letters
from wabiz_tui.desk.cache.store import Cache
from wabiz_tui.desk.process.client import DeskClient
from wabiz_tui.desk.process.server import DeskServer
from wabiz_tui.desk.sync.pages import items_of
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.desk import DeskEvent, Draft
from wabiz_tui.model.feed import Change, ChangesPage
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.values import Message

DELTA = 100
_SCHEMA = (
    "CREATE TABLE message (doc INTEGER PRIMARY KEY, id BLOB UNIQUE, conversation BLOB, sent_at INTEGER, value BLOB);"
    "CREATE INDEX by_conversation ON message (conversation, sent_at);"
    "CREATE VIRTUAL TABLE words USING fts5(body, content='', tokenize='unicode61 remove_diacritics 2');"
)
_ROW, _WORDS = "INSERT INTO message VALUES (?, ?, ?, ?, ?)", "INSERT INTO words (rowid, body) VALUES (?, ?)"
Row = tuple[int, bytes, bytes, int, bytes, str]


class _Typing:
    """The calls of a desk that a person who writes causes."""

    def __init__(self, cache: Cache, letters: Letters) -> None:
        self.cache, self.letters = cache, letters

    async def counts(self) -> dict[str, int]:
        return await self.cache.counts()

    async def save_draft(self, conversation: str, text: str, reply_to: str | None = None) -> None:
        await self.letters.save_draft(Draft(conversation, text, reply_to, AT))

    async def listen(self) -> AsyncIterator[DeskEvent]:
        await asyncio.Event().wait()
        yield DeskEvent("status")


async def type_on(client: DeskClient, conversation: str, waits: list[float]) -> None:
    """Eight keys a second, as a quick person; each saves the draft and asks for the counts of the status line."""
    for count in itertools.count(1):
        at = time.perf_counter()
        await client.save_draft(conversation, "x" * (count % 400))
        await client.counts()
        waits.append(time.perf_counter() - at)
        await asyncio.sleep(0.12)


def newest(found: Iterable[Message], number: int) -> list[Message]:
    """As they come: after all that is held and every earlier delta, a second apart."""
    begin = AT + timedelta(seconds=number * DELTA)
    return [msgspec.structs.replace(one, sent_at=begin + timedelta(seconds=place)) for place, one in enumerate(found)]


def rows_of(found: list[Message], first: int) -> list[Row]:
    return [
        (doc, bytes.fromhex(one.id), bytes.fromhex(one.conversation), int(one.sent_at.timestamp() * 1000), encode(one), _body(one))
        for doc, one in enumerate(found, start=first)
    ]


def _body(one: Message) -> str:
    return cast("Any", one.content).body


class Peer:
    """A SQLCipher file with our key and pragmas, which holds as many rows before."""

    def __init__(self, path: Path, held: list[Message]) -> None:
        self._connection = open_connection(path, KEY)
        self._connection.executescript(_SCHEMA)
        self.count = 0
        self.insert(rows_of(held, 0))

    def insert(self, rows: list[Row]) -> tuple[float, float]:
        """Seconds, and of CPU, to the commit on the disk."""
        at, worked = time.perf_counter(), time.thread_time()
        self._connection.execute("BEGIN IMMEDIATE")
        for row in rows:
            self._connection.execute(_ROW, row[:5])
            self._connection.execute(_WORDS, (row[0], row[5]))
        self._connection.execute("COMMIT")
        self.count += len(rows)
        return time.perf_counter() - at, time.thread_time() - worked

    def close(self) -> None:
        self._connection.close()


class Writer:
    """The CPU of the thread that writes the cache."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def seconds(self) -> float:
        return self._database.write_now(lambda _: time.thread_time())


def delta_of(found: list[Message], since: int) -> bytes:
    changes = [Change(since + n, "message", one.id, msgspec.Raw(encode(one))) for n, one in enumerate(found, start=1)]
    return encode(ChangesPage(changes, since + len(changes), since + len(changes), more=False, at=AT))


async def take_in(cache: Cache, raw: bytes) -> tuple[float, float]:
    """Seconds from the bytes to the commit on the disk, and those of CPU of decoding and writing."""
    writer = Writer(cache.database)
    before = writer.seconds()
    at, worked = time.perf_counter(), time.thread_time()
    page = decode(raw, ChangesPage)
    found = items_of(page.changes)
    decoded = time.thread_time() - worked
    await cache.apply(found, holding(), cursor=page.next)
    seconds = time.perf_counter() - at
    return seconds, decoded + writer.seconds() - before


async def measure(held: int, deltas: int) -> None:
    with tempfile.TemporaryDirectory(prefix="wb") as name:
        folder = Path(name)
        cache, letters = open_cache(folder), Letters(folder / "outbox.db", Secret(bytes(32)))
        talks = range(max(1, held // 50))
        before = list(messages(held, talks))
        await fill(cache, items(people(talks)))
        await fill(cache, items(iter(before)))
        peer = Peer(folder / "peer.db", before)
        server = DeskServer(
            cast("Any", _Typing(cache, letters)),
            ahead=0.0,
            on_end=lambda: None,
            on_clients=lambda _: None,
            broken=lambda call, error: print(call, repr(error)),
        )
        await server.start(folder / "s")
        client = await DeskClient.open(folder / "s")
        waits: list[float] = []
        typing = asyncio.create_task(type_on(client, before[0].conversation, waits))
        ours: list[tuple[float, float]] = []
        bare: list[tuple[float, float]] = []
        for number in range(deltas):
            found = newest(messages(DELTA, talks, first=held + 1 + number), number)
            rows = rows_of(found, peer.count)
            ours.append(await take_in(cache, delta_of(found, held + number * DELTA)))
            bare.append(await asyncio.to_thread(peer.insert, rows))
            await asyncio.sleep(0.05)
        typing.cancel()
        await asyncio.wait((typing,))
        await client.close()
        await server.stop()
        peer.close()
        letters.close()
        cache.close()
    by_clock, by_cpu = (statistics.median(a[n] / b[n] for a, b in zip(ours, bare, strict=True)) for n in (0, 1))
    ours_ms, ours_cpu, bare_ms, bare_cpu = (statistics.median(one[n] for one in which) * 1000 for which in (ours, bare) for n in (0, 1))
    print(f"{DELTA} into {held} while typing: ours {ours_ms:.1f} ms ({ours_cpu:.1f} of CPU), bare {bare_ms:.1f} ({bare_cpu:.1f})")
    print(f"ratio {by_clock:.2f}, by CPU {by_cpu:.2f} (goal 2)")
    print(f"a key's draft and counts: p50 {statistics.median(waits) * 1000:.1f} ms, worst {max(waits) * 1000:.1f} ms of {len(waits)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--deltas", type=int, default=60)
    options = parser.parse_args()
    asyncio.run(measure(options.messages, options.deltas))


if __name__ == "__main__":
    main()
