"""Give a stored file over HTTP, piece by piece: whole, or the range that a client lacks (RFC 9110 §14)."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple

from starlette.responses import Response, StreamingResponse

from wabiz_tui.cloud.media import digest_of
from wabiz_tui.hub.archive.conversations import load_conversation
from wabiz_tui.hub.archive.files import place_of, unit_of_media
from wabiz_tui.hub.archive.messages import load_message
from wabiz_tui.hub.archive.sealed_files import FileReader, SealedFile, open_file
from wabiz_tui.hub.archive.store import Archive, Reading
from wabiz_tui.hub.feed.viewer import Viewer
from wabiz_tui.model.content import Media
from wabiz_tui.model.errors import NotFound

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_BECAME = {"pending": "is still being fetched; ask again in a moment", "expired": "was gone at WhatsApp before it could be fetched"}


class StoredFile(NamedTuple):
    """A file that its viewer may have. `tag` names its content; empty where Meta told no hash."""

    place: SealedFile
    tag: str


def stored_file(reading: Reading, viewer: Viewer, message_id: str) -> StoredFile:
    """The file of a message its viewer may see. Raises NotFound with what became of it."""
    message = load_message(reading, message_id)
    stored = load_conversation(reading, message.conversation) if message is not None else None
    if message is None or stored is None or not viewer.can_see_conversation(*stored.assigned):
        raise NotFound("There is no such message.")
    if not isinstance(message.content, Media):
        raise NotFound("This message has no file.")
    unit = unit_of_media(reading, message_id)
    if unit is None or message.content.stored != "stored":
        raise not_there(message.content.stored)
    return StoredFile(place_of(reading.archive, message_id, unit), tag_of(message.content.sha256))


def not_there(state: str) -> NotFound:
    return NotFound(f"The file {_BECAME.get(state, 'could not be fetched')}.", code=f"media_{'failed' if state == 'stored' else state}")


def tag_of(sha256: str | None) -> str:
    digest = digest_of(sha256 or "")
    return "" if digest is None else f'"{digest.hex()}"'


async def deliver(archive: Archive, stored: StoredFile, asked: Mapping[str, str], *, media_type: str) -> Response | None:
    """The answer to a request with these headers; None when the file or its key is gone. Holds one piece of it in memory.

    Never to be shown by a browser: it is what a customer sent."""
    reader = await asyncio.to_thread(open_file, archive, stored.place)
    if reader is None:
        return None
    headers = {
        "Content-Disposition": "attachment",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        "Accept-Ranges": "bytes",
    }
    if stored.tag:
        headers["ETag"] = stored.tag
    start, end, status = 0, reader.size, 200
    wanted = _wanted(asked.get("range", ""), reader.size) if asked.get("if-range", stored.tag) == stored.tag else None
    if wanted is not None:
        start, end = wanted
        if start >= end:
            reader.close()
            return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{reader.size}"})
        status = 206
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{reader.size}"
    headers["Content-Length"] = str(end - start)
    return StreamingResponse(_pieces(reader, start, end), status, headers, media_type=media_type)


def _wanted(text: str, size: int) -> tuple[int, int] | None:
    """From and up to which byte; empty where there are none so far out; None for what is no single range, which then is ignored."""
    matched = _RANGE.fullmatch(text.strip())
    if matched is None or not (matched[1] or matched[2]):
        return None
    if not matched[1]:
        return max(0, size - int(matched[2])), size
    first, last = int(matched[1]), int(matched[2]) if matched[2] else size - 1
    return (first, min(last + 1, size)) if first <= last or not matched[2] else None


async def _pieces(reader: FileReader, start: int, end: int) -> AsyncIterator[bytes]:
    pieces = reader.pieces(start, end)
    try:
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece
    finally:
        # At once: for a listener that has gone, nothing that is awaited here comes to its end.
        reader.close()
