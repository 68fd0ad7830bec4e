"""Files through the gateway: up to Meta, and down by the hub's own address for whoever may see a message that holds them."""

import asyncio
import base64
import binascii
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, NamedTuple

from starlette.responses import Response, StreamingResponse

from wabiz_tui.cloud.client import CloudClient
from wabiz_tui.hub.archive.conversations import load_conversation
from wabiz_tui.hub.archive.files import place_of, unit_of_media
from wabiz_tui.hub.archive.messages import load_message
from wabiz_tui.hub.archive.store import Archive, Reading
from wabiz_tui.hub.archive.uploads import FileFacts, add_upload, find_upload, forget_upload, is_being_archived, messages_with
from wabiz_tui.hub.gateway.answers import Answered
from wabiz_tui.hub.gateway.arriving import LARGEST_PIECE, Arrivals
from wabiz_tui.hub.gateway.passing import Passing
from wabiz_tui.hub.gateway.refusals import refuse
from wabiz_tui.hub.gateway.room import Room
from wabiz_tui.hub.gateway.sender import Sender, check_number, require
from wabiz_tui.hub.gateway.upload import LARGEST_FILE, Uploaded
from wabiz_tui.hub.ingest.delivery import StoredFile, deliver, tag_of
from wabiz_tui.model.codec import encode
from wabiz_tui.model.content import Media
from wabiz_tui.model.errors import CloudError, NoRoom

_MOST_UPLOADING = 3 * LARGEST_FILE
_PLAIN = "application/octet-stream"


class _Held(NamedTuple):
    """A file the sender may have: in which message and on which number, and its bytes where the archive has them."""

    number: str
    media: Media
    message: str = ""
    unit: str = ""

    @property
    def is_stored(self) -> bool:
        return bool(self.unit) and self.media.stored == "stored"


class MediaDoor:
    def __init__(self, archive: Archive, client: CloudClient, passing: Passing, room: Room, *, piece: int = LARGEST_PIECE) -> None:
        """`room`: what uploads may have of the disk; `piece`: how many bytes of one a request may bring."""
        self._archive, self._client, self._passing = archive, client, passing
        self._uploading = 0
        self._disk = room
        self.arrivals = Arrivals(archive, room, piece=piece)
        self._passing_on: dict[tuple[str, str], asyncio.Task[Answered]] = {}

    def check_upload(self, reading: Reading, sender: Sender, number: str) -> None:
        """Before a byte of the file is read. Raises CloudError."""
        require(sender, "media.send")
        check_number(reading, sender, number)

    @asynccontextmanager
    async def room(self, declared: str | None) -> AsyncGenerator[None]:
        """Room for an upload of that Content-Length: in memory, and on the disk, where the archive keeps what is sent of it. Raises
        CloudError when too much is under way, or too little is free."""
        size = int(declared) if declared is not None and declared.isascii() and declared.isdigit() and len(declared) < 16 else LARGEST_FILE
        size = min(size, LARGEST_FILE)
        try:
            await asyncio.to_thread(self._disk.check, size)
        except NoRoom as error:
            raise refuse("no_room", error.sentence, retry_after=error.retry_after) from error
        if self._uploading + size > _MOST_UPLOADING:
            raise refuse("busy", "Too many uploads are under way", retry_after=timedelta(seconds=5))
        self._uploading += size
        try:
            yield
        finally:
            self._uploading -= size

    async def upload(self, sender: Sender, number: str, uploaded: Uploaded) -> Answered:
        """To Meta; the id she gives. What was seen of the file waits, sealed, for the message that will hold it."""
        media = await self._client.upload_media(number, uploaded.content, uploaded.mime_type, uploaded.filename or "file")
        digest = await asyncio.to_thread(lambda: hashlib.sha256(uploaded.content).hexdigest())
        facts = FileFacts(uploaded.mime_type, len(uploaded.content), digest, uploaded.filename)
        await self._archive.write(lambda writing: add_upload(writing, media, caller=sender.caller, number=number, facts=facts))
        return Answered(200, encode({"id": media}))

    async def pass_on(self, sender: Sender, number: str, upload: str) -> Answered:
        """What came in pieces goes to Meta; asked again, the id she gave. Raises CloudError."""
        name = (sender.caller, upload)
        task = self._passing_on.get(name)
        if task is None:
            task = asyncio.ensure_future(self._pass_on(sender.caller, number, upload))
            self._passing_on[name] = task
            task.add_done_callback(lambda _: self._passing_on.pop(name, None))
        # The caller may leave, and asks again: Meta gets the file once.
        return await asyncio.shield(task)

    async def _pass_on(self, caller: str, number: str, upload: str) -> Answered:
        arrived = await asyncio.to_thread(self.arrivals.find, caller, upload)
        if arrived is None:
            raise refuse("unknown_upload", "There is no upload of this id that you began")
        standing, wanted = await asyncio.to_thread(arrived.standing), arrived.head.wanted
        if standing.media:
            return Answered(200, encode({"id": standing.media}))
        if standing.received < standing.size:
            raise refuse("upload_incomplete", f"The upload has {standing.received} of {standing.size} bytes")
        if not await asyncio.to_thread(arrived.is_whole):
            await asyncio.to_thread(self.arrivals.forget, caller, upload)
            raise refuse("upload_damaged", "What came is not the file that was told; it is removed")
        pieces = _in_threads(arrived.pieces())
        name = wanted.filename or "file"
        media = await self._client.media.upload(number, pieces, wanted.mime_type, name, size=wanted.size, is_checked=False)
        facts = FileFacts(wanted.mime_type, wanted.size, wanted.sha256, wanted.filename)
        await self._archive.write(lambda writing: add_upload(writing, media, caller=caller, number=number, facts=facts))
        await asyncio.to_thread(arrived.settle, media)
        return Answered(200, encode({"id": media}))

    async def info(self, sender: Sender, media: str, *, number: str | None, address: str) -> Answered:
        """As Meta tells it, but for `url`: that is the hub's own, so that nobody needs Meta's token. Raises CloudError."""
        held = await self._archive.read(lambda reading: _held(reading, sender, media, number))
        told: dict[str, Any] = {"messaging_product": "whatsapp", "url": address, "id": media}
        if held.is_stored and held.media.sha256:
            facts = {"mime_type": held.media.mime_type, "sha256": _hexadecimal(held.media.sha256), "file_size": held.media.size}
        else:
            meta = await self._passing.ask("GET", media, params={"phone_number_id": held.number} if held.number else {})
            facts = {key: meta[key] for key in ("mime_type", "sha256", "file_size") if key in meta}
        return Answered(200, encode(told | facts))

    async def download(self, sender: Sender, media: str, asked: Mapping[str, str]) -> Response:
        """The bytes for a request with these headers: the archive's own where it has them, else Meta's. Raises CloudError."""
        held = await self._archive.read(lambda reading: _held(reading, sender, media, None))
        headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
        if held.is_stored:
            stored = StoredFile(place_of(self._archive, held.message, held.unit), tag_of(held.media.sha256))
            answer = await deliver(self._archive, stored, asked, media_type=held.media.mime_type or _PLAIN)
            if answer is not None:
                return answer
        pieces = self._client.download_media(media, number=held.number or None)
        first = await anext(aiter(pieces), b"")  # what Meta refuses is refused before the answer begins
        return StreamingResponse(_after(first, pieces), media_type=held.media.mime_type or _PLAIN, headers=headers)

    async def delete(self, sender: Sender, media: str) -> Answered:
        """Only by who uploaded it, and not before the archive has what was sent of it. Raises CloudError."""
        require(sender, "media.send")

        def check(reading: Reading) -> None:
            upload = find_upload(reading, media)
            if upload is None or upload.caller != sender.caller:
                raise refuse("unknown_media", "There is no file of this id that you uploaded")
            if is_being_archived(reading, media):
                raise refuse("still_archiving", "A message holds this file and the archive has yet to fetch it")

        await self._archive.read(check)
        await self._passing.ask("DELETE", media)
        await self._archive.write(lambda writing: forget_upload(writing, media))
        return Answered(200, b'{"success":true}')

    async def has_file(self, sender: Sender, media: str) -> bool:
        """Whether the sender may have a file of this id."""

        def has(reading: Reading) -> bool:
            try:
                _held(reading, sender, media, None)
            except CloudError:
                return False
            return True

        return await self._archive.read(has)


def _held(reading: Reading, sender: Sender, media: str, number: str | None) -> _Held:
    """The file in the newest message the sender may see, or their own upload; alike for what is not there and what they may not see."""
    for identifier in messages_with(reading, media) if sender.may("media.read") else ():
        message = load_message(reading, identifier)
        stored = load_conversation(reading, message.conversation) if message is not None else None
        if message is None or stored is None or not sender.can_see(stored) or number not in (None, stored.value.number):
            continue
        if isinstance(message.content, Media):
            return _Held(stored.value.number, message.content, identifier, unit_of_media(reading, identifier) or "")
    upload = find_upload(reading, media) if sender.may("media.send") else None
    if upload is None or upload.caller != sender.caller or number not in (None, upload.number):
        raise refuse("unknown_media", "There is no file of this id that you can see")
    mime_type = upload.facts.mime_type if upload.facts is not None else ""
    return _Held(upload.number, Media(id=media, mime_type=mime_type))


def _hexadecimal(sha256: str) -> str:
    """Meta writes base64 in webhooks, and hexadecimal here (cloud-api §8)."""
    if len(sha256) == 64:
        return sha256.lower()
    try:
        return base64.b64decode(sha256).hex()
    except (binascii.Error, ValueError):
        return sha256


async def _in_threads(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """As they come, each read in a thread: a slow disk holds nobody else up."""
    while piece := await asyncio.to_thread(next, pieces, b""):
        yield piece


async def _after(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in pieces:
        yield piece
