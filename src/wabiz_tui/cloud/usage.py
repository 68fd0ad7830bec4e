"""Meta's usage headers: how much of the hourly quota for management calls is used up (cloud-api §1, §11)."""

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from wabiz_tui.graph.reading import Json, list_of, load_object, number_of, object_of
from wabiz_tui.model.errors import BadInput

_HEADERS = ("x-business-use-case-usage", "x-app-usage")
_SHARES = ("call_count", "total_time", "total_cputime")
_LONGEST = 8192


class Usage(msgspec.Struct, frozen=True):
    """`percent` is the highest of the shares told; at 100 Meta refuses with code 4 or 80007 until `regained_in` has passed."""

    percent: float
    regained_in: timedelta


def parse_usage(headers: Mapping[str, str]) -> Usage | None:
    """None where Meta tells nothing that can be read. Which calls are answered with these headers is not documented."""
    rows: list[Json] = []
    for name in _HEADERS:
        text = headers.get(name, "")
        if not text or len(text) > _LONGEST:
            continue
        try:
            told = load_object(text.encode())
        except BadInput:
            continue
        rows += [told, *(object_of(row) for value in told.values() for row in list_of(value))]
    shares = [share for row in rows for key in _SHARES if (share := number_of(row.get(key))) is not None]
    if not shares:
        return None
    minutes = [number_of(row.get("estimated_time_to_regain_access")) or 0 for row in rows]
    return Usage(max(shares), timedelta(minutes=min(max(minutes), 24 * 60)))
