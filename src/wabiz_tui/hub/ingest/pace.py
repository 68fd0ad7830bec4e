"""How folding leaves the processor to the acknowledging of webhooks: Meta waits for that, and for nothing else.

Both run in one process, and Python runs one thread of it at a time. So folding works in short slices while webhooks come in, and
lets the event loop come to rest between two of them: it has what acknowledging leaves (most of it while the journal waits for the
disk), all of it where nothing comes.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from datetime import timedelta
from threading import Lock

SLICE = 0.001
"""Seconds of the processor's time: an acknowledgement waits no longer for folding than this."""
LONGEST_LAG = timedelta(seconds=10)
"""Behind by more than this, slices grow with the lag: what is acknowledged must also be seen."""
LONGEST_SLICE = 0.016
LONGEST_WAIT = 0.016
"""Seconds that folding waits for a loop which never comes to rest: a seventeenth of one core is always its own."""
_QUIET_ROUNDS = 2


class Pace:
    """Called between two steps of folding, in the thread that folds. Not for several threads at once.

    `arrived` counts the webhooks that came so far; `is_awaited` tells whether somebody waits for the writer that folding holds:
    then it goes on without a pause."""

    def __init__(self, arrived: Callable[[], int], is_awaited: Callable[[], bool], worked: Callable[[], float] = time.thread_time) -> None:
        self._arrived, self._is_awaited, self._worked = arrived, is_awaited, worked
        self._loop: asyncio.AbstractEventLoop | None = None
        self._slice, self._since = SLICE, 0.0
        self._seen: int = 0

    def begin(self, loop: asyncio.AbstractEventLoop, *, lag: timedelta) -> None:
        """Before a batch: which loop acknowledges, and how long the oldest of its entries waits."""
        self._loop = loop
        self._slice = min(LONGEST_SLICE, SLICE * (1 + max(0.0, (lag - LONGEST_LAG).total_seconds())))

    def here(self) -> None:
        """Another thread goes on with the batch."""
        self._since = self._worked()

    def __call__(self) -> None:
        if self._worked() - self._since < self._slice:
            return
        arrived = self._arrived()
        if arrived != self._seen and not self._is_awaited():
            self._let_by()
        self._seen, self._since = arrived, self._worked()

    def _let_by(self) -> None:
        """Return once the loop went round twice and found no new webhook, or after a while."""
        turn = Lock()
        turn.acquire()
        with contextlib.suppress(RuntimeError):  # the loop is closed
            assert self._loop is not None  # noqa: S101 every batch begins
            self._loop.call_soon_threadsafe(self._round, self._loop, turn, self._arrived(), 0)
            turn.acquire(timeout=LONGEST_WAIT)

    def _round(self, loop: asyncio.AbstractEventLoop, turn: Lock, seen: int, quiet: int) -> None:
        arrived = self._arrived()
        quiet = quiet + 1 if arrived == seen else 0
        if quiet >= _QUIET_ROUNDS:
            turn.release()
        elif turn.locked():
            loop.call_soon(self._round, loop, turn, arrived, quiet)


def at_once() -> None:
    """The pace of whoever folds without a door beside it."""
