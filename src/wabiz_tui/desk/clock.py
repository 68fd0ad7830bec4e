"""What time it is for the desk: the later of the hub's time, ours, and the latest we ever knew."""

from datetime import datetime, timedelta

from wabiz_tui.model.clock import Clock


class DeskClock:
    """A clock that a person who sets the machine's back cannot use to see what has expired."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._latest = clock.now()
        self._hub: tuple[datetime, float, datetime] | None = None

    def now(self) -> datetime:
        self._latest = max(self._latest, self._clock.now(), self.hub_now())
        return self._latest

    def monotonic(self) -> float:
        return self._clock.monotonic()

    @property
    def has_heard(self) -> bool:
        """Whether the hub told its time since this clock was made."""
        return self._hub is not None

    def hub_now(self) -> datetime:
        """The hub's time as far as we know it; ours before we have heard from it. What has passed since is the longer of what the two
        clocks of this machine say: one stands still while it sleeps (clock_gettime(2)), the other may be set back."""
        if self._hub is None:
            return self._clock.now()
        at, heard, ours = self._hub
        return at + max(timedelta(seconds=self._clock.monotonic() - heard), self._clock.now() - ours)

    def hear(self, at: datetime) -> None:
        """The hub has just said that it is `at`."""
        self._hub = (at, self._clock.monotonic(), self._clock.now())

    def remember(self, floor: datetime | None) -> None:
        """An instant that an earlier run of this desk had already reached."""
        if floor is not None:
            self._latest = max(self._latest, floor)

    @property
    def skew_seconds(self) -> float:
        """How far our clock is ahead of the hub's; negative when it is behind."""
        return (self._clock.now() - self.hub_now()).total_seconds() if self._hub is not None else 0.0
