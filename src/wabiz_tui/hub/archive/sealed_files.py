"""Customers' files on the disk: sealed in pieces, so that neither writing nor reading one holds it whole in memory.

A file is a head (what it is, how large its pieces are, a random name of its own) and pieces, each sealed under the unit's key.
A piece is bound to the file's name, its place and whether it is the last: pieces of two files cannot be mixed, and a file that
was cut off is not taken for a whole one. Files of the first kind, sealed as one piece without a head, are still read.
"""

import contextlib
import os
import struct
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from wabiz_tui.hub.archive.store import Archive
from wabiz_tui.model.errors import Conflict, DamagedStore, StoreError, StoreFull

PIECE = 256 * 1024
_MAGIC = b"wabizf2\n"
_HEAD = struct.Struct(">8sI16s")
_AROUND = 28
"""What sealing adds to a piece: nonce and tag."""
_LARGEST_PIECE = 4 * 1024 * 1024


class SealedFile(NamedTuple):
    """One message's file: where it lies, and the unit whose key seals it."""

    path: Path
    message: str
    unit: str


class FileWriter:
    """Takes a file in whatever pieces it comes and writes it sealed under a passing name; `finish` gives it its own.

    Not for two threads at once; every call may block. Raises StoreFull and StoreError where the disk does not take it, and
    Conflict when the unit's key was renewed or destroyed meanwhile: then nothing of it is kept."""

    def __init__(self, archive: Archive, place: SealedFile) -> None:
        archive.keys.make_now(place.unit)
        self._archive, self._place = archive, place
        # Another process may have renewed it.
        self._key = archive.keys.find_all(place.unit, anew=True)[:1]
        self._name = archive.random_bytes(16)
        self._waiting, self._count, self.size = bytearray(), 0, 0
        self._partial = place.path.with_suffix(f".{self._name[:4].hex()}.part")
        with _translated():
            place.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self._partial, os.O_CREAT | os.O_WRONLY | os.O_EXCL | os.O_CLOEXEC, 0o600)
            self._file = os.fdopen(handle, "wb")
            self._file.write(_HEAD.pack(_MAGIC, PIECE, self._name))

    def write(self, content: bytes) -> None:
        self._waiting += content
        self.size += len(content)
        while len(self._waiting) > PIECE:  # what may be the last is known at the end
            self._seal(bytes(self._waiting[:PIECE]), is_last=False)
            del self._waiting[:PIECE]

    def finish(self) -> None:
        """Make it durable, whole, in place of whatever was there."""
        self._seal(bytes(self._waiting), is_last=True)
        self._waiting.clear()
        if not self.is_current(anew=True):
            raise _renewed()
        with _translated():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._partial.replace(self._place.path)
            folder = os.open(self._place.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def is_current(self, *, anew: bool) -> bool:
        """Whether the unit's key is still the one that seals this file."""
        return bool(self._key) and self._archive.keys.find_all(self._place.unit, anew=anew)[:1] == self._key

    def give_up(self) -> None:
        """Leave nothing of it; harmless after `finish`."""
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self._partial.unlink()

    def __del__(self) -> None:
        # A writer that was made in a thread for somebody who had gone by then.
        if hasattr(self, "_file"):
            self.give_up()

    def _seal(self, plain: bytes, *, is_last: bool) -> None:
        if not self.is_current(anew=False):
            raise _renewed()
        about = _about(self._place.message, self._name, self._count, is_last=is_last)
        sealed = self._archive.sealer.seal(self._place.unit, plain, about=about)
        self._count += 1
        with _translated():
            self._file.write(sealed)


class FileReader:
    """An open file, read from any place on. It stays readable while another takes its place, as long as its key lives."""

    def __init__(self, archive: Archive, place: SealedFile, file: BinaryIO) -> None:
        self._archive, self._place, self._file = archive, place, file
        self._whole: bytes | None = None
        head = file.read(_HEAD.size)
        if not head.startswith(_MAGIC):
            file.seek(0)
            self._whole = archive.sealer.open(place.unit, file.read(), about=f"media/{place.message}")
            self.size = 0 if self._whole is None else len(self._whole)
            self.is_open = self._whole is not None
            return
        if len(head) < _HEAD.size:
            raise _damaged(place)
        _, self._piece, self._name = _HEAD.unpack(head)
        stored = os.fstat(file.fileno()).st_size - _HEAD.size
        if not 0 < self._piece <= _LARGEST_PIECE or stored < _AROUND:
            raise _damaged(place)
        self._count = -(-stored // (self._piece + _AROUND))
        self.size = stored - self._count * _AROUND
        self.is_open = self._read(0) is not None

    def pieces(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to `end`, piece by piece; each may block. Raises DamagedStore, also when the key is destroyed
        on the way."""
        stop = self.size if end is None else min(end, self.size)
        if self._whole is not None:
            for at in range(start, stop, PIECE):
                yield self._whole[at : min(at + PIECE, stop)]
            return
        while start < stop:
            number, skip = divmod(start, self._piece)
            plain = self._read(number)
            if plain is None or len(plain) <= skip:
                raise _damaged(self._place)
            part = plain[skip : skip + stop - start]
            start += len(part)
            yield part

    def close(self) -> None:
        self._file.close()

    def __del__(self) -> None:
        # One that was opened in a thread for somebody who had gone by then, or whose listener went in its middle.
        self.close()

    def _read(self, number: int) -> bytes | None:
        self._file.seek(_HEAD.size + number * (self._piece + _AROUND))
        sealed = self._file.read(self._piece + _AROUND)
        about = _about(self._place.message, self._name, number, is_last=number == self._count - 1)
        return self._archive.sealer.open(self._place.unit, sealed, about=about)


def open_file(archive: Archive, place: SealedFile) -> FileReader | None:
    """None when the file or its key is gone. The caller closes it. Raises DamagedStore."""
    try:
        file = place.path.open("rb")
    except FileNotFoundError:
        return None
    try:
        reader = FileReader(archive, place, file)
    except BaseException:
        file.close()
        raise
    if reader.is_open:
        return reader
    reader.close()
    return None


def _about(message: str, name: bytes, number: int, *, is_last: bool) -> str:
    return f"media/{message}/{name.hex()}/{number}{'/last' if is_last else ''}"


def _damaged(place: SealedFile) -> DamagedStore:
    return DamagedStore(f"The file of message {place.message} is damaged.")


def _renewed() -> Conflict:
    return Conflict("The key of this file was renewed while it was written; fetch it again.", code="key_renewed")


@contextlib.contextmanager
def _translated() -> Generator[None]:
    import errno

    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFull("The disk of the media folder is full; make room on it.") from error
        raise StoreError(f"The media folder cannot be written: {error.strerror}.") from error
