"""A line that breaks: it stands between a client and a server and cuts after so many bytes of a request, or of its answer."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from urllib.parse import urlsplit

_CHUNK = 65536


class CutLine:
    """`request` and `answer` say after how many bytes the next request that begins with `only` is cut, on its way there or back
    (None: not at all). Each plan serves once; `cuts` counts them, and `longest` holds the length of the longest request and answer."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._host, self._port = str(parts.hostname), int(parts.port or 80)
        self.only = b""
        self.request: int | None = None
        self.answer: int | None = None
        self.is_down = False
        self.cuts = 0
        self.longest = [0, 0]
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_down:
            writer.transport.abort()
            return
        source, sink = await asyncio.open_connection(self._host, self._port)
        exchange = _Exchange(self)
        ways = [asyncio.create_task(exchange.there(reader, sink)), asyncio.create_task(exchange.back(source, writer))]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        for end in (writer, sink):
            end.close()
            with contextlib.suppress(OSError):
                await end.wait_closed()


class _Exchange:
    """One connection: requests one after the other, each answered before the next."""

    def __init__(self, line: CutLine) -> None:
        self._line, self._is_watched, self._went, self._came = line, False, 0, 0

    async def there(self, reader: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(_CHUNK):
                if self._came or not self._went:
                    self._is_watched, self._went, self._came = chunk.startswith(self._line.only), 0, 0
                limit = self._line.request if self._is_watched else None
                rest = chunk if limit is None else chunk[: max(limit - self._went, 0)]
                self._went += len(chunk)
                if self._is_watched:
                    self._line.longest[0] = max(self._line.longest[0], self._went)
                sink.write(rest)
                await sink.drain()
                if limit is not None and self._went >= limit:
                    self._line.request = None
                    self._line.cuts += 1
                    return

    async def back(self, source: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await source.read(_CHUNK):
                limit = self._line.answer if self._is_watched else None
                rest = chunk if limit is None else chunk[: max(limit - self._came, 0)]
                self._came += len(chunk)
                if self._is_watched:
                    self._line.longest[1] = max(self._line.longest[1], self._came)
                writer.write(rest)
                await writer.drain()
                if limit is not None and self._came >= limit:
                    self._line.answer = None
                    self._line.cuts += 1
                    return


@contextlib.asynccontextmanager
async def cut_line(target: str) -> AsyncGenerator[CutLine]:
    line = CutLine(target)
    server = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    line.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield line
    finally:
        server.close()
