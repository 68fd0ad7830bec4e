"""After a lock neither keys nor words are in the desk's memory: the process has a new one, and its clients notice nothing else."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.desk_bench import PASSPHRASE, enrol
from tests.support.desk_hub import FakeHub
from tests.support.desk_samples import contact, conversation, ident, message
from tests.support.process_memory import can_read_others, core_limit, count_in_memory, shown_by, spellings, texts
from wabiz_tui.desk.keys import cache_key
from wabiz_tui.desk.process.client import DeskClient
from wabiz_tui.desk.process.launch import connect
from wabiz_tui.model.desk import DeskEvent
from wabiz_tui.model.errors import Locked, WrongKey
from wabiz_tui.model.paths import Paths, paths_under
from wabiz_tui.model.secret import Secret

WORDS = "quince-marmalade-with-cardamom"
NAME = "Perpetua Wolstenholme"
DRAFT = "half-a-thought-on-persimmons"


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub().serve() as served:
        yield served


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_under(tmp_path / "a home")


def environment(paths: Paths) -> dict[str, str]:
    return os.environ | {"WABIZ_HOME": str(paths.config)}


async def start(paths: Paths) -> DeskClient:
    return await connect(paths, passphrase=Secret(PASSPHRASE.text()), environment=environment(paths))


async def working_desk(hub: FakeHub, paths: Paths) -> DeskClient:
    """A desk's process that has shown, found and drafted words of a customer's."""
    hub.put(conversation(1, name=NAME), contact(1, name=NAME))
    hub.put(*(message(number, 1, f"{WORDS} {number}") for number in range(50)))
    await enrol(hub, paths)
    desk = await start(paths)
    await desk.sync()
    await desk.timeline(ident(1))
    await desk.save_draft(ident(1), DRAFT)
    return desk


async def heard(desk: DeskClient, told: list[DeskEvent]) -> None:
    async for event in desk.listen():
        told.append(event)  # noqa: PERF401 read while it grows


@pytest.mark.skipif(not can_read_others(), reason="reading another process' memory takes root")
async def test_after_a_lock_the_desks_memory_holds_neither_keys_nor_words(hub: FakeHub, paths: Paths) -> None:
    """Cache key, local secret, passphrase, words, names and drafts are found while it is open, and none of them after the lock."""
    desk = await working_desk(hub, paths)
    key = await asyncio.to_thread(cache_key, str(paths.config), PASSPHRASE.text())
    markers = [spellings(key), *(texts(text) for text in (WORDS, NAME, DRAFT)), texts(PASSPHRASE.text())]
    open_counts = [count_in_memory(desk.hello.pid, needles) for needles in markers[:-1]]

    await desk.lock()
    status = await desk.status()
    locked_counts = [count_in_memory(desk.hello.pid, needles) for needles in markers]

    assert status.locked
    assert all(open_counts), open_counts
    assert not any(locked_counts), locked_counts
    await desk.end()
    await desk.close()


async def test_all_clients_go_on_over_a_lock(hub: FakeHub, paths: Paths) -> None:
    """The process, its socket and both connections outlive the lock; each client is told once, asks on and unlocks."""
    first = await working_desk(hub, paths)
    second = await connect(paths, environment=environment(paths))
    told: list[DeskEvent] = []
    listening = asyncio.create_task(heard(second, told))
    await asyncio.sleep(0)

    await first.lock("asked")
    with pytest.raises(Locked):
        await first.timeline(ident(1))
    after_lock = await second.status()
    # Asked in one breath, while the process changes its memory: each is answered, by the old one or by the new.
    with pytest.raises(WrongKey):
        await second.unlock(Secret("not this one"))
    answers = await asyncio.gather(*(client.status() for client in (first, second) * 20))
    opened = await second.unlock(Secret(PASSPHRASE.text()))
    page = await first.timeline(ident(1))
    draft = await first.draft(ident(1))
    third = await connect(paths, environment=environment(paths))

    assert after_lock.locked
    assert all(answer.locked for answer in answers)
    assert not opened.locked
    assert page.messages
    assert draft is not None
    assert draft.text == DRAFT
    assert third.hello.pid == first.hello.pid
    assert [event.kind for event in told].count("locked") == 1
    assert "closing" not in [event.kind for event in told]
    listening.cancel()
    await first.end()
    for client in (first, second, third):
        await client.close()


async def test_a_lock_leaves_a_client_behind_that_reads_nothing(hub: FakeHub, paths: Paths) -> None:
    """Somebody hangs with answers unread: the lock does not wait for them, and everybody else goes on."""
    desk = await working_desk(hub, paths)
    hanging = await connect(paths, environment=environment(paths))
    # As a stopped process does: the kernel's buffer fills up.
    hanging._reading.cancel()  # pyright: ignore[reportPrivateUsage] its own reading goes on as long as it runs
    asking = [asyncio.create_task(hanging.messages(ident(1))) for _ in range(200)]
    await asyncio.sleep(0.2)

    async with asyncio.timeout(30):
        await desk.lock()
        assert (await desk.status()).locked

    for task in asking:
        task.cancel()
    await hanging.close()
    await desk.end()
    await desk.close()


@pytest.mark.parametrize("state", ["open", "locked"])
async def test_no_core_is_dumped_and_no_secret_is_in_arguments_or_environment(hub: FakeHub, paths: Paths, state: str) -> None:
    """Before a lock and with the memory after it: core limit 0, and neither list holds the passphrase or a word."""
    desk = await working_desk(hub, paths)
    if state == "locked":
        await desk.lock()
        await desk.status()
    shown = shown_by(desk.hello.pid)

    assert core_limit(desk.hello.pid) == "0"
    assert not any(secret.encode() in shown for secret in (PASSPHRASE.text(), WORDS, NAME))
    await desk.end()
    await desk.close()
