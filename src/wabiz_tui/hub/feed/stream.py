"""The open streams of changes: one reader of the archive for all that stand at the same place, woken by commits.

A stream that is behind catches up by itself, page by page. From then on it is *parked*: at each commit the changes are read once
for all parked streams, encoded once for all who see the same, and written to each without a task of its own. Who does not read
what was written is dropped, and resumes from its cursor.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog

from wabiz_tui.hub.archive.people import find_device
from wabiz_tui.hub.archive.store import Archive
from wabiz_tui.hub.feed.listener import WORKS, Listener, body_of
from wabiz_tui.hub.feed.pages import USUAL_CHANGES, Flow, Page, Stretch, flowing_after, page_for, stretch_after
from wabiz_tui.hub.feed.presence import TOPIC, PresenceBoard
from wabiz_tui.hub.feed.viewer import Viewer
from wabiz_tui.hub.front.chunks import Chunk, WriteChunk, chunk_of
from wabiz_tui.hub.ingest.door import Receive, Send
from wabiz_tui.hub.operations.metrics import Metrics
from wabiz_tui.hub.policy import InForce
from wabiz_tui.model.codec import encode
from wabiz_tui.model.errors import Revoked, WabizError
from wabiz_tui.model.shift import ShiftStanding

HEARTBEAT = 15.0
SLOWEST_WRITE = 10.0
MOST_PER_DEVICE = 4
"""A desk has one; the oldest ends for one too many, since a broken line is noticed here last."""
_LOOK = 1.0
_MOST_BYTES = 256 * 1024
"""Of one event to those who follow: what a listener that stops reading holds in memory."""
_AT_ONCE = 256
"""So many are written to before everything else in the loop has its turn."""
_STILL_HERE = chunk_of(b": still here\n\n")
_REVOKED = b"event: revoked\ndata: {}\n\n"

log = structlog.get_logger("hub.feed")


class Shares:
    """What of one stretch each reader gets: put together and encoded once for all who see the same."""

    def __init__(self, stretch: Stretch) -> None:
        self.stretch = stretch
        self._named = {one.assignee for told in stretch.told for one in told.of or ()}
        self._alike: dict[object, Chunk | None] = {}

    def of(self, viewer: Viewer, *, is_quiet: bool) -> Chunk | None:
        """None where nothing of it is for them."""
        key = (viewer.role, viewer.teams, viewer.person if viewer.person in self._named else "", is_quiet)
        if key not in self._alike:
            page = self.stretch.page(viewer, is_quiet=is_quiet)
            self._alike[key] = None if page.is_empty else chunk_of(_event(page.next, page.raw))
        return self._alike[key]


class Feed:
    """The open streams. They are woken by commits, never by the clock."""

    def __init__(
        self,
        archive: Archive,
        in_force: Callable[[], InForce],
        metrics: Metrics,
        *,
        standing: Callable[[str, str], ShiftStanding] = lambda _person, _role: WORKS,
    ) -> None:
        """`standing` says at any moment how the shift of a person (id, role) stands; it is asked before anything is written."""
        self._archive, self._in_force, self._metrics, self._standing = archive, in_force, metrics, standing
        self.presence = PresenceBoard(archive, archive.clock)
        self._have_shifts_turned = False
        self._streams: dict[Listener, None] = {}
        self._commits = 0
        self._woken = asyncio.Event()
        self._is_closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._delivering: asyncio.Task[None] | None = None
        self._looked_at = 0.0

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on commits wake the streams of this loop."""
        self._loop = loop
        self._archive.listeners.append(self._committed)
        self._archive.bus.on(TOPIC, self._presence_told, loop=loop)
        self._delivering = loop.create_task(self._deliver(), name="feed")

    async def page(self, viewer: Viewer, *, since: int, limit: int) -> Page:
        if not self._stands(viewer).is_closed:
            page = await self._content(viewer, since=since, limit=limit)
            # The shift may have ended while the page was made.
            if not self._stands(viewer).is_closed:
                return page
        return Page((await self._flow(since)).page(since), since, more=False, is_empty=False)

    def shifts_turned(self) -> None:
        """Look at every reader's shift: the clock, a word or a policy may have changed it."""
        self._have_shifts_turned = True
        self._woken.set()

    def _stands(self, viewer: Viewer) -> ShiftStanding:
        return self._standing(viewer.person, viewer.role)

    async def _content(self, viewer: Viewer, *, since: int, limit: int) -> Page:
        policy, is_quiet = self._in_force(), self._stands(viewer).is_quiet
        return await self._archive.read(lambda reading: page_for(reading, viewer, policy, since=since, limit=limit, is_quiet=is_quiet))

    async def _flow(self, since: int) -> Flow:
        policy = self._in_force()
        return await self._archive.read(lambda reading: flowing_after(reading, policy, since=since))

    async def stream(self, viewer: Viewer, since: int, receive: Receive, send: Send, *, write_chunk: WriteChunk | None = None) -> None:
        """Serve one reader until it leaves, is revoked, is too slow, or the hub closes. A dropped reader resumes from its cursor."""
        stream = Listener(viewer, since, send, asyncio.get_running_loop(), write_chunk=write_chunk)
        self._open(stream)
        leaving = asyncio.ensure_future(_until_gone(receive, stream))
        try:
            await _start(send)
            await self._check_device(viewer.device)
            await self._catch_up(stream)
            await stream.ended
        except (TimeoutError, OSError):
            stream.end("slow")
        except Revoked:
            stream.end("revoked")
        except WabizError as error:
            log.warning("feed_unreadable", code=error.code)
            stream.end("unreadable")
        finally:
            leaving.cancel()
            self._streams.pop(stream, None)
            self._metrics.streams.dec()
        await self._say_farewell(stream)

    async def _check_device(self, device: str) -> None:
        """Look once the stream is among those that `revoke` ends: it may have been revoked since its token was. Raises Revoked."""
        found = await self._archive.read(lambda reading: find_device(reading, device))
        if found is not None and found.is_revoked:
            raise Revoked("An administrator has revoked this device.")

    def revoke(self, device: str) -> None:
        """End the device's streams at once, with the reason."""
        for stream in tuple(self._streams):
            if stream.viewer.device == device:
                stream.end("revoked")

    def devices(self) -> set[str]:
        """Whose streams are open. For any thread."""
        return {stream.viewer.device for stream in tuple(self._streams)}

    def close(self) -> None:
        """End all streams. For any thread of the loop; safe to repeat."""
        self._is_closed = True
        for stream in tuple(self._streams):
            stream.end("closed")
        self._woken.set()

    def _open(self, stream: Listener) -> None:
        same = [other for other in self._streams if other.viewer.device == stream.viewer.device]
        for other in same[: max(0, len(same) + 1 - MOST_PER_DEVICE)]:
            other.end("replaced")
        self._streams[stream] = None
        self._metrics.streams.inc()
        if self._is_closed:
            stream.end("closed")

    def _committed(self, _head: int) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._commits += 1
        self._woken.set()

    async def _catch_up(self, stream: Listener) -> None:
        """Page until nothing is left, then park."""
        while stream.is_open:
            commits = self._commits
            if self._stands(stream.viewer).is_closed:
                self._park(stream)
                return
            page = await self._content(stream.viewer, since=stream.cursor, limit=USUAL_CHANGES)
            if not stream.is_open:
                return
            if self._stands(stream.viewer).is_closed:
                continue
            if page.next > stream.cursor:
                stream.cursor = page.next
                async with asyncio.timeout(SLOWEST_WRITE):
                    await stream.send(body_of(_event(page.next, page.raw)))
            if not page.more:
                self._park(stream)
                if commits != self._commits:
                    self._woken.set()
                return

    def _park(self, stream: Listener) -> None:
        stream.is_parked = True
        if self.presence.current():
            self._woken.set()
        else:
            stream.is_new = False
        if self._stands(stream.viewer) != stream.stands:
            self.shifts_turned()

    async def _deliver(self) -> None:
        """Hand every commit out, and once a second look for who needs a sign of life or has stopped reading."""
        while not self._is_closed:
            self._woken.clear()
            try:
                self._turn_shifts()
                await self._let_flow()
                for since, streams in self._waiting().items():
                    await self._hand_out_after(since, streams)
                await self._tell_presence()
            except Exception as error:  # noqa: BLE001 one failure must not end all streams for good: they end, and resume
                log.error("feed_failed", error=type(error).__name__)  # noqa: TRY400 its words may hold what a customer wrote
                for stream in tuple(self._streams):
                    stream.end("unreadable")
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await self._woken.wait()
            self._look()

    def _presence_told(self, text: str) -> None:
        self.presence.hear(text)
        self._woken.set()

    async def _tell_presence(self) -> None:
        """What others do, to who may see where; all of it to who has just come."""
        news, current = self.presence.take(), self.presence.current()
        streams = [stream for stream in self._streams if stream.is_waiting and not _rests(stream.stands)]
        if not news and not any(stream.is_new for stream in streams):
            return
        sightings = await self.presence.sightings([*news, *current])
        for stream in streams:
            if not stream.is_waiting or _rests(self._stands(stream.viewer)):
                continue
            event = sightings.event(current if stream.is_new else news, stream.viewer)
            stream.is_new = False
            if event:
                stream.write(chunk_of(event), done=self._woken.set)

    def _waiting(self) -> dict[int, list[Listener]]:
        """The parked streams that can take something, by their place."""
        waiting: dict[int, list[Listener]] = {}
        for stream in self._streams:
            if stream.is_waiting and not stream.stands.is_closed:
                waiting.setdefault(stream.cursor, []).append(stream)
        return waiting

    async def _hand_out_after(self, since: int, streams: list[Listener]) -> None:
        policy = self._in_force()
        try:
            stretch = await self._archive.read(
                lambda reading: stretch_after(reading, policy, since=since, limit=USUAL_CHANGES, most_bytes=_MOST_BYTES)
            )
        except WabizError as error:
            log.warning("feed_unreadable", code=error.code)
            for stream in streams:
                stream.end("unreadable")
            return
        if stretch.next > since:
            shares = Shares(stretch)
            for start in range(0, len(streams), _AT_ONCE):
                self._hand_out(shares, streams[start : start + _AT_ONCE])
                await asyncio.sleep(0)
        if stretch.next < stretch.head:
            self._woken.set()

    def _hand_out(self, shares: Shares, streams: list[Listener]) -> None:
        """First what each gets, then all of it at once: a client that is given time to fall asleep between two writes costs a wake-up."""
        ready: list[tuple[Listener, Chunk]] = []
        stands_of: dict[str, ShiftStanding] = {}
        for stream in streams:
            if not stream.is_waiting or stream.cursor != shares.stretch.since:
                continue
            viewer = shares.stretch.viewer(stream.viewer)
            if viewer is None:
                stream.end("revoked")
                continue
            stream.viewer = viewer
            stands = stands_of.get(viewer.person)
            if stands is None:
                stands = stands_of[viewer.person] = self._stands(viewer)
            if stands.is_closed:
                self.shifts_turned()
                continue
            event = shares.of(viewer, is_quiet=stands.is_quiet)
            stream.cursor = shares.stretch.next
            if event is not None:
                ready.append((stream, event))
        for stream, event in ready:
            stream.write(event, done=self._woken.set)

    def _turn_shifts(self) -> None:
        """Tell every reader whose shift stands otherwise than they were told. Who is closed out keeps their place until they work again."""
        if not self._have_shifts_turned:
            return
        self._have_shifts_turned = False
        for stream in tuple(self._streams):
            stands = self._stands(stream.viewer)
            if stands == stream.stands:
                continue
            if not stream.is_waiting:
                self._have_shifts_turned = True  # told when what is being written is through
                continue
            stream.stands, stream.flowed = stands, stream.cursor
            stream.write(chunk_of(b"event: shift\ndata: %s\n\n" % encode(stands)), done=self._woken.set)

    async def _let_flow(self) -> None:
        """Policy, people and numbers to who is closed out."""
        held: dict[int, list[Listener]] = {}
        for stream in self._streams:
            if stream.is_waiting and stream.stands.is_closed:
                held.setdefault(stream.flowed, []).append(stream)
        for since, streams in held.items():
            try:
                flow = await self._flow(since)
            except WabizError as error:
                log.warning("feed_unreadable", code=error.code)
                continue
            for stream in streams:
                reader = flow.readers.get(stream.viewer.person)
                if reader is None:
                    stream.end("revoked")
                    continue
                if stream.is_waiting and stream.flowed == since:
                    stream.viewer, stream.flowed = stream.viewer.as_now(reader), flow.head
                    if flow.changes:
                        stream.write(chunk_of(b"event: changes\ndata: %s\n\n" % flow.page(stream.cursor)), done=self._woken.set)

    def _look(self) -> None:
        assert self._loop is not None  # noqa: S101 attach made the task that this runs in
        if self._loop.time() - self._looked_at < _LOOK:
            return
        self._looked_at = self._loop.time()
        if self.presence.expire():
            self._woken.set()
        for stream in tuple(self._streams):
            if stream.is_too_slow(SLOWEST_WRITE):
                log.info("stream_dropped", device=stream.viewer.device)
                stream.end("slow")
            elif stream.is_waiting and stream.is_quiet(HEARTBEAT):
                stream.write(_STILL_HERE, done=self._woken.set)

    async def _say_farewell(self, stream: Listener) -> None:
        """The reason where there is one, and the end of the answer; nothing to who has gone or does not read."""
        if stream.reason in ("gone", "slow"):
            return
        last = _REVOKED if stream.reason == "revoked" else b""
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(SLOWEST_WRITE):
                if stream.writing is not None:
                    await asyncio.wait((stream.writing,))
                await stream.send(body_of(last, more=False))


async def _until_gone(receive: Receive, stream: Listener) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.end("gone")


async def _start(send: Send) -> None:
    headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send(body_of(b": wabiz\n\n"))


def _rests(stands: ShiftStanding) -> bool:
    """Whether nothing is to call for this reader."""
    return stands.is_closed or stands.is_quiet


def _event(cursor: int, page: bytes) -> bytes:
    return b"event: changes\nid: %d\ndata: %s\n\n" % (cursor, page)
