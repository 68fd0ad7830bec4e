"""`wabiz` in a real terminal: what a person sees and what keys do, over real processes."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench.support.terminal import Terminal
from tests.support.road import Road, until

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
    terminal.write(b"f")
    terminal.wait_for("Find a conversation")
    terminal.settle()
    terminal.write(name.encode())
    terminal.settle()
    terminal.write(b"\r")
    terminal.wait_for("to write")


def ended(terminal: Terminal) -> int:
    """The exit code of the program, once it ended by itself."""
    deadline = time.monotonic() + 30
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
