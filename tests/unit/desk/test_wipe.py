"""A wiped machine holds nothing of wabiz's but its configuration, and nothing of anybody else's is touched."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest

from tests.support.desk_bench import CONFIG, PASSPHRASE, enrol, opened
from tests.support.desk_hub import FakeHub
from tests.support.desk_samples import until
from wabiz_tui.desk.enrolment import get_enrolment
from wabiz_tui.desk.keys import warm
from wabiz_tui.desk.keys.passphrase_file import NAME as KEY_FILE
from wabiz_tui.desk.process import socket_file
from wabiz_tui.desk.process.launch import connect
from wabiz_tui.desk.purge.receipts import DAMAGED
from wabiz_tui.desk.purge.wipe import destroy_keys_and_files, wipe
from wabiz_tui.model.clock import SystemClock
from wabiz_tui.model.errors import Unreachable
from wabiz_tui.model.paths import Paths, paths_under
from wabiz_tui.model.secret import Secret


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub().serve() as served:
        yield served


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_under(tmp_path / "home")


@pytest.mark.parametrize("others", [[], ["notes.txt"]], ids=["ours alone", "somebody else's too"])
async def test_no_empty_folder_is_left(hub: FakeHub, paths: Paths, others: list[str]) -> None:
    """The data folder goes with what was in it, and stays with what is not ours."""
    async with opened(hub, paths):
        pass
    for name in others:
        (paths.data / name).write_text("not ours")

    await wipe(paths, config=CONFIG, clock=SystemClock())

    assert [path.name for path in paths.config.rglob("*")] == (["data", *others] if others else [])


@pytest.mark.parametrize("state", ["answers", "hangs"])
async def test_a_desk_that_runs_is_ended_and_nothing_it_kept_is_left(
    hub: FakeHub, paths: Paths, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that answers nobody: its process is gone, its files and its keys in the kernel too, and each is named."""
    monkeypatch.setattr("wabiz_tui.desk.purge.wipe._END_SECONDS", 1.0 if state == "hangs" else 20.0)
    await enrol(hub, paths)
    environment = os.environ | {"WABIZ_HOME": str(paths.config)}
    desk = await connect(paths, passphrase=Secret(PASSPHRASE.text()), environment=environment)
    await desk.sync()
    (paths.data / DAMAGED).write_bytes(b"what could not be read")
    device, pid = get_enrolment(paths).device, desk.hello.pid
    if state == "hangs":
        os.kill(pid, signal.SIGSTOP)

    removed = await wipe(paths, config=CONFIG, clock=SystemClock())

    await until(lambda: not is_running(pid))
    assert [path.name for path in paths.config.rglob("*")] == []
    assert warm.find(device, now=SystemClock().now()) is None
    assert {"cache-1.db", "outbox.db", "enrolment.json", DAMAGED} <= set(removed)
    await desk.close()


@pytest.mark.parametrize("way", ["wipe", "revocation"])
async def test_a_half_written_key_file_goes_too(hub: FakeHub, paths: Paths, way: str) -> None:
    """A kill while the key store's file is written leaves the key in a draft beside it."""
    async with opened(hub, paths):
        pass
    draft = paths.data / f".{KEY_FILE}.4711"
    draft.write_bytes(b"sealed")

    if way == "wipe":
        await wipe(paths, config=CONFIG, clock=SystemClock())
    else:
        destroy_keys_and_files(get_enrolment(paths), CONFIG, paths)

    assert not draft.exists()


async def test_a_desk_in_another_container_is_not_killed_by_number(hub: FakeHub, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel gives 0 for a process that is not visible from here: nobody is killed, and nothing is removed under it."""
    async with opened(hub, paths):
        pass
    kill = Mock()
    monkeypatch.setattr(socket_file, "listener_of", Mock(return_value=0))
    monkeypatch.setattr("wabiz_tui.desk.purge.wipe.os.kill", kill)

    with pytest.raises(Unreachable, match="container"):
        await wipe(paths, config=CONFIG, clock=SystemClock())

    assert not kill.called
    assert (paths.data / "enrolment.json").exists()


def is_running(pid: int) -> bool:
    """A process that has ended and was not waited for is none."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
