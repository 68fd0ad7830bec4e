"""Time spans as people write them: `2d3h`, `90m`, `0.5s`, or a plain number of seconds."""

import re
from datetime import timedelta
from typing import Any

from wabiz_tui.graph.reading import number_of
from wabiz_tui.model.errors import BadInput

LONGEST = timedelta(days=3660)
_SPAN = re.compile(r"(?:(\d{1,4})w)?(?:(\d{1,5})d)?(?:(\d{1,6})h)?(?:(\d{1,7})m)?(?:(\d{1,9}(?:\.\d{1,6})?)s)?")


def parse_span(text: str) -> timedelta:
    """Raises ValueError with a sentence."""
    matched = _SPAN.fullmatch(text) if text else None
    if matched is None:
        raise ValueError("It must be a time span such as 2d3h, 90m or 20s.")
    weeks, days, hours, minutes, seconds = (float(part or 0) for part in matched.groups())
    span = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    if span > LONGEST:
        raise ValueError("A time span is at most ten years.")
    return span


def span_of(value: Any, key: str) -> timedelta | None:
    """A span, or a number of seconds; None where nothing is said. Raises BadInput that names `key`."""
    if value is None:
        return None
    seconds = number_of(value)
    if seconds is not None and 0 <= seconds <= LONGEST.total_seconds():
        return timedelta(seconds=seconds)
    try:
        return parse_span(value.replace(" ", "") if isinstance(value, str) else "")
    except ValueError as error:
        raise BadInput(f"`{key}` must be a time span such as 2d3h, 90m or 20s, or a number of seconds, not below 0.") from error
