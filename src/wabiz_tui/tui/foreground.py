"""Which screen stands before the agent, and what the desk says that puts another one in its place."""

import asyncio
from typing import TYPE_CHECKING, Any, Final

from textual.screen import Screen

from wabiz_tui.model.desk import DeskEvent, DeskStatus
from wabiz_tui.model.errors import WabizError
from wabiz_tui.tui.inbox.reading import Reading
from wabiz_tui.tui.inbox.screen import InboxScreen
from wabiz_tui.tui.screens.lock import Ended, Locked
from wabiz_tui.tui.screens.unlock import Unlock

if TYPE_CHECKING:
    from wabiz_tui.tui.app import WabizApp

_BLIND: Final = "What you typed before the inbox stood was dropped; type it again."
NO_DESK: Final = DeskStatus(link="offline", locked=True)


class Foreground:
    """One screen of inbox, unlock, locked and ended stands at a time; dialogs stand above it and go with it."""

    def __init__(self, app: "WabizApp") -> None:
        self.app, self.desk = app, app.desk
        self._opening = asyncio.Lock()

    @property
    def base(self) -> Screen[Any] | None:
        """The screen that stands under all dialogs."""
        stack = self.app.screen_stack
        return stack[1] if len(stack) > 1 else None

    async def begin(self) -> None:
        """Let the first screen stand."""
        status = await self._status()
        if status is None:
            self._stand(Ended(NO_DESK))
        elif status.locked and self.app.leaving.place.locked:
            await self.show_locked(self.app.leaving.place.locked)
        elif status.locked:
            self._show_unlock(status)
        else:
            await self.show_inbox()

    async def _status(self) -> DeskStatus | None:
        try:
            return await self.desk.status()
        except WabizError:
            return None

    # What the desk says

    async def listen(self) -> None:
        """Follow the desk's events to their end, which is the end of the desk."""
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
                await self.show_inbox()
            case "closing":
                self._end(event.reason if " " in event.reason else "")
            case "changed" | "status":
                if isinstance(self.base, InboxScreen):
                    self.base.upkeep.dirty()
            case "presence":
                if isinstance(self.base, InboxScreen):
                    self.base.company.heard(event)

    # What stands

    def _stand(self, screen: Screen[Any]) -> None:
        """Let `screen` stand instead of whatever stood there, dialogs included; nothing of that stays in memory."""
        while len(self.app.screen_stack) > 1:
            self.app.pop_screen()
        self.app.leader.end()
        self.app.push_screen(screen)

    def _end(self, said: str) -> None:
        """The desk is gone; once."""
        if not isinstance(self.base, Ended):
            self.app.leaving.remember_lost()
            self._stand(Ended(NO_DESK, said))

    def _show_unlock(self, status: DeskStatus, reason: str = "") -> None:
        self._stand(Unlock(self.desk, status, reason, hint=self.app.hint))

    async def show_locked(self, reason: str) -> None:
        """The locked screen; with its field where a passphrase is needed, so that typing it is all there is to do."""
        if isinstance(self.base, (Unlock, Ended)) or (isinstance(self.base, Locked) and not reason):
            return
        status = await self._status() or NO_DESK
        if isinstance(self.base, (Unlock, Ended)):
            return
        self.app.leaving.remember_locked(reason)
        if status.needs_passphrase:
            self._show_unlock(status, reason or "locked")
        else:
            self._stand(Locked(status, reason))

    async def show_inbox(self) -> None:
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
                inbox = InboxScreen(reading, self.app.now, first, columns=self.app.size.width, viewer=self.app.settings.desk.viewer)
                was_locked = isinstance(self.base, (Unlock, Locked))
                self._stand(inbox)
                if was_locked and self.app.typeahead.forget_blind():
                    inbox.call_after_refresh(inbox.say, _BLIND, "warn")
                inbox.call_after_refresh(self.app.leaving.shown, inbox)

    async def go_on(self) -> None:
        """From a locked screen to the unlocking one."""
        status = await self._status()
        if status is not None:
            self._show_unlock(status)
