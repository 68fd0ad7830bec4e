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
from wabiz_tui.desk.process.frames import PROTOCOL, Event, Failure, Hello, Reply, frame, unpack
from wabiz_tui.desk.process.renewal import KeptClient
from wabiz_tui.desk.process.serving import Connection, take_over
from wabiz_tui.desk.session.presence import MOST_WATCHED
from wabiz_tui.model.desk import Desk, DeskEvent
from wabiz_tui.model.errors import BadInput, WabizError
from wabiz_tui.model.work import Doing, Presence

MAX_CLIENTS = 100
_FULL_UP = f"The desk serves {MAX_CLIENTS} screens and commands already, which is all it can: close one that is not needed, and try again."
_RENEWING_SECONDS = 0.02
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


class DeskServer:
    """Serves one desk at one socket. `on_clients` is told their number whenever one came or left; `is_renewing` says that the process is
    about to take a new memory."""

    def __init__(
        self,
        desk: Desk,
        *,
        ahead: float,
        on_end: Callable[[], None],
        on_clients: Callable[[int], None],
        broken: Callable[[str, BaseException], None],
        is_renewing: Callable[[], bool] = lambda: False,
    ) -> None:
        self._hello = Hello(PROTOCOL, __version__, ahead, os.getpid())
        self._broken, self._is_renewing = broken, is_renewing
        self._desk = desk
        self._on_end, self._on_clients = on_end, on_clients
        self._kinds = _argument_kinds()
        self._connections: dict[Connection, asyncio.Task[None]] = {}
        self._server: asyncio.Server | None = None
        self._listener = -1
        self._listening: asyncio.Task[None] | None = None

    async def start(self, path: Path) -> None:
        """Listen at `path`; the caller holds the desk's lock. Raises OSError."""
        await self._listen(socket_file.listen(path))

    async def go_on(self, listener: int, clients: tuple[KeptClient, ...]) -> None:
        """Listen at a socket that this process holds already, and serve whoever was there."""
        await self._listen(socket.socket(fileno=listener))
        for kept in clients:
            self._attend(Connection(*await take_over(kept), call=self.call, broken=self._broken))

    async def _listen(self, listener: socket.socket) -> None:
        self._listener = os.dup(listener.fileno())
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
        value = await method(**{field: getattr(arguments, field) for field in kind.__struct_fields__})
        while name == "lock" and self._is_renewing():  # noqa: ASYNC110 the wait ends with this memory, or when nothing is renewed
            # Asked again of the new memory, which answers: whoever locked and has the answer knows that the old one is gone.
            await asyncio.sleep(_RENEWING_SECONDS)
        return value

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
        if len(self._connections) >= MAX_CLIENTS:
            writer.write(frame(Reply(0, failure=Failure("too_many_clients", _FULL_UP))))
            writer.close()
            return
        connection = Connection(reader, writer, call=self.call, broken=self._broken)
        connection.send(self._hello)
        self._attend(connection)

    def _attend(self, connection: Connection) -> None:
        # A task of its own: asyncio closes the connection when the one it made for it is cancelled.
        self._connections[connection] = asyncio.create_task(self._serve(connection))
        self._on_clients(len(self._connections))

    async def _serve(self, connection: Connection) -> None:
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

    async def part(self) -> tuple[int, tuple[KeptClient, ...]]:
        """Stop serving without a word to anybody; the listening socket, and whoever goes on with what is read from it next."""
        if self._server is not None:
            # Not closed: newer Pythons would remove the socket's file. Who connects meanwhile waits in the kernel.
            asyncio.get_running_loop().remove_reader(self._server.sockets[0].fileno())
        parted = await asyncio.gather(*(connection.part(task) for connection, task in list(self._connections.items())))
        return self._listener, tuple(kept for kept in parted if kept is not None)

    async def stop(self, reason: str = "") -> None:
        """Tell every client that the desk ends, and close. Frames already queued are sent while the clients read."""
        self.tell(DeskEvent(kind="closing", reason=reason))
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening
        if self._server is not None:
            self._server.close()
            os.close(self._listener)
        await asyncio.sleep(0)
        for connection, task in list(self._connections.items()):
            connection.drop()
            task.cancel()
        for task in list(self._connections.values()):
            with suppress(asyncio.CancelledError):
                await task
