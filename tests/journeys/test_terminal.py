"""`wabiz` in a real terminal: what a person sees and what keys do, over real processes."""

import asyncio
import os
import signal
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench.support.terminal import Terminal
from tests.support.road import Road, until
from wabiz_tui.desk.process.launch import connect

WABIZ = [sys.executable, "-m", "wabiz_tui.cli.main"]


@contextmanager
def inbox(road: Road, size: tuple[int, int] = (120, 36)) -> Iterator[Terminal]:
    """The inbox of the agent's machine in a terminal of that size, with the desk unlocked."""
    road.agent.run("sync")
    with Terminal(WABIZ, road.agent.environment(), size=size) as terminal:
        yield terminal


def open_talk(terminal: Terminal, name: str) -> None:
    """Open the conversation with `name` as a person would when the queue moves: by finding it."""
    terminal.wait_for(name)
    terminal.settle()
    terminal.write(b"f" + name.encode() + b"\r")
    terminal.wait_for("› ")


def desk_process(road: Road) -> int:
    """The desk of the agent's machine."""

    async def ask() -> int:
        client = await connect(road.agent.paths, start=False, environment=road.agent.environment())
        try:
            return client.hello.pid
        finally:
            await client.close()

    return asyncio.run(ask())


def ended(terminal: Terminal) -> int:
    """The exit code of the program, once it ended by itself."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        finished, status = os.waitpid(terminal.pid, os.WNOHANG)
        if finished:
            terminal.finished = True
            return os.waitstatus_to_exitcode(status)
        terminal.settle(0.05)
    raise TimeoutError("the program did not end")


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=["80x24", "120x36"])
def test_the_inbox_opens_answers_and_leaves(road: Road, size: tuple[int, int]) -> None:
    """A person sees the customer, answers by keyboard, sees the answer with a tick, and `q` at the root leaves with 0."""
    name = f"Terry {size[0]}"
    road.customer_writes("Can you see me?", phone=f"4915700003{size[0] // 10:02d}", name=name)
    road.conversation_of(name)

    with inbox(road, size) as terminal:
        open_talk(terminal, name)
        terminal.wait_for("Can you see me")
        terminal.settle()
        terminal.write(b"i")
        terminal.settle()
        terminal.write(b"I do indeed")
        terminal.wait_for("I do indeed")
        terminal.write(b"\r")
        terminal.wait_for("✓")
        terminal.write(b"\x1b")
        terminal.settle()
        terminal.write(b"\x1b")
        terminal.settle()
        terminal.write(b"q")
        assert ended(terminal) == 0
    assert until(lambda: "I do indeed" in str(road.control("sent")))


def test_a_draft_survives_a_kill(road: Road) -> None:
    """Text typed and not sent is there again after the screen's process was killed."""
    road.customer_writes("Draft me", phone="491570000333", name="Dora Draft")
    row = road.conversation_of("Dora Draft")

    with inbox(road) as terminal:
        open_talk(terminal, "Dora Draft")
        terminal.wait_for("Draft me")
        terminal.settle()
        terminal.write(b"i")
        terminal.settle()
        terminal.write(b"half a sentence")
        terminal.wait_for("half a sentence")
        terminal.settle(1.0)
        os.kill(terminal.pid, signal.SIGKILL)

    with inbox(road) as terminal:
        open_talk(terminal, "Dora Draft")
        terminal.wait_for("half a sentence")
    assert row["id"]


def test_the_lock_blanks_the_screen(road: Road) -> None:
    """Ctrl+L leaves no customer and no text on the screen, and the passphrase opens it again."""
    road.customer_writes("Secret words here", phone="491570000334", name="Lottie Lock")
    road.conversation_of("Lottie Lock")

    with inbox(road) as terminal:
        terminal.wait_for("Lottie Lock")
        terminal.settle()
        terminal.write(b"\x0c")
        terminal.wait_for(r"(?i)locked")
        terminal.settle()
        assert "Lottie" not in terminal.text()
        assert "Secret words" not in terminal.text()
        terminal.write(road.agent.passphrase().encode() + b"\r")
        terminal.wait_for("Lottie Lock")


def test_hostile_text_draws_nothing_of_its_own(road: Road) -> None:
    """Escape sequences, bidi overrides and markup of a customer appear as marks; the terminal's title and colours stay ours."""
    hostile = "\x1b]0;owned\x07\x1b[2J\x1b[31mred \u202egnp.exe [@click=app.quit]x[/] end"
    road.customer_writes(hostile, phone="491570000335", name="Mal \x1b[5mlory")
    road.agent.run("sync")

    with inbox(road) as terminal:
        open_talk(terminal, "lory")
        terminal.wait_for("end")
        terminal.settle()
        text = terminal.text()

    assert "[@click=app.quit]x[/]" in text
    assert "␛" in text
    assert "\u202e" not in text
    assert terminal.screen.title != "owned"


def test_a_whole_answer_typed_before_anything_stands(road: Road) -> None:
    """Find, write, send and leave, all written to the terminal before the program has painted anything, are obeyed in order."""
    road.customer_writes("Are you quick?", phone="491570000336", name="Emily Eager")
    row = road.conversation_of("Emily Eager")

    with inbox(road) as terminal:
        # The terminal has to be quiet first: before that, its own line editing takes the keys.
        until(lambda: not termios.tcgetattr(terminal.master)[3] & termios.ICANON)
        terminal.write(b"fEmily Eager\ri" + b"quicker than the screen\r" + b"\x1b")
        terminal.wait_for("quicker than the screen.*\n*")
        terminal.wait_for("✓")
        terminal.settle()
        terminal.write(b"qq")
        assert ended(terminal) == 0
    assert until(lambda: "quicker than the screen" in str(road.control("sent")))
    found = next(each for each in road.agent.records("conversations") if each["id"] == row["id"])
    assert found["status"] == "open"


def test_a_move_typed_at_the_first_sight_counts(road: Road) -> None:
    """`j` pressed as soon as the queue is painted, before there is an app, chooses the second row for good."""
    for number in range(3):
        road.customer_writes("Good morning", phone=f"49157000036{number}", name=f"Early {number}")
    road.conversation_of("Early 2")

    with inbox(road) as terminal:
        terminal.wait_for("Early 2")
        terminal.write(b"j")
        terminal.wait_for(r"\n  [^\n]*\n▌ ")
        terminal.settle(0.5)
        terminal.wait_for(r"\n  [^\n]*\n▌ ", 1)


def test_the_passphrase_typed_in_one_go_with_the_lock(road: Road) -> None:
    """Lock, passphrase, Enter and a key of the inbox in one write: the inbox stands again, and says that the key was dropped, for it might
    have been a letter of the passphrase typed once more."""
    road.customer_writes("Lock and go", phone="491570000337", name="Larry Latch")
    road.conversation_of("Larry Latch")

    with inbox(road) as terminal:
        terminal.wait_for("Larry Latch")
        terminal.settle()
        terminal.write(b"\x0c" + road.agent.passphrase().encode() + b"\r?")
        terminal.wait_for("was dropped")
        assert "Larry Latch" in terminal.text()


def test_a_killed_desk_is_said_and_comes_back(road: Road) -> None:
    """When the desk's process is killed the screen says so and shows nothing of customers; Enter opens it again."""
    road.customer_writes("Still there?", phone="491570000338", name="Rita Reopen")
    road.conversation_of("Rita Reopen")

    with inbox(road) as terminal:
        terminal.wait_for("Rita Reopen")
        terminal.settle()
        os.kill(desk_process(road), signal.SIGKILL)
        terminal.wait_for("The desk has ended")
        terminal.settle()
        assert "Rita" not in terminal.text()
        terminal.write(b"\r")
        terminal.wait_for("passphrase|Rita Reopen", 60)
        if "Rita Reopen" not in terminal.text():
            terminal.write(road.agent.passphrase().encode() + b"\r")
        terminal.wait_for("Rita Reopen", 60)


@pytest.mark.parametrize("end", [signal.SIGHUP, signal.SIGTERM], ids=["hangup", "term"])
def test_a_closed_window_keeps_the_draft(road: Road, end: signal.Signals) -> None:
    """A terminal that goes away ends the program within seconds, and what was typed last is a draft."""
    name = f"Hanna {end.name}"
    road.customer_writes("Do not lose it", phone=f"49157000034{end.value % 10}", name=name)
    road.conversation_of(name)

    with inbox(road) as terminal:
        open_talk(terminal, name)
        terminal.write(b"ihalf a thought")
        terminal.wait_for("half a thought")
        os.kill(terminal.pid, end)
        assert ended(terminal) == 128 + end

    with inbox(road) as terminal:
        open_talk(terminal, name)
        terminal.wait_for("half a thought")


def test_ctrl_z_suspends_nothing(road: Road) -> None:
    """Ctrl+Z leaves the program running in front: customers' words would else stay in a terminal nobody locks."""
    road.customer_writes("Stay", phone="491570000349", name="Zed Stays")
    road.conversation_of("Zed Stays")

    with inbox(road) as terminal:
        terminal.wait_for("Zed Stays")
        terminal.write(b"\x1a")
        terminal.settle()
        terminal.write(b"?")
        terminal.wait_for("Half a page down")


def test_a_wrong_keymap_is_told_on_the_plain_screen(road: Road) -> None:
    """An action that does not exist ends the start with file, line and nearest name, before anything is painted."""
    file = road.agent.paths.config_file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('[keymap]\n"conversation.resolv" = "x"\n', encoding="utf-8")
    try:
        with Terminal(WABIZ, road.agent.environment()) as terminal:
            terminal.wait_for("conversation.resolve[^d]*")
            assert ended(terminal) == 2
            text = " ".join(terminal.text().split())
            assert "config.toml:2" in text.replace(" ", "")
    finally:
        file.unlink()


def test_a_vanished_terminal_leaves_no_screen_behind(road: Road) -> None:
    """When the terminal itself is gone, the program ends by itself and the draft is there at the next start."""
    road.customer_writes("Mind the gap", phone="491570000347", name="Gwen Gone")
    road.conversation_of("Gwen Gone")

    with inbox(road) as terminal:
        open_talk(terminal, "Gwen Gone")
        terminal.write(b"igone with the wind")
        terminal.wait_for("gone with the wind")
        os.close(terminal.master)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not terminal.finished:
            terminal.finished = bool(os.waitpid(terminal.pid, os.WNOHANG)[0])
            time.sleep(0.05)
        is_gone = terminal.finished
        terminal.master = os.open(os.devnull, os.O_RDWR)
    assert is_gone

    with inbox(road) as terminal:
        open_talk(terminal, "Gwen Gone")
        terminal.wait_for("gone with the wind")


def test_a_stale_size_in_the_environment_is_not_believed(road: Road) -> None:
    """A shell that exported COLUMNS and LINES for another window does not make the screen smaller than the terminal."""
    road.customer_writes("How wide am I?", phone="491570000339", name="Wanda Wide")
    road.conversation_of("Wanda Wide")

    with Terminal(WABIZ, road.agent.environment() | {"COLUMNS": "80", "LINES": "24"}, size=(120, 36)) as terminal:
        open_talk(terminal, "Wanda Wide")
        terminal.wait_for("How wide am I")
        terminal.settle()
        assert "link:" in terminal.text().splitlines()[-1]


@pytest.mark.parametrize("pause", [0.0, 0.5], ids=["at-once", "after-a-while"])
def test_a_window_made_small_and_large_again_shows_all_of_it(road: Road, pause: float) -> None:
    """What the terminal cut off meanwhile is drawn again, also where the program sees the same size before and after."""
    name = "Terry Window"
    road.customer_writes("Still there?", phone="491570000555", name=name)
    road.conversation_of(name)

    with inbox(road) as terminal:
        terminal.wait_for(name)
        terminal.wait_for("keys")
        terminal.settle()
        before = rows_written(terminal)
        for size in ((120, 12), (120, 36)):
            terminal.resize(*size)
            terminal.settle(pause)
        deadline = time.monotonic() + 30
        while rows_written(terminal) != before and time.monotonic() < deadline:
            terminal.settle(0.1)

        assert rows_written(terminal) == before
        terminal.write(b"q")
        assert ended(terminal) == 0


def rows_written(terminal: Terminal) -> list[bool]:
    return [bool(row.strip()) for row in terminal.screen.display]
