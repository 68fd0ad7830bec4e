"""The life of a desk's process: it serves, outlives its last client for a moment, lets the outbox settle, and ends in order."""

import asyncio
import signal
from pathlib import Path

from wabiz_tui.desk.desk import LocalDesk
from wabiz_tui.desk.process.log import place_of, task_failed, tell
from wabiz_tui.desk.process.server import DeskServer
from wabiz_tui.model.errors import WabizError
from wabiz_tui.model.secret import Secret

LINGER_SECONDS = 8.0
"""How long the desk stays after its last client left: scripts call one command after the other."""
SETTLE_SECONDS = 120.0
"""How much longer it stays for letters that are on their way."""
_LOOK_SECONDS = 0.25


class Life:
    """One desk served at one socket until it is asked to end, or nobody needs it any more."""

    def __init__(self, desk: LocalDesk, path: Path, *, ahead: float) -> None:
        self._desk, self._path = desk, path
        self._over = asyncio.Event()
        self._reason = "idle"
        self._clients = 0
        self._empty_since = asyncio.get_running_loop().time()
        self._server = DeskServer(desk, ahead=ahead, on_end=lambda: self.end("asked"), on_clients=self._count, broken=self._broken)

    async def begin(self, passphrase: Secret | None) -> None:
        """Open the cache if that needs nobody, or with `passphrase`; then listen.

        A wrong passphrase, a revoked device or a missing key store is raised: no client can do anything about it later. A hub out
        of reach is not: the desk listens locked, and says why.
        """
        await self._desk.begin()
        if passphrase is not None:
            try:
                await self._desk.unlock(passphrase)
            except WabizError:
                # A warm start may have opened the cache already.
                await self._desk.close()
                raise
            finally:
                passphrase.forget()
        await self._server.start(self._path)
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(task_failed)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.end, "stopped")
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)

    async def until_over(self) -> None:
        """Serve until the end, then close in order: clients are told, the cache is closed, the socket goes."""
        watching = asyncio.create_task(self._watch())
        try:
            await self._over.wait()
        finally:
            watching.cancel()
            # The socket goes first: whoever comes now starts the next desk, which waits for this one's lock.
            self._path.unlink(missing_ok=True)
            await self._server.stop(self._reason)
            await self._desk.close()

    def end(self, reason: str) -> None:
        self._reason = reason
        self._over.set()

    def _hang_up(self) -> None:
        self._locking = asyncio.create_task(self._desk.lock("hangup"))

    def _count(self, clients: int) -> None:
        self._clients = clients
        self._empty_since = asyncio.get_running_loop().time()

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            alone = loop.time() - self._empty_since
            if self._clients or alone < LINGER_SECONDS:
                continue
            if alone > LINGER_SECONDS + SETTLE_SECONDS or await self._settled():
                self.end("idle")
                return

    async def _settled(self) -> bool:
        try:
            return await self._desk.is_settled()
        except WabizError:
            return True

    def _broken(self, call: str, error: BaseException) -> None:
        """A fault of ours: its kind and place, never its text, which may hold what a customer wrote."""
        tell("call_failed", call=call, error=type(error).__name__, at=place_of(error))
