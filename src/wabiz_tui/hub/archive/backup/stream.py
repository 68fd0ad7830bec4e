"""The file of a backup: a line that says what it is, then frames in encrypted chunks (docs/decisions/backup-format.md).

The chunks are those of STREAM (Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption and its Nonce-Reuse
Misuse-Resistance, 2015): AES-256-GCM each, under a nonce of the chunk's place and whether it is the last. So no chunk can be changed,
dropped, repeated or moved, and a file that was cut short is told from a whole one. The key is the file's own, derived from the
hub's seal key and the salt in its first line, which every chunk is bound to; a tag behind that line tells a wrong key from damage.
"""

import contextlib
import errno
import hashlib
import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Literal

import msgspec

from wabiz_tui.model.errors import BadInput, DamagedStore, ForeignFile, NewerSchema, StoreError, StoreFull, WrongKey
from wabiz_tui.model.secret import Secret

Kind = Literal["content", "keys"]
VERSION = 1
_CHUNK = 1024 * 1024
_TAG = 16
_LONGEST_HEADER = 4096
_LONGEST_FRAME = 256 * 1024 * 1024
_HEADERS_NONCE = b"\xff" * 12  # no chunk's: its last byte is 0 or 1


class Header(msgspec.Struct, frozen=True):
    """`created` is RFC 3339 UTC, `salt` hexadecimal."""

    wabiz: Literal["backup"]
    version: int
    kind: Kind
    tenant: str
    created: str
    salt: str


class Writer:
    """Takes frames; `bytes` and `sha256` are of the file as it lies on the disk."""

    def __init__(self, file: BinaryIO, seal_key: Secret, header: Header) -> None:
        self._file, self._hash = file, hashlib.sha256()
        self.bytes = 0
        line = msgspec.json.encode(header) + b"\n"
        self._cipher, self._about, self._place = _cipher(seal_key, header), hashlib.sha256(line).digest(), 0
        self._waiting = bytearray()
        self._put(line + self._cipher.encrypt(_HEADERS_NONCE, b"", self._about))

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def frame(self, *parts: Any) -> None:
        body = msgspec.msgpack.encode(parts)
        self._waiting += len(body).to_bytes(4, "big") + body
        # The last chunk is known as such only at the end, so that one is always held back.
        while len(self._waiting) > _CHUNK:
            self._seal(bytes(self._waiting[:_CHUNK]), is_last=False)
            del self._waiting[:_CHUNK]

    def finish(self) -> None:
        self._seal(bytes(self._waiting), is_last=True)
        self._waiting.clear()

    def _seal(self, chunk: bytes, *, is_last: bool) -> None:
        self._put(self._cipher.encrypt(_nonce(self._place, is_last=is_last), chunk, self._about))
        self._place += 1

    def _put(self, raw: bytes) -> None:
        self._file.write(raw)
        self._hash.update(raw)
        self.bytes += len(raw)


@contextlib.contextmanager
def written(path: Path, seal_key: Secret, header: Header) -> Generator[Writer]:
    """A backup that has its name only once it is whole and on the disk. Raises StoreFull and its kin; nothing is left then."""
    partial = path.with_name(path.name + ".part")
    with told_of_disk(path):
        try:
            descriptor = os.open(partial, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                writer = Writer(file, seal_key, header)
                yield writer
                writer.finish()
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
            _sync_folder(path.parent)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


def read_header(path: Path, *, kind: Kind, tenant: str) -> Header:
    """What the file says it is; who wrote it is known once its first chunk opens. Raises ForeignFile, NewerSchema, BadInput."""
    with told_of_disk(path), path.open("rb") as file:
        return _header(file.readline(_LONGEST_HEADER), path, kind=kind, tenant=tenant)


def frames(path: Path, seal_key: Secret, *, kind: Kind, tenant: str, seen: Callable[[int], None] | None = None) -> Iterator[list[Any]]:
    """The frames in order, each authenticated before it is given; `seen` is told of bytes read.

    Raises WrongKey where the first line was not written under this key, DamagedStore for what was changed, is cut short or goes on
    too long."""
    with told_of_disk(path), path.open("rb") as file:
        line = file.readline(_LONGEST_HEADER)
        cipher = _cipher(seal_key, _header(line, path, kind=kind, tenant=tenant))
        about = hashlib.sha256(line).digest()
        _check_header(file.read(_TAG), cipher, about, path)
        yield from _framed(_chunks(file, cipher, about, path, seen), path)


def hash_of(path: Path) -> str:
    with told_of_disk(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def told_of_disk(path: Path) -> Generator[None]:
    """Turn what the file system says into a sentence about this file."""
    try:
        yield
    except FileNotFoundError as error:
        raise StoreError(f"There is no {error.filename or path}.", path=path) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StoreFull(f"There is no room left to write {path}; make room, nothing half-written was kept.", path=path) from error
        if error.errno == errno.EROFS:
            raise StoreFull(f"{path} may not be written: the file system is read-only.", path=path) from error
        raise StoreError(f"{path} cannot be used ({error.strerror or type(error).__name__}).", path=path) from error


def _header(line: bytes, path: Path, *, kind: Kind, tenant: str) -> Header:
    try:
        header = msgspec.json.decode(line, type=Header)
        bytes.fromhex(header.salt)
    except (msgspec.DecodeError, ValueError) as error:
        raise ForeignFile(f"{path.name} is no backup of wabiz's.", path=path) from error
    if header.version > VERSION:
        raise NewerSchema(f"{path.name} was made by a newer wabiz (backup format {header.version}, known {VERSION}); update.", path=path)
    if header.kind != kind:
        wanted = {"content": "of an archive's content", "keys": "of keys and tombstones"}
        raise BadInput(f"{path.name} is a backup {wanted[header.kind]}, not one {wanted[kind]}.", code="wrong_backup")
    if header.tenant != tenant:
        raise BadInput(f"{path.name} is a backup of another business account than the one hub.toml names.", code="wrong_backup")
    return header


def _check_header(tag: bytes, cipher: Any, about: bytes, path: Path) -> None:
    from cryptography.exceptions import InvalidTag

    try:
        cipher.decrypt(_HEADERS_NONCE, tag, about)
    except InvalidTag as error:
        raise WrongKey(f"{path.name} does not open with this hub's seal_key, or its first line was changed.") from error


def _chunks(file: BinaryIO, cipher: Any, about: bytes, path: Path, seen: Callable[[int], None] | None) -> Iterator[bytes]:
    from cryptography.exceptions import InvalidTag

    place, waiting = 0, file.read(_CHUNK + _TAG)
    while True:
        following = file.read(_CHUNK + _TAG)
        try:
            chunk = cipher.decrypt(_nonce(place, is_last=not following), waiting, about)
        except InvalidTag as error:
            raise DamagedStore(f"{path.name} is damaged or was cut short (chunk {place + 1}); use another backup.", path=path) from error
        if seen is not None:
            seen(len(waiting))
        yield chunk
        if not following:
            return
        place, waiting = place + 1, following


def _framed(chunks: Iterator[bytes], path: Path) -> Iterator[list[Any]]:
    waiting, at = bytearray(), 0
    for chunk in chunks:
        del waiting[:at]
        at = 0
        waiting += chunk
        while len(waiting) - at >= 4:
            length = int.from_bytes(waiting[at : at + 4], "big")
            if length > _LONGEST_FRAME:
                raise DamagedStore(f"{path.name} holds a frame longer than any that wabiz writes.", path=path)
            if len(waiting) - at - 4 < length:
                break
            yield msgspec.msgpack.decode(bytes(waiting[at + 4 : at + 4 + length]), type=list[Any])
            at += 4 + length
    if at != len(waiting):
        raise DamagedStore(f"{path.name} ends within a frame; use another backup.", path=path)


def _cipher(seal_key: Secret, header: Header) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    info = f"wabiz/backup/{header.kind}/v{header.version}".encode()
    return AESGCM(HKDF(SHA256(), 32, salt=bytes.fromhex(header.salt), info=info).derive(seal_key.reveal()))


def _nonce(place: int, *, is_last: bool) -> bytes:
    return place.to_bytes(11, "big") + bytes([is_last])


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
