"""The simulator's time: a clock that can be moved, and the acts that are due at its instants."""

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from wabiz_tui.model.clock import Clock

Act = Callable[[], Awaitable[object]]
_log = structlog.get_logger("simulator")
_LONGEST_NAP = 30.0


class MovableClock:
    """A clock ahead of (or behind) the one it was given by what the control endpoint asked for."""

    def __init__(self, base: Clock) -> None:
        self._base = base
        self._shift = timedelta()

    def now(self) -> datetime:
        return self._base.now() + self._shift

    def monotonic(self) -> float:
        return self._base.monotonic() + self._shift.total_seconds()

    def advance(self, by: timedelta) -> None:
        self._shift += by

    def set(self, to: datetime) -> None:
        self._shift += to - self.now()


class Timeline:
    """Runs acts when they are due, each as a task of its own; acts due at the same instant start in the order they were added."""

    def __init__(self, clock: MovableClock) -> None:
        self.clock = clock
        self._due: list[tuple[datetime, int, Act]] = []
        self._order = itertools.count()
        self._stirred = asyncio.Event()
        self._running: set[asyncio.Task[object]] = set()

    @property
    def waiting(self) -> int:
        return len(self._due)

    def at(self, due: datetime, act: Act) -> None:
        heapq.heappush(self._due, (due, next(self._order), act))
        self._stirred.set()

    def after(self, seconds: float, act: Act) -> None:
        self.at(self.clock.now() + timedelta(seconds=seconds), act)

    def start(self, act: Act) -> "asyncio.Task[object]":
        """Run `act` now, beside everything else."""
        task = asyncio.ensure_future(_as_task(act))
        self._running.add(task)
        task.add_done_callback(self._finished)
        return task

    def stir(self) -> None:
        """The clock was moved: look again at what is due."""
        self._stirred.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._stirred.clear()
            now = self.clock.now()
            while self._due and self._due[0][0] <= now:
                self.start(heapq.heappop(self._due)[2])
            nap = min((self._due[0][0] - now).total_seconds(), _LONGEST_NAP) if self._due else _LONGEST_NAP
            try:
                await asyncio.wait_for(self._stirred.wait(), nap)
            except TimeoutError:
                continue

    async def stop(self) -> None:
        self._due.clear()
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _finished(self, task: "asyncio.Task[object]") -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.error("an act failed", error=type(error).__name__, exc_info=error)


async def _as_task(act: Act) -> object:
    return await act()
