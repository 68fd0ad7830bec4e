"""Shifts: whether people work now, until when, and when work resumes, in the policy's time zone."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from wabiz_tui.policy.document import Policy
from wabiz_tui.policy.holidays import holiday_test

_HORIZON = 370
"""Days looked ahead: beyond a year no shift is expected."""


def is_on_shift(policy: Policy, now: datetime) -> bool:
    """Whether `now` is within working hours; always, where the policy sets no shifts."""
    return not policy.hours.has_shifts or any(begin <= now < finish for begin, finish in shifts(policy, now - timedelta(days=1), days=3))


def is_closed(policy: Policy, now: datetime) -> bool:
    """Whether the inbox must stay shut now: off shift, under a policy that closes it."""
    return policy.hours.off_shift == "closed" and not is_on_shift(policy, now)


def shift_end(policy: Policy, now: datetime) -> datetime | None:
    """When the running shift ends; None off shift and where there are no shifts. Spans that touch are one shift."""
    return next((finish for begin, finish in _whole(policy, now, days=9) if begin <= now < finish), None)


def next_start(policy: Policy, now: datetime) -> datetime | None:
    """When the next shift begins, after `now`; None where there are no shifts or none within a year. What touches the running
    shift belongs to it."""
    return next((begin for begin, _ in _whole(policy, now, days=_HORIZON) if begin > now), None)


def _whole(policy: Policy, now: datetime, *, days: int) -> Iterator[tuple[datetime, datetime]]:
    """The shifts from yesterday's on, spans that touch or overlap (where the clocks go forward) made one, in rising order."""
    running: tuple[datetime, datetime] | None = None
    for begin, finish in shifts(policy, now - timedelta(days=1), days=days):
        if running is None:
            running = begin, finish
        elif begin <= running[1]:
            running = min(begin, running[0]), max(finish, running[1])
        else:
            yield running
            running = begin, finish
    if running is not None:
        yield running


def shifts(policy: Policy, now: datetime, *, days: int) -> Iterator[tuple[datetime, datetime]]:
    """The spans of the coming days, today's first, as instants in UTC."""
    hours = policy.hours
    is_holiday = holiday_test(hours.holidays)
    today = now.astimezone(hours.zone).date()
    for offset in range(days if hours.has_shifts else 0):
        day = today + timedelta(days=offset)
        spans = sorted(hours.week[day.weekday()] or ())
        if spans and not is_holiday(day):
            yield from ((_instant(policy, day, span.begin), _instant(policy, day, span.end)) for span in spans)


def _instant(policy: Policy, day: date, minute: int) -> datetime:
    # Counted on the clock on the wall, so 08:30 stays 08:30 on the day the clocks change.
    midnight = datetime.combine(day, time(), policy.hours.zone)
    return (midnight + timedelta(minutes=minute)).astimezone(UTC)
