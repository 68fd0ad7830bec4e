"""The purge of a desk's real process: killed at any instant, with its clock moved, and with an older home put back."""

import asyncio
import os
import random
import shutil
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.desk_bench import CONFIG, PASSPHRASE, enrol
from tests.support.desk_hub import FakeHub
from tests.support.desk_samples import contact, conversation, ident, message, until
from wabiz_tui.desk.enrolment import get_enrolment
from wabiz_tui.desk.process.client import DeskClient
from wabiz_tui.desk.process.launch import connect
from wabiz_tui.desk.purge.remains import opening_keys, opens
from wabiz_tui.model.clock import SystemClock
from wabiz_tui.model.codec import decode
from wabiz_tui.model.errors import WabizError
from wabiz_tui.model.paths import Paths, paths_under
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.wire import Receipt
from wabiz_tui.proof.armour import from_base64
from wabiz_tui.proof.receipts import verify_chain

DUE, KEPT = "Zanzibarcloves", "Reykjavikwool"
KILLS = 5


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub().serve() as served:
        yield served


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_under(tmp_path / "a home")


def fill(hub: FakeHub) -> None:
    now = datetime.now(UTC)
    hub.put(contact(1), contact(2), *(conversation(n, last_at=now, window_until=now + timedelta(hours=20)) for n in (1, 2)))
    hub.put(*(message(n, 1, f"{DUE} {n}", sent_at=now - timedelta(hours=1)) for n in range(30)))
    hub.put(*(message(n, 2, f"{KEPT} {n}", sent_at=now + timedelta(days=14)) for n in range(100, 130)))


async def start(paths: Paths, **more: str) -> DeskClient:
    environment: Mapping[str, str] = os.environ | {"WABIZ_HOME": str(paths.config)} | more
    return await connect(paths, passphrase=Secret(PASSPHRASE.reveal()), environment=environment)


@asynccontextmanager
async def running(paths: Paths, **more: str) -> AsyncIterator[DeskClient]:
    desk = await start(paths, **more)
    try:
        yield desk
    finally:
        with suppress(WabizError):
            await desk.end()
        await desk.close()
        await until(lambda: is_gone(desk.hello.pid))


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return False


async def count(desk: DeskClient, number: int) -> int:
    return len(await desk.messages(ident(number)))


@pytest.mark.timeout(240)
async def test_a_desk_killed_while_it_purges_loses_and_doubles_no_receipt(hub: FakeHub, paths: Paths) -> None:
    """Purge after purge, killed at random instants: one cache, all that is kept, one receipt an epoch, and the hub has the same chain."""
    chance = random.Random(11)
    fill(hub)
    await enrol(hub, paths)
    for round_ in range(KILLS):
        desk = await start(paths)
        if round_ == 0:
            await desk.sync()
        purging = asyncio.create_task(purge_on(desk))
        await asyncio.sleep(chance.uniform(0.0, 0.4))
        os.kill(desk.hello.pid, signal.SIGKILL)
        await purging
        await desk.close()

    async with running(paths) as desk:
        await desk.sync()
        await desk.purge()
        assert [await count(desk, 1), await count(desk, 2)] == [30, 30]
        told = await desk.receipts()
        receipts = verify_chain(told, from_base64(get_enrolment(paths).public_key, size=32, what="key"))
        assert [receipt.epoch for receipt in receipts] == list(range(1, len(receipts) + 1))
        device = hub.devices[get_enrolment(paths).device]
        await until(lambda: device.receipts == told)
        assert sorted(device.shares) == [receipts[-1].next_epoch]
        assert [path.name for path in paths.cache.glob("cache-*.db")] == [f"cache-{receipts[-1].next_epoch}.db"]
        assert not list(paths.cache.glob("*.part*"))


async def purge_on(desk: DeskClient) -> None:
    with suppress(WabizError):
        while True:
            await desk.purge()


@pytest.mark.timeout(120)
async def test_a_clock_set_forward_purges_at_start_and_set_back_extends_nothing(hub: FakeHub, paths: Paths, tmp_path: Path) -> None:
    """Fifteen days on everything of today goes first thing, and stays gone when the clock is set right; a copy of the cache from
    before opens with nothing that exists; and the whole home from before, put back, holds nothing that was purged, and its chain
    goes on from the hub's."""
    fill(hub)
    await enrol(hub, paths)
    async with running(paths) as desk:
        await desk.sync()
        assert [await count(desk, 1), await count(desk, 2)] == [30, 30]
    older = tmp_path / "an older home"
    shutil.copytree(paths.config, older, ignore=shutil.ignore_patterns("*.sock", "run"))
    copy = older / paths.cache.relative_to(paths.config) / "cache-1.db"

    async with running(paths, WABIZ_CLOCK_AHEAD="15d") as desk:
        await until(lambda: has_receipt(desk, "start"))
        assert [await count(desk, 1), await count(desk, 2)] == [0, 30]
        assert await desk.search(DUE) == []
    keys = await opening_keys(paths, 1, config=CONFIG, passphrase=PASSPHRASE, clock=SystemClock())
    assert keys
    assert not opens(copy, keys)

    async with running(paths) as desk:
        await desk.sync()
        assert [await count(desk, 1), await count(desk, 2)] == [0, 30]

    shutil.rmtree(paths.config)
    shutil.copytree(older, paths.config)
    hub.ahead = timedelta(days=15)
    async with running(paths) as desk:
        await desk.sync()
        # Nothing of it is stored; what a person opens is read live from the hub, as any history.
        assert (await desk.status()).messages == 30
        assert await desk.search(DUE) == []
        await desk.purge()
        told = await desk.receipts()
        verify_chain(told, from_base64(get_enrolment(paths).public_key, size=32, what="key"))
        await until(lambda: hub.devices[get_enrolment(paths).device].receipts == told)


async def has_receipt(desk: DeskClient, reason: str) -> bool:
    return reason in [decode(signed.receipt, Receipt).reason for signed in await desk.receipts()]
