"""Open the inbox: paint it from the desk before Textual is imported, then hand the desk to the app. Nothing here needs click."""

import asyncio
import os
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from wabiz_tui.model.errors import UsageError, WabizError

if TYPE_CHECKING:
    from wabiz_tui.cli.resuming import Attributes, Resumed
    from wabiz_tui.model.config import Config
    from wabiz_tui.model.desk import Desk
    from wabiz_tui.model.paths import Paths
    from wabiz_tui.tui.place import Left

PASSPHRASE_HINT = "WABIZ_PASSPHRASE_HINT"  # noqa: S105 the name of a variable
"""What the demo says where its passphrase is asked for."""
_LOCK_SECONDS = 2.0
_REOPEN, _RENEW = 75, 76
"""What the screen returns when it is to be opened again: over a new desk, or locked in a new memory (tui/leaving)."""


def open_inbox(passphrase_fd: int | None, *, resumed_fd: int | None = None) -> int:
    """Run the inbox in this terminal until the agent leaves it; its exit code. With `resumed_fd` it goes on where this process was
    locked (resuming)."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("The inbox needs a terminal; scripts use `wabiz conversations --json` and its neighbours (`wabiz --help`).")
    from wabiz_tui.cli.resuming import Resumed, resume, take_up
    from wabiz_tui.desk.process.hardening import harden

    harden()
    resumed = Resumed() if resumed_fd is None else take_up(resumed_fd)
    with keys_kept(resumed.terminal) as terminal:
        while (left := asyncio.run(_inbox(passphrase_fd, resumed))).code in (_REOPEN, _RENEW):
            # The desk ended under the screen and the agent asked to have it back, or it was locked.
            passphrase_fd, resumed = None, Resumed(*left.place)
            if left.code == _RENEW:
                resume(resumed, terminal)
    return left.code


@contextmanager
def keys_kept(before: "Attributes | None" = None) -> "Generator[Attributes]":
    """Keys typed while the inbox loads are neither echoed, changed nor lost: the terminal keeps them until the app reads.

    Ctrl+C still ends the start. Nothing suspends: what was on the screen would stay behind in the terminal, readable. Yields the
    terminal's settings, to which it returns: those `before`, where this process has changed them already.
    """
    import termios

    descriptor = sys.stdin.fileno()
    before = before or termios.tcgetattr(descriptor)
    quiet = termios.tcgetattr(descriptor)
    # Without the first two, Enter would arrive as Ctrl+J, and Ctrl+Q and Ctrl+S would not arrive at all.
    quiet[0] &= ~(termios.ICRNL | termios.IXON)
    quiet[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN)
    quiet[6][termios.VSUSP] = os.fpathconf(descriptor, "PC_VDISABLE").to_bytes(1, "little")
    termios.tcsetattr(descriptor, termios.TCSANOW, quiet)
    try:
        yield before
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


async def _hung_up(desk: "Desk") -> None:
    """The terminal is gone before the app stands."""
    with suppress(WabizError, TimeoutError):
        await asyncio.wait_for(desk.lock("hangup"), _LOCK_SECONDS)
    os._exit(128 + signal.SIGHUP)


async def _inbox(passphrase_fd: int | None, resumed: "Resumed") -> "Left":
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
    leaving: list[asyncio.Task[None]] = []
    # The app has its own way, from when it stands on.
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, lambda: leaving.append(asyncio.create_task(_hung_up(desk))))
    try:
        status = await desk.status()
        columns, rows = os.get_terminal_size(sys.stdout.fileno())
        if status.locked:
            picture = paint_unlock(status, columns=columns, rows=rows, theme=config.screen.theme, hint=hint, reason=resumed.locked)
        else:
            page = await desk.queue("open", limit=rows)
            counts = await desk.counts()
            picture = paint(page, status, columns=columns, rows=rows, now=clock.now(), counts=counts, theme=config.screen.theme)
        sys.stdout.write(picture)
        sys.stdout.flush()

        # The slow import, with the inbox already on the screen.
        from wabiz_tui.tui.app import run_app
        from wabiz_tui.tui.place import Place

        place = Place(resumed.conversation, resumed.text, resumed.reply_to, resumed.locked)
        return await run_app(desk, config=config, clock=clock, hint=hint, place=place, renews=True, painted=picture)
    except WabizError:
        # Refused because of that lock: its task ends the process.
        await asyncio.gather(*leaving)
        raise
    finally:
        await desk.close()
