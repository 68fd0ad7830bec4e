"""Instants and ids in the forms the files keep: milliseconds since 1970 in UTC, and 16 bytes."""

from datetime import UTC, datetime, timedelta

from wabiz_tui.model.errors import BadInput

NEVER = 1 << 62
DOCS_PER_MS = 1 << 20
"""Numbers that the messages of one millisecond share in the index of words."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS_A_DAY = 86_400_000


def to_ms(instant: datetime) -> int:
    since = instant - _EPOCH
    return since.days * _MS_A_DAY + since.seconds * 1000 + since.microseconds // 1000


def from_ms(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)


def to_key(identifier: str) -> bytes:
    """One of our 32-digit ids as 16 bytes. Raises BadInput for anything else."""
    try:
        key = bytes.fromhex(identifier)
    except ValueError:
        key = b""
    if len(key) != 16:
        raise BadInput("An id is not 32 hexadecimal digits.")
    return key


def find_key(identifier: str) -> bytes:
    """`to_key` for a question: what is no id matches no row."""
    try:
        return to_key(identifier)
    except BadInput:
        return b""
