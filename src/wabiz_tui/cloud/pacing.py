"""Meta's send limits, kept on our side: messages a second for a number, and messages to one person (cloud-api §11)."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from wabiz_tui.cloud.outcomes import NeverLeft
from wabiz_tui.cloud.patience import PAIR_RATE
from wabiz_tui.graph.errors import meaning
from wabiz_tui.model.clock import Clock, SystemClock

STANDARD, HIGH, COEXISTENCE = 80, 1000, 20
"""Messages a second: the default, `throughput.level` HIGH, and a number shared with the phone app (M "Throughput")."""
PAIR_BURST, PAIR_EVERY = 45, 6.0
THROUGHPUT = 130429
PACED = "paced"
"""The code of what had no turn in time: Meta has seen nothing of it."""

# Two sends a second apart can arrive closer together than that.
_WINDOW = 1.02
_RECOVERY = 60.0
_FORGET_AT_LEAST = 1024
_MOST_STRIKES = 8
_LONGEST_PAUSE = 300.0
_REMEMBERED = 600.0


class _Turns:
    """One after the other, in the order of asking; who is cancelled while waiting takes nothing."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.waiting = 0


class _Number(_Turns):
    """The last sends of a number: a send may go when fewer than `per_second` of them are younger than a second."""

    def __init__(self, per_second: int) -> None:
        super().__init__()
        self.per_second = per_second
        self.slowed_at: float | None = None
        self.slowed_to = float(per_second)
        self.sent: deque[float] = deque()

    def rate(self, now: float) -> int:
        """Right after 130429 half of what it was, and back to the whole in a minute."""
        if self.slowed_at is None:
            return self.per_second
        share = (now - self.slowed_at) / _RECOVERY
        if share >= 1:
            self.slowed_at = None
            return self.per_second
        return max(1, int(self.slowed_to + (self.per_second - self.slowed_to) * share))

    def slow_down(self, now: float) -> None:
        # Refusals of sends that were on their way together tell of one and the same excess.
        if self.slowed_at is None or now - self.slowed_at >= 1:
            self.slowed_to = max(1.0, self.rate(now) / 2)
            self.slowed_at = now

    def delay(self, now: float, ahead: int = 0) -> float:
        """Seconds until the next send may go, behind `ahead` others."""
        while self.sent and now - self.sent[0] >= _WINDOW:
            self.sent.popleft()
        rate = self.rate(now)
        # The send that must be a second old by then, counted over those that went and those ahead, who go a round later each.
        place, rounds = len(self.sent) + ahead - rate, 0
        if place >= len(self.sent):
            rounds = (place - len(self.sent)) // rate + 1
            place -= rounds * rate
        return (max(0.0, self.sent[place] + _WINDOW - now) if place >= 0 else 0.0) + rounds * _WINDOW

    def take(self, now: float) -> None:
        self.sent.append(now)


class _Pair(_Turns):
    """What was sent to one person and is not yet paid off, one message every six seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.debt, self.since = 0.0, 0.0
        self.strikes, self.paused_until = 0, 0.0

    def owed(self, now: float) -> float:
        return max(0.0, self.debt - max(0.0, now - self.since) / PAIR_EVERY)

    def delay(self, now: float, ahead: int = 0) -> float:
        excess = self.owed(now) + ahead + 1 - PAIR_BURST
        return max(0.0, excess * PAIR_EVERY, self.paused_until - now)

    def take(self, now: float) -> None:
        self.debt, self.since = self.owed(now) + 1, now

    def strike(self, now: float) -> None:
        """131056: wait 4^n seconds (M "Error codes"), each time the next power."""
        self.paused_until = max(self.paused_until, now + min(4.0**self.strikes, _LONGEST_PAUSE))
        self.strikes = min(self.strikes + 1, _MOST_STRIKES)

    def is_idle(self, now: float) -> bool:
        remembered_until = self.paused_until + (_REMEMBERED if self.strikes else 0.0)
        return self.waiting == 0 and self.owed(now) <= 0 and now >= remembered_until


class Pacing:
    """Turns to send, in the order of asking for each person and for each number; who waits for one person holds up nobody else.

    `per_second` is the limit of a number that `set_rate` does not name. Times are of `clock.monotonic`. Memory holds the pairs
    that owe something, the last second's sends, and who waits. One event loop only.
    """

    def __init__(
        self,
        *,
        per_second: int = STANDARD,
        clock: Clock | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._per_second, self._clock, self._sleep = per_second, clock or SystemClock(), sleep
        self._numbers: dict[str, _Number] = {}
        self._pairs: dict[tuple[str, str], _Pair] = {}
        self._forget_above = _FORGET_AT_LEAST

    def __len__(self) -> int:
        """Pairs remembered."""
        return len(self._pairs)

    def set_rate(self, number: str, per_second: int) -> None:
        """What a number may send from now on: STANDARD, HIGH or COEXISTENCE, or less."""
        self._number(number).per_second = max(1, per_second)

    def delay(self, number: str, person: str | None) -> timedelta:
        """How long a send would wait for its turn if it asked now, those waiting counted. An estimate: they may leave, or be slowed."""
        return max(self._delays(number, person))

    async def turn(self, number: str, person: str | None, *, within: timedelta) -> None:
        """Wait for a send's turn and take it; `person` is None where no pair rate applies (groups). Raises NeverLeft with
        `retry_after`: at once when the turn would come after `within`, or when it has not come by then."""
        wait = self.delay(number, person)
        if wait <= within:
            try:
                async with asyncio.timeout(within.total_seconds()):
                    return await self._take_turn(number, person)
            except TimeoutError:
                wait = self.delay(number, person)
        code = PAIR_RATE if self._delays(number, person)[0] >= wait else THROUGHPUT
        raise NeverLeft(meaning(code).sentence, graph_code=code, code=PACED, is_transient=True, retry_after=wait)

    async def _take_turn(self, number: str, person: str | None) -> None:
        lane = self._number(number)
        if person is None:
            async with self._free(lane):
                lane.take(self._clock.monotonic())
            return
        pair = self._pair(number, person)
        # While its turn is held the pair stays free: nobody else can take from it.
        async with self._free(pair), self._free(lane):
            now = self._clock.monotonic()
            lane.take(now)
            pair.take(now)

    def refused(self, number: str, person: str | None, code: int | None) -> None:
        """What Meta's answer teaches: 130429 slows the number, 131056 keeps this person waiting, others nothing."""
        now = self._clock.monotonic()
        if code == THROUGHPUT:
            self._number(number).slow_down(now)
        elif code == PAIR_RATE and person is not None:
            self._pair(number, person).strike(now)

    def accepted(self, number: str, person: str | None) -> None:
        """Meta takes messages to this person again."""
        pair = self._pairs.get((number, person)) if person is not None else None
        if pair is not None:
            pair.strikes = 0

    def _delays(self, number: str, person: str | None) -> tuple[timedelta, timedelta]:
        """For the person and for the number."""
        now, lane = self._clock.monotonic(), self._numbers.get(number)
        pair = self._pairs.get((number, person)) if person is not None else None
        for_pair = pair.delay(now, pair.waiting) if pair is not None else 0.0
        for_number = lane.delay(now, lane.waiting) if lane is not None else 0.0
        return timedelta(seconds=for_pair), timedelta(seconds=for_number)

    @asynccontextmanager
    async def _free(self, turns: _Number | _Pair) -> AsyncGenerator[None, None]:
        """In the order of asking, once the limit allows one more."""
        turns.waiting += 1
        try:
            async with turns.lock:
                while (wait := turns.delay(self._clock.monotonic())) > 0:
                    await self._sleep(wait)
                yield
        finally:
            turns.waiting -= 1

    def _number(self, number: str) -> _Number:
        return self._numbers.setdefault(number, _Number(self._per_second))

    def _pair(self, number: str, person: str) -> _Pair:
        found = self._pairs.get((number, person))
        if found is None:
            if len(self._pairs) >= self._forget_above:
                self._forget()
            found = self._pairs[number, person] = _Pair()
        return found

    def _forget(self) -> None:
        """Looked through only when the pairs have doubled since: the cost for each send stays constant."""
        now = self._clock.monotonic()
        self._pairs = {key: pair for key, pair in self._pairs.items() if not pair.is_idle(now)}
        self._forget_above = max(_FORGET_AT_LEAST, 2 * len(self._pairs))
