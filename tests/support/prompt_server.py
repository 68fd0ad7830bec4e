"""A server for tests that begins and ends at once, on lines without delay."""

import asyncio
import socket
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager

import uvicorn

_BETWEEN_LOOKS = 0.002
_PATIENCE = 60


def _listener(port: int) -> socket.socket:
    """Bound to this machine. Naming the protocol lets asyncio switch Nagle's algorithm off on what it accepts: else
    each answer of two writes waits 40 ms for the other side's delayed acknowledgement."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener


def _url(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@asynccontextmanager
async def served(config: uvicorn.Config) -> AsyncGenerator[str]:
    """On a free port of this machine, by the loop that runs; its base URL."""
    with _listener(0) as listener:
        server, url = PromptServer(config), _url(listener)
        running = asyncio.ensure_future(server.run_on(listener))
        starting = asyncio.ensure_future(server.listening.wait())
        async with asyncio.timeout(_PATIENCE):
            await asyncio.wait((running, starting), return_when=asyncio.FIRST_COMPLETED)
        assert starting.done(), "the server did not start"
        try:
            yield url
        finally:
            server.end()
            await running


@contextmanager
def served_in_thread(
    config: uvicorn.Config, *, port: int = 0, in_loop: Callable[[], None] = lambda: None, ends: Callable[[], None] = lambda: None
) -> Generator[str]:
    """By a loop in a thread of its own, which runs `in_loop` first; `ends` is called just before the server is told to end. Open streams do
    not hold it up."""
    started = threading.Event()
    with _listener(port) as listener:
        url = _url(listener)
        server: list[PromptServer] = []

        async def run() -> None:
            in_loop()
            server.append(PromptServer(config))
            running = asyncio.ensure_future(server[0].run_on(listener))
            await server[0].listening.wait()
            started.set()
            await running

        thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
        thread.start()
        assert started.wait(_PATIENCE), "the server did not start"
        try:
            yield url
        finally:
            server[0].force_exit = True
            ends()
            server[0].end()
            thread.join(_PATIENCE)


class PromptServer(uvicorn.Server):
    """Uvicorn looks ten times a second whether it is to end, and then as often whether its lines have: three tenths for nothing."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending = asyncio.Event()
        self.listening = asyncio.Event()

    async def run_on(self, listener: socket.socket | None = None) -> None:
        """Until `end`; the signals stay with the test run."""
        self._loop = asyncio.get_running_loop()
        await self._serve(None if listener is None else [listener])

    def end(self) -> None:
        """For any thread."""
        self.should_exit = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ending.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.listening.set()

    async def main_loop(self) -> None:
        if not await self.on_tick(0):
            await self._ending.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(self.config.timeout_graceful_shutdown):
                while (self.server_state.connections or self.server_state.tasks) and not self.force_exit:  # noqa: ASYNC110 uvicorn has no event for it
                    await asyncio.sleep(_BETWEEN_LOOKS)
                for server in self.servers:
                    await server.wait_closed()
        except TimeoutError:
            for task in self.server_state.tasks:
                task.cancel()
        if not self.force_exit:
            await self.lifespan.shutdown()
