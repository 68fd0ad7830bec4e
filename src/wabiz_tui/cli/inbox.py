"""Open the inbox: paint it from the desk before Textual is imported, then hand the desk to the app."""

import asyncio
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

from wabiz_tui.cli.commands import passphrase_option
from wabiz_tui.model.errors import UsageError

if TYPE_CHECKING:
    from wabiz_tui.model.config import Config
    from wabiz_tui.model.paths import Paths

PASSPHRASE_HINT = "WABIZ_PASSPHRASE_HINT"  # noqa: S105 the name of a variable
"""What the demo says where its passphrase is asked for."""
_REOPEN = 75
"""What the screen returns when the desk ended and the agent asked to open it again (EX_TEMPFAIL)."""


@click.command()
@passphrase_option
def inbox(*, passphrase_fd: int | None) -> int:
    """Open the inbox."""
    return open_inbox(passphrase_fd)


def open_inbox(passphrase_fd: int | None) -> int:
    """Run the inbox in this terminal until the agent leaves it; its exit code."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("The inbox needs a terminal; scripts use `wabiz conversations --json` and its neighbours (`wabiz --help`).")
    with keys_kept():
        while (left := asyncio.run(_inbox(passphrase_fd))) == _REOPEN:
            # The desk ended under the screen, and the agent asked to have it back.
            passphrase_fd = None
    return left


@contextmanager
def keys_kept() -> Generator[None]:
    """Keys typed while the inbox loads are neither echoed, changed nor lost: the terminal keeps them until the app reads.

    Ctrl+C still ends the start. Nothing suspends: what was on the screen would stay behind in the terminal, readable.
    """
    import termios

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    quiet = termios.tcgetattr(descriptor)
    # Without the first two, Enter would arrive as Ctrl+J, and Ctrl+Q and Ctrl+S would not arrive at all.
    quiet[0] &= ~(termios.ICRNL | termios.IXON)
    quiet[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN)
    quiet[6][termios.VSUSP] = os.fpathconf(descriptor, "PC_VDISABLE").to_bytes(1, "little")
    termios.tcsetattr(descriptor, termios.TCSANOW, quiet)
    try:
        yield
    finally:
        with suppress(termios.error):  # a terminal that is gone
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def check_keymap(config: "Config", paths: "Paths") -> None:
    """Raises DocumentError with the line of a `[keymap]` entry that names no action."""
    from wabiz_tui.model.config import config_error
    from wabiz_tui.tui.actions import unknown_action

    found = unknown_action(config.keymap)
    if found is not None:
        identifier, nearest = found
        raise config_error(
            paths, ("keymap", identifier), "No action has this id; Ctrl+P in the inbox and docs/keys.md tell them.", nearest=nearest
        )


async def _inbox(passphrase_fd: int | None) -> int:
    from wabiz_tui.cli.session import read_passphrase
    from wabiz_tui.desk.process.launch import connect
    from wabiz_tui.model.clock import clock_from_environment
    from wabiz_tui.model.config import load_config
    from wabiz_tui.model.paths import paths_from_environment
    from wabiz_tui.tui.first_paint import paint, paint_unlock
    from wabiz_tui.tui.wording.times import use_hours

    paths = paths_from_environment()
    config, clock = load_config(paths), clock_from_environment()
    check_keymap(config, paths)
    use_hours(config.screen.time_format)
    hint = os.environ.get(PASSPHRASE_HINT, "")
    desk = await connect(paths, passphrase=read_passphrase(passphrase_fd))
    try:
        status = await desk.status()
        columns, rows = os.get_terminal_size(sys.stdout.fileno())
        if status.locked:
            picture = paint_unlock(status, columns=columns, rows=rows, theme=config.screen.theme, hint=hint)
        else:
            page = await desk.queue("open", limit=rows)
            counts = await desk.counts()
            picture = paint(page, status, columns=columns, rows=rows, now=clock.now(), counts=counts, theme=config.screen.theme)
        sys.stdout.write(picture)
        sys.stdout.flush()

        # The slow import, with the inbox already on the screen.
        from wabiz_tui.tui.app import run_app

        return await run_app(desk, config=config, clock=clock, hint=hint)
    finally:
        await desk.close()
