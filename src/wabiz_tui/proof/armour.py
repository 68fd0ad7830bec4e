"""Bytes as text and back: strict base64, and public keys as people paste them."""

import base64
import binascii
import re

from wabiz_tui.model.errors import BadInput

KEY_SIZE = 32


def to_base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def from_base64(text: str, *, size: int, what: str) -> bytes:
    """The bytes of `text`, which must be canonical base64 of exactly `size` bytes. Raises BadInput naming `what`, never the value."""
    if len(text) != (size + 2) // 3 * 4:
        raise BadInput(f"{what} must be base64 of {size} bytes.")
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadInput(f"{what} is not base64.") from error
    # The unused low bits of the last character must be zero, so that one value has one text.
    if len(value) != size or to_base64(value) != text:
        raise BadInput(f"{what} must be base64 of {size} bytes.")
    return value


def parse_public_key(text: str) -> bytes:
    """An Ed25519 public key given as base64 or as 64 hexadecimal digits, blanks around it ignored. Raises BadInput."""
    key = text.strip()
    if re.fullmatch(r"[0-9a-fA-F]{64}", key):
        return bytes.fromhex(key)
    return from_base64(key, size=KEY_SIZE, what="The public key")
