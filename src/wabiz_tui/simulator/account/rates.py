"""Meta's two send limits: messages a second for a number, and messages to one person."""

from collections import deque
from datetime import datetime, timedelta

from wabiz_tui.graph.errors import graph_error

PER_SECOND = 80
PAIR_BURST = 45
PAIR_EVERY = timedelta(seconds=6)


class Rates:
    """Raises CloudError 130429 or 131056 above the limits of cloud-api §11; a refused send counts for nothing."""

    def __init__(self, *, per_second: int = PER_SECOND, pair_burst: int = PAIR_BURST) -> None:
        self.per_second, self.pair_burst = per_second, pair_burst
        self._recent: dict[str, deque[datetime]] = {}
        self._debts: dict[tuple[str, str], tuple[float, datetime]] = {}

    def take(self, number: str, person: str, now: datetime, *, per_second: int | None = None) -> None:
        """`per_second` is the number's own throughput where it is not the usual one."""
        most = self.per_second if per_second is None else per_second
        recent = self._recent.setdefault(number, deque())
        while recent and now - recent[0] >= timedelta(seconds=1):
            recent.popleft()
        if len(recent) >= most:
            raise graph_error(130429, f"Message failed to send because the number reached {most} messages a second")
        debt, since = self._debts.get((number, person), (0.0, now))
        debt = max(0.0, debt - (now - since) / PAIR_EVERY)
        if debt + 1 > self.pair_burst:
            raise graph_error(131056, "Too many messages sent from this number to the same person in a short time")
        recent.append(now)
        self._debts[number, person] = (debt + 1, now)


class Quota:
    """Management calls of an app to one account: 5,000 an hour when it is active (cloud-api §11). Raises CloudError 80007 above."""

    def __init__(self, per_hour: int = 5000) -> None:
        self.per_hour = per_hour
        self._recent: deque[datetime] = deque()

    def take(self, now: datetime) -> None:
        while self._recent and now - self._recent[0] >= timedelta(hours=1):
            self._recent.popleft()
        if len(self._recent) >= self.per_hour:
            raise graph_error(80007, f"There have been too many calls to this account: at most {self.per_hour} an hour")
        self._recent.append(now)

    def percent(self) -> int:
        """How much of it is used."""
        return min(100, 100 * len(self._recent) // max(1, self.per_hour))
