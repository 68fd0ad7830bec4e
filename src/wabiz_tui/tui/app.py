"""The app: owns theme, guard and keys, joins the rooms that do the work, and draws nothing itself."""

import gc
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, ClassVar, Final

from textual import events, on
from textual.app import App, ScreenStackError
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.filter import LineFilter
from textual.screen import Screen

from wabiz_tui.model.clock import Clock
from wabiz_tui.model.config import Config
from wabiz_tui.model.desk import Desk
from wabiz_tui.tui.actions import ACTIONS, Keymap, single_keys
from wabiz_tui.tui.commands import Commands
from wabiz_tui.tui.crash import crash_text
from wabiz_tui.tui.driver import note_size, thrifty_driver
from wabiz_tui.tui.foreground import Foreground
from wabiz_tui.tui.guard import OutputGuard, guarded
from wabiz_tui.tui.inbox.screen import InboxScreen
from wabiz_tui.tui.keys import Activity, Leader
from wabiz_tui.tui.leaving import REOPEN, Leaving
from wabiz_tui.tui.paper import make_theme
from wabiz_tui.tui.place import Left, Place
from wabiz_tui.tui.screens.lock import Ended, Standing
from wabiz_tui.tui.screens.unlock import Unlock
from wabiz_tui.tui.typeahead import Typeahead
from wabiz_tui.tui.wording.times import SystemZone, use_hours

SEND_WITH_CTRL_X: Final = {"composer.send": "ctrl+x", "composer.newline": "enter,ctrl+j,alt+enter"}

_AFTER_RESIZE: Final = 0.05
"""Seconds; Textual waits a 120th for the next size."""


class WabizApp(App[int]):
    """Thin: screens translate, widgets draw, the desk does."""

    CSS_PATH = Path(__file__).parent / "styles" / "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    # Textual's own selection would copy what policy masks.
    ALLOW_SELECT = False
    TITLE = "wabiz"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            single_keys(action),
            f"act('{action.id}')",
            action.title,
            id=action.id,
            show=False,
            priority=action.id in ("app.lock", "app.quit_now"),
        )
        for action in ACTIONS
        if action.id.startswith("app.") and action.id != "app.quit" and single_keys(action)
    ]

    def __init__(
        self,
        desk: Desk,
        *,
        clock: Clock,
        config: Config | None = None,
        zone: tzinfo | None = None,
        hint: str = "",
        place: Place | None = None,
        renews: bool = False,
        painted: str = "",
        taken: Callable[[], None] = lambda: None,
    ) -> None:
        self._painted, self._taken = painted, taken
        super().__init__()
        self.desk, self.clock, self.hint = desk, clock, hint
        self.settings = config or Config()
        self.zone = zone or SystemZone()
        use_hours(self.settings.screen.time_format)
        changes = (SEND_WITH_CTRL_X if self.settings.screen.send_key == "ctrl+x" else {}) | self.settings.keymap
        self.keys = Keymap(changes)
        self.output_guard = OutputGuard()
        self.leader, self.activity, self.typeahead = Leader(self), Activity(self), Typeahead(self)
        self.leaving = Leaving(self, renews=renews, place=place or Place())
        self.foreground, self.commands = Foreground(self), Commands(self)
        for name in ("dark", "light"):
            self.register_theme(make_theme(name))
        self.theme = "wabiz-light" if self.settings.screen.theme.endswith("light") else "wabiz-dark"
        self.set_keymap({identifier: self.keys.single(identifier) for identifier in changes if self.keys.single(identifier)})

    def now(self) -> datetime:
        return self.clock.now().astimezone(self.zone)

    def get_line_filters(self) -> Sequence[LineFilter]:
        return guarded(super().get_line_filters(), self.output_guard)

    def get_driver_class(self) -> type[Driver]:
        def gone() -> None:
            self.call_later(self.leaving.hung_up)

        return thrifty_driver(super().get_driver_class(), gone, painted=self._painted, on_taken=self._taken)

    async def on_mount(self) -> None:
        self.run_worker(self.foreground.listen, group="listen")
        self.run_worker(self.typeahead.run, group="keys")
        if not self.is_headless:
            self.leaving.begin()
        # One batch: nothing is drawn over the first paint until the screen that stands there is drawn whole.
        with self.batch_update():
            await self.foreground.begin()
        # Off during the start (cli/opening).
        self.call_after_refresh(gc.enable)

    @property
    def base(self) -> Screen[Any] | None:
        """The screen that stands under all dialogs."""
        return self.foreground.base

    # Facts from the screens

    @on(InboxScreen.LockedOut)
    async def _locked_out(self) -> None:
        await self.foreground.show_locked("")

    @on(InboxScreen.Refused)
    def _refused(self) -> None:
        inbox = self.base
        if isinstance(inbox, InboxScreen) and not inbox.is_writing:
            self.typeahead.forget()

    @on(Unlock.Done)
    async def _unlocked(self) -> None:
        await self.foreground.show_inbox()

    @on(Standing.GoOn)
    async def _go_on(self) -> None:
        if isinstance(self.base, Ended):
            self.exit(return_code=REOPEN)
        else:
            await self.foreground.go_on()

    @on(Standing.Leave)
    @on(Unlock.Leave)
    @on(InboxScreen.Leave)
    def _leave(self) -> None:
        self.leaving.leave()

    # Keys

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Resize) and note_size(self._driver, event.size.height):
            # Textual draws what its layout changed; where two sizes came at once that is nothing, and the terminal lost rows all the same.
            self.set_timer(_AFTER_RESIZE, self._draw_again)
        if isinstance(event, (events.Key, events.Paste)) and not event.is_forwarded:
            self.leaving.pressed()
            self.typeahead.take(event)
        else:
            await super().on_event(event)

    def _draw_again(self) -> None:
        # At the end there is none.
        with suppress(ScreenStackError):
            self.screen.refresh()

    async def obey(self, event: events.Key | events.Paste) -> None:
        """Give a key to the leader or to what has the focus, now that its turn has come."""
        if isinstance(event, events.Key):
            self.activity.key_pressed()
            if self.leader.takes(event.key):
                return
        await super().on_event(event)

    def action_act(self, identifier: str) -> None:
        self.commands.act(identifier)

    @property
    def driver(self) -> Driver | None:
        return self._driver

    def action_help_quit(self) -> None:
        if isinstance(self.screen, InboxScreen):
            self.screen.say(f"{self.keys.first('app.quit_now')} leaves wabiz.", "muted")

    # The end

    def _handle_exception(self, error: Exception) -> None:
        """Textual's own shows local variables, which hold what customers wrote: a sentence and a reference number instead."""
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        self._fatal_error()

    def _fatal_error(self) -> None:
        from rich.text import Text

        error = self._exception or sys.exc_info()[1]
        if not self._exit_renderables:
            self._exit_renderables.append(Text(crash_text(error)))
        self._close_messages_no_wait()


async def run_app(
    desk: Desk,
    *,
    config: Config | None = None,
    clock: Clock,
    zone: tzinfo | None = None,
    hint: str = "",
    place: Place | None = None,
    renews: bool = False,
    painted: str = "",
    taken: Callable[[], None] = lambda: None,
) -> Left:
    """Run the screen over `desk`, from `place` on, until the agent leaves. Its exit code: 0, 1 after a fault, REOPEN when the desk
    ended and the agent asked to open it again, RENEW (only with `renews`) when it is locked and is to be started in a new memory.
    `hint` is said where a passphrase is asked for; `painted` is the first paint, if that
    stands there, and `taken` is called when the app takes the terminal. Raises UsageError for a `[keymap]` that names no action."""
    app = WabizApp(desk, clock=clock, config=config, zone=zone, hint=hint, place=place, renews=renews, painted=painted, taken=taken)
    set_title("wabiz")
    try:
        await app.run_async()
    finally:
        set_title("")
    return Left(app.return_code or 0, app.leaving.place)


def set_title(title: str) -> None:
    """The terminal's title: a constant, so that no window list ever shows a name or a count."""
    stream = sys.__stdout__
    if stream is not None and stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb", "linux"):
        stream.write(f"\x1b]2;{title}\x1b\\")
        stream.flush()
