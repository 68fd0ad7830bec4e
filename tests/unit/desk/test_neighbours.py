"""Several agents on one machine: another user reaches neither socket, files nor memory of a desk, and tricks no client of it."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.desk_bench import PASSPHRASE, enrol
from tests.support.desk_hub import FakeHub
from tests.support.other_user import ask, staying
from wabiz_tui.desk.process.launch import connect
from wabiz_tui.desk.process.socket_file import socket_path
from wabiz_tui.model.paths import paths_under
from wabiz_tui.model.secret import Secret

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two other users")

ANN, BOB = 4001, 4002


YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")


@pytest.fixture
def common() -> Iterator[Path]:
    """A place that all users of the machine reach and may write to, as /tmp is."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o1777)
        yield folder


async def test_another_user_reaches_nothing_of_a_desk(common: Path) -> None:
    """A desk that runs, in a place where everybody may look: its socket, its files, its folders, its memory."""
    with FakeHub().serve() as hub:
        paths = paths_under(common / "home")
        await enrol(hub, paths)
        desk = await connect(paths, passphrase=Secret(PASSPHRASE.text()), environment=os.environ | {"WABIZ_HOME": str(paths.config)})
        await desk.sync()
        files = [path for path in paths.config.rglob("*") if path.is_file()]
        modes = {path.relative_to(paths.config).as_posix(): path.stat().st_mode & 0o777 for path in (*files, socket_path(paths))}
        folders = {path.stat().st_mode & 0o777 for path in (paths.config, *paths.config.rglob("*")) if path.is_dir()}
        # Even if the folder above were open.
        paths.config.chmod(0o711)
        paths.runtime.chmod(0o711)
        attempts = [("connect", socket_path(paths)), ("list", paths.config), ("memory", desk.hello.pid), ("trace", desk.hello.pid)]
        attempts += [("read", path) for path in files]
        refused = {f"{act} {argument}": ask(BOB, act, argument) for act, argument in attempts}
        paths.runtime.chmod(0o700)
        paths.config.chmod(0o700)
        await desk.end()
        await desk.close()

    assert set(modes.values()) == {0o600}, modes
    assert folders == {0o700}
    assert [attempt for attempt, answer in refused.items() if answer != {"refused": "PermissionError"}] == []


def test_a_program_of_the_same_user_cannot_read_a_hardened_process() -> None:
    """Its memory opens to a neighbour of the same user, and no longer once it is hardened; nor does tracing."""
    with staying(ANN, "nothing", "") as plain:
        before = ask(ANN, "memory", plain)
    with staying(ANN, "harden", "") as hardened:
        after = [ask(ANN, act, hardened) for act in ("memory", "trace")]

    # Some kernels let nobody read but the parent.
    assert before == {"done": "memory"} or YAMA.read_text().strip() != "0"
    assert after == [{"refused": "PermissionError"}] * 2


def test_a_planted_runtime_folder_is_refused(common: Path) -> None:
    """Somebody else was first where ours would be: a folder, a folder of ours under theirs, a link."""
    theirs = common / "runtime-4001"
    assert ask(BOB, "make", theirs) == {"done": "make"}
    (common / "link").symlink_to(theirs)
    under = common / "theirs" / "wabiz"
    under.mkdir(parents=True)
    os.chown(under.parent, BOB, BOB)
    os.chown(under, ANN, ANN)

    assert [ask(ANN, "check", place) for place in (theirs, common / "link", under)] == [{"refused": "Denied"}] * 3


def test_a_planted_socket_is_not_spoken_to(common: Path) -> None:
    """A client looks whose socket it is before it connects, and whose process before it says a word."""
    ours = common / "ours"
    ours.mkdir(mode=0o777)
    ours.chmod(0o777)
    with staying(BOB, "listen", ours / "desk.sock"):
        found = ask(ANN, "connect-as-client", ours / "desk.sock")
        os.chown(ours / "desk.sock", ANN, ANN)
        given = ask(ANN, "connect-as-client", ours / "desk.sock")

    assert found == given == {"refused": "Denied"}
