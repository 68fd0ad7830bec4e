"""The pretend WhatsApp Business Account: its numbers, its messaging limit, who is subscribed, and what is counted of it."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from wabiz_tui.simulator.account.numbers import Number

TIERS: dict[str, int | None] = {"TIER_250": 250, "TIER_2K": 2_000, "TIER_10K": 10_000, "TIER_100K": 100_000, "TIER_UNLIMITED": None}
DAY = timedelta(hours=24)


@dataclass
class Reach:
    """Who was written to outside a window in the last 24 hours, all numbers together (cloud-api §11). `limit` None: no end."""

    tier: str = "TIER_2K"
    limit: int | None = 2_000
    _last: dict[str, datetime] = field(default_factory=dict[str, datetime])
    _order: deque[tuple[datetime, str]] = field(default_factory=deque[tuple[datetime, str]])

    def set_tier(self, tier: str) -> None:
        """Raises KeyError for a tier that is none."""
        self.limit = TIERS[tier]
        self.tier = tier

    def is_within(self, person: str, now: datetime) -> bool:
        """Whether this person may still be written to; who already was does not count again."""
        while self._order and now - self._order[0][0] >= DAY:
            at, gone = self._order.popleft()
            if self._last.get(gone) == at:
                del self._last[gone]
        return self.limit is None or person in self._last or len(self._last) < self.limit

    def note(self, person: str, now: datetime) -> None:
        if person not in self._last:
            self._last[person] = now
            self._order.append((now, person))


@dataclass
class Business:
    """`override` is the callback of this account, where it has one of its own."""

    numbers: dict[str, Number]
    reach: Reach = field(default_factory=Reach)
    is_subscribed: bool = True
    override: str | None = None
    review: str = "APPROVED"
    verification: str = "verified"
    is_marketing_allowed: bool = True


def build_business(numbers: Sequence[str]) -> Business:
    return Business({name: Number(name) for name in numbers})
