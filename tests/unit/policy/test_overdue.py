"""Overdue receipts: what time counts against a device, and what never does."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from wabiz_tui.policy.document import Cache
from wabiz_tui.policy.overdue import HELD_WITHOUT_LEASE, Span, counted, is_overdue, share_held_for

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MOST = 200
Minutes = tuple[int, int]


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def spans(of: list[Minutes]) -> list[Span]:
    return [Span(at(begin), at(end)) for begin, end in of]


MINUTES = st.lists(st.tuples(st.integers(0, MOST), st.integers(0, MOST)), max_size=8)


@given(since=st.integers(0, MOST), now=st.integers(0, MOST), held=MINUTES, reachable=MINUTES)
def test_each_minute_counts_once_and_only_when_held_and_reachable(
    since: int, now: int, held: list[Minutes], reachable: list[Minutes]
) -> None:
    """What is counted is the number of minutes after the debt began in which the device held a share and the hub answered."""
    expected = [
        minute
        for minute in range(since, now)
        if any(begin <= minute < end for begin, end in held) and any(begin <= minute < end for begin, end in reachable)
    ]

    found = counted(at(since), at(now), held=spans(held), reachable=spans(reachable))

    assert found == timedelta(minutes=len(expected))


@given(held=MINUTES, reachable=MINUTES, more=st.tuples(st.integers(0, MOST), st.integers(0, MOST)), within=st.integers(0, MOST))
def test_being_held_longer_never_excuses(held: list[Minutes], reachable: list[Minutes], more: Minutes, within: int) -> None:
    """Another lease, a later hour or an earlier debt never make a device less overdue; an hour without the hub never more."""
    limit = timedelta(minutes=within)

    def late(since: int, now: int, leases: list[Minutes], up: list[Minutes]) -> bool:
        return is_overdue(at(since), at(now), held=spans(leases), reachable=spans(up), within=limit)

    before = late(10, MOST, held, reachable)

    assert not before or late(10, MOST, [*held, more], reachable)
    assert not before or late(10, MOST + 50, held, reachable)
    assert not before or late(0, MOST, held, reachable)
    assert not late(10, MOST, held, [])
    assert not late(10, MOST, [], reachable)


def test_exactly_the_limit_is_in_time() -> None:
    """A receipt is overdue after `receipt_within`, not at it."""
    day = [Span(at(0), at(100))]

    assert not is_overdue(at(0), at(60), held=day, reachable=day, within=timedelta(minutes=60))
    assert is_overdue(at(0), at(61), held=day, reachable=day, within=timedelta(minutes=60))


def test_a_lease_of_zero_holds_for_minutes() -> None:
    """Without a lease a share counts as held for as long as a desk goes on without the hub."""
    assert share_held_for(Cache(lease=timedelta())) == HELD_WITHOUT_LEASE
    assert share_held_for(Cache(lease=timedelta(hours=8))) == timedelta(hours=8)
