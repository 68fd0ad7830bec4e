"""A key's fingerprint, short enough to stand in an enrolment code and to be read aloud."""

import hashlib


def fingerprint(policy_public_key: bytes) -> str:
    """The first 16 hexadecimal digits of the key's SHA-256. It guards one short-lived code, not a lasting identity."""
    return hashlib.sha256(policy_public_key).hexdigest()[:16]
