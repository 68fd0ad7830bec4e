"""The desk's socket server: many clients at once, none of which can hold up another or the desk."""

import asyncio
import inspect
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from wabiz_tui import __version__
from wabiz_tui.desk.process import socket_file
from wabiz_tui.desk.process.frames import PROTOCOL, Event, Failure, Hello, Reply, Request, failure_of, frame, pack, read_frame, unpack
from wabiz_tui.desk.session.presence import MOST_WATCHED
from wabiz_tui.model.desk import Desk, DeskEvent
from wabiz_tui.model.errors import BadInput, TooLarge, WabizError
from wabiz_tui.model.work import Doing, Presence

MAX_REQUEST = 1 << 20
MAX_UNSENT = 64 * 1024 * 1024
MAX_UNANSWERED = 64
_NOT_CALLS = {"listen", "close"}


def _argument_kinds() -> dict[str, type[msgspec.Struct]]:
    """A struct of arguments for each call, read off the Protocol itself so that the two cannot drift apart."""
    kinds: dict[str, type[msgspec.Struct]] = {}
    for name, function in inspect.getmembers(Desk, inspect.isfunction):
        if name.startswith("_") or name in _NOT_CALLS:
            continue
        hints = get_type_hints(function)
        fields: list[Any] = []
        for parameter in list(inspect.signature(function).parameters.values())[1:]:
            kind = hints[parameter.name]
            fields.append((parameter.name, kind) if parameter.default is parameter.empty else (parameter.name, kind, parameter.default))
        kinds[name] = msgspec.defstruct(f"{name}_arguments", fields, frozen=True, kw_only=True, forbid_unknown_fields=True)
    kinds["end"] = msgspec.defstruct("end_arguments", [], frozen=True)
    return kinds


class Connection:
    """One client: its requests run as tasks, its answers wait in a bounded buffer, its crash or hang is its own affair."""

    def __init__(self, server: "DeskServer", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server, self._reader, self._writer = server, reader, writer
        self._running: set[asyncio.Task[None]] = set()
        self.watched: set[str] = set()
        """The conversations that are before this client's person."""

    async def serve(self) -> None:
        self.send(Hello(PROTOCOL, __version__, self._server.ahead, os.getpid()))
        try:
            while True:
                request = unpack(await read_frame(self._reader, limit=MAX_REQUEST), Request)
                if len(self._running) >= MAX_UNANSWERED:
                    raise TooLarge("A client asks more at once than the desk answers.")
                task = asyncio.create_task(self._answer(request))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
        except WabizError:
            # It left, or does not speak our language: either way the connection is over, and nothing else is.
            pass
        finally:
            for task in self._running:
                task.cancel()
            self.drop()

    async def _answer(self, request: Request) -> None:
        try:
            value = await self._server.call(self, request.call, request.args)
            self.send(Reply(request.id, msgspec.Raw(pack(value))))
        except WabizError as error:
            self.send(Reply(request.id, failure=failure_of(error)))
        except Exception as error:  # noqa: BLE001 the edge of the process: whatever broke is told to the client by its kind, never its text
            self._server.broken(request.call, error)
            self.send(Reply(request.id, failure=Failure("failed", f"The desk could not do that ({type(error).__name__}); try again.")))

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


class DeskServer:
    """Serves one desk at one socket. `on_idle` is told when the last client has left, `on_client` when one came."""

    def __init__(
        self,
        desk: Desk,
        *,
        ahead: float,
        on_end: Callable[[], None],
        on_clients: Callable[[int], None],
        broken: Callable[[str, BaseException], None],
    ) -> None:
        self.ahead = ahead
        self.broken = broken
        self._desk = desk
        self._on_end, self._on_clients = on_end, on_clients
        self._kinds = _argument_kinds()
        self._connections: dict[Connection, asyncio.Task[None]] = {}
        self._server: asyncio.Server | None = None
        self._listening: asyncio.Task[None] | None = None

    async def start(self, path: Path) -> None:
        """Listen at `path`; the caller holds the desk's lock. Raises OSError."""
        listener = socket_file.listen(path)
        self._server = await asyncio.start_unix_server(self._connected, sock=listener)
        self._listening = asyncio.create_task(self._tell_events())

    async def call(self, client: Connection, name: str, raw: msgspec.Raw) -> Any:
        """Run one call of the Protocol for a client. Raises BadInput for what is no call."""
        kind = self._kinds.get(name)
        if kind is None:
            raise BadInput("The desk knows no such call; the client is of another version.")
        arguments: Any = unpack(raw, kind)
        if name == "end":
            self._on_end()
            return None
        if name == "watch":
            return await self._watch(client, arguments.conversation, arguments.doing)
        method: Callable[..., Awaitable[Any]] = getattr(self._desk, name)
        return await method(**{field: getattr(arguments, field) for field in kind.__struct_fields__})

    async def _watch(self, client: Connection, conversation: str, doing: Doing) -> list[Presence]:
        """A person has left when the last of their clients has: two terminals may show the same conversation."""
        if doing != "left":
            if len(client.watched) < MOST_WATCHED:
                client.watched.add(conversation)
            return await self._desk.watch(conversation, doing)
        client.watched.discard(conversation)
        if any(conversation in other.watched for other in self._connections):
            return []
        return await self._desk.watch(conversation, "left")

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer: socket.socket = writer.get_extra_info("socket")
        if socket_file.peer_user(peer) != os.geteuid():
            writer.close()
            return
        connection = Connection(self, reader, writer)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 a coroutine of the server always runs in a task
        self._connections[connection] = task
        self._on_clients(len(self._connections))
        try:
            await connection.serve()
        finally:
            self._connections.pop(connection, None)
            self._on_clients(len(self._connections))
            # However it ended: whoever is not at the screen any more looks at nothing.
            with suppress(WabizError):
                for conversation in tuple(connection.watched):
                    await self._watch(connection, conversation, "left")

    async def _tell_events(self) -> None:
        async for event in self._desk.listen():
            self.tell(event)

    def tell(self, event: DeskEvent) -> None:
        for connection in list(self._connections):
            if event.kind == "locked":
                connection.watched.clear()
            connection.send(Event(event))

    async def stop(self, reason: str = "") -> None:
        """Tell every client that the desk ends, and close. Frames already queued are sent while the clients read."""
        self.tell(DeskEvent(kind="closing", reason=reason))
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening
        if self._server is not None:
            self._server.close()
        await asyncio.sleep(0)
        for connection, task in list(self._connections.items()):
            connection.drop()
            task.cancel()
        for task in list(self._connections.values()):
            with suppress(asyncio.CancelledError):
                await task
