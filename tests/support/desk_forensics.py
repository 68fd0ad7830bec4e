"""Read an encrypted database file as a forensic examiner with the key would: every page, decrypted, whatever the tree says of it."""

import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

PAGE = 4096
_SALT, _IV, _MAC = 16, 16, 32
_RESERVED = _IV + _MAC
_WAL_HEADER, _FRAME_HEADER = 32, 24


def pages(path: Path, key: bytes) -> Iterator[bytes]:
    """The plain text of every page that authenticates under the raw `key`: of the file, its log and a rollback journal."""
    salt = path.read_bytes()[:_SALT]
    # SQLCipher derives the key of the MAC from the raw key and the salt, each byte of which is turned by 0x3a (sqlcipher design).
    mac_key = hashlib.pbkdf2_hmac("sha512", key, bytes(byte ^ 0x3A for byte in salt), 2, 32)
    raw = path.read_bytes()
    for number in range(1, len(raw) // PAGE + 1):
        yield from _open(raw[(number - 1) * PAGE : number * PAGE], number, key, mac_key)
    log = path.with_name(path.name + "-wal")
    if log.exists():
        frames = log.read_bytes()[_WAL_HEADER:]
        for start in range(0, len(frames) - PAGE, _FRAME_HEADER + PAGE):
            number = int.from_bytes(frames[start : start + 4], "big")
            yield from _open(frames[start + _FRAME_HEADER : start + _FRAME_HEADER + PAGE], number, key, mac_key)


def _open(page: bytes, number: int, key: bytes, mac_key: bytes) -> Iterator[bytes]:
    skip = _SALT if number == 1 else 0
    sealed, vector, mac = page[skip : PAGE - _RESERVED], page[PAGE - _RESERVED : PAGE - _MAC], page[PAGE - _MAC :]
    told = hmac.digest(mac_key, sealed + vector + number.to_bytes(4, "little"), hashlib.sha256)
    if hmac.compare_digest(told, mac):
        decryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor()
        yield decryptor.update(sealed) + decryptor.finalize()


def holds(path: Path, key: bytes, word: str) -> bool:
    """Whether any page holds the word, in the case it was written or as the full-text index folds it."""
    plain = list(pages(path, key))
    assert plain, f"no page of {path.name} opened: the key or the layout is wrong"
    return any(form in page for page in plain for form in (word.encode(), word.lower().encode()))
