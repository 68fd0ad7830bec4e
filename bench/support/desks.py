"""A desk's link, sync and cache over a hub process, without keys, screen or purge: what carries the feed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from bench.support.hubs import Device, Hub
from wabiz_tui.desk.cache.letters import Letters
from wabiz_tui.desk.cache.store import Cache
from wabiz_tui.desk.clock import DeskClock
from wabiz_tui.desk.link.link import Link
from wabiz_tui.desk.sync.sync import Sync, Told
from wabiz_tui.model.clock import SystemClock
from wabiz_tui.model.desk import Link as LinkState
from wabiz_tui.model.errors import WabizError
from wabiz_tui.model.secret import Secret


class BenchDesk(Told):
    """Says when a batch is in the cache; `applies` are seconds each took."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache
        self.applies: list[float] = []
        self._online, self._came = asyncio.Event(), asyncio.Event()
        self._at = 0.0
        apply = cache.apply

        async def timed(*given: Any, **named: Any) -> Any:
            started = time.perf_counter()
            applied = await apply(*given, **named)
            self.applies.append(time.perf_counter() - started)
            return applied

        cache.apply = timed

    def changed(self, conversations: frozenset[str], reason: str) -> None:
        del reason
        if conversations:
            self._at = time.perf_counter()
            self._came.set()

    def moved(self, link: LinkState) -> None:
        if link == "online":
            self._online.set()

    def refused(self, error: WabizError) -> None:
        raise SystemExit(error.sentence)

    async def following(self) -> None:
        async with asyncio.timeout(60):
            await self._online.wait()
        await asyncio.sleep(1.0)
        self.applies.clear()

    def expect(self) -> None:
        self._came.clear()

    async def applied_at(self) -> float:
        async with asyncio.timeout(30):
            await self._came.wait()
        return self._at


@contextlib.asynccontextmanager
async def open_sync(hub: Hub, device: Device, folder: Path) -> AsyncGenerator[BenchDesk]:
    """A desk that catches up and then follows."""
    async with joined(hub, device, folder) as (sync, desk):
        sync.start()
        try:
            yield desk
        finally:
            await sync.stop()


@contextlib.asynccontextmanager
async def joined(hub: Hub, device: Device, folder: Path) -> AsyncGenerator[tuple[Sync, BenchDesk]]:
    folder.mkdir(exist_ok=True)  # noqa: ASYNC240 before anything is measured
    clock = DeskClock(SystemClock())
    link = Link(hub.url, device=device.reply.device, tenant=device.reply.tenant, seed=device.seed, clock=clock)
    cache = Cache(folder / "cache.db", Secret(os.urandom(32)), epoch=1, now=clock.now, me=device.reply.person)
    letters = Letters(folder / "outbox.db", Secret(os.urandom(32)))
    desk = BenchDesk(cache)
    sync = Sync(
        link, lambda: cache, letters, turn=asyncio.Lock(), policy_key=device.reply.policy_key, tenant=device.reply.tenant, told=desk
    )
    await sync.load()
    try:
        yield sync, desk
    finally:
        await link.close()
        cache.close()
        letters.close()
