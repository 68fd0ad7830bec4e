"""Servers that answer byte by byte as told, stand-ins for the network, and a clock that moves only when somebody sleeps."""

import asyncio
import heapq
import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from wabiz_tui.cloud.client import CloudClient
from wabiz_tui.cloud.transport import Transport
from wabiz_tui.model.secret import Secret

TOKEN = Secret("EAAGtokensensitive0123456789abcdef")
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(handle: Handler) -> AsyncGenerator[str, None]:
    """A bare TCP server that treats each connection as `handle` says; at the end all connections are."""
    open_now = dict[asyncio.Task[None] | None, asyncio.StreamWriter]()

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_now[asyncio.current_task()] = writer
        try:
            await handle(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            # The client under test may leave at any moment.
            writer.close()

    server = await asyncio.start_server(attend, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        # Not `async with server`: from Python 3.12 on that waits for handlers that wait for the test to end.
        server.close()
        for task, writer in open_now.items():
            writer.transport.abort()
            if task is not None:
                task.cancel()
        await asyncio.gather(*(task for task in open_now if task is not None), return_exceptions=True)
        for _ in range(3):
            await asyncio.sleep(0)


@asynccontextmanager
async def cloud_at(url: str, *, seconds: float = 10.0, **options: Any) -> AsyncGenerator[CloudClient, None]:
    """A client of the server at `url`; `options` are the transport's."""
    transport = Transport(url, TOKEN, **{"timeout": timedelta(seconds=seconds), **options})
    try:
        yield CloudClient(transport)
    finally:
        await transport.close()


async def request_of(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The head and the body of a request that tells its length."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    return head, await reader.readexactly(length)


def answering(*answers: bytes) -> Handler:
    """The first connection gets the first answer and so on; the last one is repeated. The connection is closed after it."""
    left = list(answers)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(left.pop(0) if len(left) > 1 else left[0])
        await writer.drain()
        writer.close()

    return handle


def http(status: int, body: bytes, *headers: str) -> bytes:
    """A whole answer, with its length."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def public(host: str, port: int) -> Sequence[str]:
    """A look-up that finds every name at a public address."""
    return ["93.184.216.34"]


class Recorder(httpx.AsyncBaseTransport):
    """Answers with 200 and keeps what was asked."""

    def __init__(self, body: bytes) -> None:
        self.body, self.asked = body, list[httpx.Request]()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return httpx.Response(200, content=self.body)


class SleepingClock:
    """Time passes only while everybody sleeps: `run` moves it to the next waking, in order."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime(2026, 11, 22, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        waking = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.seconds + seconds, next(self._order), waking))
        await waking

    async def run(self, *work: Awaitable[Any]) -> list[Any]:
        """All of `work` to its end; exceptions are results."""
        tasks = [asyncio.ensure_future(one) for one in work]
        while not all(task.done() for task in tasks):
            for _ in range(20 + 3 * len(tasks)):
                await asyncio.sleep(0)
            self.wake_next()
        return [task.exception() or task.result() if not task.cancelled() else None for task in tasks]

    def wake_next(self) -> None:
        while self._sleepers:
            at, _, waking = heapq.heappop(self._sleepers)
            if not waking.done():
                self.seconds = max(self.seconds, at)
                waking.set_result(None)
                return
