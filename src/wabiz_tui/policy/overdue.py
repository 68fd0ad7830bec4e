"""When a purge receipt is overdue: counted only while the hub could be reached and the device held a share of its key.

A machine that is off, or whose lease has run out, can open nothing and owes nothing for that time; nor does anybody pay for an
hour in which the hub was down.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from wabiz_tui.policy.document import Cache

HELD_WITHOUT_LEASE: Final = timedelta(minutes=10)
"""How long a device under a lease of zero may go on with a share it has fetched: the hub may be restarted meanwhile."""


class Span(NamedTuple):
    """From `begin` until, and without, `end`."""

    begin: datetime
    end: datetime


def share_held_for(cache: Cache) -> timedelta:
    """How long a device holds a share that it fetched and does not renew."""
    return cache.lease or HELD_WITHOUT_LEASE


def counted(since: datetime, now: datetime, *, held: Iterable[Span], reachable: Iterable[Span]) -> timedelta:
    """The time between `since` and `now` that lies in a span of `held` and in one of `reachable`; none is counted twice."""
    total = timedelta()
    theirs = _joined(held, since, now)
    ours = _joined(reachable, since, now)
    at = 0
    for span in theirs:
        while at < len(ours) and ours[at].end <= span.begin:
            at += 1
        for one in ours[at:]:
            if one.begin >= span.end:
                break
            total += min(one.end, span.end) - max(one.begin, span.begin)
    return total


def is_overdue(since: datetime, now: datetime, *, held: Iterable[Span], reachable: Iterable[Span], within: timedelta) -> bool:
    """Whether a receipt that is owed `since` is longer owed than `within` (the policy's `receipt_within`) allows."""
    return counted(since, now, held=held, reachable=reachable) > within


def _joined(spans: Iterable[Span], since: datetime, now: datetime) -> list[Span]:
    """In their order, cut to `since`…`now`, those that overlap or touch as one; empty and inverted ones left out."""
    cut = sorted(Span(max(span.begin, since), min(span.end, now)) for span in spans)
    joined: list[Span] = []
    for span in cut:
        if span.end <= span.begin:
            continue
        if joined and span.begin <= joined[-1].end:
            joined[-1] = Span(joined[-1].begin, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined
