"""How often one may ask: buckets in this process's memory, so many and no more, however many there are who ask."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta

from wabiz_tui.model.errors import TooMany

MOST_BUCKETS = 20_000
"""Of each kind; above it the one that was longest unused is forgotten, and so full again."""


class Buckets:
    """One bucket a name: it holds `burst` and gains `rate` a second. For one thread.

    A name may hold an address or a code: only a hash of it is kept."""

    def __init__(self, *, rate: float, burst: int, monotonic: Callable[[], float], most: int = MOST_BUCKETS) -> None:
        self._rate, self._burst, self._monotonic, self._most = rate, float(burst), monotonic, most
        self._levels: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def take(self, *name: str) -> None:
        """Take one. Raises TooMany with the wait when the bucket is empty."""
        self.check(*name)
        key = _key(name)
        self._levels[key] = (self._level(key) - 1, self._monotonic())
        self._levels.move_to_end(key)
        if len(self._levels) > self._most:
            self._levels.popitem(last=False)

    def check(self, *name: str) -> None:
        """Raises TooMany with the wait when the bucket is empty; takes nothing."""
        level = self._level(_key(name))
        if level < 1:
            wait = timedelta(seconds=(1 - level) / self._rate)
            raise TooMany("That was asked too often; try again after the time that Retry-After says.", retry_after=wait)

    def __len__(self) -> int:
        return len(self._levels)

    def _level(self, key: bytes) -> float:
        level, at = self._levels.get(key, (self._burst, 0.0))
        return min(self._burst, level + max(0.0, self._monotonic() - at) * self._rate)


class Rates:
    """The hub's own limits, generous to whoever succeeds and strict to whoever fails.

    A code cannot be guessed (160 bits); what is bounded is the work and the log of those who try. Failures are counted by address,
    and by address and device or code together, so that nobody can lock another's device out by naming it."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.devices = Buckets(rate=200, burst=2000, monotonic=monotonic)
        """Requests with a token, by device."""
        self.doors = Buckets(rate=100, burst=2000, monotonic=monotonic)
        """Requests without one, by address."""
        self.asked = Buckets(rate=1, burst=60, monotonic=monotonic)
        """Requests without a token, by address and the device or code they name."""
        self.failures = Buckets(rate=0.5, burst=30, monotonic=monotonic)
        """Those that failed, by address."""
        self.strangers = Buckets(rate=1, burst=60, monotonic=monotonic)
        """Tokens and keys that open nothing, by address…"""
        self.neighbours = Buckets(rate=100, burst=2000, monotonic=monotonic)
        """… and from this machine, all its programs together: they share one address, and none of them is a stranger."""
        self.reveals = Buckets(rate=1 / 60, burst=10, monotonic=monotonic)
        """Unmasked identities, by person."""
        self.told = Buckets(rate=1 / 3600, burst=1, monotonic=monotonic)
        """Refused enrolments in the audit log, by address…"""
        self.told_at_all = Buckets(rate=60 / 3600, burst=60, monotonic=monotonic)
        """… and of all addresses together."""


def _key(name: tuple[str, ...]) -> bytes:
    return hashlib.sha256("\0".join(name).encode(errors="surrogatepass")).digest()[:16]
