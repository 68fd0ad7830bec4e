"""Time is handed in: the clock every part receives, and the one switch that moves it forward."""

import os
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol

from wabiz_tui.model.errors import UsageError

CLOCK_AHEAD = "WABIZ_CLOCK_AHEAD"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class Clock(Protocol):
    """Says what time it is. `now` is aware UTC; `monotonic` counts seconds from an arbitrary start and never goes back."""

    def now(self) -> datetime: ...

    def monotonic(self) -> float: ...


class SystemClock:
    """The machine's clock, moved forward by a fixed amount (never back: an earlier time would extend what has expired)."""

    def __init__(self, ahead: timedelta = timedelta()) -> None:
        self.ahead = ahead

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def monotonic(self) -> float:
        return time.monotonic()


def parse_ahead(text: str) -> timedelta:
    """`15d`, `90m`, `2h` … as a timedelta. Raises UsageError for anything else, negative amounts among it."""
    matched = re.fullmatch(r"(\d{1,9})([smhdw])", text.strip())
    if matched is None:
        raise UsageError(f"{CLOCK_AHEAD} takes a whole number and a unit (s, m, h, d, w), such as 15d.")
    return timedelta(seconds=int(matched[1]) * _UNITS[matched[2]])


def clock_from_environment(environment: Mapping[str, str] = os.environ) -> SystemClock:
    """The clock of this process: the machine's, ahead by `WABIZ_CLOCK_AHEAD` where that is set."""
    ahead = environment.get(CLOCK_AHEAD, "")
    return SystemClock(parse_ahead(ahead) if ahead else timedelta())
