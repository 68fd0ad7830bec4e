"""Search as it is typed, through the desk's socket, against the bare full-text query on plain SQLite of the same rows.

Goals: the newest 50 take at most 1.5 times the bare query the first time and 1.15 times again, 15 ms at the 95th percentile from three
letters on, and an abandoned search lets go within 50 ms. Two ratios are told: against the bare query alone, which carries nothing to
anybody, and against it behind the same socket. Both sides read the messages' values; neither side's text is decoded for the peer.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from contextlib import closing, suppress
from pathlib import Path
from sqlite3 import Connection
from typing import Any, cast

import msgspec
import sqlcipher3.dbapi2 as _driver

from bench.support.caches import fill, items, messages, open_cache, people, served, vocabulary
from wabiz_tui.desk.cache.driver import open_connection
from wabiz_tui.desk.cache.search.question import ask
from wabiz_tui.desk.process.frames import Reply, frame, read_frame, unpack
from wabiz_tui.model.codec import decode
from wabiz_tui.model.values import Message

_BARE = "SELECT m.value FROM words w JOIN messages m ON m.doc = w.rowid WHERE w.words MATCH ? ORDER BY w.rowid DESC LIMIT 50"


def copy_plain(source: Path, target: Path, key: Any) -> None:
    """The messages in a plain file of the same SQLite, indexed by the same tokenizer."""
    plain = cast("Any", _driver).connect(str(target), isolation_level=None)
    plain.executescript(
        "PRAGMA journal_mode=WAL; CREATE TABLE messages (doc INTEGER PRIMARY KEY, value BLOB);"
        "CREATE VIRTUAL TABLE words USING fts5(body, content='', tokenize='unicode61 remove_diacritics 2'); BEGIN;"
    )
    with closing(open_connection(source, key, is_reader=True)) as rows:
        for doc, value in rows.execute("SELECT doc, value FROM messages ORDER BY doc"):
            plain.execute("INSERT INTO messages VALUES (?, ?)", (doc, value))
            plain.execute("INSERT INTO words (rowid, body) VALUES (?, ?)", (doc, decode(value, Message).content.body))
    plain.execute("COMMIT")
    plain.close()


def open_plain(path: Path) -> Connection:
    connection = cast("Any", _driver).connect(str(path), check_same_thread=False)
    connection.execute("PRAGMA cache_size = -16384")
    return connection


class Peer:
    """The bare query behind a socket with the same frames: what any program in another process must pay."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from wabiz_tui.model.errors import WabizError

        with suppress(WabizError):
            while True:
                expression = (await read_frame(reader)).decode()
                rows = await asyncio.to_thread(lambda expression=expression: self._connection.execute(_BARE, (expression,)).fetchall())
                writer.write(frame(Reply(1, msgspec.Raw(b"[" + b",".join(bytes(row[0]) for row in rows) + b"]"))))
        writer.close()


def questions(count: int) -> dict[str, list[str]]:
    words, _ = vocabulary()
    chance = random.Random(3)
    long = [word for word in words if len(word) > 4]
    return {
        "common words": words[:count],
        "words": chance.sample(long[200:4000], count),
        "rare words": chance.sample(long[8000:], count),
        "first 3 letters": list(dict.fromkeys(word[:3] for word in chance.sample(long, 8 * count)))[:count],
        "two words": [f"{a} {b}" for a, b in zip(words[:count], words[5 : count + 5], strict=True)],
        "first 2 letters": list(dict.fromkeys(word[:2] for word in long))[:count],
    }


async def measure(count: int, rounds: int, asked: int) -> None:
    with tempfile.TemporaryDirectory(prefix="wb") as name:
        folder = Path(name)
        cache = open_cache(folder)
        talks = range(max(1, count // 50))
        await fill(cache, items(people(talks)))
        await fill(cache, items(messages(count, talks)))
        cache.close()
        from bench.support.caches import KEY

        copy_plain(folder / "cache-1.db", folder / "plain.db", KEY)
        print(f"{count} messages, {len(talks)} conversations; ms; ours through the socket")
        ratios: dict[str, list[tuple[float, ...]]] = {}
        times: dict[str, list[float]] = {}
        for _ in range(rounds):
            for kind, typed in questions(asked).items():
                ratios.setdefault(kind, []).append(await one_round(folder, typed, times.setdefault(kind, [])))
        for kind, found in ratios.items():
            first, again, first_peer, again_peer = (statistics.median(one) for one in zip(*found, strict=True))
            p95 = statistics.quantiles(times[kind], n=20)[-1] * 1000
            print(
                f"{kind:16} first {first:5.2f} x bare, {first_peer:5.2f} x behind a socket; again {again:5.2f} x bare, "
                f"{again_peer:5.2f} x behind a socket; ours p50 {statistics.median(times[kind]) * 1000:.2f}, p95 {p95:.2f}"
            )
        await interruption(folder)


async def one_round(folder: Path, typed: list[str], times: list[float]) -> tuple[float, float, float, float]:
    """First and again, over bare and over the peer behind a socket; the three take turns on every question."""
    from datetime import UTC, datetime

    expressions = [ask(words, now=datetime.now(UTC)).expression() or "" for words in typed]
    bare = open_plain(folder / "plain.db")
    peer_connection = open_plain(folder / "plain.db")
    listener = await asyncio.start_unix_server(Peer(peer_connection).answer, path=str(folder / "p"))
    reader, writer = await asyncio.open_unix_connection(str(folder / "p"))
    taken: dict[str, list[float]] = {}
    async with served(folder) as client:
        for go in ("first", "again", "again"):
            for words, expression in zip(typed, expressions, strict=True):
                at = time.perf_counter()
                bare.execute(_BARE, (expression,)).fetchall()
                then = time.perf_counter()
                found = await client.search(words, limit=50)
                done = time.perf_counter()
                writer.write(len(expression.encode()).to_bytes(4, "big") + expression.encode())
                unpack(unpack(await read_frame(reader), Reply).ok, list[Message])
                last = time.perf_counter()
                del found
                for who, seconds in (("bare", then - at), ("ours", done - then), ("peer", last - done)):
                    taken.setdefault(f"{who} {go}", []).append(seconds)
        times += taken["ours first"] + taken["ours again"]
    writer.close()
    listener.close()
    await listener.wait_closed()
    bare.close()
    peer_connection.close()
    middle = {name: statistics.median(one) for name, one in taken.items()}
    return (
        middle["ours first"] / middle["bare first"], middle["ours again"] / middle["bare again"],
        middle["ours first"] / middle["peer first"], middle["ours again"] / middle["peer again"],
    )  # fmt: skip


async def interruption(folder: Path) -> None:
    """Every message is looked at for a link that none has; the next search comes 5 ms later."""
    waits: list[float] = []
    async with served(folder) as client:
        for _ in range(20):
            slow = [asyncio.create_task(client.search("has:link is:incoming", limit=50)) for _ in range(4)]
            await asyncio.sleep(0.005)
            at = time.perf_counter()
            await client.search("customer", limit=1)
            waits.append(time.perf_counter() - at)
            await asyncio.wait(slow)
            for task in slow:
                task.exception()
    middle, worst = statistics.median(waits) * 1000, max(waits) * 1000
    print(f"a search after four broken off: p50 {middle:.1f} ms, worst {worst:.1f} ms (goal 50)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--questions", type=int, default=20)
    options = parser.parse_args()
    asyncio.run(measure(options.messages, options.rounds, options.questions))


if __name__ == "__main__":
    main()
