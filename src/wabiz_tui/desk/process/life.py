"""The life of a desk's process: it serves, outlives its last client for a moment, lets the outbox settle, and ends in order.

At each lock it takes a new memory; whom it served goes on being served.
"""

import asyncio
import signal
from pathlib import Path

from wabiz_tui.desk.desk import LocalDesk
from wabiz_tui.desk.process.clocks import Wakefulness
from wabiz_tui.desk.process.frames import error_of, failure_of
from wabiz_tui.desk.process.log import place_of, task_failed, tell
from wabiz_tui.desk.process.renewal import Kept, renew
from wabiz_tui.desk.process.server import DeskServer
from wabiz_tui.model.errors import WabizError
from wabiz_tui.model.secret import Secret

LINGER_SECONDS = 8.0
"""How long the desk stays after its last client left: scripts call one command after the other."""
SETTLE_SECONDS = 120.0
"""How much longer it stays for letters that are on their way."""
_LOOK_SECONDS = 0.25
_LOOKS_AT_CLOCKS = 4
"""Every so many looks: a machine that wakes is locked within a second or so."""


class Life:
    """One desk served at one socket until it is asked to end, or nobody needs it any more."""

    def __init__(self, desk: LocalDesk, path: Path, *, ahead: float, lock: int) -> None:
        """`lock` is the descriptor that holds the cache for this process."""
        self._desk, self._path, self._lock = desk, path, lock
        self._over = asyncio.Event()
        self._reason = "idle"
        self._clients = 0
        self._empty_since = asyncio.get_running_loop().time()
        self._locking: asyncio.Task[None] | None = None
        self._server = DeskServer(
            desk,
            ahead=ahead,
            on_end=lambda: self.end("asked"),
            on_clients=self._count,
            broken=self._broken,
            is_renewing=desk.spent.is_set,
        )

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
        self._hear_signals()

    async def go_on(self, kept: Kept) -> None:
        """Serve, locked, whoever the old memory served."""
        self._desk.begin_locked(None if kept.why is None else error_of(kept.why))
        await self._server.go_on(kept.listener, kept.clients)
        self._hear_signals()

    def _hear_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(task_failed)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.end, "stopped")
        loop.add_signal_handler(signal.SIGHUP, self._lock_for, "hangup")

    async def until_over(self) -> None:
        """Serve until the end, then close in order: clients are told, the cache is closed, the socket goes."""
        watching = [asyncio.create_task(work) for work in (self._watch(), self._watch_clocks(), self._renew_when_locked())]
        try:
            await self._over.wait()
        finally:
            for task in watching:
                task.cancel()
            # The socket goes first: whoever comes now starts the next desk, which waits for this one's lock.
            self._path.unlink(missing_ok=True)
            await self._server.stop(self._reason)
            await self._desk.close()

    def end(self, reason: str) -> None:
        self._reason = reason
        self._over.set()

    def _lock_for(self, reason: str) -> None:
        self._locking = asyncio.create_task(self._desk.lock(reason))

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

    async def _watch_clocks(self) -> None:
        wakefulness = Wakefulness()
        while True:
            await asyncio.sleep(_LOOK_SECONDS * _LOOKS_AT_CLOCKS)
            if reason := wakefulness.look():
                self._lock_for(reason)

    async def _renew_when_locked(self) -> None:
        """A new memory after each lock, and after an unlocking that failed with a passphrase in hand."""
        while not self._over.is_set():
            await self._desk.spent.wait()
            async with self._desk.held_locked() as is_locked:
                if is_locked:
                    await self._renew()

    async def _renew(self) -> None:
        if not self._clients:
            self.end("locked")
            return
        # The desk has told its lock; each listener takes it up in its next turn.
        await asyncio.sleep(0.01)
        listener, clients = await self._server.part()
        why = self._desk.why_locked
        try:
            renew(Kept(self._lock, listener, clients, None if why is None else failure_of(why)))
        except OSError as error:
            # The program on the disk is gone or cannot be read. Its end drops the memory just as well.
            tell("not_renewed", error=type(error).__name__)
            self.end("locked")

    async def _settled(self) -> bool:
        try:
            return await self._desk.is_settled()
        except WabizError:
            return True

    def _broken(self, call: str, error: BaseException) -> None:
        """A fault of ours: its kind and place, never its text, which may hold what a customer wrote."""
        tell("call_failed", call=call, error=type(error).__name__, at=place_of(error))
