"""The desk's log: private, bounded, one JSON object a line, and never a word of what was said."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.desk_bench import PASSPHRASE, enrol
from tests.support.desk_hub import FakeHub
from wabiz_tui.desk.process.launch import LOG, connect
from wabiz_tui.desk.process.log import task_failed
from wabiz_tui.model.errors import WrongKey
from wabiz_tui.model.paths import Paths, paths_under
from wabiz_tui.model.secret import Secret


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub().serve() as served:
        yield served


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_under(tmp_path / "a home")


async def test_why_a_desk_did_not_start_is_in_its_log(hub: FakeHub, paths: Paths) -> None:
    """One line of JSON with the code, in a file of mode 0600 that is begun anew beyond a mebibyte."""
    await enrol(hub, paths)
    log = paths.state / LOG
    log.parent.mkdir(parents=True, exist_ok=True)
    log.touch(0o600)
    log.write_bytes(b"x" * (1 << 20) + b"\n")

    with pytest.raises(WrongKey):
        await connect(paths, passphrase=Secret("not " + PASSPHRASE.text()), environment=os.environ | {"WABIZ_HOME": str(paths.config)})

    (line,) = log.read_text().splitlines()
    assert {"event": "not_started", "code": "wrong_key"}.items() <= json.loads(line).items()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_fault_is_told_by_kind_and_place_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """The text of an error may hold a customer's words: it is not written."""
    with pytest.raises(ValueError, match="card") as caught:
        int("my card number")
    task_failed(None, {"message": "my card number", "exception": caught.value})  # pyright: ignore[reportArgumentType] not used

    told = capsys.readouterr().err
    assert json.loads(told)["error"] == "ValueError"
    assert json.loads(told)["at"].startswith("test_log.py:")
    assert "card" not in told


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the device that is always full is Linux's")
def test_a_log_that_cannot_be_written_hides_no_reason(tmp_path: Path) -> None:
    """With its log on a full disk a desk that cannot start still tells whoever waits for it why."""
    reading, writing = os.pipe()
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "wabiz_tui.desk.process", "--ready-fd", str(writing)]
        environment = os.environ | {"WABIZ_HOME": str(tmp_path / "home")}
        subprocess.run(command, env=environment, pass_fds=[writing], stdin=subprocess.DEVNULL, stderr=full, timeout=60, check=False)
    os.close(writing)

    with os.fdopen(reading, "rb") as told:
        assert b"enroll" in told.read()
