"""What takes the inbox out of sight: lock, hang-up, stop, detach and the end; and the way back to where the agent stood."""

import asyncio
import os
import signal
from contextlib import suppress
from threading import Timer
from typing import TYPE_CHECKING, Final

from wabiz_tui.model.errors import WabizError
from wabiz_tui.tui.attachment import LOOK_SECONDS, until_detached
from wabiz_tui.tui.driver import keep_picture
from wabiz_tui.tui.inbox.screen import InboxScreen
from wabiz_tui.tui.place import Place
from wabiz_tui.tui.screens.lock import Locked
from wabiz_tui.tui.screens.unlock import Unlock

if TYPE_CHECKING:
    from wabiz_tui.tui.app import WabizApp

REOPEN: Final = 75
"""Exit code (EX_TEMPFAIL) that asks the caller to open the desk anew and to start the app again."""
RENEW: Final = 76
"""Exit code that asks the caller to start the locked app again in a new memory."""
DRAFT_SECONDS: Final = 2.0
"""How long leaving waits for the desk to take the draft."""
STANDS_SECONDS: Final = 1.0
"""How long leaving waits for a screen that is being made."""
LOCK_SECONDS: Final = 2.0
"""How long a terminal that is gone waits for the lock it asked for; the desk goes on with it."""
HANG_UP_SECONDS: Final = 5.0
QUIET_SECONDS: Final = 2.0
"""A locked screen that gets no key for so long is started again: the keys of somebody who unlocks at once belong to this one."""
_LOOK_SECONDS: Final = 0.25


class Leaving:
    def __init__(self, app: "WabizApp", *, renews: bool, place: Place) -> None:
        self.app, self._renews, self.place = app, renews, place
        self._has_shown = self._is_leaving = False
        self._pressed_at = 0.0

    def begin(self) -> None:
        """Hear the signals of a real terminal."""
        loop = asyncio.get_running_loop()
        # A closed window or an ending session; the draft is saved first.
        loop.add_signal_handler(signal.SIGTERM, self.leave, 128 + signal.SIGTERM)
        loop.add_signal_handler(signal.SIGHUP, self.hung_up)
        loop.add_signal_handler(signal.SIGTSTP, self.stopped)
        self.app.run_worker(self._watch_attachment, group="listen")
        if self._renews:
            self.app.run_worker(self._renew_when_quiet, group="listen")

    # Where the agent stands

    def shown(self, inbox: InboxScreen) -> None:
        """The inbox stands: go where the agent was."""
        self._has_shown = True
        place, self.place = self.place, Place()
        if place.conversation:
            inbox.start(inbox.going.come_back(place))

    @property
    def is_coming_back(self) -> bool:
        """Whether the inbox stands and the place is still to be gone to: until then a key would mean something else."""
        return isinstance(self.app.base, InboxScreen) and bool(self.place.conversation)

    def remember_lost(self) -> None:
        """The desk is gone: what was written last is nowhere but here."""
        inbox = self.app.base
        if isinstance(inbox, InboxScreen) and inbox.conversation:
            text = inbox.composer.buffer.text
            self.place = Place(inbox.conversation, text, inbox.composer.reply_to if text else None)

    def remember_locked(self, reason: str) -> None:
        """What was written last is a draft at the desk; here stays which conversation it was."""
        inbox = self.app.base
        if isinstance(inbox, InboxScreen):
            self.place = Place(inbox.conversation or "")
        self.place = self.place._replace(locked=reason or "locked")

    def pressed(self) -> None:
        self._pressed_at = asyncio.get_running_loop().time()

    # Out of sight

    def lock(self, reason: str = "asked") -> None:
        self.app.run_worker(self._lock(reason), group="lock")

    async def _lock(self, reason: str) -> None:
        inbox = self.app.base
        if isinstance(inbox, InboxScreen):
            try:
                await inbox.talking.keep_draft()
                await self.app.desk.lock(reason)
            except WabizError as error:
                inbox.say(error.sentence, "bad")
            else:
                # At once, so that what is typed next finds the locked screen and not the inbox.
                await self.app.foreground.show_locked(reason)

    def leave(self, code: int = 0) -> None:
        """End the app with the exit code `code` once the draft is saved."""
        self._is_leaving = True
        self.app.run_worker(self._leave_saved(code), group="lock", exclusive=True)

    async def _leave_saved(self, code: int) -> None:
        await self._until_it_stands()
        await self._keep_draft()
        self.app.exit(return_code=code)

    async def _until_it_stands(self) -> None:
        """A screen that is taken away while it is being made would look for its parts in vain."""
        with suppress(TimeoutError):
            async with asyncio.timeout(STANDS_SECONDS):
                while self.app.base is None or not self.app.base.is_mounted:  # noqa: ASYNC110 screens come and go, each with an event of its own
                    await asyncio.sleep(0.005)

    async def _keep_draft(self) -> None:
        if isinstance(self.app.base, InboxScreen):
            with suppress(WabizError, TimeoutError):
                await asyncio.wait_for(self.app.base.talking.keep_draft(), DRAFT_SECONDS)

    def hung_up(self) -> None:
        """The terminal is gone, or about to go: lock and leave in order, or at least leave, as giving it back may never end."""
        code = 128 + signal.SIGHUP
        self._is_leaving = True
        last = Timer(HANG_UP_SECONDS, os._exit, (code,))
        last.daemon = True
        last.start()
        self.app.run_worker(self._leave_locked(code), group="lock", exclusive=True)

    async def _leave_locked(self, code: int) -> None:
        await self._keep_draft()
        with suppress(WabizError, TimeoutError):
            await asyncio.wait_for(self.app.desk.lock("hangup"), LOCK_SECONDS)
        await self._until_it_stands()
        self.app.exit(return_code=code)

    def stopped(self) -> None:
        """Somebody stops the process (SIGTSTP): nothing readable is left behind in the terminal, else it goes on."""
        self.app.run_worker(self._stop(), group="lock", exclusive=True)

    async def _stop(self) -> None:
        await self._lock("stop")
        driver = self.app.driver
        if driver is not None and not isinstance(self.app.base, InboxScreen):
            # SIGCONT brings the screen back by Textual's own handler.
            driver.suspend_application_mode()
            os.kill(os.getpid(), signal.SIGSTOP)

    async def _watch_attachment(self) -> None:
        while True:
            await until_detached()
            await self._lock("detach")
            # Nobody may be there for days: looked at again now and then.
            await asyncio.sleep(LOOK_SECONDS)

    async def _renew_when_quiet(self) -> None:
        """Python cannot erase the words this process has shown; a process that starts anew has none of them."""
        loop = asyncio.get_running_loop()
        locked_at = loop.time()
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if not self._is_quiet():
                locked_at = loop.time()
            elif loop.time() - max(locked_at, self._pressed_at) >= QUIET_SECONDS:
                keep_picture(self.app.driver)
                self.app.exit(return_code=RENEW)
                return

    def _is_quiet(self) -> bool:
        screen = self.app.base
        is_locked = isinstance(screen, Locked) or (isinstance(screen, Unlock) and screen.is_untouched)
        # Who leaves by way of the lock (a hang-up) is not to come back in a new process.
        return self._has_shown and is_locked and not self._is_leaving and self.app.typeahead.is_idle
