"""A bot built on pywa with its own server on loopback, that keeps what it hears and what it complains of."""

import logging
import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pywa
import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from tests.support.pywa_client import pywa_client
from tests.support.simulator_process import PATIENCE, SimulatorProcess

ENDPOINT = "/meta"
_NOT_UPDATES = ("on_raw_update", "on_flow_request")


class Complaints(logging.Handler):
    """What pywa warns of: an update it could not read ends there, and nowhere else."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(record.getMessage())


class Bot:
    """`hear` waits for the next update as (pywa's handler without `on_`, the update)."""

    def __init__(self, client: pywa.WhatsApp, url: str, complaints: Complaints) -> None:
        self.client, self.url, self.complaints = client, url, complaints
        self.heard: queue.Queue[tuple[str, Any]] = queue.Queue()

    def hear(self) -> tuple[str, Any]:
        try:
            return self.heard.get(timeout=PATIENCE)
        except queue.Empty:
            raise AssertionError(f"pywa heard nothing; it said: {self.complaints.told}") from None

    def keep(self, name: str) -> Any:
        def callback(_: Any, update: Any) -> None:
            self.heard.put((name.removeprefix("on_"), update))

        return callback


@contextmanager
def pywa_bot(simulator: SimulatorProcess, **options: Any) -> Iterator[Bot]:
    """Listening with signature checking on, and known to the simulator through pywa's own handshake."""
    app = Starlette()
    complaints = Complaints()
    logger = logging.getLogger("pywa")
    logger.addHandler(complaints)
    try:
        with pywa_client(simulator.url, server=app, webhook_endpoint=ENDPOINT, **options) as client, serving_thread(app) as url:
            bot = Bot(client, url + ENDPOINT, complaints)
            for name in (name for name in dir(client) if name.startswith("on_") and name not in _NOT_UPDATES):
                getattr(client, name)(bot.keep(name))
            yield bot
    finally:
        logger.removeHandler(complaints)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.listening.set()


@contextmanager
def serving_thread(app: ASGIApp) -> Iterator[str]:
    """`app` on a free loopback port, in a thread of its own; its base URL."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = _Server(uvicorn.Config(app, log_config=None, ws="none", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            assert server.listening.wait(PATIENCE), "the bot's server did not start"
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
