"""How much of the machine folding takes while webhooks rush in: Meta waits for the acknowledgement, and for nothing else."""

import time
from collections.abc import Callable
from datetime import timedelta

RUSH = 32
"""So many webhooks acknowledged while one batch was folded are a rush."""
LONGEST_LAG = timedelta(seconds=10)
"""Behind by more than this, folding rests no longer: what is acknowledged must also be seen."""
_REST = 2.0
_LONGEST_REST = 0.005


class Pace:
    """Called between two entries, in the thread that folds. In a rush it rests twice as long as the entry took, so that two thirds of
    one core are left to acknowledging; else it costs nothing. Not for several threads at once."""

    def __init__(self, monotonic: Callable[[], float] = time.perf_counter, sleep: Callable[[float], None] = time.sleep) -> None:
        self._monotonic, self._sleep = monotonic, sleep
        self.is_rushed = False
        self._since = 0.0

    def begin(self, *, arrived: int, lag: timedelta) -> None:
        """Before a batch: how many webhooks came during the one before, and how long the oldest of this one waits."""
        self.is_rushed = arrived >= RUSH and lag < LONGEST_LAG
        self._since = self._monotonic()

    def __call__(self) -> None:
        if self.is_rushed:
            self._sleep(min((self._monotonic() - self._since) * _REST, _LONGEST_REST))
            self._since = self._monotonic()


def at_once() -> None:
    """The pace of whoever folds without a door beside it."""
