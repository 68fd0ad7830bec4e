"""The open streams of changes: woken by commits, each reading on from its own cursor."""

import asyncio
from collections.abc import Callable

import msgspec
import structlog

from wabiz_tui.hub.archive.store import Archive
from wabiz_tui.hub.feed.pages import MOST_CHANGES, page_for
from wabiz_tui.hub.feed.viewer import Viewer
from wabiz_tui.hub.ingest.door import Receive, Send
from wabiz_tui.hub.operations.metrics import Metrics
from wabiz_tui.hub.policy import InForce
from wabiz_tui.model.codec import encode
from wabiz_tui.model.feed import ChangesPage
from wabiz_tui.policy.permissions import can

HEARTBEAT = 15.0
SLOWEST_WRITE = 10.0

log = structlog.get_logger("hub.feed")


class Feed:
    """The open streams. They are woken by commits, never by the clock, and each reads on from its own cursor."""

    def __init__(self, archive: Archive, in_force: Callable[[], InForce], metrics: Metrics) -> None:
        self._archive, self._in_force, self._metrics = archive, in_force, metrics
        self._streams: set[_Stream] = set()
        self._shared: dict[tuple[object, ...], bytes] = {}
        self._is_closed = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on commits wake the streams of this loop."""
        self._loop = loop
        self._archive.listeners.append(self._committed)

    async def page(self, viewer: Viewer, *, since: int, limit: int) -> ChangesPage:
        policy = self._in_force()
        return await self._archive.read(lambda reading: page_for(reading, viewer, policy, since=since, limit=limit))

    async def stream(self, viewer: Viewer, since: int, receive: Receive, send: Send) -> None:
        """Serve one reader until it leaves, is revoked, is too slow, or the hub closes. A dropped reader resumes from its cursor."""
        stream = _Stream(viewer)
        self._streams.add(stream)
        self._metrics.streams.inc()
        gone = asyncio.ensure_future(_until_gone(receive, stream))
        try:
            await _start(send)
            await self._follow(stream, since, send)
        except (TimeoutError, OSError):
            log.info("stream_dropped", device=viewer.device)
        finally:
            gone.cancel()
            self._streams.discard(stream)
            self._metrics.streams.dec()

    def revoke(self, device: str) -> None:
        """End the device's streams at once, with the reason."""
        for stream in self._streams:
            if stream.viewer.device == device:
                stream.is_revoked = True
                stream.woken.set()

    def close(self) -> None:
        self._is_closed = True
        self._wake()

    def _committed(self, _head: int) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._shared.clear()
        for stream in self._streams:
            stream.woken.set()

    async def _follow(self, stream: "_Stream", since: int, send: Send) -> None:
        cursor = since
        while not (self._is_closed or stream.is_gone):
            if stream.is_revoked:
                await _write(send, b"event: revoked\ndata: {}\n\n", more=False)
                return
            stream.woken.clear()
            event, cursor, has_more = await self._next(stream.viewer, cursor)
            if stream.is_revoked:
                continue
            if event:
                await _write(send, event)
            if has_more:
                continue
            try:
                await asyncio.wait_for(stream.woken.wait(), HEARTBEAT)
            except TimeoutError:
                await _write(send, b": still here\n\n")
        if not stream.is_gone:
            await _write(send, b"", more=False)

    async def _next(self, viewer: Viewer, since: int) -> tuple[bytes, int, bool]:
        """The next event of this reader as bytes, encoded once for all who see the same."""
        policy = self._in_force()
        sees_all = can(viewer.role, "conversation.read_all")
        key = (viewer.role, "" if sees_all else viewer.person, since, policy.version)
        shared = self._shared.get(key)
        if shared is not None:
            page = msgspec.json.decode(shared.split(b"data: ", 1)[1], type=_Cursor)
            return shared, page.next, page.more
        page = await self.page(viewer, since=since, limit=MOST_CHANGES)
        if page.next == since:
            return b"", since, False
        event = b"event: changes\nid: %d\ndata: %s\n\n" % (page.next, encode(page))
        self._shared[key] = event
        return event, page.next, page.more


class _Cursor(msgspec.Struct):
    next: int
    more: bool


class _Stream:
    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.woken = asyncio.Event()
        self.is_revoked = False
        self.is_gone = False


async def _until_gone(receive: Receive, stream: _Stream) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.is_gone = True
    stream.woken.set()


async def _start(send: Send) -> None:
    headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await _write(send, b": wabiz\n\n")


async def _write(send: Send, chunk: bytes, *, more: bool = True) -> None:
    async with asyncio.timeout(SLOWEST_WRITE):
        await send({"type": "http.response.body", "body": chunk, "more_body": more})
