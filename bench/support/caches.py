"""Big caches, written by the cache's own code, and a desk's socket over one in a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from wabiz_tui.desk.cache.store import Cache
from wabiz_tui.desk.cache.writing import Holding, Item
from wabiz_tui.desk.process.client import DeskClient
from wabiz_tui.desk.process.server import DeskServer
from wabiz_tui.model.content import Text
from wabiz_tui.model.desk import DeskEvent, SearchHit, TimelinePage
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.values import Contact, Conversation, Direction, Message

KEY = Secret(bytes(range(32)))
AT = datetime(2026, 5, 4, tzinfo=UTC)
BATCH = 3_000
_SYLLABLES = [a + b for a in "bcdfghjklmnprstvwz" for b in ("a", "e", "i", "o", "u", "ar", "en", "il", "or")]


def vocabulary(size: int = 20_000) -> tuple[list[str], list[float]]:
    """Made-up words, and how often each is written: by Zipf's law, as in every language."""
    chance = random.Random(7)
    words = list(dict.fromkeys("".join(chance.choices(_SYLLABLES, k=chance.randint(1, 4))) for _ in range(2 * size)))[:size]
    return words, [1 / (rank + 3) for rank in range(len(words))]


def ident(number: int) -> str:
    return f"{random.Random(number).getrandbits(128):032x}"


def messages(count: int, of: Sequence[int], *, first: int = 0) -> Iterator[Message]:
    """`count` messages in rising time, one after the other of these conversations."""
    words, weights = vocabulary()
    chance, step = random.Random(first + 1), timedelta(days=13) / count
    cumulative = _cumulated(weights)
    for number in range(count):
        is_ours = number % 2 == 1
        yield Message(
            id=f"{chance.getrandbits(128):032x}",
            conversation=ident(of[number % len(of)]),
            direction=Direction.OUTGOING if is_ours else Direction.INCOMING,
            content=Text(" ".join(chance.choices(words, cum_weights=cumulative, k=chance.randint(3, 24)))),
            sent_at=AT - timedelta(days=13) + number * step,
            wamid=f"wamid.{chance.getrandbits(160):040x}",
            author_name="Sam" if is_ours else "",
            origin="wabiz" if is_ours else "customer",
        )


def _cumulated(weights: Sequence[float]) -> list[float]:
    from itertools import accumulate

    return list(accumulate(weights))


def people(numbers: Sequence[int]) -> Iterator[Conversation | Contact]:
    for number in numbers:
        yield Contact(ident(-number - 1), name=f"Customer {number:05d}")
        yield Conversation(ident(number), number="106540352242922", contact=ident(-number - 1), name=f"Customer {number:05d}", last_at=AT)


def items(values: Iterator[Any]) -> Iterator[Item]:
    names = {Message: "message", Conversation: "conversation", Contact: "contact"}
    for value in values:
        yield Item(cast("Any", names[type(value)]), value.id, value)


def holding(most: int = 10_000_000) -> Holding:
    return Holding(lambda at, resolved_at: (resolved_at or at) + timedelta(days=14), most)


def open_cache(folder: Path) -> Cache:
    folder.mkdir(parents=True, exist_ok=True)
    return Cache(folder / "cache-1.db", KEY, epoch=1, now=lambda: AT, me=ident(0))


async def fill(cache: Cache, found: Iterator[Item]) -> None:
    cursor, batch = 0, list[Item]()
    for one in found:
        batch.append(one)
        if len(batch) == BATCH:
            cursor += BATCH
            await cache.apply(batch, holding(), cursor=cursor)
            batch = []
    await cache.apply(batch, holding(), cursor=cursor + len(batch))


class _Reading:
    """The calls of a desk that are measured, on a cache alone: no session, hub or outbox between."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache

    async def search(self, words: str, *, limit: int = 50, ranked: bool = False) -> list[SearchHit]:
        return await self.cache.search(words, limit=limit, ranked=ranked)

    async def timeline(self, conversation: str, *, before: str | None = None, after: str | None = None, limit: int = 50) -> TimelinePage:
        return await self.cache.timeline(conversation, before=before, after=after, limit=limit)

    async def listen(self) -> AsyncIterator[DeskEvent]:
        await asyncio.Event().wait()
        yield DeskEvent("status")


async def _serve(folder: Path) -> None:
    cache = open_cache(folder)
    ended = asyncio.Event()
    server = DeskServer(
        cast("Any", _Reading(cache)),
        ahead=0.0,
        on_end=ended.set,
        on_clients=lambda _: None,
        broken=lambda call, error: print(call, repr(error)),
    )
    await server.start(folder / "s")
    print("ready", flush=True)
    await ended.wait()
    await server.stop()
    cache.close()


@contextlib.asynccontextmanager
async def served(folder: Path) -> AsyncGenerator[DeskClient]:
    """A client of a fresh process that serves the cache in that folder."""
    command = [sys.executable, "-m", "bench.support.caches", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220 before anything is measured
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    client = await DeskClient.open(folder / "s")
    try:
        yield client
    finally:
        await client.end()
        await client.close()
        process.wait(10)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    asyncio.run(_serve(parser.parse_args().folder))
