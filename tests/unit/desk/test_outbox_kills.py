"""A desk's process killed while it sends: files and messages in their undo time are neither lost nor sent twice."""

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.desk_bench import PASSPHRASE, enrol
from tests.support.desk_hub import POLICY, FakeHub
from tests.support.desk_samples import conversation, ident, until
from wabiz_tui.desk.process.client import DeskClient
from wabiz_tui.desk.process.launch import connect
from wabiz_tui.model.errors import WabizError
from wabiz_tui.model.paths import Paths, paths_under
from wabiz_tui.model.secret import Secret

KILLS = 3


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub().serve() as served:
        now = datetime.now(UTC)
        served.put(*(conversation(number, last_at=now, window_until=now + timedelta(hours=20)) for number in (1, 2, 3)))
        yield served


@pytest.fixture
async def paths(hub: FakeHub, tmp_path: Path) -> Paths:
    made = paths_under(tmp_path / "a home")
    await enrol(hub, made)
    return made


async def start(paths: Paths) -> DeskClient:
    return await connect(paths, passphrase=Secret(PASSPHRASE.reveal()), environment=os.environ | {"WABIZ_HOME": str(paths.config)})


async def is_empty(desk: DeskClient) -> bool:
    return (await desk.status()).outbox == 0


async def work(desk: DeskClient, folder: Path, round_: int, acknowledged: list[str]) -> None:
    """Send files as fast as the desk takes them, until it is killed."""
    with suppress(WabizError):
        for number in range(100):
            name = f"r{round_}n{number}.txt"
            (folder / name).write_bytes(name.encode() * 20_000)
            await desk.send_file(ident(1 + number % 3), str(folder / name), key=name)
            acknowledged.append(name)


@pytest.mark.timeout(240)
async def test_files_of_a_killed_desk_are_sent_once(hub: FakeHub, paths: Paths, tmp_path: Path) -> None:
    """Whatever a kill interrupts, each acknowledged file reaches the customer once, whole and in order, and none stays on the disk."""
    chance, acknowledged = random.Random(3), list[str]()
    for round_ in range(KILLS):
        desk = await start(paths)
        if round_ == 0:
            await desk.sync()
        working = asyncio.create_task(work(desk, tmp_path, round_, acknowledged))
        await asyncio.sleep(chance.uniform(0.05, 0.6))
        os.kill(desk.hello.pid, signal.SIGKILL)
        await working
        await desk.close()

    desk = await start(paths)
    await until(lambda: is_empty(desk), within=90)
    sealed = paths.data / "outbox-files"
    await until(lambda: not list(sealed.iterdir()), within=60)

    assert acknowledged
    keys = [key for key, _ in hub.sent]
    assert set(Counter(keys).values()) == {1}
    assert set(acknowledged) <= set(keys)
    for key, sent in hub.sent:
        assert hub.brought[sent["document"]["id"]] == key.encode() * 20_000
    for number in (1, 2, 3):
        mine = [key for key, sent in hub.sent if sent["recipient"].endswith(ident(number)) and key in acknowledged]
        assert mine == [key for key in acknowledged if key in mine]
    await desk.end()
    await desk.close()


async def test_a_kill_in_the_undo_time_changes_nothing(hub: FakeHub, paths: Paths) -> None:
    """Killed while a message may still be taken back, the desk that comes next keeps it back as long, and sends it once or not at all."""
    hub.set_policy(POLICY + '[sending]\nundo = "2s"\n')
    desk = await start(paths)
    await desk.sync()
    await desk.send_text(ident(1), "goes", key="goes", undo=True)
    await desk.send_text(ident(2), "is taken back", key="back", undo=True)
    os.kill(desk.hello.pid, signal.SIGKILL)
    await desk.close()

    desk = await start(paths)
    waiting = {one.message.key: one.message.id for one in await desk.outbox()}
    assert {"goes", "back"} <= set(waiting)
    assert hub.sent == [] or [key for key, _ in hub.sent] == ["goes"]
    is_back = await desk.recall(waiting["back"])
    await until(lambda: is_empty(desk), within=60)

    # A slow machine may have let the time run out: then both went, each once.
    assert sorted(key for key, _ in hub.sent) == (["goes"] if is_back else ["back", "goes"])
    await desk.end()
    await desk.close()
