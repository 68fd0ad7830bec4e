"""The connections to one server, each in a pool of its own.

httpcore's pool looks through all its connections several times a request, and hands one that is free to everybody who waits: at
sixteen requests at a time each costs twice the work, at sixty-four six times. A pool of one has nothing to look through.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import NamedTuple, cast

import httpx


class Lane(NamedTuple):
    """A connection to one server; free since `since`, by the loop's clock."""

    server: tuple[str, str, int | None]
    http: httpx.AsyncHTTPTransport
    since: float = 0.0


class Lanes(httpx.AsyncBaseTransport):
    """At most `most` connections. A free one is used again, the latest first; one that was free for `idle` is closed. Raises
    httpx.PoolTimeout where none gets free within the time that the request has for it."""

    def __init__(self, most: int, *, idle: timedelta = timedelta(seconds=5)) -> None:
        self._places, self._most, self._idle = asyncio.Semaphore(most), most, idle.total_seconds()
        self._free: list[Lane] = []
        self._busy = 0
        self._tls: ssl.SSLContext | None = None
        # Never spoken by: a plain connection only wants to be given one, and each takes a millisecond to make.
        self._no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    @property
    def count(self) -> int:
        """How many connections there are, free ones and others."""
        return len(self._free) + self._busy

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            async with asyncio.timeout(request.extensions.get("timeout", {}).get("pool")):
                await self._places.acquire()
        except TimeoutError:
            raise httpx.PoolTimeout("no connection got free in time") from None
        url = request.url
        lane, spare = self._take((url.scheme, url.host, url.port))
        try:
            if spare is not None:
                await spare.http.aclose()
            response = await lane.http.handle_async_request(request)
        except BaseException:
            self._leave(lane)
            raise
        response.stream = _Stream(cast("httpx.AsyncByteStream", response.stream), self, lane)
        return response

    async def aclose(self) -> None:
        while self._free:
            await self._free.pop().http.aclose()

    async def release(self, lane: Lane) -> None:
        """After an answer. Closes the lane that was free for longest, if that is long enough."""
        self._leave(lane)
        if asyncio.get_running_loop().time() - self._free[0].since > self._idle:
            await self._free.pop(0).http.aclose()

    def _take(self, server: tuple[str, str, int | None]) -> tuple[Lane, Lane | None]:
        """A lane to `server`, and one to another server that must be closed for it."""
        self._busy += 1
        place = next((place for place in reversed(range(len(self._free))) if self._free[place].server == server), None)
        if place is not None:
            return self._free.pop(place), None
        spare = self._free.pop(0) if self._free and self.count > self._most else None
        return Lane(server, self._build(server[0])), spare

    def _leave(self, lane: Lane) -> None:
        self._busy -= 1
        self._free.append(lane._replace(since=asyncio.get_running_loop().time()))
        self._places.release()

    def _build(self, scheme: str) -> httpx.AsyncHTTPTransport:
        # Certificates take long to load: once for all lanes, and not at all for this machine's own servers.
        if self._tls is None and scheme == "https":
            self._tls = httpx.create_ssl_context()
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=self._idle)
        return httpx.AsyncHTTPTransport(verify=self._tls or self._no_tls, limits=limits)


async def warm() -> None:
    """Load what the first request would load: 60 ms and more in which its loop would do nothing else."""
    import anyio.lowlevel

    await httpx.AsyncHTTPTransport(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)).aclose()
    await anyio.lowlevel.checkpoint()


class _Stream(httpx.AsyncByteStream):
    """An answer's body, whose end frees its lane."""

    def __init__(self, body: httpx.AsyncByteStream, lanes: Lanes, lane: Lane) -> None:
        self._body, self._lanes = body, lanes
        self._lane: Lane | None = lane

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._body:
            yield piece

    async def aclose(self) -> None:
        lane, self._lane = self._lane, None
        try:
            await self._body.aclose()
        finally:
            if lane is not None:
                await self._lanes.release(lane)
