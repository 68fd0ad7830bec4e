"""Instants as the archive stores them: milliseconds since 1970 UTC."""

from datetime import UTC, datetime


def to_ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def from_ms(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def perhaps_from_ms(ms: int | None) -> datetime | None:
    return None if ms is None else from_ms(ms)
