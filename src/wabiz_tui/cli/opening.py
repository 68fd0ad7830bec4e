"""Open the inbox: paint it from the desk before asyncio and Textual are imported, then hand the desk to the app.

Nothing here needs click."""

import gc
import os
import signal
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from wabiz_tui.model.errors import UsageError, WabizError

if TYPE_CHECKING:
    import asyncio

    from wabiz_tui.cli.resuming import Attributes, Resumed
    from wabiz_tui.desk.process.glance import Glance
    from wabiz_tui.model.clock import Clock
    from wabiz_tui.model.config import Config
    from wabiz_tui.model.desk import Desk, DeskStatus, QueuePage
    from wabiz_tui.model.paths import Paths
    from wabiz_tui.model.secret import Secret
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
    # Looking for garbage among all that is being imported would take an eighth of the start; the app begins with it again.
    gc.disable()
    resumed = Resumed() if resumed_fd is None else take_up(resumed_fd)
    with keys_kept(resumed.terminal) as terminal:
        while (left := _Opening(resumed).run(passphrase_fd)).code in (_REOPEN, _RENEW):
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


class _Scene(NamedTuple):
    """What a first picture is made of, beside what the desk says."""

    paths: "Paths"
    config: "Config"
    clock: "Clock"
    hint: str
    locked: str

    def paint(self, status: "DeskStatus", page: "QueuePage | None", counts: Mapping[str, int]) -> str:
        from wabiz_tui.tui.first_paint import paint, paint_unlock

        columns, rows = os.get_terminal_size(sys.stdout.fileno())
        theme = self.config.screen.theme
        if status.locked or page is None:
            return paint_unlock(status, columns=columns, rows=rows, theme=theme, hint=self.hint, reason=self.locked)
        return paint(page, status, columns=columns, rows=rows, now=self.clock.now(), counts=counts, theme=theme)


class _Opening:
    """The way from the first look at the desk to the app. While it lasts a hang-up locks the desk and ends the process, and whatever
    else ends it leaves nothing readable in the terminal."""

    def __init__(self, resumed: "Resumed") -> None:
        self._resumed = resumed
        self._picture = ""
        # A process that was locked leaves its picture to the one that goes on.
        self._is_ours = bool(resumed.locked)
        self._is_gone = self._is_ended = False
        self._locking: asyncio.Task[None] | None = None

    def run(self, passphrase_fd: int | None) -> "Left":
        try:
            left = self._run(passphrase_fd)
        except BaseException:
            if self._is_ours:
                _unpaint()
            if self._is_ended:
                _end()
            raise
        if self._is_ended:
            _end()
        return left

    def _run(self, passphrase_fd: int | None) -> "Left":
        scene = _read_scene(self._resumed)
        # A passphrase is checked before anything is shown.
        glanced = None if passphrase_fd is not None else self._glance(scene)

        import asyncio

        from wabiz_tui.cli.session import read_passphrase

        return asyncio.run(self._go_on(scene, read_passphrase(passphrase_fd), glanced))

    def _glance(self, scene: _Scene) -> "Glance | None":
        from wabiz_tui.desk.process.glance import glance

        found = glance(scene.paths, rows=os.get_terminal_size(sys.stdout.fileno()).lines)
        if found is not None:
            # Until there is a loop that hears both, and can ask the desk to lock.
            signal.signal(signal.SIGHUP, self._note_hang_up)
            signal.signal(signal.SIGTERM, _end)
            self._show(scene, found.status, found.page, found.counts)
        return found

    def _note_hang_up(self, *_: object) -> None:
        self._is_gone = True

    def _show(self, scene: _Scene, status: "DeskStatus", page: "QueuePage | None", counts: Mapping[str, int]) -> None:
        self._is_ours = True
        # A terminal that is gone is heard of as a hang-up, and then the desk is locked.
        with suppress(OSError):
            self._picture = scene.paint(status, page, counts)
            sys.stdout.write(self._picture)
            sys.stdout.flush()

    def _taken(self) -> None:
        """The app has the terminal, and gives it back however it ends."""
        self._is_ours = False

    async def _go_on(self, scene: _Scene, passphrase: "Secret | None", glanced: "Glance | None") -> "Left":
        from wabiz_tui.desk.process.client import DeskClient
        from wabiz_tui.desk.process.launch import connect

        desk = await connect(scene.paths, passphrase=passphrase) if glanced is None else await DeskClient.take_on(glanced)
        self._hear_signals(desk)
        try:
            if glanced is None:
                status = await desk.status()
                page = None if status.locked else await desk.queue("open", limit=os.get_terminal_size(sys.stdout.fileno()).lines)
                self._show(scene, status, page, {} if status.locked else await desk.counts())

            # The slow import, with the inbox already on the screen.
            from wabiz_tui.tui.app import run_app
            from wabiz_tui.tui.place import Place

            if not gc.isenabled():
                # What stays for good is not looked through again at each collection, each time longer than a key takes. No customer's
                # words are among it: those of the first picture are in no cycle. An app that is opened again has one before it.
                gc.freeze()
            resumed = self._resumed
            place = Place(resumed.conversation, resumed.text, resumed.reply_to, resumed.locked)
            return await run_app(
                desk,
                config=scene.config,
                clock=scene.clock,
                hint=scene.hint,
                place=place,
                renews=True,
                painted=self._picture,
                taken=self._taken,
            )
        except WabizError:
            # Refused because of that lock: its task ends the process.
            if self._locking is not None:
                await self._locking
            raise
        finally:
            await desk.close()

    def _hear_signals(self, desk: "Desk") -> None:
        """The app has its own way, from when it stands on."""
        import asyncio

        loop, task = asyncio.get_running_loop(), asyncio.current_task()

        def lock() -> None:
            self._locking = asyncio.create_task(_lock_and_end(desk))

        def end() -> None:
            # As asyncio takes an interrupt. To leave from wherever the loop is just now would look like a fault of the app.
            self._is_ended = True
            if task is not None:
                task.cancel()

        loop.add_signal_handler(signal.SIGHUP, lock)
        loop.add_signal_handler(signal.SIGTERM, end)
        if self._is_gone:
            lock()


def _end(*_: object) -> NoReturn:
    """Somebody ends the process (SIGTERM) before the app hears of it."""
    sys.exit(128 + signal.SIGTERM)


async def _lock_and_end(desk: "Desk") -> None:
    """The terminal is gone before the app stands."""
    import asyncio

    with suppress(WabizError, TimeoutError):
        await asyncio.wait_for(desk.lock("hangup"), _LOCK_SECONDS)
    os._exit(128 + signal.SIGHUP)


def _read_scene(resumed: "Resumed") -> _Scene:
    from wabiz_tui.model.clock import clock_from_environment
    from wabiz_tui.model.config import load_config
    from wabiz_tui.model.paths import paths_from_environment
    from wabiz_tui.tui.wording.times import use_hours

    paths = paths_from_environment()
    config = load_config(paths)
    check_keymap(config, paths)
    use_hours(config.screen.time_format)
    return _Scene(paths, config, clock_from_environment(), os.environ.get(PASSPHRASE_HINT, ""), resumed.locked)


def _unpaint() -> None:
    """Give the terminal back where no app has taken it, with nothing readable left behind."""
    from wabiz_tui.tui.first_paint import leave

    with suppress(OSError):  # a terminal that is gone
        sys.stdout.write(leave(os.get_terminal_size(sys.stdout.fileno()).lines))
        sys.stdout.flush()
