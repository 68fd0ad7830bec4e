"""Webhooks posted over kept connections, as many at once as asked for, each connection's next only after its answer."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

PATH = "/webhooks/whatsapp"


class Load(NamedTuple):
    """`waits` are seconds from a request's first byte to its answer's last, one for each that was answered 200."""

    seconds: float
    waits: list[float]
    refused: int

    @property
    def rate(self) -> float:
        return len(self.waits) / self.seconds

    def wait_at(self, share: float) -> float:
        ordered = sorted(self.waits)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def signed(bodies: Sequence[bytes], secret: bytes, *, path: str = PATH) -> list[bytes]:
    """Whole requests, ready to be written."""
    return [
        b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        b"X-Hub-Signature-256: sha256=%s\r\nContent-Length: %d\r\n\r\n%s"
        % (path.encode(), hmac.new(secret, body, hashlib.sha256).hexdigest().encode(), len(body), body)
        for body in bodies
    ]


class _Connection(asyncio.Protocol):
    def __init__(self, requests: Iterator[bytes], load: _Posting, pause: float) -> None:
        self._requests, self._load, self._pause = requests, load, pause
        self._transport: asyncio.Transport | None = None
        self._started = 0.0
        self._answer = b""
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # pyright: ignore[reportAttributeAccessIssue] uvloop's own class
        self._next()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, found, body = self._answer.partition(b"\r\n\r\n")
        if not found:
            return
        length = next((line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b"0")
        if len(body) < int(length):
            return
        self._load.answered(head.startswith(b"HTTP/1.1 200"), time.perf_counter() - self._started)
        self._answer = b""
        if self._pause:
            asyncio.get_running_loop().call_later(self._pause, self._next)
        else:
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if not self.ended.done():
            self.ended.set_result(None)

    def _next(self) -> None:
        assert self._transport is not None
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            return
        self._started = time.perf_counter()
        self._transport.write(request)


class _Posting:
    def __init__(self) -> None:
        self.waits: list[float] = []
        self.refused = 0

    def answered(self, is_good: bool, seconds: float) -> None:
        if is_good:
            self.waits.append(seconds)
        else:
            self.refused += 1


async def post_all(port: int, requests: Sequence[bytes], *, at_once: int, pause: float = 0.0) -> Load:
    """All requests, over `at_once` connections to loopback, each of which waits `pause` seconds after an answer."""
    posting, left, loop = _Posting(), iter(requests), asyncio.get_running_loop()
    started = time.perf_counter()
    made = [await loop.create_connection(lambda: _Connection(left, posting, pause), "127.0.0.1", port) for _ in range(at_once)]
    await asyncio.gather(*(connection.ended for _, connection in made))
    return Load(time.perf_counter() - started, posting.waits, posting.refused)


async def post_at_rate(port: int, requests: Sequence[bytes], *, rate: float, at_once: int, each_second: Callable[[int], None]) -> Load:
    """The requests as a clock asks for them, `rate` a second; `each_second` is called with the seconds gone by."""
    posting, loop = _Posting(), asyncio.get_running_loop()
    waiting: asyncio.Queue[bytes] = asyncio.Queue()
    connections = [await asyncio.open_connection("127.0.0.1", port) for _ in range(at_once)]

    async def post(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (request := await waiting.get()) != b"":
            started = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            posting.answered(head.startswith(b"HTTP/1.1 200"), time.perf_counter() - started)
        writer.close()

    posters = [asyncio.ensure_future(post(*connection)) for connection in connections]
    started, told = loop.time(), 0
    for index, request in enumerate(requests):
        ahead = started + index / rate - loop.time()
        if ahead > 0.001:
            await asyncio.sleep(ahead)
        waiting.put_nowait(request)
        if int(loop.time() - started) > told:
            told = int(loop.time() - started)
            each_second(told)
    for _ in posters:
        waiting.put_nowait(b"")
    await asyncio.gather(*posters)
    return Load(loop.time() - started, posting.waits, posting.refused)


def pinned(command: Sequence[str], core: int | None) -> list[str]:
    """The command, to run on that core alone where the machine has several."""
    if core is None:
        return list(command)
    return [
        sys.executable,
        "-c",
        "import os,sys; os.sched_setaffinity(0,{int(sys.argv[1])}); os.execvp(sys.argv[2],sys.argv[2:])",
        str(core),
        *command,
    ]


def cores() -> tuple[int | None, int | None]:
    """A core for the server and another for the load; none where there is but one."""
    usable = sorted(os.sched_getaffinity(0))
    return (usable[0], usable[1]) if len(usable) > 1 else (None, None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
