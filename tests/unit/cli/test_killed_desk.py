"""A command whose desk dies under it says so and ends."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest
from starlette.requests import Request

from tests.support.desk_bench import PASSPHRASE, enrol
from tests.support.desk_hub import FakeHub
from tests.support.desk_samples import conversation, ident, message, until
from wabiz_tui.desk.process.launch import connect
from wabiz_tui.model.paths import paths_under
from wabiz_tui.model.secret import Secret


class HoldingHub(FakeHub):
    """Answers no question for changes or history while it holds; `is_asked` tells that one has come."""

    def __init__(self) -> None:
        super().__init__()
        self.holds, self.is_asked = Event(), Event()

    async def changes(self, request: Request) -> object:
        await self._hold()
        return await super().changes(request)

    async def history(self, request: Request) -> object:
        await self._hold()
        return await super().history(request)

    async def _hold(self) -> None:
        while self.holds.is_set():
            self.is_asked.set()
            await asyncio.sleep(0.01)


@pytest.fixture
def hub() -> Iterator[HoldingHub]:
    with HoldingHub().serve() as served:
        assert isinstance(served, HoldingHub)
        now = datetime.now(UTC)
        served.put(conversation(1, last_at=now), message(1, 1, "held words", sent_at=now))
        yield served
        served.holds.clear()


@pytest.mark.parametrize("command", [("sync",), ("messages", ident(1))], ids=["sync", "messages"])
async def test_a_command_whose_desk_is_killed_says_one_sentence(hub: HoldingHub, tmp_path: Path, command: tuple[str, ...]) -> None:
    """Stopped and then killed in the middle of a call: exit 4 and one line on standard error, neither words nor a traceback."""
    paths = paths_under(tmp_path / "a home")
    environment = os.environ | {"WABIZ_HOME": str(paths.config)}
    await enrol(hub, paths)
    desk = await connect(paths, passphrase=Secret(PASSPHRASE.reveal()), environment=environment)
    await desk.sync()
    hub.holds.set()
    hub.is_asked.clear()
    asking = subprocess.Popen(  # noqa: ASYNC220 it only starts it
        [sys.executable, "-m", "wabiz_tui.cli.main", *command],
        env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip

    await until(hub.is_asked.is_set)
    for number in (signal.SIGSTOP, signal.SIGKILL):
        os.kill(desk.hello.pid, number)
    said, failed = await asyncio.to_thread(asking.communicate, timeout=60)

    assert asking.returncode == 4
    assert failed == "wabiz: The desk has ended; start wabiz again.\n"
    assert "held words" not in said
    await desk.close()
