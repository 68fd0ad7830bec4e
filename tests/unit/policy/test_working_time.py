"""Working time: adding and measuring it over nights, holidays and the change of the clocks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.policy_samples import a_day, spans, with_hours
from wabiz_tui.policy.checks import DAYS
from wabiz_tui.policy.document import Policy
from wabiz_tui.policy.working_time import add_working, working_between

LONDON = ZoneInfo("Europe/London")
WEEK = {day: spans("09:00-17:00") for day in ("monday", "tuesday", "wednesday", "thursday", "friday")}
HOUR = timedelta(hours=1)

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
instants = st.integers(0, 365 * 24 * 3600).map(lambda seconds: NEW_YEAR + timedelta(seconds=seconds))
policies = st.builds(
    with_hours, timezone=st.sampled_from(["Europe/London", "Australia/Lord_Howe"]), **{day: st.none() | a_day for day in DAYS}
)
amounts = st.integers(0, 200 * 3600).map(lambda seconds: timedelta(seconds=seconds))


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=LONDON).astimezone(UTC)  # pyright: ignore[reportArgumentType] year to minute


@pytest.mark.parametrize(
    ("begin", "amount", "expected"),
    [
        (at(2026, 3, 2, 10), HOUR, at(2026, 3, 2, 11)),
        (at(2026, 3, 2, 16, 30), HOUR, at(2026, 3, 3, 9, 30)),
        (at(2026, 3, 6, 16, 30), HOUR, at(2026, 3, 9, 9, 30)),
        (at(2026, 3, 7, 12), HOUR, at(2026, 3, 9, 10)),
        (at(2026, 3, 2, 9), 8 * HOUR, at(2026, 3, 2, 17)),
    ],
    ids=["within a day", "over a night", "over a weekend", "from a day off", "a whole day"],
)
def test_only_worked_hours_count(begin: datetime, amount: timedelta, expected: datetime):
    """A clock stands still outside the hours and goes on with the next shift."""
    assert add_working(with_hours(**WEEK), begin, amount) == expected


def test_a_holiday_is_left_out():
    """Christmas Day and Boxing Day of 2025, a Thursday and a Friday, are not worked."""
    policy = with_hours(**WEEK, holidays="GB-ENG")

    assert add_working(policy, at(2025, 12, 24, 16), 2 * HOUR) == at(2025, 12, 29, 10)


def test_spans_that_touch_at_midnight_are_worked_through():
    """Four hours from 22:00 end at two in the morning."""
    policy = with_hours(monday=spans("22:00-24:00"), tuesday=spans("00:00-06:00"))

    assert add_working(policy, at(2026, 3, 2, 22), 4 * HOUR) == at(2026, 3, 3, 2)


@pytest.mark.parametrize(("day", "hours"), [(29, 1), (22, 2)], ids=["clocks go forward", "an ordinary Sunday"])
def test_an_hour_that_the_clocks_skip_is_not_worked(day: int, hours: int):
    """On 29 March 2026 the hour from one to two does not exist in London."""
    policy = with_hours(sunday=spans("00:30-02:30"))

    assert working_between(policy, at(2026, 3, day, 0), at(2026, 3, day, 12)) == hours * HOUR


def test_without_shifts_the_clock_goes_round():
    """A policy that writes no hours counts every minute."""
    begin = at(2026, 3, 7, 23)

    assert add_working(Policy(), begin, 5 * HOUR) == begin + 5 * HOUR
    assert working_between(Policy(), begin, begin + 5 * HOUR) == 5 * HOUR


def test_where_nobody_ever_works_nothing_falls_due():
    """Days without hours have no instant by which anything was worked."""
    assert add_working(with_hours(monday=()), at(2026, 3, 2, 9), HOUR) is None


@given(policies, instants, amounts)
def test_measuring_undoes_adding(policy: Policy, begin: datetime, amount: timedelta):
    """What was added is what is measured, whatever the hours."""
    end = add_working(policy, begin, amount)

    assert end is None or working_between(policy, begin, end) == amount


@given(policies, instants, amounts, amounts, st.timedeltas(timedelta(), timedelta(days=20)))
def test_adding_is_monotone(policy: Policy, begin: datetime, amount: timedelta, more: timedelta, later: timedelta):
    """A larger amount and a later begin never end earlier."""
    end = add_working(policy, begin, amount)
    larger, after = add_working(policy, begin, amount + more), add_working(policy, begin + later, amount)

    assert end is None or ((larger is None or larger >= end) and (after is None or after >= end))


@given(policies, instants, st.integers(0, 10**6), st.integers(0, 10**6))
def test_measuring_adds_up(policy: Policy, begin: datetime, first: int, second: int):
    """Two stretches one after the other hold as much as both together."""
    middle = begin + timedelta(seconds=first)
    end = middle + timedelta(seconds=second)

    assert working_between(policy, begin, middle) + working_between(policy, middle, end) == working_between(policy, begin, end)
