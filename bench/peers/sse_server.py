"""The least that can serve one event to many listeners: a bare protocol, no HTTP library, nothing kept.

`GET` opens an event stream; a `POST`'s body is written to all of them as one event, and then answered."""

from __future__ import annotations

import asyncio
import sys

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n: bare\n\n\r\n"
DONE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
listeners: set[asyncio.Transport] = set()


class Peer(asyncio.Protocol):
    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment] uvloop's own class

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._transport is not None:
            listeners.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._seen += data
        head, found, body = self._seen.partition(b"\r\n\r\n")
        if not found:
            return
        if head.startswith(b"GET"):
            self._seen = b""
            listeners.add(self._transport)
            self._transport.write(HEAD)
            return
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        if len(body) < length:
            return
        self._seen = b""
        event = b"event: changes\nid: 1\ndata: %s\n\n" % body
        chunk = b"%x\r\n%s\r\n" % (len(event), event)
        for listener in listeners:
            listener.write(chunk)
        self._transport.write(DONE)


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Peer, "127.0.0.1", 0, backlog=2048)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    try:
        import uvloop

        uvloop.run(serve())
    except ImportError:
        asyncio.run(serve())
