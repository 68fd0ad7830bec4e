"""Identifiers: 32 lower-case hexadecimal digits, sortable by the time they were made (UUID version 7, RFC 9562)."""

import re
from collections.abc import Callable
from datetime import datetime

HEX_ID = re.compile(r"[0-9a-f]{32}")


def new_id(now: datetime, random_bytes: Callable[[int], bytes]) -> str:
    """A fresh id for `now` (millisecond order). `random_bytes` is `os.urandom`, or a seeded source in tests."""
    milliseconds = int(now.timestamp() * 1000)
    tail = int.from_bytes(random_bytes(10), "big")
    random_a, random_b = tail >> 68, tail & ((1 << 62) - 1)
    value = (milliseconds & ((1 << 48) - 1)) << 80 | 0x7 << 76 | random_a << 64 | 0b10 << 62 | random_b
    return f"{value:032x}"


def is_id(text: str) -> bool:
    """Whether `text` has the form of one of our ids."""
    return HEX_ID.fullmatch(text) is not None
