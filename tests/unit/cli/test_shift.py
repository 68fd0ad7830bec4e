"""`wabiz shift` and `wabiz people override`: times as people write them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from wabiz_tui.cli.shift import read_until
from wabiz_tui.model.errors import UsageError

NOW = datetime(2026, 11, 23, 16, 0, tzinfo=ZoneInfo("Europe/Lisbon"))


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("2026-11-23T17:30Z", datetime(2026, 11, 23, 17, 30, tzinfo=UTC)),
        ("2026-11-23 18:30+01:00", datetime(2026, 11, 23, 17, 30, tzinfo=UTC)),
        ("2026-11-23T17:30", datetime(2026, 11, 23, 17, 30, tzinfo=UTC)),
        ("17:30", datetime(2026, 11, 23, 17, 30, tzinfo=UTC)),
        ("9:00", datetime(2026, 11, 24, 9, 0, tzinfo=UTC)),
        ("45m", datetime(2026, 11, 23, 16, 45, tzinfo=UTC)),
    ],
)
def test_a_time_is_an_instant_an_hour_or_a_while(text: str, means: datetime) -> None:
    """With a zone it is what it says; without one it is the time of this machine, the next to come."""
    assert read_until(text, NOW) == means


@pytest.mark.parametrize("text", ["", "soon", "25:00", "2026-13-01T00:00Z", "-5m", "1 month"])
def test_what_is_no_time_is_refused_as_usage(text: str) -> None:
    """The refusal shows how a time is written."""
    with pytest.raises(UsageError, match="is no time"):
        read_until(text, NOW)
