"""Serve the pretend Meta over HTTP until SIGTERM or SIGINT."""

import asyncio
import signal
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wabiz_tui.model.errors import BadInput, UsageError
from wabiz_tui.simulator.options import SimulatorOptions

if TYPE_CHECKING:
    from starlette.applications import Starlette


def serve(options: SimulatorOptions) -> int:
    """Prints `{"listening": "http://HOST:PORT"}` as one line when it really listens; returns 0 after SIGTERM or SIGINT.

    Raises UsageError when the address cannot be bound or the hub's is none, DocumentError when the scenario is wrong."""
    from wabiz_tui.simulator.app import create_app
    from wabiz_tui.simulator.customers.scenario import load_scenario
    from wabiz_tui.simulator.webhooks.poster import check_address

    if options.hub_url is not None:
        try:
            check_address(options.hub_url)
        except BadInput as error:
            raise UsageError(f"--hub is the hub's base URL, such as http://127.0.0.1:8420. {error.sentence}") from error
    if options.scenario is not None:
        load_scenario(options.scenario)
    with _bound(options.host, options.port) as listener:
        asyncio.run(_serve(create_app(options), listener))
    return 0


@contextmanager
def _bound(host: str, port: int) -> Generator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named TCP: only then does asyncio turn off the wait of 40 ms between an answer's head and its body.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise UsageError(f"Port {port} at {host} cannot be used ({error.strerror}): choose another with --port.") from error
        yield listener


async def _serve(app: "Starlette", listener: socket.socket) -> None:
    import uvicorn

    from wabiz_tui.simulator.connection import CuttableProtocol, Server

    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="on", http=CuttableProtocol, ws="none", timeout_graceful_shutdown=1
    )
    server = Server(config, listener)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, server.end)
    await server.serve(sockets=[listener])
