"""What time it is for the desk: the later of the hub's time, ours, and the latest we ever knew."""

from datetime import datetime, timedelta

from wabiz_tui.model.clock import Clock


class DeskClock:
    """A clock that a person who sets the machine's back cannot use to see what has expired."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._latest = clock.now()
        self._hub: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        self._latest = max(self._latest, self._clock.now(), self.hub_now())
        return self._latest

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def hub_now(self) -> datetime:
        """The hub's time as far as we know it; ours before we have heard from it."""
        if self._hub is None:
            return self._clock.now()
        at, heard = self._hub
        return at + timedelta(seconds=self._clock.monotonic() - heard)

    def hear(self, at: datetime) -> None:
        """The hub has just said that it is `at`."""
        self._hub = (at, self._clock.monotonic())

    def remember(self, floor: datetime | None) -> None:
        """An instant that an earlier run of this desk had already reached."""
        if floor is not None:
            self._latest = max(self._latest, floor)

    @property
    def skew_seconds(self) -> float:
        """How far our clock is ahead of the hub's; negative when it is behind."""
        return (self._clock.now() - self.hub_now()).total_seconds() if self._hub is not None else 0.0
