"""How a shift stands: hours, a worker's own word and an override together, at every instant and over the change of the clocks."""

from datetime import UTC, date, datetime, time, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.policy_samples import policies, spans, with_hours
from wabiz_tui.model.shift import ShiftState
from wabiz_tui.policy.checks import DAYS
from wabiz_tui.policy.document import Hours, Policy, Span
from wabiz_tui.policy.hours import is_on_shift, next_start, shift_end
from wabiz_tui.policy.permissions import ROLES
from wabiz_tui.policy.standing import BOUND_ROLES, Override, OwnWord, gives_work_up, next_change, standing

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
NINE_TO_FIVE = with_hours(timezone="UTC", **dict.fromkeys(DAYS[:5], spans("09:00-17:00")))


def at(hour: float, day: int = 0) -> datetime:
    return MONDAY + timedelta(days=day, hours=hour)


# 2026: the clocks change on 29 March and 25 October in London; they never do in Tokyo. New Year and Easter are holidays there.
INSTANTS = st.datetimes(datetime(2026, 3, 20), datetime(2026, 4, 10)) | st.datetimes(datetime(2026, 10, 20), datetime(2027, 1, 4))  # noqa: DTZ001 made aware next
MOMENTS = INSTANTS.map(lambda naive: naive.replace(tzinfo=UTC))
PAUSES = st.builds(OwnWord, st.sampled_from(["break", "end"]), MOMENTS, st.none(), st.just("")) | MOMENTS.flatmap(
    lambda since: st.builds(
        OwnWord, st.just("break"), st.just(since), st.integers(1, 90_000).map(lambda s: since + timedelta(seconds=s)), st.just("")
    )
)
OVERRIDES = MOMENTS.flatmap(
    lambda since: st.builds(
        Override, st.just(since), st.integers(1, 90_000).map(lambda s: since + timedelta(seconds=s)), st.just("why"), st.just("Lea")
    )
)
TOUCHING = st.sampled_from(
    [(), spans("22:00-24:00"), spans("00:00-06:00"), spans("00:00-06:00", "22:00-24:00"), spans("00:00-24:00"), spans("02:15-02:45")]
)
NIGHTS = st.tuples(
    st.sampled_from(["Europe/London", "America/Havana", "Asia/Tokyo"]), st.fixed_dictionaries(dict.fromkeys(DAYS, TOUCHING))
).map(lambda drawn: with_hours(timezone=drawn[0], **drawn[1]))
SHIFTS = policies | NIGHTS


def said_by(now: datetime, own: OwnWord | None, override: Override | None) -> tuple[OwnWord | None, Override | None]:
    """Nobody says anything in the future."""
    own = own if own is None or own.since <= now else own._replace(since=now)
    return own, override if override is None or override.since <= now else override._replace(since=now)


@settings(max_examples=60)
@given(SHIFTS, st.sampled_from(ROLES), MOMENTS, st.none() | PAUSES, st.none() | OVERRIDES)
def test_nothing_changes_before_the_next_change(
    policy: Policy, role: str, now: datetime, own: OwnWord | None, override: Override | None
) -> None:
    """A standing holds at every instant until the next change, which is later than now: who sleeps until then misses nothing."""
    own, override = said_by(now, own, override)
    stands = standing(policy, role, now, own=own, override=override)
    until = next_change(policy, role, now, own=own, override=override)

    assert until is None or until > now
    end = until or now + timedelta(days=3)
    between = [now + (end - now) * part / 7 for part in range(7)] + [end - timedelta(microseconds=1)]
    later = [standing(policy, role, moment, own=own, override=override) for moment in between]
    assert {one.state for one in later} == {stands.state}
    assert {gives_work_up(policy, one, moment, own=own) for one, moment in zip(later, between, strict=True)} <= {
        gives_work_up(policy, stands, now, own=own)
    }


@settings(max_examples=60)
@given(SHIFTS, st.sampled_from(ROLES), MOMENTS, st.none() | PAUSES, st.none() | OVERRIDES)
def test_a_worker_works_within_hours_or_override_and_never_against_their_own_word(
    policy: Policy, role: str, now: datetime, own: OwnWord | None, override: Override | None
) -> None:
    """Only hours or an override make work, one's own word only ends it, and only workers off work are closed out, as the policy says."""
    own, override = said_by(now, own, override)
    stands = standing(policy, role, now, own=own, override=override)

    assert stands.state in get_args(ShiftState)
    if role not in BOUND_ROLES:
        assert stands == type(stands)("working")
        return
    may_work = is_on_shift(policy, now) or (override is not None and override.since <= now < override.until)
    if stands.state != "off":
        assert may_work
    if own is None and may_work:
        assert stands.state == "working"
    assert stands.is_closed == (stands.state != "working" and policy.hours.off_shift == "closed")
    assert stands.is_quiet == (stands.state != "working" and policy.hours.off_shift == "quiet")
    if stands.resumes_at is not None and stands.until is not None:
        assert now < stands.until <= stands.resumes_at
        assert standing(policy, role, stands.resumes_at, own=own, override=override).state == "working"


@settings(max_examples=60)
@given(NIGHTS, MOMENTS)
def test_spans_that_touch_at_midnight_are_one_shift(policy: Policy, now: datetime) -> None:
    """Within a shift neither its end nor the next start lies where work goes on, whatever the clocks do that night."""
    end, start = shift_end(policy, now), next_start(policy, now)

    assert (end is not None) == (is_on_shift(policy, now) and policy.hours.has_shifts)
    if end is not None and end < now + timedelta(days=7):
        assert not is_on_shift(policy, end)
    if start is not None:
        assert is_on_shift(policy, start)
        assert not is_on_shift(policy, start - timedelta(microseconds=1))


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25), date(2026, 6, 1)])
def test_a_shift_over_the_change_of_the_clocks_is_that_of_the_wall(day: date) -> None:
    """From one to four by the wall clock is two, four or three hours, and who works is who the wall clock says."""
    policy = with_hours(**dict.fromkeys(DAYS, spans("01:00-04:00")))
    zone = ZoneInfo("Europe/London")
    begin = datetime.combine(day, time(1), zone).astimezone(UTC)
    if day.month == 3:
        begin = datetime(2026, 3, 29, 1, tzinfo=UTC)  # one o'clock is skipped: it is two at once
    end = datetime.combine(day, time(4), zone).astimezone(UTC)

    assert standing(policy, "agent", begin).until == end
    assert standing(policy, "agent", end).state == "off"
    assert end - begin == timedelta(hours={3: 2, 10: 4, 6: 3}[day.month])


def test_a_holiday_is_off_and_says_when_work_resumes() -> None:
    """On Good Friday nobody works until the Tuesday after Easter Monday."""
    policy = Policy(hours=Hours(holidays="GB-ENG", **dict.fromkeys(DAYS[:5], (Span(9 * 60, 17 * 60),))))

    stands = standing(policy, "agent", datetime(2026, 4, 3, 12, tzinfo=UTC))

    assert (stands.state, stands.is_closed, stands.resumes_at) == ("off", True, datetime(2026, 4, 7, 8, tzinfo=UTC))


def test_a_break_ends_with_the_work_it_interrupts() -> None:
    """A forgotten break is over with the shift: the next morning begins with work."""
    own = OwnWord("break", at(16))

    assert [standing(NINE_TO_FIVE, "agent", moment, own=own).state for moment in (at(16.5), at(17), at(9, 1))] == [
        "break",
        "off",
        "working",
    ]
    assert standing(NINE_TO_FIVE, "agent", at(16.5), own=own).resumes_at == at(9, 1)


def test_of_an_early_end_and_an_override_the_later_counts() -> None:
    """Somebody who left is let in by an override given after that, and who ends after an override has ended."""
    override = Override(at(18), at(20), "recall", "Lea")

    early = standing(NINE_TO_FIVE, "agent", at(19), own=OwnWord("end", at(15)), override=override)
    later = standing(NINE_TO_FIVE, "agent", at(19), own=OwnWord("end", at(18.5)), override=override)

    assert (early.state, early.until, early.reason, early.by) == ("working", at(20), "recall", "Lea")
    assert (later.state, later.resumes_at) == ("off", at(9, 1))


def test_an_override_joins_the_shift_it_meets() -> None:
    """Work that an override prolongs ends with it, and so does a break in it."""
    override = Override(at(12), at(19), "recall", "Lea")

    assert standing(NINE_TO_FIVE, "agent", at(13), override=override).until == at(19)
    assert standing(NINE_TO_FIVE, "agent", at(18), own=OwnWord("break", at(16)), override=override).state == "break"


def test_without_shifts_only_ones_own_word_ends_work() -> None:
    """Where no day is written an end lasts until one starts again."""
    stands = standing(with_hours(off_shift="closed"), "agent", at(40), own=OwnWord("end", at(1)))

    assert (stands.state, stands.is_closed, stands.resumes_at) == ("off", True, None)
    assert standing(with_hours(), "agent", at(3)).state == "working"


@pytest.mark.parametrize(
    ("hand_over", "off_shift", "own", "hour", "gives"),
    [
        ("buddy", "closed", None, 18, True),
        ("team", "quiet", None, 18, True),
        ("keep", "closed", None, 18, False),
        ("buddy", "open", None, 18, False),
        ("buddy", "closed", None, 12, False),
        ("buddy", "closed", OwnWord("break", at(12), at(12.2)), 12.1, False),
        ("buddy", "closed", OwnWord("break", at(12), at(13)), 12.1, True),
        ("buddy", "closed", OwnWord("break", at(12)), 12.1, False),
        ("buddy", "closed", OwnWord("break", at(12)), 12.25, True),
        ("buddy", "closed", OwnWord("end", at(12)), 12.1, True),
    ],
)  # fmt: skip
def test_who_gives_work_up(hand_over: str, off_shift: str, own: OwnWord | None, hour: float, gives: bool) -> None:
    """Off shift at once and in a break longer than a quarter of an hour, unless the policy keeps work or is open."""
    policy = with_hours(timezone="UTC", hand_over=hand_over, off_shift=off_shift, monday=spans("09:00-17:00"))

    assert gives_work_up(policy, standing(policy, "agent", at(hour), own=own), at(hour), own=own) is gives
