"""The desk's side of a first sync, from pages that lie ready: decode, apply, index; against plain SQLite that loads the same rows.

Goal: at least 1.5 times the peer's speed, with no more than 64 MiB above idle. The peer is Python's own SQLite, without a key, in
commits of 5,000, with an index of conversations, unique wamids and full text on; its rows are tuples already. Where others use the
machine, the ratio by CPU is the one to read. bench/feed_sync.py measures hub and desk together.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, cast

import msgspec

from bench.support.caches import AT, holding, items, messages, open_cache, people
from bench.support.hubs import forget_peak, memory
from wabiz_tui.desk.link.link import Link
from wabiz_tui.desk.sync.pages import Ahead, items_of
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.feed import Change, ChangesPage
from wabiz_tui.model.values import Message

MIB = 1024 * 1024
PAGE, PER_COMMIT = 3_000, 5_000


def pages(count: int) -> list[bytes]:
    """As the hub gives them."""
    talks = range(max(1, count // 50))
    found = [*items(people(talks)), *items(messages(count, talks))]
    changes = [
        Change(seq=number, entity=one.entity, id=one.id, value=msgspec.Raw(encode(one.value))) for number, one in enumerate(found, start=1)
    ]
    last = len(changes)
    return [
        encode(ChangesPage(changes=changes[at : at + PAGE], next=min(at + PAGE, last), head=last, more=at + PAGE < last, at=AT))
        for at in range(0, last, PAGE)
    ]


class _Head(msgspec.Struct):
    head: int


class _Ready(Link):
    """A hub that answers at once."""

    def __init__(self, ready: list[bytes]) -> None:
        self._ready = ready

    async def changes(self, since: int, *, limit: int = PAGE) -> ChangesPage:
        return decode(self._ready[since // PAGE], ChangesPage)


async def ours(ready: list[bytes], folder: Path) -> tuple[float, float, int]:
    """Seconds, seconds of CPU, and bytes above idle."""
    cache = open_cache(folder)
    gc.collect()
    idle = memory(os.getpid())
    forget_peak(os.getpid())
    started, worked = time.perf_counter(), time.process_time()
    ahead, cursor = Ahead(_Ready(ready)), 0
    while cursor < decode(ready[-1], _Head).head:
        page = await ahead.pages(cursor)
        await cache.apply(items_of(page.changes), holding(), cursor=page.next)
        cursor = page.next
        # As the sync does, which has let go of it when it asks for more.
        del page
    seconds = time.perf_counter() - started, time.process_time() - worked, memory(os.getpid(), "VmHWM") - idle
    cache.close()
    return seconds


def plain(ready: list[bytes], folder: Path) -> tuple[float, float]:
    rows = [
        (
            bytes.fromhex(one.id),
            bytes.fromhex(one.conversation),
            int(one.sent_at.timestamp() * 1000),
            one.wamid,
            encode(one),
            cast("Any", one.content).body,
        )
        for raw in ready
        for change in decode(raw, ChangesPage).changes
        if change.entity == "message" and change.value is not None
        for one in (decode(change.value, Message),)
    ]
    connection = sqlite3.connect(folder / "plain.db", isolation_level=None)
    connection.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16384;"
        "CREATE TABLE message (doc INTEGER PRIMARY KEY, id BLOB, conversation BLOB, sent_at INTEGER, wamid TEXT UNIQUE, value BLOB);"
        "CREATE INDEX by_conversation ON message (conversation, sent_at);"
        "CREATE VIRTUAL TABLE words USING fts5(body, content='', tokenize='unicode61 remove_diacritics 2');"
    )
    started, worked = time.perf_counter(), time.process_time()
    for first in range(0, len(rows), PER_COMMIT):
        chunk = rows[first : first + PER_COMMIT]
        connection.execute("BEGIN")
        for place, row in enumerate(chunk, start=first):
            connection.execute("INSERT INTO message VALUES (?, ?, ?, ?, ?, ?)", (place, *row[:5]))
            connection.execute("INSERT INTO words (rowid, body) VALUES (?, ?)", (place, row[5]))
        connection.execute("COMMIT")
    seconds = time.perf_counter() - started, time.process_time() - worked
    connection.close()
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    ready = pages(options.messages)
    ratios: list[tuple[float, float]] = []
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory(prefix="wb") as name:
            folder = Path(name)
            seconds, cpu, grown = asyncio.run(ours(ready, folder))
            peer, peer_cpu = plain(ready, folder)
            ratios.append((peer / seconds, peer_cpu / cpu))
            each = 1e6 / options.messages
            print(
                f"ours {seconds:.2f} s ({cpu * each:.1f} us of CPU a message, {grown / MIB:.0f} MiB above idle); plain {peer:.2f} s "
                f"({peer_cpu * each:.1f} us); ratio {ratios[-1][0]:.2f}, by CPU {ratios[-1][1]:.2f} (goal 1.5)"
            )
    by_clock, by_cpu = (statistics.median(one) for one in zip(*ratios, strict=True))
    print(f"{options.messages} messages: median ratio {by_clock:.2f}, by CPU {by_cpu:.2f} (goal 1.5)")


if __name__ == "__main__":
    main()
