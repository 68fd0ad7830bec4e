"""A bot built on pywa with its own server on loopback, that keeps what it hears and what it complains of."""

import logging
import queue
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
import pywa
import pywa_async
import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from tests.support.prompt_server import served_in_thread
from tests.support.pywa_client import pywa_async_client, pywa_client
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

    def __init__(self, client: pywa.WhatsApp | pywa_async.WhatsApp, url: str, complaints: Complaints) -> None:
        self.client, self.url, self.complaints = client, url, complaints
        self.heard: queue.Queue[tuple[str, Any]] = queue.Queue()

    def hear(self) -> tuple[str, Any]:
        try:
            return self.heard.get(timeout=PATIENCE)
        except queue.Empty:
            raise AssertionError(f"pywa heard nothing; it said: {self.complaints.told}") from None

    def keep(self, name: str, *, is_async: bool = False) -> Any:
        """A callback that keeps what it is called with."""

        def callback(_: Any, update: Any) -> None:
            self.heard.put((name.removeprefix("on_"), update))

        async def async_callback(client: Any, update: Any) -> None:
            callback(client, update)

        return async_callback if is_async else callback


@contextmanager
def pywa_bot(simulator: SimulatorProcess, **options: Any) -> Iterator[Bot]:
    """Listening with signature checking on."""
    app = Starlette()
    with (
        complaining() as complaints,
        pywa_client(simulator.url, server=app, webhook_endpoint=ENDPOINT, **options) as client,
        serving_thread(app) as url,
    ):
        yield _hearing(Bot(client, url + ENDPOINT, complaints))


@contextmanager
def pywa_async_bot(simulator: SimulatorProcess) -> Iterator[Bot]:
    """The same of pywa's async half, whose client sends from within the server's loop alone, and is closed there."""
    session = httpx.AsyncClient(trust_env=False, timeout=PATIENCE)

    @asynccontextmanager
    async def open_session(_: Starlette) -> AsyncIterator[None]:
        async with session:
            yield

    app = Starlette(lifespan=open_session)
    client = pywa_async_client(simulator.url, session, server=app, webhook_endpoint=ENDPOINT)
    with complaining() as complaints, serving_thread(app) as url:
        yield _hearing(Bot(client, url + ENDPOINT, complaints), is_async=True)


def _hearing(bot: Bot, *, is_async: bool = False) -> Bot:
    """Every handler pywa has keeps what it hears."""
    for name in (name for name in dir(bot.client) if name.startswith("on_") and name not in _NOT_UPDATES):
        getattr(bot.client, name)(bot.keep(name, is_async=is_async))
    return bot


@contextmanager
def complaining() -> Iterator[Complaints]:
    """What pywa warns of while this is open."""
    complaints, logger = Complaints(), logging.getLogger("pywa")
    logger.addHandler(complaints)
    try:
        yield complaints
    finally:
        logger.removeHandler(complaints)


@contextmanager
def serving_thread(app: ASGIApp) -> Iterator[str]:
    """`app` on a free loopback port, in a thread of its own; its base URL."""
    with served_in_thread(uvicorn.Config(app, log_config=None, ws="none", timeout_graceful_shutdown=1)) as url:
        yield url
