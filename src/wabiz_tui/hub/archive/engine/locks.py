"""Advisory locks of PostgreSQL by what they guard."""

import hashlib


def lock_number(name: str) -> int:
    """The number of an advisory lock: 63 bits of a hash of what it guards."""
    return int.from_bytes(hashlib.sha256(f"wabiz/{name}".encode()).digest()[:8], "big") >> 1
