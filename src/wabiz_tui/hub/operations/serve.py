"""Run the hub until it is told to stop: listen, say so in one JSON line, drain on SIGTERM."""

import asyncio
import contextlib
import gc
import ipaddress
import os
import signal
import socket
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, cast

import msgspec
import structlog
import uvicorn

from wabiz_tui.cloud.lanes import warm
from wabiz_tui.hub.app import create_app, join
from wabiz_tui.hub.front.files import room_for_lines
from wabiz_tui.hub.front.protocol import GuardedConfig, GuardedProtocol
from wabiz_tui.hub.front.tls import Certificate
from wabiz_tui.hub.operations.logs import configure_logs
from wabiz_tui.hub.operations.secrets import HubSecrets, load_secrets
from wabiz_tui.hub.operations.settings import Settings, load_settings
from wabiz_tui.hub.parts import Hub
from wabiz_tui.model.clock import Clock
from wabiz_tui.model.codec import encode
from wabiz_tui.model.errors import Conflict, StoreError, UsageError

_BETWEEN_HOLDS = 2.0
_GRACE = 5
_BACKLOG = 2048
_LAST_BYTES = 0.5
"""Seconds that half-sent requests get at the end. They were not answered, so whoever sends them sends them again."""

log = structlog.get_logger("hub.serve")


def serve(config: Path, host: str, port: int, clock: Clock) -> int:
    """Serve until SIGTERM or SIGINT; the exit status. Raises UsageError for a host that is not this machine's
    own, and Conflict when another hub serves the same archive."""
    settings = load_settings(config)
    certificate = Certificate(settings.server.tls_cert, settings.server.tls_key) if settings.server.tls_cert else None
    _refuse_open_line(host, settings, certificate)
    secrets = load_secrets(settings.secret_places, os.environ)
    limits = msgspec.structs.replace(settings.limits, connections=room_for_lines(settings.limits.connections))
    settings = msgspec.structs.replace(settings, limits=limits)
    listener = _listen(host, port)
    with contextlib.closing(listener), settings.place(secrets).served(settings.hub.tenant) as hold:
        return _run(settings, secrets, listener, clock, hold, certificate=certificate)


def _run(
    settings: Settings,
    secrets: HubSecrets,
    listener: socket.socket,
    clock: Clock,
    hold: Callable[[], None],
    *,
    certificate: Certificate | None,
) -> int:
    configure_logs()
    # Folding works hard in its thread: the loop must not wait 5 ms, Python's default, each time it wants to acknowledge.
    sys.setswitchinterval(0.0005)
    hub = join(settings, secrets, clock=clock, random_bytes=os.urandom)
    server = _Server(
        GuardedConfig(
            create_app(hub),
            guard=hub.guard,
            http=GuardedProtocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=settings.limits.idle_seconds,
            timeout_graceful_shutdown=_GRACE,
        ),
        hub,
        hold,
        certificate,
    )
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(server.serve(sockets=[listener]))
    return 0 if server.started and not server.is_displaced else 1


class _Server(uvicorn.Server):
    """Says when it really listens, ends streams before it waits for connections, and leaves with status 0 on SIGTERM."""

    def __init__(self, config: GuardedConfig, hub: Hub, hold: Callable[[], None], certificate: Certificate | None) -> None:
        super().__init__(config)
        self._hub, self._hold, self._certificate = hub, hold, certificate
        self._guarding: asyncio.Task[None] | None = None
        self._holding: asyncio.Task[None] | None = None
        self.is_displaced = False
        """Whether another hub took the archive while its server was out of reach."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup([])  # the lifespan; the lines are ours, for uvicorn gives a handshake a whole minute
        self._holding = asyncio.ensure_future(self._keep_hold())
        self._guarding = asyncio.ensure_future(self._hub.guard.watch())
        await warm()
        # A full collection looks at all that start-up made, 100 ms and more in which no webhook is acknowledged. It lives as long as we do.
        gc.freeze()
        if self.started and sockets:
            self.servers.append(await self._accept(sockets[0]))
            host, port = sockets[0].getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            scheme = "http" if self._certificate is None else "https"
            sys.stdout.write(encode({"listening": f"{scheme}://{shown}:{port}"}).decode() + "\n")
            sys.stdout.flush()

    async def _accept(self, listener: socket.socket) -> asyncio.Server:
        def line() -> asyncio.Protocol:
            return GuardedProtocol(self.config, self.server_state, self.lifespan.state)

        loop, limits = asyncio.get_running_loop(), self._hub.settings.limits
        if self._certificate is None:
            return await loop.create_server(line, sock=listener, backlog=_BACKLOG)
        return await loop.create_server(
            line,
            sock=listener,
            backlog=_BACKLOG,
            ssl=self._certificate.context,
            ssl_handshake_timeout=limits.header_seconds,
            ssl_shutdown_timeout=_LAST_BYTES,
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._hub.feed.close()
        if self._holding is not None:
            self._holding.cancel()
        cutting = asyncio.ensure_future(self._cut_half_sent())
        await super().shutdown(sockets)
        cutting.cancel()
        if self._guarding is not None:
            self._guarding.cancel()

    async def _keep_hold(self) -> None:
        """Two hubs on one archive would send twice: the one that lost its hold ends."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_BETWEEN_HOLDS)
            try:
                await loop.run_in_executor(None, self._hold)
            except Conflict:
                log.error("archive_taken_by_another_hub")  # noqa: TRY400 its words and place tell nothing more
                self.is_displaced = self.should_exit = True
                return
            except StoreError as error:
                log.warning("archive_not_held", code=error.code)

    async def _cut_half_sent(self) -> None:
        """Close the lines whose request never came to its end; those that wait for our answer keep the grace."""
        await asyncio.sleep(_LAST_BYTES)
        for connection in list(self.server_state.connections):
            cycle = getattr(connection, "cycle", None)
            if cycle is not None and cycle.more_body and not cycle.response_complete:
                cast("asyncio.Transport", cast("Any", connection).transport).close()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        if self._certificate is not None and hasattr(signal, "SIGHUP"):
            loop.add_signal_handler(signal.SIGHUP, self._renew, self._certificate)
        yield

    @staticmethod
    def _renew(certificate: Certificate) -> None:
        """SIGHUP: new lines get the certificate that lies there; lines that are open keep theirs."""
        try:
            certificate.reload()
        except UsageError as error:
            log.error("certificate_not_renewed", sentence=error.sentence)  # noqa: TRY400 its words and place tell nothing more
        else:
            log.info("certificate_renewed")


def _loop_factory():
    try:
        import uvloop
    except ImportError:  # not to be had on every platform
        return asyncio.new_event_loop
    return uvloop.new_event_loop


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio's own loop switches Nagle's algorithm off too; else each answer waits 40 ms where uvloop is missing.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise UsageError(f"Port {port} at {host} cannot be used: {error.strerror}; --port 0 picks a free one.") from error
    listener.listen(_BACKLOG)
    listener.setblocking(False)
    return listener


def _refuse_open_line(host: str, settings: Settings, certificate: Certificate | None) -> None:
    """Tokens and messages over plain HTTP stay on this machine, or between it and the proxies that hub.toml names."""
    if certificate is not None or settings.trust.has_proxies or host == "localhost":
        return
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return
    raise UsageError(
        "Plain HTTP is for this machine only (127.0.0.1): set [server] tls_cert and tls_key in hub.toml, or put a proxy that speaks TLS in"
        " front of the hub and name its address in [server] trusted_proxies."
    )
