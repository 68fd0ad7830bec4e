"""Fetch customers' files before their ids die: in the background, retried, checked against Meta's hash, sealed."""

import asyncio
import base64
import hashlib
from datetime import timedelta

import msgspec
import structlog

from wabiz_tui.cloud.client import CloudClient
from wabiz_tui.hub.archive.conversations import load_conversation
from wabiz_tui.hub.archive.files import DueMedia, due_media, keep_file, next_media_ms, read_file, retry_media, settle_media, unit_of_media
from wabiz_tui.hub.archive.messages import load_message, save_message
from wabiz_tui.hub.archive.store import Archive, Reading, Writing
from wabiz_tui.hub.feed.viewer import Viewer
from wabiz_tui.hub.operations.metrics import Metrics
from wabiz_tui.model.content import Media
from wabiz_tui.model.errors import BadInput, CloudError, NotFound, WabizError
from wabiz_tui.model.values import Message

_MOST_ATTEMPTS = 20
_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(hours=1)

log = structlog.get_logger("hub.media")


class MediaFetcher:
    def __init__(self, archive: Archive, client: CloudClient, metrics: Metrics) -> None:
        self._archive, self._client, self._metrics = archive, client, metrics
        self._wanted = asyncio.Event()
        self._is_stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._archive.listeners.append(self._committed)

    def stop(self) -> None:
        self._is_stopping = True
        self._wanted.set()

    async def run(self) -> None:
        while not self._is_stopping:
            self._wanted.clear()
            for due in await self._archive.read(due_media):
                if self._is_stopping:
                    return
                await self._fetch(due)
            await self._wait()

    async def _wait(self) -> None:
        next_ms = await self._archive.read(next_media_ms)
        if next_ms is None:
            await self._wanted.wait()
            return
        pause = next_ms / 1000 - self._archive.clock.now().timestamp()
        if pause > 0:
            try:
                await asyncio.wait_for(self._wanted.wait(), pause)
            except TimeoutError:
                return

    def _committed(self, _head: int) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wanted.set)

    async def _fetch(self, due: DueMedia) -> None:
        message = await self._archive.read(lambda reading: load_message(reading, due.message))
        if message is None or not isinstance(message.content, Media):
            await self._settle(due.message, "failed")
            return
        try:
            content = await self._download(message, message.content)
        except (CloudError, BadInput) as error:
            await self._put_off(due, error)
            return
        loop = asyncio.get_running_loop()
        unit = await self._archive.read(lambda reading: unit_of_media(reading, due.message))
        await loop.run_in_executor(None, keep_file, self._archive, due.message, unit or "", content)
        await self._settle(due.message, "stored", size=len(content))

    async def _download(self, message: Message, media: Media) -> bytes:
        stored = await self._archive.read(lambda reading: load_conversation(reading, message.conversation))
        number = stored.value.number if stored is not None else None
        content = bytearray()
        async for chunk in self._client.download_media(media.id, number=number):
            content += chunk
        if media.sha256 and not is_hash_of(media.sha256, bytes(content)):
            raise BadInput("The file is not the one Meta's hash names.", code="wrong_hash")
        return bytes(content)

    async def _put_off(self, due: DueMedia, error: WabizError) -> None:
        attempts = due.attempts + 1
        is_lasting = isinstance(error, CloudError) and not error.is_transient and not error.is_uncertain
        if due.is_expired or is_lasting or attempts >= _MOST_ATTEMPTS:
            log.warning("media_failed", message=due.message, code=error.code, attempts=attempts)
            await self._settle(due.message, "expired" if due.is_expired else "failed")
            return
        pause = min(_FIRST_PAUSE * 2 ** min(attempts, 12), _LONGEST_PAUSE)
        next_try = self._archive.clock.now() + pause
        await self._archive.write(lambda writing: retry_media(writing, due.message, attempts=attempts, next_try=next_try))

    async def _settle(self, message: str, state: str, *, size: int = 0) -> None:
        self._metrics.media.labels(state).inc()
        await self._archive.write(lambda writing: _record(writing, message, state, size))


def stored_file(reading: Reading, viewer: Viewer, message_id: str) -> bytes:
    """The file of a message its viewer may see. Raises NotFound with what became of it."""
    message = load_message(reading, message_id)
    stored = load_conversation(reading, message.conversation) if message is not None else None
    if message is None or stored is None or not viewer.can_see_conversation(*stored.assigned):
        raise NotFound("There is no such message.")
    if not isinstance(message.content, Media):
        raise NotFound("This message has no file.")
    unit = unit_of_media(reading, message_id)
    content = read_file(reading.archive, message_id, unit) if unit is not None and message.content.stored == "stored" else None
    if content is None:
        words = {"pending": "is still being fetched; ask again in a moment", "expired": "was gone at WhatsApp before it could be fetched"}
        raise NotFound(f"The file {words.get(message.content.stored, 'could not be fetched')}.", code=f"media_{message.content.stored}")
    return content


def is_hash_of(told: str, content: bytes) -> bool:
    """Meta writes SHA-256 in base64 in webhooks and in hexadecimal elsewhere (cloud-api §8)."""
    found = hashlib.sha256(content).digest()
    return told.strip() in (base64.b64encode(found).decode(), found.hex(), found.hex().upper())


def _record(writing: Writing, message_id: str, state: str, size: int) -> None:
    settle_media(writing, message_id, state, size=size)
    message = load_message(writing, message_id)
    if message is not None and isinstance(message.content, Media):
        content = msgspec.structs.replace(message.content, stored=state, size=size)
        save_message(writing, msgspec.structs.replace(message, content=content))
