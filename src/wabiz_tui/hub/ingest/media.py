"""Fetch customers' files before their ids die: in the background, a few at once, retried as long as the id lives, checked, sealed."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterable, AsyncIterator, Callable
from datetime import timedelta

import msgspec
import structlog

from wabiz_tui.cloud.client import CloudClient
from wabiz_tui.cloud.outcomes import NeverLeft
from wabiz_tui.hub.archive.conversations import load_conversation
from wabiz_tui.hub.archive.files import (
    DueMedia,
    due_media,
    forget_partial_files,
    media_state,
    next_media_ms,
    place_of,
    retry_media,
    settle_media,
)
from wabiz_tui.hub.archive.messages import load_message, save_message
from wabiz_tui.hub.archive.sealed_files import PIECE, FileWriter
from wabiz_tui.hub.archive.store import Archive, Writing
from wabiz_tui.hub.operations.metrics import Metrics
from wabiz_tui.model.content import Media
from wabiz_tui.model.errors import CloudError, StoreError, TooLarge, WabizError
from wabiz_tui.model.values import Message

_AT_ONCE = 4
_MOST_WRONG = 5
_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(hours=1)
_PAUSE_AFTER_FAILURE = 1.0
PAUSE_WITHOUT_META = 2.0
"""Seconds without any try after one that found nobody: where Meta cannot be reached a few tries tell as much as one for each file."""
LONGEST_PATIENCE = 60.0
"""Seconds that files wait while webhooks rush in: these wait for the processor, and a file's id lives for days."""
_BETWEEN_LOOKS = 0.2
"""Seconds, however much is committed."""
_UNKNOWN_OBJECT = (100, 33)
"""Meta's codes for an id that is not there (any more)."""

log = structlog.get_logger("hub.media")


class MediaFetcher:
    """`run` until `stop`. What is to be fetched stands in the archive, so another run, or another process, goes on with it.

    A file is given up only when its id is dead: a token that expired, a full disk or a Meta that is down for days lose none that
    can still be had."""

    def __init__(self, archive: Archive, client: CloudClient, metrics: Metrics, *, is_rushed: Callable[[], bool] = lambda: False) -> None:
        """`is_rushed` tells whether folding is behind."""
        self._archive, self._client, self._metrics, self._is_rushed = archive, client, metrics, is_rushed
        self._wanted = asyncio.Event()
        self._is_stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._quiet_until = 0.0
        self._rushed_since: float | None = None
        self._looked, self._looks_again = 0.0, False

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._archive.listeners.append(self._committed)

    def stop(self) -> None:
        self._is_stopping = True
        self._wanted.set()

    def wake(self) -> None:
        """Look for what is due now."""
        self._wanted.set()

    async def run(self) -> None:
        try:
            while not self._is_stopping:
                self._wanted.clear()
                self._looks_again, self._looked = False, asyncio.get_running_loop().time()
                try:
                    await self._start_due()
                    pause = await self._until_next()
                except StoreError as error:
                    log.warning("media_queue_unreadable", code=error.code)
                    pause = _PAUSE_AFTER_FAILURE
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wanted.wait(), pause)
                await self._rest()
        finally:
            under_way = list(self._under_way.values())
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _rest(self) -> None:
        """While Meta cannot be reached, or webhooks rush in."""
        while not self._is_stopping and (self._quiet_seconds() > 0 or self._gives_way()):  # noqa: ASYNC110 only time brings it about
            await asyncio.sleep(_BETWEEN_LOOKS)

    def _gives_way(self) -> bool:
        now = asyncio.get_running_loop().time()
        if not self._is_rushed():
            self._rushed_since = None
            return False
        self._rushed_since = now if self._rushed_since is None else self._rushed_since
        return now - self._rushed_since < LONGEST_PATIENCE

    async def _start_due(self) -> None:
        room = _AT_ONCE - len(self._under_way)
        if room <= 0:
            return
        due = await self._archive.read(lambda reading: due_media(reading, _AT_ONCE + len(self._under_way)))
        for one in [one for one in due if one.message not in self._under_way][:room]:
            self._under_way[one.message] = asyncio.ensure_future(self._fetch(one))

    async def _until_next(self) -> float | None:
        """Seconds until something else is due; None where only a new message or the end of a fetch can bring it."""
        if len(self._under_way) >= _AT_ONCE:
            return None
        next_ms = await self._archive.read(lambda reading: next_media_ms(reading, besides=tuple(self._under_way)))
        return None if next_ms is None else max(0.0, next_ms / 1000 - self._archive.clock.now().timestamp())

    def _quiet_seconds(self) -> float:
        return max(0.0, self._quiet_until - asyncio.get_running_loop().time())

    def _committed(self, _head: int) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._look_again)

    def _look_again(self) -> None:
        """Soon: however much is committed, the queue is read a few times a second."""
        if self._looks_again:
            return
        self._looks_again = True
        loop = asyncio.get_running_loop()
        loop.call_at(max(loop.time(), self._looked + _BETWEEN_LOOKS), self._wanted.set)

    async def _fetch(self, due: DueMedia) -> None:
        try:
            await self._try(due)
        except StoreError as error:
            log.warning("media_not_kept", message=due.message, code=error.code)
            await asyncio.sleep(_PAUSE_AFTER_FAILURE)
        finally:
            self._under_way.pop(due.message, None)
            self._wanted.set()

    async def _try(self, due: DueMedia) -> None:
        message = await self._archive.read(lambda reading: load_message(reading, due.message))
        if message is None or not isinstance(message.content, Media):
            await self._settle(due.message, "failed")
            return
        try:
            await self._download(due, message, message.content)
        except WabizError as error:
            await self._put_off(due, error)

    async def _download(self, due: DueMedia, message: Message, media: Media) -> None:
        """Into its place, sealed, and then told; nothing of it is kept when the hash is not the one the webhook told."""
        stored = await self._archive.read(lambda reading: load_conversation(reading, message.conversation))
        number = stored.value.number if stored is not None else None
        await asyncio.to_thread(forget_partial_files, self._archive, due.message)
        async with self._client.media.open(media.id, number=number, sha256=media.sha256 or "") as incoming:
            writer = await asyncio.to_thread(FileWriter, self._archive, place_of(self._archive, due.message, due.unit))
            try:
                async for piece in _in_pieces(incoming):
                    await asyncio.to_thread(writer.write, piece)
                await asyncio.to_thread(writer.finish)
            finally:
                await asyncio.to_thread(writer.give_up)
        await self._settle(due.message, "stored", size=writer.size)
        if not await asyncio.to_thread(lambda: writer.is_current(anew=True)):
            # Its unit was sealed anew just then, and whoever did that may not have seen the file yet.
            await self._again(due)

    async def _again(self, due: DueMedia) -> None:
        now = self._archive.clock.now()
        await self._archive.write(
            lambda writing: _record(writing, due.message, "pending", 0) if media_state(writing, due.message) is not None else None
        )
        await self._archive.write(lambda writing: retry_media(writing, due.message, attempts=due.attempts, next_try=now))

    async def _put_off(self, due: DueMedia, error: WabizError) -> None:
        attempts = due.attempts + 1
        if isinstance(error, NeverLeft):
            self._quiet_until = asyncio.get_running_loop().time() + PAUSE_WITHOUT_META
        is_lost = _is_gone(error) or (error.code == "wrong_hash" and attempts >= _MOST_WRONG)
        if due.is_expired or is_lost:
            log.warning("media_failed", message=due.message, code=error.code, attempts=attempts)
            await self._settle(due.message, "expired" if due.is_expired else "failed")
            return
        next_try = self._archive.clock.now() + pause_after(attempts, told=error.retry_after if isinstance(error, CloudError) else None)
        log.info("media_put_off", message=due.message, code=error.code, attempts=attempts)
        await self._archive.write(lambda writing: retry_media(writing, due.message, attempts=attempts, next_try=next_try))

    async def _settle(self, message: str, state: str, *, size: int = 0) -> None:
        self._metrics.media.labels(state).inc()
        await self._archive.write(lambda writing: _record(writing, message, state, size))


def pause_after(attempts: int, *, told: timedelta | None = None) -> timedelta:
    """Until the next attempt: doubled each time up to an hour, a tenth more or less so that not all come back at once, and never
    less than what Meta told."""
    pause = min(_FIRST_PAUSE * 2 ** min(attempts - 1, 12), _LONGEST_PAUSE) * random.uniform(0.9, 1.1)  # noqa: S311 no secret
    return max(pause, min(told or timedelta(), _LONGEST_PAUSE))


def _is_gone(error: WabizError) -> bool:
    """Whether no later attempt can bring the file: Meta does not know the id, or the file is larger than any that she takes."""
    if isinstance(error, TooLarge):
        return True
    if not isinstance(error, CloudError) or error.is_transient or error.is_uncertain:
        return False
    return error.graph_code in _UNKNOWN_OBJECT or (error.graph_code is None and error.http_status in (404, 410))


async def _in_pieces(incoming: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """What comes in crumbs, in pieces worth a turn of a thread."""
    waiting = bytearray()
    async for piece in incoming:
        waiting += piece
        if len(waiting) >= PIECE:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)


def _record(writing: Writing, message_id: str, state: str, size: int) -> None:
    settle_media(writing, message_id, state, size=size)
    message = load_message(writing, message_id)
    if message is not None and isinstance(message.content, Media):
        content = msgspec.structs.replace(message.content, stored=state, size=size)
        save_message(writing, msgspec.structs.replace(message, content=content))
