"""Take a file to be sent: judged by what it is, read once, hashed and sealed on the way, never whole in memory.

What WhatsApp takes as what, and how large, is Meta's list (graph/limits; cloud-api §17). The bytes themselves say what a file is
where they can; its name only where they cannot.
"""

import hashlib
import os
import stat
from pathlib import Path
from typing import NamedTuple

from wabiz_tui.cloud.multipart import safe_filename
from wabiz_tui.desk.cache.attachments import Attachment
from wabiz_tui.desk.files import check_private_folder
from wabiz_tui.desk.media.sealed import SealedWriter
from wabiz_tui.graph.limits import CAPTION, MEDIA_SIZES, MEDIA_TYPES, check_file, media_kind
from wabiz_tui.model.content import Audio, Document, Image, Sticker, Video
from wabiz_tui.model.errors import LimitBroken, UsageError
from wabiz_tui.model.secret import Secret

File = Image | Video | Audio | Document | Sticker
_CHUNK = 256 * 1024
_HEAD = 64
_OFFICE = "application/vnd.openxmlformats-officedocument"
_BY_NAME = {
    ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp",
    ".mp4": "video/mp4", ".3gp": "video/3gpp", ".3gpp": "video/3gpp",
    ".aac": "audio/aac", ".amr": "audio/amr", ".mp3": "audio/mpeg", ".m4a": "audio/mp4", ".ogg": "audio/ogg", ".opus": "audio/ogg",
    ".txt": "text/plain", ".pdf": "application/pdf",
    ".doc": "application/msword", ".xls": "application/vnd.ms-excel", ".ppt": "application/vnd.ms-powerpoint",
    ".docx": f"{_OFFICE}.wordprocessingml.document", ".xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    ".pptx": f"{_OFFICE}.presentationml.presentation",
}  # fmt: skip
_BY_BYTES: tuple[tuple[int, bytes, tuple[str, ...]], ...] = (
    (0, b"\xff\xd8\xff", ("image/jpeg",)),
    (0, b"\x89PNG\r\n\x1a\n", ("image/png",)),
    (0, b"%PDF-", ("application/pdf",)),
    (8, b"WEBP", ("image/webp",)),
    (4, b"ftyp", ("video/mp4", "video/3gpp", "audio/mp4")),
    (0, b"OggS", ("audio/ogg",)),
    (0, b"#!AMR", ("audio/amr",)),
    (0, b"ID3", ("audio/mpeg", "audio/aac")),
    (0, b"PK\x03\x04", tuple(kind for kind in _BY_NAME.values() if kind.startswith(_OFFICE))),
    (0, b"\xd0\xcf\x11\xe0", ("application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint")),
)
_SHOWN: dict[str, type[File]] = {"image": Image, "video": Video, "audio": Audio, "document": Document, "sticker": Sticker}
_CALLED = {"image": "an image", "video": "a video", "audio": "an audio file", "document": "a document", "sticker": "a sticker"}
_PLAIN_TEXT = "text/plain"


class Sealed(NamedTuple):
    """What a message says of the file, and the file itself."""

    content: File
    attachment: Attachment


def seal_file(path: Path, folder: Path, *, identifier: str, key: Secret, caption: str = "") -> Sealed:
    """Read `path` once into a sealed file called `identifier` in `folder`. Blocks for as long as reading and writing take.

    Raises UsageError, before anything is kept, for a file that cannot be read or that WhatsApp does not take, StoreFull."""
    descriptor = _open(path)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        size = os.fstat(descriptor).st_size
        head = file.read(_HEAD)
        mime_type = _type_of(path, head)
        kind = media_kind(mime_type) or ""
        _check(kind, mime_type, size, head, caption)
        folder.mkdir(mode=0o700, exist_ok=True)
        check_private_folder(folder)
        writer, digest = SealedWriter(folder / identifier, key), hashlib.sha256()
        try:
            chunk = head
            # A file that grows while it is read is refused, not followed.
            while chunk and writer.size + len(chunk) <= size:
                digest.update(chunk)
                writer.write(chunk)
                chunk = file.read(_CHUNK)
            if chunk or writer.size != size:
                raise UsageError("The file changed while it was read; send it again when it is finished.")
            writer.finish()
        finally:
            writer.give_up()
    name = safe_filename(path.name)
    attachment = Attachment(identifier, key, size, digest.hexdigest(), mime_type, name)
    # Meta shows a name with documents only.
    shown_name = name if kind == "document" else ""
    content = _SHOWN[kind](mime_type=mime_type, sha256=attachment.sha256, size=size, caption=caption, filename=shown_name)
    return Sealed(content, attachment)


def _open(path: Path) -> int:
    try:
        # A pipe or a device would be waited for without end.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(f"The file cannot be read ({os.strerror(error.errno or 0)}).") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UsageError("Only a plain file can be sent, no folder, pipe or device.")
    return descriptor


def _type_of(path: Path, head: bytes) -> str:
    named = _BY_NAME.get(path.suffix.lower())
    for at, mark, kinds in _BY_BYTES:
        if head[at:].startswith(mark):
            if named in kinds:
                return named
            if named is None and len(kinds) == 1:
                return kinds[0]
            raise UsageError(f"The file's name does not fit what it holds ({kinds[0]}); give it the right extension.")
    if named is None:
        raise UsageError(f"WhatsApp takes no files of this kind; it takes {', '.join(sorted(_BY_NAME))}.")
    if any(named in kinds for _, _, kinds in _BY_BYTES if len(kinds) == 1):
        raise UsageError(f"The file is called {path.suffix.lower()} and is none; give it the right extension.")
    return named


def _check(kind: str, mime_type: str, size: int, head: bytes, caption: str) -> None:
    called = _CALLED[kind]
    if caption and kind in ("audio", "sticker"):
        raise UsageError(f"WhatsApp shows no caption with {called}; send the words as a text.")
    if len(caption) > CAPTION:
        raise UsageError(f"A caption has at most {CAPTION} characters; this one has {len(caption)}.")
    if mime_type == _PLAIN_TEXT and b"\0" in head:
        raise UsageError("The file is called .txt and holds no text; give it the right extension.")
    # An extended WebP says in its flags whether it moves (RFC 9649 §2.7).
    is_animated = head[12:16] == b"VP8X" and bool(head[20] & 0x02) if kind == "sticker" and len(head) > 20 else None
    try:
        check_file(kind, mime_type, size, is_animated=is_animated)
    except LimitBroken as error:
        most = error.limit if isinstance(error.limit, int) else MEDIA_SIZES[kind]
        if size == 0:
            raise UsageError("The file is empty.") from error
        raise UsageError(f"WhatsApp takes {called} of at most {_size(most)}; this file has {_size(size)}.") from error


def _size(size: int) -> str:
    return f"{size / (1024 * 1024):.1f} MB" if size >= 1024 * 1024 else f"{size / 1024:.1f} KB"


assert set(_BY_NAME.values()) == {kind for kinds in MEDIA_TYPES.values() for kind in kinds}  # noqa: S101 Meta's list is the only one
