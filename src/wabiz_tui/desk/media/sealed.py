"""A sealed file: pieces of 256 KiB, each under the file's own key, so that neither writing nor reading holds it whole in memory.

The key seals one file and nothing else, so a piece's number is its nonce (AES-256-GCM, NIST SP 800-38D §8.2.1). A piece is bound
to its place and to whether it is the last: a file that was cut off, or whose pieces were exchanged, is not taken for a whole one.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from wabiz_tui.desk.files import full, sync_folder
from wabiz_tui.model.errors import DamagedStore
from wabiz_tui.model.secret import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PIECE = 256 * 1024
_TAG = 16


class SealedWriter:
    """Takes bytes as they come; `finish` makes the file durable under its name. Every call may block. Raises StoreFull."""

    def __init__(self, path: Path, key: Secret) -> None:
        self.path, self.size = path, 0
        self._part = path.with_suffix(".part")
        self._cipher = _cipher(key)
        self._waiting, self._count = bytearray(), 0
        try:
            descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise full(path, error) from error
        self._file = os.fdopen(descriptor, "wb", buffering=0)

    def write(self, content: bytes) -> None:
        self._waiting += content
        self.size += len(content)
        # What may be the last piece is known at the end.
        while len(self._waiting) > PIECE:
            self._seal(bytes(self._waiting[:PIECE]), is_last=False)
            del self._waiting[:PIECE]

    def finish(self) -> None:
        self._seal(bytes(self._waiting), is_last=True)
        self._waiting.clear()
        try:
            os.fsync(self._file.fileno())
            self._file.close()
            self._part.replace(self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            raise full(self.path, error) from error

    def give_up(self) -> None:
        """Leave nothing of it; harmless after `finish`."""
        self._file.close()
        self._part.unlink(missing_ok=True)

    def __del__(self) -> None:
        # A writer that was made in a thread for somebody who had gone by then.
        if hasattr(self, "_file"):
            self.give_up()

    def _seal(self, plain: bytes, *, is_last: bool) -> None:
        sealed = self._cipher.encrypt(_nonce(self._count), plain, _about(self._count, is_last=is_last))
        self._count += 1
        try:
            self._file.write(sealed)
        except OSError as error:
            raise full(self.path, error) from error


class SealedReader:
    """Reads any part of a sealed file of `size` bytes. Raises DamagedStore where it is not what was sealed."""

    def __init__(self, path: Path, key: Secret, size: int) -> None:
        self.path, self.size = path, size
        self._cipher = _cipher(key)
        # An empty file is one empty piece.
        self._count = max(-(-size // PIECE), 1)
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise DamagedStore("The file is not on this machine any more; open it again.", path=path) from error

    def read(self, offset: int, length: int) -> bytes:
        end = min(offset + length, self.size)
        if offset < 0 or offset >= end:
            return b""
        first, last = offset // PIECE, (end - 1) // PIECE
        whole = b"".join(self._piece(number) for number in range(first, last + 1))
        return whole[offset - first * PIECE : end - first * PIECE]

    def close(self) -> None:
        self._file.close()

    def _piece(self, number: int) -> bytes:
        self._file.seek(number * (PIECE + _TAG))
        sealed = self._file.read(PIECE + _TAG)
        from cryptography.exceptions import InvalidTag

        try:
            return self._cipher.decrypt(_nonce(number), sealed, _about(number, is_last=number == self._count - 1))
        except (InvalidTag, ValueError) as error:
            raise DamagedStore("The file was changed or cut on this machine; it is fetched again.", path=self.path) from error


def _cipher(key: Secret) -> "AESGCM":
    # Loaded by the first file, not at the start of the desk.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key.reveal())


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _about(number: int, *, is_last: bool) -> bytes:
    return b"wabiz/media/v1" + number.to_bytes(8, "big") + bytes([is_last])
