"""What takes the inbox out of sight, over real processes and a real tmux: nothing readable stays on the terminal or in memory."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.support.terminal import Terminal
from tests.journeys.test_terminal import WABIZ, desk_process, ended, inbox, open_talk
from tests.support.process_memory import can_read_others, core_limit, count_in_memory, shown_by, texts
from tests.support.road import Road, until

needs_root = pytest.mark.skipif(not can_read_others(), reason="reading another process' memory takes root")
TMUX = shutil.which("tmux") or ""
needs_tmux = pytest.mark.skipif(not TMUX, reason="no tmux here")


class Tmux:
    """A tmux server of its own, with one session that runs the inbox, and a client that can come and go."""

    def __init__(self, road: Road, folder: Path, *, options: tuple[str, ...] = ()) -> None:
        self.socket = folder / "tmux.sock"
        self.environment = {**road.agent.environment(), "TERM": "xterm-256color"}
        config = folder / "tmux.conf"
        config.write_text("".join(f"set -g {option}\n" for option in ("default-size 120x36", *options)))
        self._run("-f", str(config), "new-session", "-d", "-s", "work", "-x", "120", "-y", "36", "sh")

    def _run(self, *arguments: str) -> str:
        command = [TMUX, "-S", str(self.socket), *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60, check=True).stdout

    def client(self) -> Terminal:
        return Terminal([TMUX, "-S", str(self.socket), "attach", "-t", "work"], self.environment)

    def keys(self, *keys: str) -> None:
        self._run("send-keys", "-t", "work", *keys)

    def begin(self) -> None:
        self.keys(" ".join(WABIZ), "Enter")

    def screen(self) -> str:
        return self._run("capture-pane", "-p", "-t", "work")

    def everything(self) -> str:
        """The screen with its whole history, the primary screen behind it, and the titles."""
        history = self._run("capture-pane", "-p", "-S", "-", "-t", "work")
        behind = subprocess.run(
            [TMUX, "-S", str(self.socket), "capture-pane", "-a", "-q", "-p", "-S", "-", "-t", "work"],
            env=self.environment, capture_output=True, text=True, timeout=60, check=False,
        ).stdout  # fmt: skip
        return history + behind + self._run("display-message", "-p", "-t", "work", "#{pane_title} #{window_name} #{session_name}")

    def command(self) -> str:
        """What runs in the pane now."""
        return self._run("display-message", "-p", "-t", "work", "#{pane_current_command}").strip()

    def pane_process(self) -> int:
        """The shell that the inbox was started from."""
        return int(self._run("display-message", "-p", "-t", "work", "#{pane_pid}"))

    def end(self) -> None:
        self._run("kill-server")


@pytest.fixture
def tmux(road: Road, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Tmux]:
    road.agent.run("sync")
    server = Tmux(road, tmp_path, options=getattr(request, "param", ()))
    yield server
    server.end()


def screen_shows(tmux: Tmux, words: str) -> Callable[[], bool]:
    return lambda: words in tmux.screen()


def commands_under(parent: int) -> list[bytes]:
    """The command lines of a process's children."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [Path(f"/proc/{child}/cmdline").read_bytes() for child in children]


def is_locked(road: Road) -> bool:
    """What `wabiz status` says without a passphrase."""
    command = [*WABIZ, "status", "--json"]
    told = subprocess.run(command, env=road.agent.environment(), capture_output=True, text=True, timeout=60, check=True).stdout
    return bool(json.loads(told)["locked"])


def is_stopped(terminal: Terminal) -> bool:
    """It writes its last before it stops, so somebody has to read."""
    terminal.settle(0.05)
    return os.waitpid(terminal.pid, os.WNOHANG | os.WUNTRACED)[0] == terminal.pid


@needs_tmux
def test_a_detached_tmux_locks(road: Road, tmux: Tmux) -> None:
    """The inbox stays open while somebody is attached; when the last one detaches, the desk locks and the pane goes blank."""
    road.customer_writes("Nobody may see it", phone="491570000401", name="Tina Tmux")
    road.conversation_of("Tina Tmux")
    with tmux.client() as client:
        tmux.begin()
        assert until(screen_shows(tmux, "Tina Tmux"))
        client.settle()
        assert not is_locked(road)
    # The client has ended as a lost line ends it.
    assert until(screen_shows(tmux, "Locked"))
    assert until(lambda: is_locked(road))
    assert "Tina" not in tmux.everything()


@needs_tmux
@pytest.mark.parametrize("tmux", [(), ("alternate-screen off",)], indirect=True, ids=["alternate", "no alternate screen"])
def test_nothing_is_left_in_the_terminals_history(road: Road, tmux: Tmux) -> None:
    """After leaving, and after a lock, neither screen nor scrollback nor titles hold a customer's name or words."""
    road.customer_writes("Leave no trace", phone="491570000402", name="Hedda History")
    road.conversation_of("Hedda History")
    with tmux.client():
        tmux.begin()
        assert until(screen_shows(tmux, "Hedda History"))
        tmux.keys("C-l")
        assert until(screen_shows(tmux, "Locked"))
        locked = tmux.everything()
        tmux.keys("-l", "--", road.agent.passphrase())
        tmux.keys("Enter")
        assert until(screen_shows(tmux, "Hedda History"))
        tmux.keys("C-q")
        assert until(lambda: tmux.command() == "sh")
        left = tmux.everything()

    for told in (locked, left):
        assert "Hedda" not in told
        assert "no trace" not in told


@needs_root
def test_a_locked_screen_has_a_new_memory(road: Road) -> None:
    """Names, words and the passphrase are in the memory of an open inbox; a moment after the lock none is, and it goes on there."""
    road.customer_writes("Words to forget", phone="491570000403", name="Nora Newmind")
    road.conversation_of("Nora Newmind")
    markers = [texts("Words to forget"), texts("Nora Newmind"), texts(road.agent.passphrase())]

    with inbox(road) as terminal:
        open_talk(terminal, "Nora Newmind")
        terminal.wait_for("Words to forget")
        open_counts = [count_in_memory(terminal.pid, needles) for needles in markers[:2]]
        terminal.write(b"\x0c")
        terminal.wait_for("You locked it")

        def is_new() -> bool:
            terminal.settle(0.2)
            return not any(count_in_memory(terminal.pid, needles) for needles in markers)

        is_clean = until(is_new)
        terminal.wait_for("You locked it")
        terminal.write(road.agent.passphrase().encode() + b"\r")
        terminal.wait_for("Nora Newmind")
        shown = shown_by(terminal.pid)
        limit = core_limit(terminal.pid)
        terminal.settle()
        terminal.write(b"\x0c")
        terminal.wait_for("You locked it")
        locked_desk = [count_in_memory(desk_process(road), needles) for needles in markers]

    assert all(open_counts)
    assert is_clean
    assert limit == "0"
    assert not any(needle in shown for needles in markers for needle in needles)
    assert not any(locked_desk)


def test_a_lost_line_locks(road: Road) -> None:
    """The terminal hangs up: the screen's process ends, and the desk is locked for everybody."""
    road.customer_writes("Gone is gone", phone="491570000404", name="Ludo Lost")
    road.conversation_of("Ludo Lost")

    with inbox(road) as terminal:
        terminal.wait_for("Ludo Lost")
        # Perhaps the first paint, before there is an app.
        os.kill(terminal.pid, signal.SIGHUP)
        assert ended(terminal) == 128 + signal.SIGHUP
    assert until(lambda: is_locked(road))


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("pause", [0.0, 0.1, 0.25, 0.5])
def test_what_ends_the_start_leaves_nothing_readable(road: Road, pause: float, end: signal.Signals) -> None:
    """A signal between the first paint and the app, or just after it: the code says so (an app that stands takes an interrupt for a
    wish to leave), and no customer stays on the screen."""
    road.customer_writes("Not for long", phone="491570000451", name="Tina Terminated")
    road.conversation_of("Tina Terminated")

    with inbox(road) as terminal:
        terminal.wait_for("Tina Terminated")
        time.sleep(pause)
        os.kill(terminal.pid, end)
        assert ended(terminal) in ((128 + end, 0) if end is signal.SIGINT else (128 + end,))
        terminal.settle()
        assert "Tina" not in terminal.text()


def test_a_terminal_that_vanishes_at_the_first_sight_locks(road: Road) -> None:
    """The line itself is gone, so that nothing can be written either: the desk is locked all the same."""
    road.customer_writes("Gone at once", phone="491570000453", name="Vic Vanishes")
    road.conversation_of("Vic Vanishes")

    with inbox(road) as terminal:
        terminal.wait_for("Vic Vanishes")
        os.close(terminal.master)
        assert until(lambda: bool(os.waitpid(terminal.pid, os.WNOHANG)[0]))
        terminal.finished = True
        terminal.master = os.open(os.devnull, os.O_RDWR)
    assert until(lambda: is_locked(road))


def test_a_stopped_program_is_locked_first(road: Road) -> None:
    """SIGTSTP stops it only after the lock; when it goes on, the locked screen is what comes back."""
    road.customer_writes("Halt", phone="491570000405", name="Stan Stopped")
    road.conversation_of("Stan Stopped")

    with inbox(road) as terminal:
        terminal.wait_for("Stan Stopped")
        terminal.write(b"?")
        terminal.wait_for("Half a page down")
        os.kill(terminal.pid, signal.SIGTSTP)
        assert until(lambda: is_stopped(terminal))
        terminal.settle()
        assert "Stan" not in terminal.text()
        assert is_locked(road)
        os.kill(terminal.pid, signal.SIGCONT)
        terminal.wait_for("Locked")
        terminal.settle()
        assert "Stan" not in terminal.text()


def test_a_killed_desk_costs_no_draft_and_no_place(road: Road) -> None:
    """What was typed while the desk was gone is in the composer of the same conversation when it is opened again."""
    road.customer_writes("Do hold on", phone="491570000406", name="Clara Crash")
    road.conversation_of("Clara Crash")

    with inbox(road) as terminal:
        open_talk(terminal, "Clara Crash")
        terminal.settle()
        terminal.write(b"i")
        terminal.settle()
        terminal.write(b"before it fell")
        terminal.wait_for("before it fell")
        os.kill(desk_process(road), signal.SIGKILL)
        terminal.wait_for("The desk has ended")
        terminal.write(b"\r")
        terminal.wait_for("passphrase|Clara Crash", 60)
        if "Clara Crash" not in terminal.text():
            terminal.write(road.agent.passphrase().encode() + b"\r")
        terminal.wait_for("before it fell", 60)
        assert "Do hold on" in terminal.text()


@needs_tmux
def test_who_comes_back_is_heard_at_once(road: Road, tmux: Tmux) -> None:
    """After a lock by detaching, the screen that renewed itself meanwhile takes the passphrase; typed a second time in haste, it goes to
    no customer."""
    road.customer_writes("Are you there", phone="491570000407", name="Berta Back")
    road.conversation_of("Berta Back")
    passphrase = f"{road.agent.passphrase()}\r".encode()
    with tmux.client() as client:
        tmux.begin()
        assert until(screen_shows(tmux, "Berta Back"))
        client.settle()
        tmux.keys("Enter")
        assert until(screen_shows(tmux, "Are you there"))
    assert until(screen_shows(tmux, "Locked"))
    assert until(lambda: any(b"--resumed-fd" in command for command in commands_under(tmux.pane_process())))
    with tmux.client() as client:
        client.wait_for("Locked", 60)
        client.settle()
        client.write(passphrase)
        client.write(b"i" + passphrase)
        client.wait_for("was dropped", 60)
        client.settle()
        assert "Are you there" in tmux.screen()
        assert road.agent.passphrase() not in tmux.everything()
    written = road.agent.records("messages", road.conversation_of("Berta Back")["id"])
    assert [message["direction"] for message in written] == ["incoming"]
