"""When things are due, in the cache and in the archive, and when the window shuts."""

from datetime import UTC, datetime, timedelta

import pytest

from wabiz_tui.policy.document import Policy, parse_policy
from wabiz_tui.policy.retention import archive_expiry, cache_expiry
from wabiz_tui.policy.window import is_open, left, window_until

SENT = datetime(2026, 3, 1, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("resolved_at", "has_media", "expected"),
    [
        (None, False, SENT + 14 * DAY),
        (SENT + HOUR, False, SENT + HOUR + DAY),
        (SENT, False, SENT + DAY),
        (SENT - HOUR, False, SENT + 14 * DAY),
        (SENT + 13.5 * DAY, False, SENT + 14 * DAY),
        (None, True, SENT + 3 * DAY),
        (SENT + HOUR, True, SENT + HOUR + DAY),
        (SENT + 5 * DAY, True, SENT + 3 * DAY),
    ],
)
def test_a_cached_message_goes_at_the_first_of_its_limits(resolved_at: datetime | None, has_media: bool, expected: datetime):
    """The window, the resolution that followed the message, and for files the media limit: the first of them counts."""
    assert cache_expiry(Policy(), sent_at=SENT, resolved_at=resolved_at, has_media=has_media) == expected


POLICY = parse_policy(
    """
[archive]
retain = "6y"
media = "1y"
max = "9y"
[[archive.rule]]
label = "complaint"
retain = "8y"
[[archive.rule]]
label = "spam"
retain = "30d"
[[archive.rule]]
label = "complaint"
kind = "image"
retain = "9y"
[[archive.rule]]
number = "42"
team = "sales"
retain = "2y"
"""
)


@pytest.mark.parametrize(
    ("facts", "year", "month", "day"),
    [
        ({}, 2032, 3, 1),
        ({"labels": ["complaint"]}, 2034, 3, 1),
        ({"labels": ["spam"]}, 2026, 3, 31),
        ({"labels": ["spam", "complaint"]}, 2034, 3, 1),
        ({"labels": ["complaint"], "kind": "image"}, 2035, 3, 1),
        ({"kind": "image"}, 2032, 3, 1),
        ({"number": "42"}, 2032, 3, 1),
        ({"number": "42", "team": "sales"}, 2028, 3, 1),
        ({"labels": ["complaint"], "has_media": True}, 2027, 3, 1),
        ({"labels": ["spam"], "has_media": True}, 2026, 3, 31),
    ],
)
def test_the_longest_matching_rule_wins(facts: dict[str, object], year: int, month: int, day: int):
    """A rule matches when all it names does; the longest counts; without one `retain` does; files go by `media` at the latest."""
    due = archive_expiry(POLICY, sent_at=SENT, **facts)  # pyright: ignore[reportArgumentType] facts by name

    assert due.astimezone(POLICY.hours.zone).date() == datetime(year, month, day, tzinfo=UTC).date()


def test_the_window_is_24_hours_and_we_stop_a_minute_early():
    """Free text is allowed until a minute before Meta's count ends, never after, and never without a message."""
    until = window_until(SENT)

    assert until == SENT + DAY
    assert is_open(until, until - timedelta(seconds=61))
    assert not is_open(until, until - timedelta(seconds=60))
    assert not is_open(None, SENT)
    assert left(until, SENT) == DAY - timedelta(minutes=1)
    assert left(until, until + DAY) == timedelta()
