"""Where what customers say may lie on an agent's machine: on the screen while it is open and in sealed files, and nowhere else."""

import asyncio
import base64
import json
import os
import re
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

import pytest

from bench.support.terminal import Terminal
from tests.journeys.test_terminal import WABIZ, ended, open_talk
from tests.support.process_memory import texts
from tests.support.road import Road, until
from wabiz_tui.cli.demo.stage import Seat
from wabiz_tui.desk.process.launch import connect

NAME, PHONE = "Zuleika Privatissima", "491570000977"
WORDS, NOTE, DRAFT, SENT, SCRIPTED = "quittenmus-und-zimt", "notiz-vogelbeere", "entwurf-holunder", "antwort-schlehe", "skript-hagebutte"
SOUGHT, SOUGHT_NAME = "quittenm", "Zuleika Priv"
FILE, FILE_NAME = b"%PDF-1.7 befund-sanddorn " * 4000, "befund-zephyrine.pdf"
MARKERS = (NAME, PHONE, WORDS, NOTE, DRAFT, SENT, SCRIPTED, SOUGHT, SOUGHT_NAME, "befund-sanddorn", FILE_NAME)
NEEDLES = {marker: [*texts(marker), base64.b64encode(marker.encode()).rstrip(b"=")[:-1]] for marker in MARKERS}
LOCK, ESCAPE, ENTER, LEAVE = b"\x0c", b"\x1b", b"\r", b"\x11"
VIEWER = """#!{python}
import sys
with open(sys.argv[1], "rb") as file, open({seen!r}, "w") as seen:
    seen.write(sys.argv[1] + "\\n" + str(len(file.read())))
"""
# The inbox with a fault of its own, with a customer's words in its message and at hand where it happens.
FAULTY = f"""
import asyncio, signal
from wabiz_tui.cli.main import run
from wabiz_tui.tui.app import WabizApp

def fail():
    words = "{WORDS[::-1]}"[::-1]
    raise ValueError(words)

begin = WabizApp.on_mount
def faulty(app):
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, lambda: app.call_later(fail))
    return begin(app)

WabizApp.on_mount = faulty
run()
"""


class Recorded(Terminal):
    """Keeps every byte that the program wrote to its terminal."""

    written = b""

    def __enter__(self) -> Self:
        return self

    def _read(self, seconds: float) -> bytes:
        chunk = super()._read(seconds)
        self.written += chunk
        return chunk

    def commands(self) -> list[bytes]:
        """What was told to the terminal itself: titles, notifications, the clipboard (OSC)."""
        return re.findall(rb"\x1b\]([^\x07\x1b]*)", self.written)

    def primary(self) -> bytes:
        """What stays on the screen that the shell comes back to, without colours and positions."""
        outside = re.sub(rb"\x1b\[\?1049h.*?(\x1b\[\?1049l|$)", b"", self.written, flags=re.DOTALL)
        return re.sub(rb"\x1b(\[[0-9;?<>=]*[A-Za-z]|[()].)", b"", outside)


class Watch(threading.Thread):
    """Reads, again and again, what anybody may see of the processes that work for one machine: arguments and environment."""

    def __init__(self, home: Path) -> None:
        super().__init__(daemon=True)
        self._home, self._is_over = os.fsencode(home), threading.Event()
        self.shown: dict[str, bytes] = {}

    def run(self) -> None:
        while not self._is_over.wait(0.1):
            for place in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):
                    environment = (place / "environ").read_bytes()
                    if self._home in environment:
                        self.shown[place.name] = self.shown.get(place.name, b"") + (place / "cmdline").read_bytes() + environment

    def end(self) -> None:
        self._is_over.set()
        self.join(30)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, ...]]:
    """A home and a place for temporary files that nothing else uses, and the most careless mask for new files."""
    made = tuple(tmp_path / name for name in ("at-home", "temporary"))
    for folder, variable in zip(made, ("HOME", "TMPDIR"), strict=True):
        folder.mkdir()
        monkeypatch.setenv(variable, str(folder))
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "TMUX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HISTFILE", str(made[0] / ".history"))
    before = os.umask(0)
    yield made
    os.umask(before)


def run(seat: Seat, *arguments: str, words: str = "") -> str:
    """A command that gets its words where nobody else can read them."""
    command = [*WABIZ, *arguments]
    return subprocess.run(
        command, env=seat.environment(), input=words, capture_output=True, text=True, timeout=120, check=True
    ).stdout  # fmt: skip


def give_viewer(seat: Seat, tmp_path: Path) -> Path:
    """A viewer that says which file it was given; where it says so."""
    seen, viewer, config = tmp_path / "seen", tmp_path / "viewer", seat.home / "config.toml"
    viewer.write_text(VIEWER.format(python=sys.executable, seen=str(seen)))
    viewer.chmod(0o700)
    config.write_text(f"[desk]\nviewer = {json.dumps(str(viewer))}\n")
    config.chmod(0o600)
    return seen


def work_at_the_screen(seat: Seat) -> Recorded:
    """Open, read, answer, draft, seek, lock, unlock and leave."""
    with Recorded(WABIZ, seat.environment()) as terminal:
        open_talk(terminal, NAME)
        terminal.wait_for(WORDS)
        terminal.wait_for(NOTE)
        terminal.settle()
        terminal.write(b"i" + SENT.encode())
        terminal.wait_for(SENT)
        terminal.write(ENTER)
        terminal.wait_for("✓")
        terminal.write(DRAFT.encode())
        terminal.wait_for(DRAFT)
        terminal.write(ESCAPE)
        terminal.settle()
        terminal.write(b"/" + SOUGHT.encode())
        terminal.wait_for(SOUGHT)
        terminal.settle()
        terminal.write(LOCK)
        terminal.wait_for("You locked it")
        terminal.settle()
        assert not any(marker in terminal.text() for marker in MARKERS)
        terminal.write(seat.passphrase().encode() + ENTER)
        terminal.wait_for(NAME)
        terminal.settle()
        terminal.write(LEAVE)
        assert ended(terminal) == 0
        terminal.settle()
    return terminal


def meet_faults(seat: Seat, desk: int) -> Recorded:
    """The desk is killed under the screen and opened again; then the screen meets a fault of its own."""
    with Recorded([sys.executable, "-c", FAULTY], seat.environment()) as terminal:
        open_talk(terminal, NAME)
        terminal.wait_for(DRAFT)
        os.kill(desk, signal.SIGKILL)
        terminal.wait_for("The desk has ended")
        terminal.write(ENTER)
        terminal.wait_for("passphrase|" + WORDS)
        if WORDS not in terminal.text():
            terminal.write(seat.passphrase().encode() + ENTER)
        terminal.wait_for(WORDS)
        terminal.settle()
        os.kill(terminal.pid, signal.SIGUSR1)
        assert ended(terminal) == 1
        terminal.settle()
    return terminal


def found_in(*places: Path) -> dict[str, list[str]]:
    """The files that hold a marker in a readable form, or bear it as their name; markers that are nowhere are left out."""
    found: dict[str, list[str]] = {}
    for place in places:
        for path in [place] if place.is_file() else place.rglob("*"):
            with suppress(FileNotFoundError):
                raw = path.read_bytes() if path.is_file() else b""
                for marker, needles in NEEDLES.items():
                    if marker in path.name or any(needle in raw for needle in needles):
                        found.setdefault(marker, []).append(str(path))
    return found


def loose(home: Path) -> list[str]:
    """Files and folders that somebody else could open."""
    return [f"{path} {stat.filemode(path.lstat().st_mode)}" for path in (home, *home.rglob("*")) if path.lstat().st_mode & 0o077]


@pytest.mark.timeout(300)  # the first journey of a process starts the whole road
def test_what_customers_say_is_on_the_screen_and_nowhere_else(road: Road, tmp_path: Path, folders: tuple[Path, ...]) -> None:
    """Names, numbers, words, notes, drafts, searches and files go through screen, commands, a viewer, a lock, a crash and a kill; none
    is in any argument, environment, readable file, log, title or left on the terminal, and all files are their owner's alone."""
    seat = road.person(road.admin, "Priya", "agent")
    watch = Watch(seat.home)
    watch.start()
    seen = give_viewer(seat, tmp_path)
    document = {"mime": "application/pdf", "base64": base64.b64encode(FILE).decode(), "filename": FILE_NAME}
    road.customer_writes(WORDS, phone=PHONE, name=NAME)
    road.control("inbound", {"from": PHONE, "name": NAME, "document": document})
    talk = str(road.conversation_of(NAME, seat)["id"])
    road.agent.run("sync")
    road.agent.run("note", talk, NOTE)
    seat.run("sync")

    run(seat, "send", talk, "-", words=SCRIPTED)
    held = [json.loads(line) for line in run(seat, "messages", talk, "--json").splitlines()]
    file = next(str(row["id"]) for row in held if row["kind"] == "document")
    until(lambda: any(row["content"].get("stored") == "stored" for row in seat.records("messages", talk) if row["id"] == file))
    run(seat, "media", file, "--open")
    lent, size = seen.read_text().splitlines()
    seen.unlink()
    worked = work_at_the_screen(seat)
    fallen = meet_faults(seat, desk_of(seat))
    everywhere = found_in(seat.home, *folders, road.home / "hub.log", Path(lent).parent)
    control = tmp_path / "control"
    control.write_bytes(texts(WORDS)[1])
    open_modes = loose(seat.home)
    seat.run("lock")
    watch.end()

    assert int(size) == len(FILE)
    assert not Path(lent).exists()
    for terminal in (worked, fallen):
        assert all(marker.encode() in terminal.written for marker in (NAME, WORDS, NOTE))
        assert {command for command in terminal.commands() if command.startswith((b"9;", b"777;", b"52;"))} == set()
        assert {command for command in terminal.commands() if command.startswith((b"0;", b"1;", b"2;"))} <= {b"2;wabiz", b"2;"}
        assert not any(marker.encode() in terminal.primary() for marker in MARKERS), terminal.primary()
    assert b"Reference" in fallen.primary()
    assert len(watch.shown) >= 5
    assert [marker for marker, needles in NEEDLES.items() for shown in watch.shown.values() if any(each in shown for each in needles)] == []
    assert WORDS in found_in(control)
    assert loose(control)
    assert everywhere == {}
    assert open_modes == []
    assert found_in(seat.home, *folders) == {}


def desk_of(seat: Seat) -> int:
    """The process of the machine's desk."""

    async def ask() -> int:
        client = await connect(seat.paths, start=False, environment=seat.environment())
        try:
            return client.hello.pid
        finally:
            await client.close()

    return asyncio.run(ask())
