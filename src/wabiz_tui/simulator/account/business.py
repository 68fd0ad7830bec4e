"""The pretend WhatsApp Business Account: its numbers, its messaging limit, who is subscribed, and what is counted of it."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from wabiz_tui.graph.reading import Json
from wabiz_tui.simulator.account.numbers import Number
from wabiz_tui.simulator.account.rates import Quota
from wabiz_tui.simulator.account.uploads import Uploads

if TYPE_CHECKING:
    from wabiz_tui.simulator.world import Sent

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
class PerPerson:
    """What each person was sent in the last 24 hours."""

    _sent: dict[str, deque[datetime]] = field(default_factory=dict[str, deque[datetime]])

    def take(self, person: str, most: int, now: datetime) -> bool:
        """Whether this person may get one more; then it counts."""
        sent = self._sent.setdefault(person, deque())
        while sent and now - sent[0] >= DAY:
            sent.popleft()
        if len(sent) >= most:
            return False
        sent.append(now)
        return True


@dataclass
class Business:
    """`marketing_per_person` is how many marketing templates a person gets in 24 hours; None: Meta's own number is not known, so no end."""

    numbers: dict[str, Number]
    reach: Reach = field(default_factory=Reach)
    quota: Quota = field(default_factory=Quota)
    marketing: PerPerson = field(default_factory=PerPerson)
    uploads: Uploads = field(default_factory=Uploads)
    marketing_per_person: int | None = None
    is_marketing_allowed: bool = True
    """On the Cloud API; the Marketing Messages API is another way."""
    reviews: bool = True
    """Whether templates are approved by themselves after a while; else they wait for the control endpoint."""
    held: list[tuple[Json, "Sent", Callable[[], None]]] = field(default_factory=list)
    """Template, message, and what lets it go: those that pacing keeps back."""
    is_subscribed: bool = True
    fields: tuple[str, ...] | None = None
    """The webhook fields the app is subscribed to; None: all."""
    review: str = "APPROVED"
    verification: str = "VERIFIED"


def build_business(numbers: Sequence[str]) -> Business:
    return Business({name: Number(name) for name in numbers})
