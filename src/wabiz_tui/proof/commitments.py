"""Salted commitments: the audit log proves what a record said without holding it, and forgets it when the salt is destroyed."""

import hmac
from collections.abc import Callable

from wabiz_tui.model.codec import encode_canonical
from wabiz_tui.model.errors import UsageError

SALT_SIZE = 32


def new_salt(random_bytes: Callable[[int], bytes]) -> bytes:
    """A salt for one record; it lives and dies with the record, never in the log."""
    return random_bytes(SALT_SIZE)


def commit(salt: bytes, record: object) -> bytes:
    """HMAC-SHA256 under `salt` over the canonical JSON of `record` (bytes are taken as they are); 32 bytes.

    A bare hash would not do: whoever can guess the record (a phone number, a short text) could test the guess.
    """
    if len(salt) != SALT_SIZE:
        raise UsageError(f"A commitment's salt is {SALT_SIZE} bytes.")
    return hmac.digest(salt, record if isinstance(record, bytes) else encode_canonical(record), "sha256")


def is_commitment(commitment: bytes, salt: bytes, record: object) -> bool:
    """Whether `commitment` was made of this record and salt."""
    return len(salt) == SALT_SIZE and hmac.compare_digest(commitment, commit(salt, record))
