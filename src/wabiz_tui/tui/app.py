"""The app: owns theme, guard, leader keys and the screens' lifetimes; listens to the desk; draws nothing itself."""

import asyncio
import os
import sys
from collections.abc import Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, ClassVar, Final

from textual import events, on
from textual.app import App
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.filter import LineFilter
from textual.screen import Screen

from wabiz_tui.model.clock import Clock
from wabiz_tui.model.config import Config
from wabiz_tui.model.desk import Desk, DeskEvent, DeskStatus
from wabiz_tui.model.errors import WabizError
from wabiz_tui.tui.actions import ACTIONS, Keymap, matching, single_keys
from wabiz_tui.tui.crash import crash_text
from wabiz_tui.tui.dialogs.finder import Finder, Match
from wabiz_tui.tui.dialogs.help import Help
from wabiz_tui.tui.driver import thrifty_driver
from wabiz_tui.tui.guard import OutputGuard, guarded
from wabiz_tui.tui.inbox.reading import Reading
from wabiz_tui.tui.inbox.screen import InboxScreen
from wabiz_tui.tui.keys import Activity, Leader
from wabiz_tui.tui.leaving import REOPEN, Leaving
from wabiz_tui.tui.paper import make_theme
from wabiz_tui.tui.place import Left, Place
from wabiz_tui.tui.screens.lock import Ended, Locked, Standing
from wabiz_tui.tui.screens.unlock import Unlock
from wabiz_tui.tui.typeahead import Typeahead
from wabiz_tui.tui.wording.spans import Span
from wabiz_tui.tui.wording.times import SystemZone, use_hours

SEND_WITH_CTRL_X: Final = {"composer.send": "ctrl+x", "composer.newline": "enter,ctrl+j,alt+enter"}
NO_DESK: Final = DeskStatus(link="offline", locked=True)


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
    ) -> None:
        super().__init__()
        self.desk, self.clock, self.hint = desk, clock, hint
        self.settings = config or Config()
        self.zone = zone or SystemZone()
        use_hours(self.settings.screen.time_format)
        changes = (SEND_WITH_CTRL_X if self.settings.screen.send_key == "ctrl+x" else {}) | self.settings.keymap
        self.keys = Keymap(changes)
        self.output_guard = OutputGuard()
        self._opening = asyncio.Lock()
        self.leader, self.activity, self.typeahead = Leader(self), Activity(self), Typeahead(self)
        self.leaving = Leaving(self, renews=renews, place=place or Place())
        for name in ("dark", "light"):
            self.register_theme(make_theme(name))
        self.theme = "wabiz-light" if self.settings.screen.theme.endswith("light") else "wabiz-dark"
        self.set_keymap({identifier: self.keys.single(identifier) for identifier in changes if self.keys.single(identifier)})

    def now(self) -> datetime:
        return self.clock.now().astimezone(self.zone)

    def get_line_filters(self) -> Sequence[LineFilter]:
        return guarded(super().get_line_filters(), self.output_guard)

    def get_driver_class(self) -> type[Driver]:
        return thrifty_driver(super().get_driver_class(), lambda: self.call_later(self.leaving.hung_up))

    async def on_mount(self) -> None:
        self.run_worker(self._listen, group="listen")
        self.run_worker(self.typeahead.run, group="keys")
        if not self.is_headless:
            self.leaving.begin()
        # One batch: nothing is drawn over the first paint until the screen that stands there is drawn whole.
        with self.batch_update():
            status = await self._status()
            if status is None:
                self._stand(Ended(NO_DESK))
            elif status.locked and self.leaving.place.locked:
                await self.show_locked(self.leaving.place.locked)
            elif status.locked:
                self._stand(Unlock(self.desk, status, hint=self.hint))
            else:
                await self._show_inbox()

    async def _status(self) -> DeskStatus | None:
        try:
            return await self.desk.status()
        except WabizError:
            return None

    # The desk

    async def _listen(self) -> None:
        said = ""
        try:
            async for event in self.desk.listen():
                await self._heard(event)
        except WabizError as error:
            said = error.sentence
        self._end(said)

    async def _heard(self, event: DeskEvent) -> None:
        match event.kind:
            case "locked":
                status = await self._status()
                if status is None or status.locked:
                    await self.show_locked(event.reason)
            case "unlocked":
                await self._show_inbox()
            case "closing":
                self._end(event.reason if " " in event.reason else "")
            case "changed" | "status":
                if isinstance(self.base, InboxScreen):
                    self.base.dirty()
            case "presence":
                if isinstance(self.base, InboxScreen):
                    self.base.company.heard(event)

    @property
    def base(self) -> Screen[Any] | None:
        """The screen that stands under all dialogs."""
        return self.screen_stack[1] if len(self.screen_stack) > 1 else None

    def _stand(self, screen: Screen[Any]) -> None:
        """Let `screen` stand instead of whatever stood there, dialogs included; nothing of that stays in memory."""
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self.leader.end()
        self.push_screen(screen)

    def _end(self, said: str) -> None:
        """The desk is gone; once."""
        if not isinstance(self.base, Ended):
            self.leaving.remember_lost()
            self._stand(Ended(NO_DESK, said))

    async def show_locked(self, reason: str) -> None:
        """The locked screen; with its field where a passphrase is needed, so that typing it is all there is to do."""
        if isinstance(self.base, (Unlock, Ended)) or (isinstance(self.base, Locked) and not reason):
            return
        status = await self._status() or NO_DESK
        if isinstance(self.base, (Unlock, Ended)):
            return
        self.leaving.remember_locked(reason)
        self._stand(Unlock(self.desk, status, reason or "locked", hint=self.hint) if status.needs_passphrase else Locked(status, reason))

    async def _show_inbox(self) -> None:
        """Read what the inbox needs, then let it stand; a desk that locked meanwhile gets its own screen."""
        async with self._opening:
            if isinstance(self.base, InboxScreen):
                return
            try:
                reading = Reading(self.desk, await self.desk.status())
                await reading.fetch_frame()
                first = await reading.fetch_rows("open", 0)
            except WabizError:
                await self.show_locked("")
            else:
                inbox = InboxScreen(reading, self.now, first, viewer=self.settings.desk.viewer)
                self._stand(inbox)
                inbox.call_after_refresh(self.leaving.shown, inbox)

    @on(InboxScreen.LockedOut)
    async def _locked_out(self) -> None:
        await self.show_locked("")

    @on(InboxScreen.Refused)
    def _refused(self) -> None:
        inbox = self.base
        if isinstance(inbox, InboxScreen) and not inbox.is_writing:
            self.typeahead.forget()

    @on(Unlock.Done)
    async def _unlocked(self) -> None:
        await self._show_inbox()

    @on(Standing.GoOn)
    async def _go_on(self) -> None:
        if isinstance(self.base, Ended):
            self.exit(return_code=REOPEN)
            return
        status = await self._status()
        if status is not None:
            self._stand(Unlock(self.desk, status, hint=self.hint))

    @on(Standing.Leave)
    @on(Unlock.Leave)
    @on(InboxScreen.Leave)
    def _leave(self) -> None:
        self.leaving.leave()

    # Keys

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, (events.Key, events.Paste)) and not event.is_forwarded:
            self.leaving.pressed()
            self.typeahead.take(event)
        else:
            await super().on_event(event)

    async def obey(self, event: events.Key | events.Paste) -> None:
        """Give a key to the leader or to what has the focus, now that its turn has come."""
        if isinstance(event, events.Key):
            self.activity.key_pressed()
            if self.leader.takes(event.key):
                return
        await super().on_event(event)

    def action_act(self, identifier: str) -> None:
        """Do the action of that id, wherever it was chosen."""
        match identifier:
            case "app.lock":
                self.leaving.lock()
            case "app.quit_now":
                self.leaving.leave()
            case "app.theme":
                self.theme = "wabiz-light" if self.theme == "wabiz-dark" else "wabiz-dark"
            case "app.redraw":
                self._forget_picture()
                self.refresh(layout=True)
            case "app.help":
                if isinstance(self.screen, InboxScreen):
                    self.push_screen(Help(self.keys))
            case "app.palette":
                if isinstance(self.screen, InboxScreen):
                    self.push_screen(Finder("Actions", "what you want to do", self._find_actions), self._chosen)
            case _:
                if isinstance(self.screen, InboxScreen):
                    self.screen.verbs.act(identifier)

    @property
    def driver(self) -> Driver | None:
        return self._driver

    def keep_picture(self) -> None:
        """The app that is started next in this terminal begins with what stands on it now."""
        if self._driver is not None and hasattr(self._driver, "keeps_terminal"):
            setattr(self._driver, "keeps_terminal", True)  # noqa: B010 the attribute is that of our subclass alone

    def _forget_picture(self) -> None:
        """What another program wrote over the screen is drawn over again, although the picture is the same."""
        if self._driver is not None and hasattr(self._driver, "last_picture"):
            setattr(self._driver, "last_picture", "")  # noqa: B010 the attribute is that of our subclass alone

    async def _find_actions(self, words: str) -> list[Match]:
        return [
            Match(action.id, (Span(action.title), Span(f"  {action.id}", "faint")), (Span(self.keys.first(action.id), "key"),))
            for action in matching(words)
        ]

    def _chosen(self, identifier: str | None) -> None:
        if identifier is not None:
            self.action_act(identifier)

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
) -> Left:
    """Run the screen over `desk`, from `place` on, until the agent leaves. Its exit code: 0, 1 after a fault, REOPEN when the desk
    ended and the agent asked to open it again, RENEW (only with `renews`) when it is locked and is to be started in a new memory.
    `hint` is said where a passphrase is asked for. Raises UsageError for a `[keymap]` that names no action."""
    app = WabizApp(desk, clock=clock, config=config, zone=zone, hint=hint, place=place, renews=renews)
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
