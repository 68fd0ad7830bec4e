"""Instants as the archive stores them: milliseconds since 1970 UTC."""

from datetime import UTC, datetime
from typing import overload


def to_ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


@overload
def from_ms(ms: int) -> datetime: ...
@overload
def from_ms(ms: None) -> None: ...
@overload
def from_ms(ms: int | None) -> datetime | None: ...
def from_ms(ms: int | None) -> datetime | None:
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC)
