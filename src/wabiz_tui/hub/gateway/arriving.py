"""Uploads that come in pieces: what a device has brought of a file so far, sealed in the media folder until Meta has the whole.

Each upload is a folder under its device: a head that says what is to come, pieces that are written whole or not at all, and at the
end, in place of the pieces, the id that Meta gave. So a piece may be brought twice, a cut or a killed hub loses at most the piece
that was on its way, and every hub process that sees the media folder goes on where another stopped. All calls may block.
"""

import contextlib
import hashlib
import re
import shutil
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from wabiz_tui.graph.limits import MEDIA_SIZES, media_kind
from wabiz_tui.hub.archive.sealed_files import FileWriter, SealedFile, open_file
from wabiz_tui.hub.archive.sealing import month_of, waiting_unit
from wabiz_tui.hub.archive.store import Archive
from wabiz_tui.hub.gateway.room import Room
from wabiz_tui.hub.gateway.upload import LARGEST_FILE, LONGEST_NAME, MIME_TYPE
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.errors import BadInput, Conflict, DamagedStore, NotFound, TooLarge, TooMany
from wabiz_tui.model.identifiers import is_id
from wabiz_tui.model.wire import NewUpload, UploadStanding

LARGEST_PIECE = 512 * 1024
LIFE = timedelta(days=1)
"""How long an upload may stay unfinished, and its answer be asked for again."""
_MOST_OPEN = 16
_MOST_BYTES = 4 * LARGEST_FILE
_FOLDER = "arriving"
_SHA256 = re.compile(r"[0-9a-f]{64}")


class _Head(msgspec.Struct, frozen=True):
    wanted: NewUpload
    piece: int
    begun_at: datetime


class Arrivals:
    def __init__(self, archive: Archive, room: Room, *, piece: int = LARGEST_PIECE) -> None:
        self._archive, self._room, self._piece = archive, room, piece
        self._heads: dict[Path, _Head] = {}
        """What was read of the uploads under way: a head is never changed."""
        self._folder = archive.place.media / _FOLDER
        # A folder is nothing before its head is there: nobody counts, or sweeps, while another begins.
        self._beginning = threading.Lock()

    def begin(self, caller: str, wanted: NewUpload) -> UploadStanding:
        """Expect this file; asked again, how far it has come. Raises BadInput and TooLarge for a file that nobody may send, Conflict
        for another file under the same id, TooMany when the device has as many open as it may, NoRoom when the hub has."""
        _check(wanted)
        with self._beginning:
            return self._begin(caller, wanted)

    def _begin(self, caller: str, wanted: NewUpload) -> UploadStanding:
        arrived = self.find(caller, wanted.id)
        if arrived is not None:
            if arrived.head.wanted != wanted:
                raise Conflict("That id was used for the upload of another file; make a new one.")
            return arrived.standing()
        self._make_room(caller, wanted)
        now = self._archive.clock.now()
        folder = self._folder / caller / f"{wanted.id}.{month_of(now)}"
        arrived = Arrived(self._archive, folder, _Head(wanted, min(self._piece, LARGEST_PIECE), now))
        arrived.write("head", encode(arrived.head))
        return arrived.standing()

    def take(self, caller: str, upload: str, offset: int, content: bytes) -> UploadStanding:
        """Keep the piece that begins at `offset`. One that is here already changes nothing. Raises NotFound, Conflict where pieces
        before it are missing, BadInput for one of another length than asked for, NoRoom."""
        arrived = self.find(caller, upload)
        if arrived is None:
            raise NotFound("There is no such upload; begin it again.")
        standing = arrived.standing()
        if offset < 0 or offset % standing.piece or offset > standing.received:
            raise Conflict(f"The next piece begins at {standing.received}.", code="upload_gap")
        if offset < standing.received or standing.media:
            return standing
        if len(content) != min(standing.piece, standing.size - offset):
            raise BadInput(f"A piece has {standing.piece} bytes, and the last one what is left.")
        self._room.check(len(content))
        arrived.write(f"{offset // standing.piece:05}", content)
        return arrived.standing()

    def find(self, caller: str, upload: str) -> "Arrived | None":
        """None where it was never begun, has run out, or its key is gone."""
        if not (is_id(caller) and is_id(upload)):
            return None
        for folder in (self._folder / caller).glob(f"{upload}.*"):
            arrived = self._read(folder)
            if arrived is not None:
                return arrived
        return None

    def forget(self, caller: str, upload: str) -> None:
        """Remove it, wherever it stands. Raises NotFound where the caller has none of this id."""
        found = list((self._folder / caller).glob(f"{upload}.*")) if is_id(caller) and is_id(upload) else []
        if not found:
            raise NotFound("There is no such upload.")
        for folder in found:
            shutil.rmtree(folder, ignore_errors=True)

    def sweep(self) -> int:
        """Remove what has run out; how many."""
        swept = 0
        for folder in self._folder.glob("*/*.*"):
            with self._beginning:
                swept += self._is_over(folder)
        return swept

    def _is_over(self, folder: Path) -> bool:
        if self._read(folder) is not None:
            return False
        shutil.rmtree(folder, ignore_errors=True)
        return True

    def _make_room(self, caller: str, wanted: NewUpload) -> None:
        found = [self._read(folder) for folder in (self._folder / caller).glob("*.*") if not self._is_over(folder)]
        open_ = [one.head.wanted.size for one in found if one is not None and not one.media]
        if len(open_) >= _MOST_OPEN or sum(open_) + wanted.size > _MOST_BYTES:
            raise TooMany("This device has too many uploads under way; finish or remove some.", retry_after=timedelta(seconds=30))
        size, here = self._under_way()
        self._room.check(wanted.size, open_=size, coming=size - here)

    def _under_way(self) -> tuple[int, int]:
        """Of all devices: how many bytes the unfinished uploads will have, and how many of them are here."""
        heads: dict[Path, _Head] = {}
        size = here = 0
        for folder in self._folder.glob("*/*.*"):
            head = self._heads.get(folder) or self._head(folder)
            if head is None:
                continue
            heads[folder] = head
            if not _is_over(head, self._archive) and not (folder / "done").exists():
                size += head.wanted.size
                here += min(head.wanted.size, (_count(folder) - 1) * head.piece)
        self._heads = heads
        return size, here

    def _read(self, folder: Path) -> "Arrived | None":
        head = self._head(folder)
        return None if head is None or _is_over(head, self._archive) else Arrived(self._archive, folder, head)

    def _head(self, folder: Path) -> _Head | None:
        raw = _opened(self._archive, folder, "head")
        return None if raw is None else decode(raw, _Head)


class Arrived:
    """One upload as it stands on the disk."""

    def __init__(self, archive: Archive, folder: Path, head: _Head) -> None:
        self._archive, self._folder, self.head = archive, folder, head

    @property
    def media(self) -> str:
        """Meta's id of the file; empty until she has it."""
        raw = _opened(self._archive, self._folder, "done")
        return "" if raw is None else raw.decode()

    def standing(self) -> UploadStanding:
        wanted, media = self.head.wanted, self.media
        count = 0
        while not media and (self._folder / f"{count:05}").exists():
            count += 1
        received = wanted.size if media else min(count * self.head.piece, wanted.size)
        return UploadStanding(wanted.id, wanted.size, received, self.head.piece, media)

    def pieces(self) -> Iterator[bytes]:
        """Raises DamagedStore where one cannot be read any more."""
        for number in range(-(-self.head.wanted.size // self.head.piece)):
            piece = _opened(self._archive, self._folder, f"{number:05}")
            if piece is None:
                raise DamagedStore("A piece of an upload cannot be read any more.")
            yield piece

    def is_whole(self) -> bool:
        """Whether what came is what was told: length and SHA-256."""
        digest, size = hashlib.sha256(), 0
        with contextlib.suppress(DamagedStore):
            for piece in self.pieces():
                digest.update(piece)
                size += len(piece)
        return size == self.head.wanted.size and digest.hexdigest() == self.head.wanted.sha256

    def settle(self, media: str) -> None:
        """Meta has it under this id: the pieces go."""
        self.write("done", media.encode())
        for path in self._folder.iterdir():
            if path.name not in ("head", "done"):
                path.unlink(missing_ok=True)

    def write(self, name: str, content: bytes) -> None:
        writer = FileWriter(self._archive, _place(self._folder, name))
        try:
            writer.write(content)
            writer.finish()
        finally:
            writer.give_up()


def _is_over(head: _Head, archive: Archive) -> bool:
    return head.begun_at + LIFE <= archive.clock.now()


def _count(folder: Path) -> int:
    try:
        return max(1, sum(1 for _ in folder.iterdir()))
    except OSError:  # it went just now
        return 1


def _check(wanted: NewUpload) -> None:
    if not is_id(wanted.id) or not _SHA256.fullmatch(wanted.sha256):
        raise BadInput("An upload has an id of 32 and a SHA-256 of 64 hexadecimal digits.")
    if not MIME_TYPE.fullmatch(wanted.mime_type):
        raise BadInput("The upload's mime_type must be a MIME type such as image/jpeg.")
    if len(wanted.filename) > LONGEST_NAME or not wanted.filename.isprintable():
        raise BadInput(f"The upload's filename is one line of at most {LONGEST_NAME} printable characters.")
    kind = media_kind(wanted.mime_type)
    # What Meta's list does not name passes in practice at times: she judges it, within the largest size there is.
    most = LARGEST_FILE if kind is None else MEDIA_SIZES[kind]
    if wanted.size < 1:
        raise BadInput("The file is empty.")
    if wanted.size > most:
        raise TooLarge(f"The file is larger than the {most} bytes that are taken of its kind.")


def _place(folder: Path, name: str) -> SealedFile:
    # Bound to device, upload and place: no piece can be put where another was.
    return SealedFile(folder / name, f"{_FOLDER}/{folder.parent.name}/{folder.name}/{name}", waiting_unit(folder.suffix[1:]))


def _opened(archive: Archive, folder: Path, name: str) -> bytes | None:
    """None where it is not there, or cannot be opened any more: it is brought again then."""
    try:
        reader = open_file(archive, _place(folder, name))
        if reader is None:
            return None
        try:
            return b"".join(reader.pieces())
        finally:
            reader.close()
    except (DamagedStore, NotADirectoryError):
        return None
