"""A client that keeps every byte a server sent it: for what must be counted on the wire, not read by a library."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit


class Tapped:
    """One connection; `heard` is everything that came on it so far, status line and headers too."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.heard = bytearray()
        self._moved = asyncio.Event()
        self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        while chunk := await self._reader.read(65536):
            self.heard += chunk
            self._moved.set()
        self._moved.set()

    @property
    def has_ended(self) -> bool:
        return self._task.done()

    async def until(self, wanted: bytes, *, after: int = 0, timeout: float = 60.0) -> int:
        """Wait for these bytes at or behind place `after`; the place behind them."""
        async with asyncio.timeout(timeout):
            while (place := self.heard.find(wanted, after)) < 0:
                assert not self.has_ended, f"the server ended the line before {wanted!r} came"
                self._moved.clear()
                await self._moved.wait()
        return place + len(wanted)

    def body(self, *, after: int = 0) -> bytes:
        """What came behind place `after` (or behind the headers) in whole chunks, without their frames (RFC 9112 §7.1)."""
        rest = bytes(self.heard[max(after, self.heard.find(b"\r\n\r\n") + 4) :])
        whole = b""
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            length = int(size, 16)
            whole, rest = whole + rest[:length], rest[length + 2 :]
        return whole

    def events(self, kind: str, *, after: int = 0) -> list[dict[str, Any]]:
        """The data of the events of this kind. `after` is a place between two chunks."""
        blocks = self.body(after=after).split(b"\n\n")
        wanted = [block for block in blocks if block.startswith(b"event: " + kind.encode() + b"\n")]
        return [json.loads(block.rpartition(b"\ndata: ")[2]) for block in wanted]

    async def told(self, kind: str, *, after: int = 0, timeout: float = 60.0, **having: Any) -> dict[str, Any]:
        """Wait for an event of this kind behind place `after` whose data has these values; its data."""
        async with asyncio.timeout(timeout):
            while not (found := [one for one in self.events(kind, after=after) if having.items() <= one.items()]):
                assert not self.has_ended, f"the server ended the line before an event {kind} came"
                self._moved.clear()
                await self._moved.wait()
        return found[0]

    async def to_the_end(self, *, timeout: float = 60.0) -> bytes:
        async with asyncio.timeout(timeout):
            await self._task
        return bytes(self.heard)

    async def close(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()


@asynccontextmanager
async def tapped(url: str, path: str, *, token: str, method: str = "GET", keep_open: bool = True) -> AsyncGenerator[Tapped]:
    """Ask for `path` on a connection of its own."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    lines = [f"{method} {path} HTTP/1.1", f"Host: {parts.netloc}", f"Authorization: Bearer {token}", "Accept: */*"]
    lines += ["Content-Length: 0"] if method != "GET" else []
    lines += [] if keep_open else ["Connection: close"]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    await writer.drain()
    line = Tapped(reader, writer)
    try:
        yield line
    finally:
        await line.close()
