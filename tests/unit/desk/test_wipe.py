"""A wiped machine holds nothing of wabiz's but its configuration, and nothing of anybody else's is touched."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.desk_bench import CONFIG, PASSPHRASE, enrol, opened
from tests.support.desk_hub import FakeHub
from tests.support.desk_samples import until
from wabiz_tui.desk.enrolment import get_enrolment
from wabiz_tui.desk.keys import warm
from wabiz_tui.desk.process.launch import connect
from wabiz_tui.desk.purge.wipe import wipe
from wabiz_tui.model.clock import SystemClock
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
    device, pid = get_enrolment(paths).device, desk.hello.pid
    if state == "hangs":
        os.kill(pid, signal.SIGSTOP)

    removed = await wipe(paths, config=CONFIG, clock=SystemClock())

    await until(lambda: not is_running(pid))
    assert [path.name for path in paths.config.rglob("*")] == []
    assert warm.find(device, now=SystemClock().now()) is None
    assert {"cache-1.db", "outbox.db", "enrolment.json"} <= set(removed)
    await desk.close()


def is_running(pid: int) -> bool:
    """A process that has ended and was not waited for is none."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
