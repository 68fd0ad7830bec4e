"""Instants as an agent reads them: ages, what is left of a window, clock times and days, in the zone that `now` carries."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, Literal

CLOSING: Final = timedelta(hours=2)
"""A window with less than this left is shown as a warning."""


class _Reader:
    hours: Literal["24h", "12h"] = "24h"


_reader: Final = _Reader()


class SystemZone(tzinfo):
    """The machine's own time zone with its changes of offset, which `datetime.astimezone()` alone would freeze."""

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        return None if dt is None else dt.replace(tzinfo=None).astimezone().utcoffset()

    def dst(self, dt: datetime | None) -> timedelta | None:
        return None

    def tzname(self, dt: datetime | None) -> str | None:
        return None if dt is None else dt.replace(tzinfo=None).astimezone().tzname()

    def fromutc(self, dt: datetime) -> datetime:
        return dt.replace(tzinfo=UTC).astimezone().replace(tzinfo=self)


def local(at: datetime, now: datetime) -> datetime:
    return at.astimezone(now.tzinfo)


def age(at: datetime | None, now: datetime) -> str:
    """How long ago, in at most four cells: `now`, `5m`, `3h`, `6d`, `5w`, `2y`."""
    if at is None:
        return ""
    return short(now - at) if now - at >= timedelta(minutes=1) else "now"


def short(span: timedelta) -> str:
    """A span as its largest whole unit, in at most four cells."""
    seconds = max(0, int(span.total_seconds()))
    for unit, size in (("y", 31_536_000), ("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= size * (2 if unit == "w" else 1):
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def long(span: timedelta) -> str:
    """A span as its two largest units: `21h 04m`, `3d 2h`, `12m`."""
    minutes = max(0, int(span.total_seconds()) // 60)
    days, hours, minutes = minutes // 1440, minutes % 1440 // 60, minutes % 60
    if days:
        return f"{days}d {hours}h" if hours and days < 10 else f"{days}d"
    return f"{hours}h {minutes:02d}m" if hours else f"{minutes}m"


def use_hours(form: Literal["24h", "12h"]) -> None:
    """How this process writes times of day from now on: as its reader set it once, so that no line has to be told."""
    _reader.hours = form


def clock(at: datetime, now: datetime) -> str:
    """`14:02`, or `2:02 pm` for who reads it so."""
    there = local(at, now)
    if _reader.hours == "24h":
        return there.strftime("%H:%M")
    return f"{there.hour % 12 or 12}:{there.minute:02d} {'am' if there.hour < 12 else 'pm'}"


def day(at: datetime, now: datetime) -> str:
    """`Today`, `Yesterday`, `Tuesday`, `12 November`, `12 November 2024`."""
    there, here = local(at, now), local(now, now)
    days = (here.date() - there.date()).days
    if days in (0, 1):
        return ("Today", "Yesterday")[days]
    if 1 < days < 7:
        return there.strftime("%A")
    return f"{there.day} {there.strftime('%B')}" + (f" {there.year}" if there.year != here.year else "")


def moment(at: datetime, now: datetime) -> str:
    """A point in time beside now: `14:02`, `tomorrow 08:00`, `Tue 08:00`, `12 Nov 08:00`."""
    there, here = local(at, now), local(now, now)
    days = (there.date() - here.date()).days
    time = clock(at, now)
    if days == 0:
        return time
    if days in (-1, 1):
        return f"{'tomorrow' if days == 1 else 'yesterday'} {time}"
    return f"{there.strftime('%a')} {time}" if 0 < days < 7 else f"{there.day} {there.strftime('%b')} {time}"


def tomorrow_at(now: datetime, hour: int) -> datetime:
    """Tomorrow at `hour` in the zone of `now`, as UTC."""
    here = local(now, now)
    return (here.replace(hour=hour, minute=0, second=0, microsecond=0) + timedelta(days=1)).astimezone(UTC)
