"""Keys in the order they were typed: each waits until what the one before it began stands on the screen.

Textual hands a key to whatever has the focus when it arrives. A key that opens a dialog takes some turns of the event loop to do
so, and the letters typed after it would meanwhile go to the screen below, where they mean something else.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from textual import events
from textual.message_pump import MessagePump
from textual.screen import Screen

if TYPE_CHECKING:
    from wabiz_tui.tui.app import WabizApp

LEAVERS: Final = frozenset({"lock", "unlock"})
"""Groups of the workers that put another screen in the place of the one that stands."""
OPENERS: Final = LEAVERS | {"acts"}
"""Groups of the workers that a key starts and that may change what the next key means."""
ROUNDS: Final = 3
"""Hops of messages between a key and the worker or screen it leads to: the key itself, the fact a widget posts, a dialog's answer."""
IMPATIENT_AFTER: Final = 1.0
"""Seconds of waiting after which leaving and locking no longer stand in the queue."""
STALE_AFTER: Final = 30.0
"""Seconds of waiting after which nobody knows any more what they typed: a passphrase typed a second time would go to a customer."""
PAUSE: Final = 1.0
"""Seconds without a key after which somebody has seen what stands, and types for that."""
_TURN: Final = 0.005


class TakesText:
    """A screen with a field."""

    @property
    def takes_keys(self) -> bool:
        """Whether it stands ready for keys."""
        raise NotImplementedError

    @property
    def is_writing(self) -> bool:
        """Whether letters go into its field now."""
        raise NotImplementedError

    @property
    def takes_choice(self) -> bool:
        """Whether a key that chooses would find taken into account what was typed before it."""
        return True


class Typeahead:
    """The queue of keys and pastes, and the one task that hands them on."""

    def __init__(self, app: "WabizApp") -> None:
        self.app = app
        self._waiting: deque[events.Key | events.Paste] = deque()
        self._arrived = asyncio.Event()
        self._held_since: float | None = None
        self._deaf_until = 0.0
        self.is_idle = True
        """Whether all that was typed has been obeyed."""

    def take(self, event: events.Key | events.Paste) -> None:
        """Put a key or a paste at the end of the queue; Ctrl+Q and Ctrl+L pass it when it has stood still."""
        if isinstance(event, events.Key) and event.key in self._urgent() and self._is_stuck():
            self._waiting.clear()
            self.app.action_act("app.quit_now" if event.key in self.app.keys.keys["app.quit_now"] else "app.lock")
            return
        now = asyncio.get_running_loop().time()
        if now < self._deaf_until:
            self._deaf_until = now + PAUSE
            return
        self.is_idle = False
        self._waiting.append(event)
        self._arrived.set()

    def forget(self) -> None:
        """Drop what was typed in the belief that an earlier key would be obeyed: it may mean something else where things stand."""
        self._waiting.clear()

    def forget_blind(self) -> bool:
        """Another screen stands than the one that was typed for: drop what waits, and what comes in one go with it. Whether anything did.
        Letters of a passphrase, typed once more since nothing seemed to happen, would open a composer and go to a customer."""
        if not self._waiting:
            return False
        self._waiting.clear()
        self._deaf_until = asyncio.get_running_loop().time() + PAUSE
        return True

    def _urgent(self) -> tuple[str, ...]:
        return self.app.keys.keys["app.quit_now"] + self.app.keys.keys["app.lock"]

    def _is_stuck(self) -> bool:
        return self._held_since is not None and asyncio.get_running_loop().time() - self._held_since > IMPATIENT_AFTER

    async def run(self) -> None:
        """Hand on what was typed, one by one, for as long as the app runs."""
        while True:
            await self._arrived.wait()
            while self._waiting:
                began = asyncio.get_running_loop().time()
                await self._until_ready(self._waiting[0])
                if asyncio.get_running_loop().time() - began > STALE_AFTER:
                    self.forget()
                if self._waiting:
                    await self.app.obey(self._waiting.popleft())
                    await self._handled()
            self._arrived.clear()
            self.is_idle = True

    async def _until_ready(self, event: events.Key | events.Paste) -> None:
        """Wait until the screen that stands takes `event`, and until nothing that an earlier key began is under way."""
        self._held_since = asyncio.get_running_loop().time()
        while self._waiting and not self._is_ready(event):
            while self._waiting and not self._is_ready(event):  # noqa: ASYNC110 see below
                # Focus, mounting and the end of workers have no common event to wait for.
                await asyncio.sleep(_TURN)
            await self._handled()
        self._held_since = None

    def _is_ready(self, event: events.Key | events.Paste) -> bool:
        app = self.app
        screen = app.base and app.screen
        if screen is None or not screen.is_running or not screen.is_mounted or app.leaving.is_coming_back:
            return False
        if isinstance(screen, TakesText):
            if not screen.takes_keys:
                return False
            is_text = isinstance(event, events.Paste) or event.is_printable or event.key == "backspace"
            if is_text and screen.is_writing:
                # Letters for a field that has the focus change nothing but the field, as long as the field stays.
                return not self._at_work(LEAVERS)
            if not screen.takes_choice and not is_text and not (isinstance(event, events.Key) and event.key == "escape"):
                return False
        return not self._at_work(OPENERS)

    def _at_work(self, groups: frozenset[str]) -> set[int]:
        return {id(worker) for worker in self.app.workers if worker.group in groups and not worker.is_finished}

    async def _handled(self) -> None:
        """Wait until the messages that a key, or the end of what a key began, leads to have been worked off."""
        before: set[int] | None = None
        while before != (now := self._at_work(OPENERS)):
            before = now
            for _ in range(ROUNDS):
                for pump in self._chain():
                    await _worked_off(pump)

    def _chain(self) -> Iterator[MessagePump]:
        """From the focus up to the app: the way a key goes, and then the screens below, whose dialogs answer to them."""
        screens: list[Screen[object]] = list(self.app.screen_stack)
        pump: MessagePump | None = (screens[-1].focused or screens[-1]) if screens else None
        while pump is not None and pump is not self.app:
            yield pump
            pump = pump._parent  # pyright: ignore[reportPrivateUsage] the public way up ends at the screen
        # Not Textual's own first screen: it answers to no key, and a turn of its loop makes it draw itself under all the others.
        yield from reversed(screens[1:-1])
        yield self.app


async def _worked_off(pump: MessagePump) -> None:
    """Wait until `pump` has done all that is in its queue now, or has ended."""
    done = asyncio.Event()
    if not pump.is_running or not pump.call_later(done.set):
        return
    while not done.is_set() and pump.is_running:
        try:
            await asyncio.wait_for(done.wait(), 0.25)
        except TimeoutError:
            continue
