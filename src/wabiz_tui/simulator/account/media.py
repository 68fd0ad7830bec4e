"""The files of the pretend Meta: ids that live for days, URLs that live five minutes, MIME types judged by content."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.limits import check_file, media_kind, plain_type, refusing
from wabiz_tui.graph.reading import Json
from wabiz_tui.simulator.account.file_signs import is_animated, types_of

URL_LIFE = timedelta(minutes=5)
INCOMING_LIFE = timedelta(days=7)
UPLOADED_LIFE = timedelta(days=30)
MOST_FILES, MOST_BYTES = 50_000, 1 << 30
"""Above these the oldest files die before their time."""


@dataclass
class StoredFile:
    id: str
    content: bytes
    mime_type: str
    filename: str
    expires_at: datetime
    number: str | None = None
    is_incoming: bool = False

    @property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.content).digest()

    def told(self) -> Json:
        """The inside of an incoming media message; the hash is base64 there (cloud-api §8)."""
        return {"mime_type": self.mime_type, "sha256": base64.b64encode(self.sha256).decode(), "id": self.id}


class MediaShelf:
    """All files, the oldest first. `info` makes a URL that dies; the path's key says when it was made."""

    def __init__(self, *, most_files: int = MOST_FILES, most_bytes: int = MOST_BYTES) -> None:
        self._most_files, self._most_bytes = most_files, most_bytes
        self._bytes = 0
        self._files: dict[str, StoredFile] = {}
        self._urls: dict[str, tuple[str, datetime]] = {}
        self._made = self._asked = self._turn = 0

    def __len__(self) -> int:
        return len(self._files)

    def add(
        self, content: bytes, mime_type: str, *, filename: str = "", now: datetime, is_incoming: bool, number: str | None = None
    ) -> StoredFile:
        self._made += 1
        life = INCOMING_LIFE if is_incoming else UPLOADED_LIFE
        name = str(1_000_000_000_000_000 + int.from_bytes(hashlib.sha256(f"{self._made} {now}".encode()).digest()[:6], "big"))
        stored = StoredFile(name, content, mime_type, filename, now + life, number, is_incoming)
        self.remove(name)
        self._files[name] = stored
        self._bytes += len(content)
        self._forget_the_dead(now)
        while len(self._files) > 1 and (len(self._files) > self._most_files or self._bytes > self._most_bytes):
            self.remove(next(iter(self._files)))
        return stored

    def upload(
        self, content: bytes, mime_type: str, filename: str, number: str, now: datetime, *, minutes: int | None = None
    ) -> StoredFile:
        """Raises CloudError 131053 for a type that is not accepted, a wrong size or content that is not what it says."""
        kind = media_kind(mime_type)
        if kind is None:
            raise graph_error(131053, f"Param file must be a file with one of the accepted types; {mime_type or 'none'} is not")
        with refusing():
            check_file(kind, mime_type, len(content), is_animated=is_animated(content) if kind == "sticker" else None)
        told = types_of(content)
        if told is not None and plain_type(mime_type) not in told:
            raise graph_error(131053, f"The file's content is {told[0]}, not {plain_type(mime_type)}")
        stored = self.add(content, mime_type, filename=filename, now=now, is_incoming=False, number=number)
        if minutes is not None:
            stored.expires_at = now + timedelta(minutes=minutes)
        return stored

    def find(self, name: str, now: datetime) -> StoredFile | None:
        """None for an id that never was or has died."""
        stored = self._files.get(name)
        return stored if stored is not None and now < stored.expires_at else None

    def remove(self, name: str) -> bool:
        gone = self._files.pop(name, None)
        self._bytes -= len(gone.content) if gone is not None else 0
        return gone is not None

    def info(self, stored: StoredFile, base_url: str, now: datetime) -> Json:
        """`file_size` is text every second time: both are seen in life (cloud-api §2)."""
        self._asked += 1
        self._forget_the_dead(now)
        key = hashlib.sha256(f"{stored.id} {self._asked} {now}".encode()).hexdigest()[:24]
        self._urls[key] = (stored.id, now + URL_LIFE)
        if len(self._urls) > self._most_files:
            del self._urls[next(iter(self._urls))]
        size = len(stored.content)
        return {
            "messaging_product": "whatsapp",
            "url": f"{base_url}/whatsapp_business/attachments/{key}",
            "mime_type": stored.mime_type,
            "sha256": stored.sha256.hex(),
            "file_size": str(size) if self._asked % 2 else size,
            "id": stored.id,
        }

    def behind(self, key: str, now: datetime) -> StoredFile | None:
        """The file of a URL; None once five minutes have passed."""
        name, dies_at = self._urls.get(key, ("", now))
        return self.find(name, now) if now < dies_at else None

    def _forget_the_dead(self, now: datetime) -> None:
        """Now and then, so that a long run does not keep every file there ever was."""
        self._turn += 1
        if self._turn % 256:
            return
        for name in [name for name, one in self._files.items() if now >= one.expires_at]:
            self.remove(name)
        self._urls = {key: one for key, one in self._urls.items() if now < one[1]}
