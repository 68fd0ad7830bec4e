"""Turns shifts when their time comes: sleeps until the next instant at which one may turn, and no shorter."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import structlog

from wabiz_tui.hub.archive.store import Archive
from wabiz_tui.hub.policy import InForce
from wabiz_tui.hub.shifts.board import SHIFTS, ShiftBoard
from wabiz_tui.hub.shifts.turning import is_due, turn_shifts
from wabiz_tui.model.errors import StoreError

_LONGEST_SLEEP = 30.0
"""Seconds: a clock that is set, or a machine that slept, is noticed within this."""
_AFTER_FAILURE = 2.0
log = structlog.get_logger("hub.shifts")


class ShiftKeeper:
    """Every process wakes its own streams; one of them, which `leads`, changes the archive. `turned` is called in the loop."""

    def __init__(
        self,
        archive: Archive,
        board: ShiftBoard,
        in_force: Callable[[], InForce],
        *,
        turned: Callable[[], object],
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        self._archive, self._board, self._in_force = archive, board, in_force
        self._turned, self._leads = turned, leads
        self._woken = asyncio.Event()
        self._policy = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        self._loop = loop = asyncio.get_running_loop()
        self._archive.bus.on(SHIFTS, lambda _: self.wake(), loop=loop)
        # Another policy moves the instants. Somebody new, or in a new role, is caught up with at the next of them.
        self._archive.listeners.append(self._committed)
        while True:
            self._woken.clear()
            pause = await self._turn()
            if pause > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), pause)

    def wake(self) -> None:
        """Look now: something was said, or a clock was moved."""
        self._woken.set()

    def _committed(self, _head: int) -> None:
        loop = self._loop
        if self._in_force().version != self._policy and loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self.wake)

    async def _turn(self) -> float:
        """Do what is due; how many seconds until there may be more."""
        current = self._in_force()
        self._policy = current.version
        try:
            if self._leads() and await self._archive.read(lambda reading: is_due(reading, current.policy)):
                await self._archive.write(lambda writing: turn_shifts(writing, current.policy))
                self._turned()
                return 0.0
        except StoreError as error:
            log.warning("shifts_not_turned", code=error.code)
            return _AFTER_FAILURE
        self._turned()
        next_at: datetime | None = await asyncio.to_thread(self._board.next_change)
        if next_at is None:
            return _LONGEST_SLEEP
        return min(max((next_at - self._archive.clock.now()).total_seconds(), 0.001), _LONGEST_SLEEP)
