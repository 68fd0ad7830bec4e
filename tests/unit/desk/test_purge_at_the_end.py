"""However a desk ends while something is due: it destroys that first, or, where it cannot, at its next start, and shows it to nobody."""

import os
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.desk_bench import COLD, PASSPHRASE, enrol, opened
from tests.support.desk_hub import FakeHub
from tests.support.desk_samples import contact, conversation, ident, message, until
from wabiz_tui.desk.desk import LocalDesk
from wabiz_tui.desk.process.client import DeskClient
from wabiz_tui.desk.process.launch import connect
from wabiz_tui.model.codec import decode
from wabiz_tui.model.errors import NotFound
from wabiz_tui.model.paths import Paths, paths_under
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.wire import Receipt

NOW = datetime.now(UTC)
DUE = 7
"""So many messages."""


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub().serve() as served:
        fill(served)
        yield served


def fill(hub: FakeHub) -> None:
    hub.put(*(conversation(number, last_at=NOW, window_until=NOW + timedelta(hours=20)) for number in (1, 2)), contact(1), contact(2))
    hub.put(*(message(n, 1, f"due {n}", sent_at=NOW) for n in range(DUE)), message(99, 2, "stays", sent_at=NOW))


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_under(tmp_path / "home")


async def fall_due(hub: FakeHub, desk: LocalDesk | DeskClient) -> None:
    """What is taken away is hidden at once, and destroyed some seconds after the rebuild before it: there is one."""
    await desk.sync()
    await desk.purge()
    hub.remove(hub.values[ident(1)])
    await desk.sync()
    with pytest.raises(NotFound):
        await desk.conversation(ident(1))


def last_receipt(hub: FakeHub) -> Receipt:
    (device,) = hub.devices.values()
    return decode(device.receipts[-1].receipt, Receipt)


@pytest.mark.parametrize("how", ["exit", "lock"])
async def test_an_orderly_end_destroys_what_is_due(hub: FakeHub, paths: Paths, how: str) -> None:
    """The hub has the receipt when the call returns, and the file holds nothing else any more."""
    async with opened(hub, paths, config=COLD) as desk:
        await fall_due(hub, desk)
        if how == "lock":
            await desk.lock()

    made = last_receipt(hub)
    # On a slow machine its time came before the end did.
    assert made.reason in (how, "removed")
    assert (made.removed.messages, made.removed.conversations) == (DUE, 1)
    assert [file.name for file in paths.cache.glob("cache-*.db")] == [f"cache-{made.next_epoch}.db"]


async def test_an_end_without_the_hub_is_made_up_for_at_the_start(paths: Paths) -> None:
    """What could not be destroyed is shown by no call of the next desk, which destroys it by itself."""
    other = FakeHub()
    fill(other)
    async with AsyncExitStack() as later:
        with other.serve():
            desk = await later.enter_async_context(opened(other, paths, config=COLD))
            await fall_due(other, desk)
            port = int(other.url.rpartition(":")[2])
        await until(lambda: _is_offline(desk))

    with other.serve(port):
        await _starts_with_a_purge(other, paths)


async def test_what_a_kill_left_due_is_destroyed_at_the_start(hub: FakeHub, paths: Paths) -> None:
    """Likewise."""
    desk = await _running(hub, paths)
    await fall_due(hub, desk)
    os.kill(desk.hello.pid, signal.SIGKILL)
    await desk.close()
    await until(lambda: is_gone(desk.hello.pid))

    await _starts_with_a_purge(hub, paths)


async def _starts_with_a_purge(hub: FakeHub, paths: Paths) -> None:
    async with opened(hub, paths, config=COLD, synced=False) as desk:
        shown = [row.id for row in await desk.conversations()]
        with pytest.raises(NotFound):
            await desk.conversation(ident(1))
        found = await desk.search("due")
        await until(lambda: last_receipt(hub).reason != "asked")

    made = last_receipt(hub)
    assert (shown, found) == ([ident(2)], [])
    assert made.reason in ("start", "removed")
    assert made.removed.messages == DUE
    assert [file.name for file in paths.cache.glob("cache-*.db")] == [f"cache-{made.next_epoch}.db"]


async def _is_offline(desk: LocalDesk) -> bool:
    return (await desk.status()).link == "offline"


async def _running(hub: FakeHub, paths: Paths) -> DeskClient:
    await enrol(hub, paths)
    return await connect(paths, passphrase=Secret(PASSPHRASE.text()), environment=os.environ | {"WABIZ_HOME": str(paths.config)})


@pytest.mark.parametrize("how", ["stopped", "abandoned"])
async def test_a_process_destroys_what_is_due_before_it_ends(hub: FakeHub, paths: Paths, how: str) -> None:
    """Told to end by a signal, or left by its last client."""
    desk = await _running(hub, paths)
    pid = desk.hello.pid
    await fall_due(hub, desk)
    if how == "stopped":
        os.kill(pid, signal.SIGTERM)
    await desk.close()
    await until(lambda: is_gone(pid))

    made = last_receipt(hub)
    # On a slow machine its time came before the end did.
    assert made.reason in ("exit", "removed")
    assert made.removed.messages == DUE


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return False
