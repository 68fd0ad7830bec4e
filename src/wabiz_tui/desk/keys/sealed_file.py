"""A small file whose one secret is sealed by AES-256-GCM and whose other fields are readable and authenticated."""

import base64
import binascii
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from wabiz_tui.desk.files import read_small, write_private
from wabiz_tui.model.codec import decode, encode, encode_canonical
from wabiz_tui.model.errors import BadInput
from wabiz_tui.model.secret import Secret

MAX_FILE = 64 * 1024
NONCE_SIZE = 12
H = TypeVar("H", bound=msgspec.Struct)


class SealedFile(msgspec.Struct, Generic[H], frozen=True):
    header: H
    sealed: str


def write_sealed(path: Path, header: msgspec.Struct, nonce: bytes, key: bytes, secret: Secret) -> None:
    """Mode 0600, durable when it returns."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    sealed = AESGCM(key).encrypt(nonce, secret.reveal(), encode_canonical(header))
    write_private(path, encode(SealedFile(header, text_of(sealed))))


def read_sealed(path: Path, kind: type[H]) -> SealedFile[H]:
    """Raises FileNotFoundError, TooLarge, BadInput."""
    return decode(read_small(path, MAX_FILE), SealedFile[kind])


def unseal(file: SealedFile[H], path: Path, nonce: str, key: Callable[[], bytes]) -> Secret | None:
    """None for another key, or a header that was changed. Raises BadInput for what is not base64."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    opening, sealed = bytes_of(nonce, path), bytes_of(file.sealed, path)
    try:
        return Secret(AESGCM(key()).decrypt(opening, sealed, encode_canonical(file.header)))
    except (InvalidTag, ValueError):
        return None


def text_of(value: bytes) -> str:
    return base64.b64encode(value).decode()


def bytes_of(text: str, path: Path) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise BadInput(f"{path.name} is damaged.") from error
