"""When a call may be repeated, and after which pause (cloud-api §12): only where Meta surely carried nothing out."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import msgspec

from wabiz_tui.cloud.outcomes import NeverLeft, Refused, Unanswered, Uncertain
from wabiz_tui.model.clock import Clock, SystemClock
from wabiz_tui.model.errors import CloudError

PAIR_RATE = 131056
_FIRST, _LONGEST, _TOTAL = timedelta(seconds=1.5), timedelta(minutes=5), timedelta(minutes=15)

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]


class Patience(msgspec.Struct, frozen=True):
    """The pauses: `first`, then double, each shortened by chance to no less than half, none above `longest`, and all tries within
    `total` of the first or before the caller's deadline, whichever comes first."""

    first: timedelta = _FIRST
    longest: timedelta = _LONGEST
    total: timedelta = _TOTAL

    def pause(self, attempt: int, error: CloudError, chance: random.Random) -> float:
        """Seconds to wait after the failed try number `attempt` (from 0): Meta's Retry-After where it gives one, 4^attempt for the
        pair rate (M "Error codes", 131056), else the doubled pause."""
        most = self.longest.total_seconds()
        if error.graph_code == PAIR_RATE:
            wait = min(4.0 ** min(attempt, 10), most)
        else:
            wait = min(self.first.total_seconds() * 2.0 ** min(attempt, 30), most) * chance.uniform(0.5, 1.0)
        return max(wait, error.retry_after.total_seconds() if error.retry_after is not None else 0.0)


class Persistence:
    """Repeats calls as a Patience allows. Without one, every call is made once."""

    def __init__(
        self,
        patience: Patience | None,
        *,
        clock: Clock | None = None,
        chance: random.Random | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._patience, self._sleep = patience, sleep
        self._clock = clock or SystemClock()
        self._chance = chance or random.Random()  # noqa: S311 jitter spreads load, it keeps no secret

    async def insist(
        self, call: Callable[[], Awaitable[T]], may_repeat: Callable[[CloudError], bool], *, within: timedelta | None = None
    ) -> T:
        """What `call` returns, or its last error: when it must not be repeated, or when the pause would end after `within`."""
        patience = self._patience
        if patience is None:
            return await call()
        until = self._clock.monotonic() + min(patience.total, within if within is not None else patience.total).total_seconds()
        attempt = 0
        while True:
            try:
                return await call()
            except CloudError as error:
                if not may_repeat(error):
                    raise
                pause = patience.pause(attempt, error, self._chance)
                if self._clock.monotonic() + pause > until:
                    raise
            await self._sleep(pause)
            attempt += 1


def may_send_again(error: CloudError) -> bool:
    """For a send: a refusal that calls for a pause, or a request that never left. Nothing else, whatever it looks like."""
    if isinstance(error, Refused):
        return error.retry == "backoff"
    return isinstance(error, NeverLeft) and error.is_transient


def may_ask_again(error: CloudError) -> bool:
    """For a question: any failure that may pass."""
    if isinstance(error, Unanswered):
        return not isinstance(error, Uncertain)
    return error.is_transient
