"""One HTTP line under the guard: uvicorn's own protocol, with bounds on what a client may send and on how long it may take.

All of it is below ASGI, so it holds for every route, and for headers, which ASGI never sees half.
"""

import asyncio
import socket
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from wabiz_tui.hub.front.bounds import MIB
from wabiz_tui.hub.front.chunks import EXTENSION
from wabiz_tui.hub.front.guard import Guard, Kind, kind_of, largest_body
from wabiz_tui.hub.front.refusals import (
    BAD_REQUEST,
    BODIES_FULL,
    BODY_TOO_SLOW,
    HEAD_TOO_LARGE,
    HEAD_TOO_SLOW,
    TOO_LARGE,
    URL_TOO_LONG,
    Refusal,
    render,
)

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application  # pyright: ignore[reportPrivateUsage] the base's signatures name it
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

_LONGEST_URL = 8 * 1024
_MOST_PIPELINED = 256
_SMALL_BODY = 64 * 1024
_LINGER_BYTES, _LINGER_SECONDS = 32 * MIB, 5.0
_LONGEST_CLOSE = 5.0


class GuardedConfig(uvicorn.Config):
    """uvicorn's settings, and the guard that all its lines share."""

    def __init__(self, app: Any, *, guard: Guard, **settings: Any) -> None:
        super().__init__(app, **settings)
        self.guard = guard


class _Broken(Exception):
    """Raised in a parser's callback to stop it."""


class GuardedProtocol(HttpToolsProtocol):
    """`config.guard` (see `GuardedConfig`) is what all lines share."""

    def __init__(self, config: Any, server_state: Any, app_state: dict[str, Any], _loop: asyncio.AbstractEventLoop | None = None) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.guard: Guard = config.guard
        self.peer = ""
        now = self.guard.monotonic()
        # Each of these is when that state began, 0 while the line is not in it.
        self._head_since, self._body_since, self._stuck_since, self._refused_since, self._closing_since = now, 0.0, 0.0, 0.0, 0.0
        self._head_bytes, self._head_total, self._head_count = 0, 0, 0
        self._body_bytes, self._raw_bytes, self._lingered = 0, 0, 0
        self._kind: Kind = "request"
        self._fault: Refusal | None = None

    # The line

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] as the base has it
        super().connection_made(transport)
        self.peer = self.client[0] if self.client else ""
        _end_when_unheard(transport, self.guard.bounds.write_seconds)
        refusal = self.guard.opened(self, is_plain=self.scheme == "http")
        if refusal is not None:
            self.guard.refused(refusal)
            transport.write(render(refusal, "", self.server_state.default_headers))
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.guard.closed(self)
        super().connection_lost(exc)

    @property
    def is_arriving(self) -> bool:
        return bool(self._body_since)

    def end(self) -> None:
        self.transport.abort()

    def look(self, now: float) -> None:
        bounds = self.guard.bounds
        if self.transport.is_closing():
            self._closing_since = self._closing_since or now
            if now - self._closing_since > _LONGEST_CLOSE:
                self.transport.abort()
        elif self._stuck_since and now - self._stuck_since > bounds.write_seconds:
            self.transport.abort()
        elif self._refused_since:
            if now - self._refused_since > _LINGER_SECONDS:
                self.transport.abort()
        elif self._head_since and now - self._head_since > bounds.header_seconds:
            if self._head_bytes:
                self._refuse(HEAD_TOO_SLOW)
            else:
                self.transport.close()
        elif self._body_since and not self.pipeline:
            allowed = bounds.body_seconds + self._body_bytes / bounds.body_rate
            if now - self._body_since > allowed:
                self._refuse(BODY_TOO_SLOW)

    def pause_writing(self) -> None:
        self._stuck_since = self.guard.monotonic()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._stuck_since = 0.0
        super().resume_writing()

    # What comes in

    def data_received(self, data: bytes) -> None:
        if self._refused_since:
            self._linger(len(data))
            return
        self._raw_bytes += len(data)
        super().data_received(data)
        if self._refused_since or self.transport.is_closing():
            return
        if self._body_since:
            # The bytes around a body's own: chunk sizes, their extensions, trailers.
            if self._raw_bytes - self._body_bytes > 4 * _SMALL_BODY + 8 * self._body_bytes:
                self._refuse(BAD_REQUEST)
        elif self._head_since:
            self._head_bytes += len(data)
            if self._head_bytes > self.guard.bounds.header_bytes:
                self._refuse(HEAD_TOO_LARGE)
        elif self._current is None:
            self._head_since, self._head_bytes = self.guard.monotonic(), len(data)

    def on_message_begin(self) -> None:
        if self._refused_since:
            raise _Broken
        super().on_message_begin()
        self._head_since = self._head_since or self.guard.monotonic()
        self._head_bytes, self._head_total, self._head_count = 0, 0, 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > _LONGEST_URL:
            self._break(URL_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_total += len(name) + len(value) + 4
        self._head_count += 1
        bounds = self.guard.bounds
        if self._head_total > bounds.header_bytes or self._head_count > bounds.header_count:
            self._break(HEAD_TOO_LARGE)
        if not self._body_since:  # what comes after a body says nothing about the request any more
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if len(self.pipeline) >= _MOST_PIPELINED:
            self._break(BAD_REQUEST)
        self._head_since, self._head_bytes, self._body_since = 0.0, 0, self.guard.monotonic()
        self._body_bytes, self._raw_bytes, self._head_total, self._head_count = 0, 0, 0, 0
        super().on_headers_complete()
        self._kind = kind_of(self.cycle.scope)  # type: ignore[arg-type] uvicorn's own scope is a TypedDict
        if self._kind not in ("webhook", "upload") and _declared(self.headers) > self.guard.bounds.body_bytes:
            self._refuse(TOO_LARGE)

    def on_body(self, body: bytes) -> None:
        if self._refused_since:
            return
        before, self._body_bytes = self._body_bytes, self._body_bytes + len(body)
        if self._body_bytes > largest_body(self._kind, self.guard.bounds):
            self._refuse(TOO_LARGE)
            return
        super().on_body(body)
        if self._kind != "upload" and self._body_bytes > _SMALL_BODY:
            held = len(body) if before > _SMALL_BODY else self._body_bytes
            loser = self.guard.arriving(self, held)
            if isinstance(loser, GuardedProtocol):
                loser.give_up()

    def on_message_complete(self) -> None:
        self._body_since = 0.0
        if self._refused_since:
            return
        super().on_message_complete()
        is_queued = any(cycle is self.cycle for cycle, _ in self.pipeline)
        if not is_queued:
            self._admit(self.cycle)

    def on_response_complete(self) -> None:
        self.guard.arrived(self)
        super().on_response_complete()

    # Requests at work

    def _start_asgi_task(self, cycle: "RequestResponseCycle", app: "ASGI3Application") -> None:
        if not cycle.more_body:
            self._admit(cycle)
        super()._start_asgi_task(cycle, partial(self._work, cycle, app))  # type: ignore[arg-type] a partial is an application too

    async def _work(self, cycle: "RequestResponseCycle", app: Any, scope: Any, receive: Any, send: Any) -> None:
        if self._kind == "stream":
            scope["extensions"] = {EXTENSION: partial(self.write_chunk, cycle)}
        try:
            if not cycle.disconnected:
                await app(scope, receive, send)
        finally:
            self.guard.finish(self, cycle, kind_of(scope), is_last=cycle is self.cycle)

    def write_chunk(self, cycle: "RequestResponseCycle", framed: bytes) -> bool:
        """As `cycle.send` writes a body that goes on, without framing and copying it once more for this line."""
        if self.flow.write_paused or cycle.disconnected or cycle.response_complete or not cycle.chunked_encoding:
            return False
        self.transport.write(framed)
        return True

    def _admit(self, cycle: "RequestResponseCycle") -> None:
        if cycle.response_complete or cycle.disconnected:
            return
        refusal = self.guard.begin(self, cycle, kind_of(cycle.scope))  # type: ignore[arg-type] as above
        if refusal is not None:
            self._refuse(refusal)

    # Refusing

    def give_up(self) -> None:
        """Its body goes, for the sake of others."""
        self._refuse(BODIES_FULL)

    def send_400_response(self, msg: str) -> None:
        self._refuse(self._fault or BAD_REQUEST)

    def _break(self, refusal: Refusal) -> None:
        self._fault = refusal
        raise _Broken

    def _refuse(self, refusal: Refusal) -> None:
        """Answer and end. Whoever is still sending is read on for a while: a line that is closed under a sender loses the answer."""
        if self._refused_since or self.transport.is_closing():
            return
        self.guard.refused(refusal)
        self.guard.arrived(self)
        self._unset_keepalive_if_required()
        current = self._current
        # In the middle of another answer, or after this one, nothing can be said.
        is_silent = bool(self.pipeline) or (current.response_started if current is not None else self.is_arriving)
        path = current.scope["path"] if current is not None else self._told_path()
        for cycle in (*(queued for queued, _ in self.pipeline), *([current] if current is not None else ())):
            cycle.body = bytearray()
            cycle.disconnected = cycle.response_complete = True
            cycle.message_event.set()
        self.pipeline.clear()
        if is_silent:
            self.transport.abort()
            return
        self.transport.write(render(refusal, path, self.server_state.default_headers))
        self._refused_since = self.guard.monotonic()
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def _told_path(self) -> str:
        """As far as a request that is still at its headers has said."""
        return self.url.partition(b"?")[0].decode("latin-1") if self._head_since else ""

    @property
    def _current(self) -> "RequestResponseCycle | None":
        """The newest request that has no whole answer yet."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return None if cycle is None or cycle.response_complete else cycle

    def _linger(self, size: int) -> None:
        self._lingered += size
        if self._lingered > _LINGER_BYTES:
            self.transport.abort()


def _declared(headers: list[tuple[bytes, bytes]]) -> int:
    """Content-Length; the parser has refused what is no number, and two of them."""
    return next((int(value) for name, value in headers if name == b"content-length" and value.isdigit() and len(value) < 20), 0)


def _end_when_unheard(transport: asyncio.Transport, seconds: int) -> None:
    """Let the kernel end the line when what was sent stays unacknowledged: a client that is gone reads no heartbeats."""
    line = transport.get_extra_info("socket")
    option = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux has it
    if line is not None and option is not None and line.family != getattr(socket, "AF_UNIX", None):
        line.setsockopt(socket.IPPROTO_TCP, option, seconds * 1000)
