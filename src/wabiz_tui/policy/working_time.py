"""Time as it is worked: counted only within the hours of a policy, holidays left out; around the clock where there are no shifts."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from wabiz_tui.policy.document import Policy
from wabiz_tui.policy.hours import shifts

_HORIZON = 366 * 3
"""Days looked ahead: a policy without work for so long has no later instant that means anything."""
_NONE = timedelta()


def add_working(policy: Policy, begin: datetime, amount: timedelta) -> datetime | None:
    """The first instant (UTC) by which `amount` has been worked since `begin`; None where that is not within three years.

    Never earlier for a larger amount or a later begin; `working_between(begin, it)` is `amount` again."""
    if amount <= _NONE or not policy.hours.has_shifts:
        return begin.astimezone(UTC) + max(amount, _NONE)
    left = amount
    for start, finish in _worked(policy, begin, days=_HORIZON):
        if finish - start >= left:
            return start + left
        left -= finish - start
    return None


def working_between(policy: Policy, begin: datetime, end: datetime) -> timedelta:
    """How much of the time from `begin` to `end` is working time; nothing where `end` is not after it."""
    if end <= begin:
        return _NONE
    if not policy.hours.has_shifts:
        return end - begin
    worked = _NONE
    for start, finish in _worked(policy, begin, days=(end - begin).days + 3):
        if start >= end:
            break
        worked += min(finish, end) - start
    return worked


def _worked(policy: Policy, begin: datetime, *, days: int) -> Iterator[tuple[datetime, datetime]]:
    """What is worked from `begin` on, in rising order and without overlap: where the clocks go forward, two spans can meet."""
    reached = begin.astimezone(UTC)
    for start, finish in shifts(policy, begin, days=days):
        if finish > reached:
            yield max(start, reached), finish
            reached = finish
