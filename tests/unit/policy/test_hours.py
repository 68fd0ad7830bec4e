"""Shifts: on the wall clock of the policy's zone, over midnight, holidays and the change of the clocks."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.support.policy_samples import spans, with_hours
from wabiz_tui.policy.document import Policy, parse_policy
from wabiz_tui.policy.hours import is_closed, is_on_shift, next_start, shift_end
from wabiz_tui.policy.library import shipped_text

LONDON = ZoneInfo("Europe/London")
SPLIT = with_hours(monday=spans("08:30-12:00", "13:00-17:30"), tuesday=spans("08:30-17:30"))
MONDAY = (2026, 3, 2)


def at(*parts: int, zone: ZoneInfo = LONDON) -> datetime:
    return datetime(*parts, tzinfo=zone).astimezone(UTC)  # pyright: ignore[reportArgumentType] year to minute


@pytest.mark.parametrize(
    ("hour", "minute", "works"),
    [(8, 29, False), (8, 30, True), (11, 59, True), (12, 0, False), (12, 59, False), (13, 0, True), (17, 29, True), (17, 30, False)],
)
def test_a_day_may_have_several_spans(hour: int, minute: int, works: bool):
    """A span begins with its first minute and ends before its last."""
    assert is_on_shift(SPLIT, at(*MONDAY, hour, minute)) is works


def test_what_comes_next_is_told():
    """On shift the end is known, off shift the next beginning, over a weekend of days that are not written too."""
    assert shift_end(SPLIT, at(*MONDAY, 9)) == at(*MONDAY, 12)
    assert shift_end(SPLIT, at(*MONDAY, 12, 30)) is None
    assert next_start(SPLIT, at(*MONDAY, 9)) == at(*MONDAY, 13)
    assert next_start(SPLIT, at(2026, 3, 3, 18)) == at(2026, 3, 9, 8, 30)


def test_without_written_days_there_are_no_shifts():
    """A policy that names no day lets people work always, whatever it says about off shift."""
    assert is_on_shift(Policy(), at(*MONDAY, 3))
    assert not is_closed(Policy(), at(*MONDAY, 3))
    assert next_start(Policy(), at(*MONDAY, 3)) is None


@pytest.mark.parametrize(("off_shift", "closed"), [("closed", True), ("quiet", False), ("open", False)])
def test_only_closed_closes(off_shift: str, closed: bool):
    """Off shift the inbox is shut only where the policy says closed."""
    assert is_closed(with_hours(monday=spans("08:30-17:30"), off_shift=off_shift), at(*MONDAY, 20)) is closed


def test_a_night_shift_is_one_shift():
    """Spans that touch at midnight are worked through."""
    night = with_hours(monday=spans("22:00-24:00"), tuesday=spans("00:00-06:00"))

    assert shift_end(night, at(2026, 3, 2, 23)) == at(2026, 3, 3, 6)
    assert is_on_shift(night, at(2026, 3, 3, 0, 0))
    assert next_start(night, at(2026, 3, 2, 12)) == at(2026, 3, 2, 22)


def test_round_the_clock_never_ends_within_the_week():
    """A week without a gap is one shift, and asking for its end ends."""
    always = with_hours(
        **dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), spans("00:00-24:00"))
    )

    end = shift_end(always, at(*MONDAY, 9))
    assert end is not None
    assert end > at(2026, 3, 9)


def test_hours_are_those_of_the_wall_clock():
    """Half past eight is half past eight on either side of the change to summer time, and in the policy's own zone."""
    sunday = with_hours(sunday=spans("08:30-17:30"))
    tokyo = with_hours(monday=spans("08:30-17:30"), timezone="Asia/Tokyo")

    assert next_start(sunday, at(2026, 3, 22, 20)) == datetime(2026, 3, 29, 7, 30, tzinfo=UTC)
    assert next_start(sunday, at(2026, 3, 15, 20)) == datetime(2026, 3, 22, 8, 30, tzinfo=UTC)
    assert is_on_shift(tokyo, datetime(2026, 3, 1, 23, 30, tzinfo=UTC))


def test_holidays_are_free():
    """Christmas and Boxing Day (moved to the Monday) are no working days in the shipped British policies."""
    fca = parse_policy(shipped_text("fca"))

    assert not is_on_shift(fca, at(2026, 12, 25, 12))
    assert next_start(fca, at(2026, 12, 24, 19)) == at(2026, 12, 29, 8)


def test_a_calendar_of_holidays_only_leaves_no_next_shift():
    """Where no shift comes within a year none is promised."""
    never = with_hours(monday=(), off_shift="open")

    assert next_start(never, at(*MONDAY, 9)) is None
    assert not is_on_shift(never, at(*MONDAY, 9))
