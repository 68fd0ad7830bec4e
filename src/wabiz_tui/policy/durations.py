"""Spans of time as policies write them: `30d`, `6y`, `1 month`, `20 working days`; calendar ones counted in the policy's zone."""

import calendar
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

Unit = Literal["s", "m", "h", "d", "w", "month", "y", "working day"]

_FIXED: dict[str, timedelta] = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
# Mean lengths (Gregorian year 365.2425 days), good for comparing spans of different units and for nothing else.
_MEAN: dict[str, timedelta] = _FIXED | {
    "month": timedelta(days=30.436875),
    "y": timedelta(days=365.2425),
    "working day": timedelta(days=1.4),
}
_SHORT = re.compile(r"([0-9]{1,9})([smhdwy])")
_LONG = re.compile(r"([0-9]{1,9}) (month|working day)s?")
_LONGEST = timedelta(days=366 * 200)


class Duration(msgspec.Struct, frozen=True):
    """A span in one unit. `str()` gives it as a policy writes it."""

    count: int
    unit: Unit

    def __str__(self) -> str:
        if self.unit in ("month", "working day"):
            return f"{self.count} {self.unit}" if self.count == 1 else f"{self.count} {self.unit}s"
        return f"{self.count}{self.unit}"

    @property
    def mean(self) -> timedelta:
        """About how long it is: for comparing, never for counting."""
        return _MEAN[self.unit] * self.count


def parse_duration(text: str) -> Duration:
    """`text` as a duration. Raises ValueError with a sentence in plain words."""
    written = text.strip()
    if short := _SHORT.fullmatch(written):
        duration = Duration(int(short[1]), short[2])  # pyright: ignore[reportArgumentType] the pattern admits units only
    elif long := _LONG.fullmatch(written):
        duration = Duration(int(long[1]), long[2])  # pyright: ignore[reportArgumentType] likewise
    else:
        raise ValueError('A span of time is a number with s, m, h, d, w or y ("30d", "6y"), "1 month" or "20 working days".')
    # Checked by hand before multiplying: timedelta overflows beyond a thousand million days.
    if duration.count > _LONGEST / _MEAN[duration.unit]:
        raise ValueError("A span of time is at most 200 years.")
    return duration


def parse_timedelta(text: str) -> timedelta:
    """A duration that is the same length wherever it begins: s, m, h, d (24 hours) or w. Raises ValueError."""
    duration = parse_duration(text)
    if duration.unit not in _FIXED:
        raise ValueError(f'This needs a fixed length in s, m, h, d or w; "{duration}" depends on the calendar.')
    return _FIXED[duration.unit] * duration.count


def format_timedelta(span: timedelta) -> str:
    """`span`, whole seconds, in the largest of d, h, m and s that divides it, as a policy would write it."""
    for unit in ("d", "h", "m"):
        if span and not span % _FIXED[unit]:
            return f"{span // _FIXED[unit]}{unit}"
    return f"{int(span.total_seconds())}s"


def never_free(_day: date) -> bool:
    """The calendar of a policy without holidays."""
    return False


def add(instant: datetime, duration: Duration, zone: ZoneInfo, is_holiday: Callable[[date], bool] = never_free) -> datetime:
    """`instant` plus `duration`, in UTC.

    Seconds, minutes and hours are exact. Days, weeks, months and years keep the local time of day; a day the target month
    lacks becomes its last one. Working days (Monday to Friday, no holiday) count from the day after `instant`.
    """
    if duration.unit in ("s", "m", "h"):
        return instant.astimezone(UTC) + _FIXED[duration.unit] * duration.count
    local = instant.astimezone(zone)
    day = _add_days(local.date(), duration, is_holiday)
    return datetime.combine(day, local.timetz()).astimezone(UTC)


def _add_days(day: date, duration: Duration, is_holiday: Callable[[date], bool]) -> date:
    match duration.unit:
        case "month":
            return _add_months(day, duration.count)
        case "y":
            return _add_months(day, duration.count * 12)
        case "working day":
            left = duration.count
            while left:
                day += timedelta(days=1)
                left -= day.weekday() < 5 and not is_holiday(day)
            return day
        case _:
            return day + _FIXED[duration.unit] * duration.count


def _add_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
