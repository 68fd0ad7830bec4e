"""The simulator's time: a clock that can be moved, slowed, hurried and stopped, and the acts that are due at its instants."""

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
_SETTLE_EVERY = timedelta(seconds=1)


class MovableClock:
    """A clock of its own: it starts with the one it was given, runs `rate` times as fast (0: it stands) and can be moved."""

    def __init__(self, base: Clock) -> None:
        self._base = base
        self.reset()

    def reset(self) -> None:
        """With the given clock again, at its pace."""
        self.rate = 1.0
        self._shown, self._shown_monotonic = self._base.now(), self._base.monotonic()
        self._since, self._since_monotonic = self._shown, self._shown_monotonic

    def now(self) -> datetime:
        return self._shown + (self._base.now() - self._since) * self.rate if self.rate else self._shown

    def monotonic(self) -> float:
        return self._shown_monotonic + (self._base.monotonic() - self._since_monotonic) * self.rate

    def advance(self, by: timedelta) -> None:
        self._move(self.now() + by)

    def set(self, to: datetime) -> None:
        self._move(to)

    def run_at(self, rate: float) -> None:
        self._move(self.now())
        self.rate = rate

    def _move(self, to: datetime) -> None:
        self._shown_monotonic = self.monotonic() + (to - self.now()).total_seconds()
        self._shown = to
        self._since, self._since_monotonic = self._base.now(), self._base.monotonic()


class Timeline:
    """Runs acts when they are due, each as a task of its own; acts due at the same instant start in the order they were added."""

    def __init__(self, clock: MovableClock) -> None:
        self.clock = clock
        self._due: list[tuple[datetime, int, Act]] = []
        self._order = itertools.count()
        self._stirred = asyncio.Event()
        self._running: set[asyncio.Task[object]] = set()
        self._turn = asyncio.Lock()

    @property
    def waiting(self) -> int:
        return len(self._due)

    @property
    def next_due(self) -> datetime | None:
        return self._due[0][0] if self._due else None

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

    async def advance(self, to: datetime, *, patience: float) -> bool:
        """Move to `to` from one due instant to the next: acts run in order, each when the clock shows its time, and what they start is done
        before the next (while the clock runs by itself: before a second has passed on it). After `patience` (real) seconds nothing is
        waited for, after half as much again the rest starts at `to`. Returns whether all was done. Never moves back."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience
        async with self._turn:
            is_settled = await self.settle(deadline)
            settled_at = self.clock.now()
            while self._due and self._due[0][0] <= to and loop.time() < deadline + patience / 2:
                due = self._due[0][0]
                if due > self.clock.now():
                    self.clock.set(due)
                while self._due and self._due[0][0] <= due:
                    self.start(heapq.heappop(self._due)[2])
                if self.clock.rate == 0 or due - settled_at >= _SETTLE_EVERY:
                    is_settled, settled_at = await self.settle(deadline), due
                else:
                    await asyncio.sleep(0)
            is_settled = await self.settle(deadline) and is_settled and not (self._due and self._due[0][0] <= to)
            if self.clock.now() < to:
                self.clock.set(to)
        self.stir()
        return is_settled

    async def settle(self, deadline: float) -> bool:
        """Wait until nothing is running, at the latest until `deadline` of the loop's clock; everything started has had its turn."""
        await asyncio.sleep(0)
        while self._running:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return False
            await asyncio.wait(tuple(self._running), timeout=left)
            await asyncio.sleep(0)
        return True

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._stirred.clear()
            async with self._turn:
                now = self.clock.now()
                while self._due and self._due[0][0] <= now:
                    self.start(heapq.heappop(self._due)[2])
            try:
                await asyncio.wait_for(self._stirred.wait(), self._nap(now))
            except TimeoutError:
                continue

    async def stop(self) -> None:
        """Forget what is due and end what is running."""
        self._due.clear()
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _nap(self, now: datetime) -> float:
        if not self._due or not self.clock.rate:
            return _LONGEST_NAP
        return max(0.0, min((self._due[0][0] - now).total_seconds() / self.clock.rate, _LONGEST_NAP))

    def _finished(self, task: "asyncio.Task[object]") -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.error("an act failed", error=type(error).__name__, exc_info=error)


async def _as_task(act: Act) -> object:
    return await act()
