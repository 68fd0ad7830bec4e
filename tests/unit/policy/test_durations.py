"""Durations: how they are written, and how they count on the calendar."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wabiz_tui.policy.durations import Duration, add, format_timedelta, parse_duration, parse_timedelta

LONDON = ZoneInfo("Europe/London")
MIN, MAX = (datetime(year, 1, 1, tzinfo=UTC).replace(tzinfo=None) for year in (2000, 2100))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30s", Duration(30, "s")),
        ("15m", Duration(15, "m")),
        ("8h", Duration(8, "h")),
        ("14d", Duration(14, "d")),
        ("2w", Duration(2, "w")),
        ("6y", Duration(6, "y")),
        ("1 month", Duration(1, "month")),
        ("3 months", Duration(3, "month")),
        ("20 working days", Duration(20, "working day")),
        ("1 working day", Duration(1, "working day")),
    ],
)
def test_durations_are_read_and_written(text: str, expected: Duration):
    """Every form of the design is read, and written again as it was."""
    assert parse_duration(text) == expected
    assert str(expected) == text


@pytest.mark.parametrize(
    "text", ["", "d", "14", "14 d", "1.5d", "-1d", "+1d", "1M", "1 Month", "٣d", "999999999y", "1d2h", "1e3d", "14days"]
)
def test_other_forms_are_refused(text: str):
    """Nothing is guessed."""
    with pytest.raises(ValueError, match="span of time"):
        parse_duration(text)


@given(st.integers(0, 10**8))
def test_fixed_lengths_survive_being_written(seconds: int):
    """A length in seconds comes back from its text."""
    assert parse_timedelta(format_timedelta(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["1y", "1 month", "2 working days"])
def test_calendar_spans_have_no_fixed_length(text: str):
    """Where a fixed length is needed, a span that depends on the calendar is refused."""
    with pytest.raises(ValueError, match="calendar"):
        parse_timedelta(text)


@pytest.mark.parametrize(
    ("received", "span", "due"),
    [
        # The corresponding date next month, or the last day where there is none (ICO, right of access).
        (date(2026, 9, 3), "1 month", date(2026, 10, 3)),
        (date(2026, 8, 31), "1 month", date(2026, 9, 30)),
        (date(2026, 1, 30), "1 month", date(2026, 2, 28)),
        (date(2028, 1, 30), "1 month", date(2028, 2, 29)),
        (date(2026, 11, 30), "3 months", date(2027, 2, 28)),
        (date(2028, 2, 29), "1y", date(2029, 2, 28)),
        (date(2028, 2, 29), "4y", date(2032, 2, 29)),
        # Twenty working days following receipt (FOIA s.10), Friday the 6th being received.
        (date(2026, 3, 6), "20 working days", date(2026, 4, 3)),
        (date(2026, 3, 7), "1 working day", date(2026, 3, 9)),
    ],
)
def test_days_months_and_years_follow_the_calendar(received: date, span: str, due: date):
    """Due dates are those of the calendar, in local time."""
    at = datetime(received.year, received.month, received.day, 12, tzinfo=LONDON)

    assert add(at, parse_duration(span), LONDON).astimezone(LONDON).date() == due


def test_holidays_are_no_working_days():
    """A holiday in between moves the date by one."""
    good_friday = date(2026, 4, 3)
    at = datetime(2026, 3, 6, 12, tzinfo=LONDON)

    due = add(at, Duration(20, "working day"), LONDON, lambda day: day == good_friday)

    assert due.astimezone(LONDON).date() == date(2026, 4, 6)


def test_days_keep_the_hour_and_hours_keep_their_length():
    """Over the change to summer time a day has 23 hours, and 24 hours end an hour later on the clock."""
    before = datetime(2026, 3, 28, 12, tzinfo=LONDON)

    assert add(before, Duration(1, "d"), LONDON) == datetime(2026, 3, 29, 11, tzinfo=UTC)
    assert add(before, Duration(24, "h"), LONDON) == datetime(2026, 3, 29, 12, tzinfo=UTC)


def test_the_zone_decides_the_day():
    """A month from the 31st in Tokyo is counted there, though it is still the 30th in London."""
    at = datetime(2026, 8, 30, 20, tzinfo=UTC)

    assert add(at, Duration(1, "month"), ZoneInfo("Asia/Tokyo")) == datetime(2026, 9, 29, 20, tzinfo=UTC)
    assert add(at, Duration(1, "month"), LONDON) == datetime(2026, 9, 30, 20, tzinfo=UTC)


@given(st.datetimes(MIN, MAX), st.sampled_from(["d", "w", "month", "y", "working day"]), st.integers(0, 500))
def test_later_is_never_earlier(at: datetime, unit: str, count: int):
    """Adding one more unit never gives an earlier time."""
    instant = at.replace(tzinfo=UTC)
    first, second = (add(instant, Duration(count + more, unit), LONDON) for more in (0, 1))  # pyright: ignore[reportArgumentType] a unit

    assert first <= second
