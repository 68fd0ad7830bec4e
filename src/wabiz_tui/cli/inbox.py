"""Open the inbox: paint it from the desk before Textual is imported, then hand the desk to the app."""

import asyncio
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager

import click

from wabiz_tui.cli.commands import passphrase_option
from wabiz_tui.model.errors import UsageError

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
    """Keys typed while the inbox loads are neither echoed nor lost: the terminal keeps them until the app reads."""
    import termios

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    quiet = termios.tcgetattr(descriptor)
    quiet[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(descriptor, termios.TCSANOW, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


async def _inbox(passphrase_fd: int | None) -> int:
    from wabiz_tui.cli.session import read_passphrase
    from wabiz_tui.desk.process.launch import connect
    from wabiz_tui.model.clock import clock_from_environment
    from wabiz_tui.model.config import load_config
    from wabiz_tui.model.paths import paths_from_environment
    from wabiz_tui.tui.first_paint import paint, paint_unlock

    paths = paths_from_environment()
    config, clock = load_config(paths), clock_from_environment()
    desk = await connect(paths, passphrase=read_passphrase(passphrase_fd))
    try:
        status = await desk.status()
        columns, rows = os.get_terminal_size(sys.stdout.fileno())
        if status.locked:
            picture = paint_unlock(status, columns=columns, rows=rows, theme=config.screen.theme)
        else:
            page = await desk.queue("open", limit=rows)
            counts = await desk.counts()
            picture = paint(page, status, columns=columns, rows=rows, now=clock.now(), counts=counts, theme=config.screen.theme)
        sys.stdout.write(picture)
        sys.stdout.flush()

        # The slow import, with the inbox already on the screen.
        from wabiz_tui.tui.app import run_app

        return await run_app(desk, config=config, clock=clock)
    finally:
        await desk.close()
