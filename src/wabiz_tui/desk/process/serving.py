"""One client of the desk as the desk's process sees it: what it asks runs as tasks, what it is told waits in a bounded buffer."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from typing import Any, cast

import msgspec

from wabiz_tui.desk.process.frames import (
    BREAK_OFF,
    BROKEN_OFF,
    MAX_FRAME,
    BreakOff,
    Failure,
    Reply,
    Request,
    failure_of,
    frame,
    pack,
    unpack,
)
from wabiz_tui.desk.process.renewal import KeptClient
from wabiz_tui.model.errors import Conflict, Locked, TooLarge, Unreachable, WabizError

MAX_REQUEST = 1 << 20
MAX_UNSENT = MAX_FRAME
MAX_UNANSWERED = 64
_MAX_UNANSWERED_BYTES = 4 * MAX_REQUEST
_LAST_ANSWERS_SECONDS = 1.0
_ASKED_AGAIN = frozenset({"unlock", "lock"})
"""Calls that wait for each other at the desk's door: not begun yet, they are answered by the desk with the new memory."""

Call = Callable[["Connection", str, msgspec.Raw], Awaitable[Any]]
"""Runs a call of the Protocol for a client."""


class Connection:
    """Its crash, hang or flood is its own affair: it is read no faster than it is answered and no faster than it reads."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, call: Call, broken: Callable[[str, Exception], None]
    ) -> None:
        self._reader, self._writer, self._call, self._broken = reader, writer, call, broken
        self._running: dict[asyncio.Task[None], bytes] = {}
        self._head = b""
        self._is_parting = False
        self.watched: set[str] = set()
        """The conversations that are before this client's person."""

    async def serve(self) -> None:
        """Until it leaves, does not speak our language, or is parted from."""
        try:
            while True:
                while len(self._running) >= MAX_UNANSWERED or sum(map(len, self._running.values())) > _MAX_UNANSWERED_BYTES:
                    await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                await self._writer.drain()
                body = await self._next_body()
                request = unpack(body, Request)
                if self._breaks_off(request):
                    continue
                task = asyncio.create_task(self._answer(request))
                self._running[task] = body
                task.add_done_callback(self._ended)
        except (WabizError, ConnectionError):
            # It left, or does not speak our language: either way the connection is over, and nothing else is.
            pass
        finally:
            if not self._is_parting:
                for task in self._running:
                    task.cancel()
                self.drop()

    def _breaks_off(self, request: Request) -> bool:
        """Whether this only says that another one is wanted no more. Who types on wants no answer to what was typed before."""
        is_told = request.call == BREAK_OFF
        if not is_told and request.call not in BROKEN_OFF:
            return False
        wanted = unpack(request.args, BreakOff).request if is_told else None
        for task, body in list(self._running.items()):
            earlier = unpack(body, Request)
            if earlier.call in BROKEN_OFF and not task.done() and (earlier.id == wanted if is_told else earlier.call == request.call):
                task.cancel()
                self.send(Reply(earlier.id, failure=failure_of(Conflict("A later search took the place of this one."))))
        if is_told:
            self.send(Reply(request.id))
        return is_told

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)

    async def _next_body(self) -> bytes:
        """Interrupted at any point, it takes up where it was."""
        try:
            if not self._head:
                self._head = await self._reader.readexactly(4)
            size = int.from_bytes(self._head, "big")
            if size > MAX_REQUEST:
                raise TooLarge("A frame on the desk's socket is larger than any that wabiz sends.")
            body = await self._reader.readexactly(size)
        except asyncio.IncompleteReadError as error:
            raise Unreachable("The client has left.") from error
        self._head = b""
        return body

    async def _answer(self, request: Request) -> None:
        try:
            value = await self._call(self, request.call, request.args)
            self.send(Reply(request.id, msgspec.Raw(pack(value))))
        except WabizError as error:
            self.send(Reply(request.id, failure=failure_of(error)))
        except Exception as error:  # noqa: BLE001 the edge of the process: whatever broke is told to the client by its kind, never its text
            self._broken(request.call, error)
            self.send(
                Reply(request.id, failure=Failure("failed", "The desk could not do that, and desk.log tells where it failed; try again."))
            )

    def send(self, value: object) -> None:
        """Queue a frame; a client that reads nothing while 64 MiB wait for it is dropped."""
        if self._writer.is_closing():
            return
        if self._writer.transport.get_write_buffer_size() > MAX_UNSENT:
            self._writer.transport.abort()
            return
        self._writer.write(frame(value))

    def drop(self) -> None:
        self._writer.close()

    async def part(self, serving: asyncio.Task[None]) -> KeptClient | None:
        """Answer what was asked, then hand over the socket with what was not begun; None for a client that reads nothing.
        What the locked desk has no answer for is answered with Locked. `serving` is the task of `serve`."""
        self._is_parting = True
        if self._writer.is_closing():
            return None
        cast("asyncio.Transport", self._writer.transport).pause_reading()
        serving.cancel()
        waiting = [task for task, body in self._running.items() if unpack(body, Request).call in _ASKED_AGAIN]
        asked = dict(self._running)
        for task in waiting:
            task.cancel()
        await asyncio.wait((serving, *asked), timeout=_LAST_ANSWERS_SECONDS)
        again = b"".join(_framed(asked[task]) for task in waiting if task.cancelled())
        for task, body in asked.items():
            if not task.done():
                task.cancel()
                locked = Locked("The desk was locked meanwhile; unlock it first.")
                self.send(Reply(unpack(body, Request).id, failure=failure_of(locked)))
        if not await self._is_told() or self._reader.at_eof():
            return None
        self._reader.feed_eof()
        peer: socket.socket = self._writer.get_extra_info("socket")
        return KeptClient(os.dup(peer.fileno()), again + self._head + await self._reader.read())

    async def _is_told(self) -> bool:
        """Whether everything that was sent has left this process."""
        if self._writer.is_closing():
            return False
        self._writer.transport.set_write_buffer_limits(0)
        try:
            async with asyncio.timeout(_LAST_ANSWERS_SECONDS):
                await self._writer.drain()
        except (TimeoutError, ConnectionError):
            return False
        return True


async def take_over(kept: KeptClient) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """The streams of a connection that another memory of this process has held."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    reader.feed_data(kept.unread)
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await loop.create_unix_connection(lambda: protocol, sock=socket.socket(fileno=kept.descriptor))
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


def _framed(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body
