"""Opening a customer's file: lent by the desk, shown by a program that gets no terminal, taken back."""

import os
import stat
import sys
from pathlib import Path

import pytest

from tests.support.tui_desk import StillDesk
from wabiz_tui.model.desk import Lent
from wabiz_tui.model.errors import UsageError
from wabiz_tui.tui import viewing
from wabiz_tui.tui.viewing import show, viewer_command


class LendingDesk(StillDesk):
    """Lends a real file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    async def lend_media(self, message: str) -> Lent:
        lent = await super().lend_media(message)
        return Lent(str(self.path), lent.until)


def program(folder: Path, body: str) -> list[str]:
    made = folder / "viewer"
    made.write_text(f"#!{sys.executable}\nimport os, sys\n{body}\n")
    made.chmod(made.stat().st_mode | stat.S_IXUSR)
    return [str(made)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    lent = tmp_path / "lent.png"
    lent.write_bytes(b"the picture")
    return lent


async def test_viewer_reads_the_file_without_our_terminal(tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program reads the file, holds none of our streams, is in a session of its own, and the file is returned when it ends."""
    monkeypatch.setattr(viewing, "_HANDED_ON", 0.0)
    out = tmp_path / "out"
    body = (
        f"open({str(out)!r}, 'w').write(open(sys.argv[-1]).read() + str([os.fstat(n).st_rdev for n in range(3)])"
        " + str(os.getsid(0) == os.getpid()))"
    )
    desk = LendingDesk(file)

    await show(desk, "m", program(tmp_path, body))

    null = _device(Path(os.devnull))
    assert out.read_text() == f"the picture{[null] * 3}True"
    assert desk.named("return_media") == [("return_media", "m")]


async def test_program_that_hands_on_leaves_the_file(tmp_path: Path, file: Path) -> None:
    """An opener that ends at once has given the file to another program: it stays until the desk's time is over."""
    desk = LendingDesk(file)

    await show(desk, "m", program(tmp_path, "pass"))

    assert desk.named("return_media") == []


@pytest.mark.parametrize("body", ["sys.exit(3)", None])
async def test_failed_viewer_is_said_and_returns_the_file(tmp_path: Path, file: Path, body: str | None) -> None:
    """A viewer that fails, or is no program, is told in one sentence, and the file is taken back at once."""
    desk = LendingDesk(file)

    with pytest.raises(UsageError):
        await show(desk, "m", program(tmp_path, body) if body else [str(tmp_path)])

    assert desk.named("return_media") == [("return_media", "m")]


def test_viewer_is_the_one_that_is_set() -> None:
    """The command of config.toml is split as a shell would, and found on the path; without one and without a display there is none."""
    assert viewer_command("sh -c 'a b'", {"PATH": "/bin"}) == ["/bin/sh", "-c", "a b"]
    for setting in ("", "no-such-program-here", "sh 'open"):
        with pytest.raises(UsageError):
            viewer_command(setting, {"PATH": "/bin"})


def _device(path: Path) -> int:
    return path.stat().st_rdev
