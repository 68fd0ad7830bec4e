"""Whether the machine slept or its clock was moved since the last look, without asking any service."""

import sys
import time
from collections.abc import Callable

SLEPT_SECONDS = 2.0
JUMPED_SECONDS = 60.0
"""A clock that time servers keep moves by less at once."""


def asleep_seconds() -> float:
    """How long the machine has been suspended since its start; 0.0 where the system does not count it.

    Linux's CLOCK_BOOTTIME goes on during a suspend and CLOCK_MONOTONIC does not (clock_gettime(2)); macOS has the same pair
    under the names CLOCK_MONOTONIC_RAW and CLOCK_UPTIME_RAW."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
    if sys.platform == "darwin":
        return time.clock_gettime(time.CLOCK_MONOTONIC_RAW) - time.clock_gettime(time.CLOCK_UPTIME_RAW)
    return 0.0


def wall_offset() -> float:
    """How far the wall clock is from the monotonic one. A virtual machine that was paused sees both of its clocks stand still and
    then its wall clock set right."""
    return time.time() - time.monotonic()


class Wakefulness:
    """Remembers both differences from look to look."""

    def __init__(self, asleep: Callable[[], float] = asleep_seconds, wall: Callable[[], float] = wall_offset) -> None:
        self._asleep, self._wall = asleep, wall
        self._slept, self._offset = asleep(), wall()

    def look(self) -> str:
        """What happened since the last look: `suspend`, `clock`, or nothing."""
        slept, offset = self._asleep(), self._wall()
        has_slept, has_jumped = slept - self._slept > SLEPT_SECONDS, abs(offset - self._offset) > JUMPED_SECONDS
        self._slept, self._offset = slept, offset
        return "suspend" if has_slept else "clock" if has_jumped else ""
