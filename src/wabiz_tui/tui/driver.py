"""The way out to the terminal: columns kept straight, and nothing sent that stands there."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any, Final

from textual.driver import Driver

from wabiz_tui.tui.align import aligned
from wabiz_tui.tui.rendition import condensed
from wabiz_tui.tui.shown import Shown

_ENTER_ALTERNATE: Final = "\x1b[?1049h"
_LEAVE_ALTERNATE: Final = "\x1b[?1049l"


def thrifty_driver(
    base: type[Driver], on_gone: Callable[[], object] = lambda: None, *, painted: str = "", on_taken: Callable[[], object] = lambda: None
) -> type[Driver]:
    """The platform's driver with these habits; `on_gone` is called, from the driver's thread, when the terminal has gone, `on_taken` when
    it begins to be this driver's. `painted` is what stands on its alternate screen already."""

    class ThriftyDriver(base):
        keeps_terminal = False
        """Whether another program of ours goes on in this terminal: its picture, its modes and what is typed meanwhile are left."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.shown = Shown(painted)
            self._is_painted = bool(painted)
            if getattr(self, "_file", None) is sys.__stderr__:
                # Textual draws on standard error; ours is for sentences, and whoever sends it to a file still wants the screen.
                self._file = sys.__stdout__

        def _get_terminal_size(self) -> tuple[int, int]:
            """The terminal's own word, on whichever stream it is. COLUMNS and LINES, which Textual believes first, are often exported
            by a shell and then stay as they were when the window changes."""
            for stream in (sys.__stdout__, sys.__stdin__, sys.__stderr__):
                try:
                    size = os.get_terminal_size(stream.fileno()) if stream is not None else None
                except (OSError, ValueError):
                    continue
                if size is not None and size.columns > 0 and size.lines > 0:
                    return size.columns, size.lines
            return super()._get_terminal_size()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType] those of a terminal have it

        def start_application_mode(self) -> None:
            on_taken()
            super().start_application_mode()

        def run_input_thread(self) -> None:
            try:
                super().run_input_thread()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType] those of a terminal have it
            except OSError:
                on_gone()

        def disable_input(self) -> None:
            if not self.keeps_terminal:
                super().disable_input()
                return
            # As Textual does it, but for the end: it throws away what was typed.
            signal.signal(signal.SIGWINCH, signal.SIG_DFL)
            stopping: Any = self
            stopping._disable_mouse_support()
            stopping.exit_event.set()
            if stopping._key_thread is not None:
                stopping._key_thread.join()

        def stop_application_mode(self) -> None:
            if not self.keeps_terminal:
                # Where the alternate screen is switched off, the last picture would stay behind; a whole screen cleared at once
                # would go into the history of some terminals.
                rows = self._get_terminal_size()[1]
                self.write("".join(f"\x1b[{row}H\x1b[2K" for row in range(1, rows + 1)) + "\x1b[H")
            super().stop_application_mode()

        def write(self, data: str) -> None:
            if self.keeps_terminal and data == _LEAVE_ALTERNATE:
                return
            if self._is_painted and data == _ENTER_ALTERNATE:
                # Some terminals clear it when it is entered again.
                self._is_painted = False
                return
            writer = getattr(self, "_writer_thread", None)
            if writer is not None and not writer.is_alive():
                # It ended with the terminal; what it no longer takes would fill its queue and then stop the app.
                return
            news = self.shown.lacks(data, columns=self._get_terminal_size()[0])
            if news:
                super().write(condensed(aligned(news)))

    return ThriftyDriver


def keep_picture(driver: Driver | None) -> None:
    """The program of ours that is started next in this terminal begins with what stands on it now."""
    if driver is not None and hasattr(driver, "keeps_terminal"):
        setattr(driver, "keeps_terminal", True)  # noqa: B010 the attribute is that of our subclass alone


def forget_picture(driver: Driver | None) -> None:
    """What another program wrote over the screen is drawn over again, although the picture is the same."""
    shown = getattr(driver, "shown", None)
    if shown is not None:
        shown.forget()


def note_size(driver: Driver | None, height: int) -> bool:
    """The terminal has a size, be it the same as before: one that was another in between has cut, folded or moved its rows. Told at the
    start too, when the first paint stands there. Whether all of it has to be drawn again."""
    shown = getattr(driver, "shown", None)
    return shown is not None and shown.resized(height)
