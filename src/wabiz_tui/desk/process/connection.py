"""One connection to the desk: frames out, answers and events in. Imports nothing heavy."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import msgspec

from wabiz_tui.desk.process.frames import (
    BREAK_OFF,
    BROKEN_OFF,
    BreakOff,
    Event,
    FromDesk,
    Hello,
    Reply,
    Request,
    error_of,
    frame,
    pack,
    read_frame,
    unpack,
)
from wabiz_tui.desk.process.glance import Glance
from wabiz_tui.desk.process.socket_file import connect
from wabiz_tui.model.desk import (
    DeskEvent,
)
from wabiz_tui.model.errors import BadInput, Unreachable, WabizError

ENDED = "desk_ended"
"""The code of Unreachable when the desk went away under a call: whether the call was done is not known."""
_ENDED = "The desk has ended; start wabiz again."
_QUEUED_EVENTS = 256


class DeskConnection:
    """All calls may run at once; each raises Unreachable when the desk is gone."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hello: Hello, *, calls: int = 0) -> None:
        """`calls` were made on this connection already, and answered."""
        self.hello = hello
        self._reader, self._writer = reader, writer
        self._waiting: dict[int, asyncio.Future[msgspec.Raw]] = {}
        self._listeners: set[asyncio.Queue[DeskEvent | None]] = set()
        self._last_id = calls
        self._ended = False
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Connect to the desk that listens at `path`. Raises FileNotFoundError or ConnectionRefusedError where none does, and what a
        desk that takes no more clients says instead of Hello."""
        reader, writer = await asyncio.open_unix_connection(sock=connect(path))
        try:
            hello = unpack(await read_frame(reader), FromDesk)
        except BaseException:
            # Also when whoever waits for a desk that says nothing has given up.
            writer.close()
            raise
        if not isinstance(hello, Hello):
            writer.close()
            if isinstance(hello, Reply) and hello.failure is not None:
                raise error_of(hello.failure)
            raise BadInput("What listens on the desk's socket is no desk; remove it and start wabiz again.")
        return cls(reader, writer, hello)

    @classmethod
    async def take_on(cls, glanced: Glance) -> Self:
        """Go on with a connection on which the first questions were asked."""
        reader, writer = await asyncio.open_unix_connection(sock=glanced.connection)
        return cls(reader, writer, glanced.hello, calls=glanced.calls)

    async def _read(self) -> None:
        try:
            while True:
                self._heard(unpack(await read_frame(self._reader), FromDesk))
        except WabizError:
            # The stream ended or lost its form: whoever waits is told below, whoever asks later by `_call`.
            pass
        finally:
            self._end()

    def _heard(self, told: FromDesk) -> None:
        if isinstance(told, Reply):
            waiting = self._waiting.pop(told.id, None)
            if waiting is None or waiting.done():
                return
            if told.failure is not None:
                waiting.set_exception(error_of(told.failure))
            else:
                waiting.set_result(told.ok)
        elif isinstance(told, Event):
            for queue in self._listeners:
                if queue.full():
                    # A listener that fell behind only needs to know that something changed: it asks again anyway.
                    queue.get_nowait()
                queue.put_nowait(told.event)

    def _end(self) -> None:
        self._ended = True
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(Unreachable(_ENDED, code=ENDED))
        self._waiting.clear()
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(None)

    async def _call(self, call: str, kind: Any, /, **args: object) -> Any:
        if self._ended:
            raise Unreachable(_ENDED, code=ENDED)
        self._last_id += 1
        number = self._last_id
        waiting: asyncio.Future[msgspec.Raw] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiting
        try:
            self._writer.write(frame(Request(number, call, msgspec.Raw(pack(args)))))
            await self._writer.drain()
            raw = await waiting
        except ConnectionError as error:
            raise Unreachable(_ENDED, code=ENDED) from error
        except asyncio.CancelledError:
            if call in BROKEN_OFF and not self._ended:
                self._last_id += 1
                self._writer.write(frame(Request(self._last_id, BREAK_OFF, msgspec.Raw(pack(BreakOff(number))))))
            raise
        finally:
            self._waiting.pop(number, None)
        return unpack(raw, kind)

    async def listen(self) -> AsyncIterator[DeskEvent]:
        """Events from now on; the iteration ends when the desk ends."""
        queue: asyncio.Queue[DeskEvent | None] = asyncio.Queue(_QUEUED_EVENTS)
        if self._ended:
            return
        self._listeners.add(queue)
        try:
            while (event := await queue.get()) is not None:
                yield event
        finally:
            self._listeners.discard(queue)

    async def end(self) -> None:
        """Ask the desk's process to end in order: outbox parked, cache closed. Not part of the Protocol: for `launch` and `wipe`."""
        with suppress(Unreachable):
            await self._call("end", None)
        await self._reading

    async def close(self) -> None:
        self._reading.cancel()
        with suppress(asyncio.CancelledError):
            await self._reading
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()
