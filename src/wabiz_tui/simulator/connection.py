"""The simulator's HTTP server: it says when it listens, ends quietly, and lets a fault cut a connection."""

import asyncio
import json
import socket
import sys
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

CUT = "wabiz.cut"


class CuttableProtocol(HttpToolsProtocol):
    """Hands each request the means to end its connection at once, without an answer."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        transport: asyncio.Transport = self.transport
        self.scope[CUT] = transport.abort  # pyright: ignore[reportGeneralTypeIssues] ASGI leaves room for the server's own keys


class Server(uvicorn.Server):
    """Leaves the signals to us: uvicorn would raise them again after its end, and so the process would end with a failure."""

    def __init__(self, config: uvicorn.Config, listener: socket.socket) -> None:
        super().__init__(config)
        self._listener = listener

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        host, port = self._listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        sys.stdout.write(json.dumps({"listening": f"http://{shown}:{port}"}) + "\n")
        sys.stdout.flush()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    def end(self) -> None:
        self.should_exit = True
