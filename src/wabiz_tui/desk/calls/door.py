"""The door of the desk: which session is open, when it is locked, and who is told."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, TypeVar

from wabiz_tui.desk.cache.store import Cache
from wabiz_tui.desk.enrolment import mark_revoked
from wabiz_tui.desk.keys import warm
from wabiz_tui.desk.media.lending import clear_lent, lent_folder
from wabiz_tui.desk.purge.purge import Reason
from wabiz_tui.desk.purge.wipe import destroy_keys_and_files
from wabiz_tui.desk.session.listeners import Listeners
from wabiz_tui.desk.session.opening import Setting, open_session
from wabiz_tui.desk.session.session import Hears, Session
from wabiz_tui.model.desk import DeskEvent
from wabiz_tui.model.errors import Locked, Revoked, WabizError
from wabiz_tui.model.work import Presence

T = TypeVar("T")
_LAST_LETTERS = 2.0
"""Seconds that a lock waits for messages in their undo time, at most."""


class Door(Hears):
    """Holds the session of the moment. `begin` before the first call; `close` when the process ends."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._session: Session | None = None
        self._listeners = Listeners()
        self._turn = asyncio.Lock()
        self._used_at = setting.clock.monotonic()
        self.why_locked: WabizError | None = None
        """Why nobody can unlock, where the lock has a sentence of its own."""
        self.spent = asyncio.Event()
        """Set while this memory has held keys, content or a passphrase that it no longer needs."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self) -> None:
        """Unlock if the kernel keeps the keys; watch for idleness."""
        # What a desk that was killed has lent lies open, and nobody may ever unlock this one.
        self._take_back_lent()
        with suppress(WabizError):
            await self._unlock_warm()
        self._keep(self._watch_idleness())

    def begin_locked(self, why: WabizError | None) -> None:
        """Begin where a lock left off: nothing is opened before somebody unlocks."""
        self.why_locked = why

    @asynccontextmanager
    async def held_locked(self) -> AsyncGenerator[bool]:
        """Whether the desk is locked; it stays so until the block ends."""
        async with self._turn:
            try:
                yield self._session is None
            finally:
                self.spent.clear()

    async def close(self) -> None:
        """End: what is due is destroyed if the hub can be reached; the kernel keeps the keys for the lease."""
        async with self._turn:
            for task in list(self._tasks):
                if task is not asyncio.current_task():
                    task.cancel()
            session, self._session = self._session, None
            if session is not None:
                await session.close("exit")
                session.vault.close()
        self._listeners.close()

    async def is_settled(self) -> bool:
        """Whether nothing would be lost or late if the process ended now: no letter is on its way."""
        session = self._session
        if session is None:
            return True
        # A line that is being made, which takes a bounded time, may take them; without one they wait for the next start.
        return session.link_state not in ("online", "connecting") or await session.outbox.pending() == 0

    def changed(self, conversations: frozenset[str]) -> None:
        self._listeners.tell(DeskEvent("changed", tuple(sorted(conversations))))

    def met(self, conversation: str, others: list[Presence]) -> None:
        self._listeners.tell(DeskEvent("presence", (conversation,), others=tuple(others)))

    def status_changed(self) -> None:
        self._listeners.tell(DeskEvent("status"))

    def ended(self, error: WabizError) -> None:
        self._keep(self._end_session(error))

    def _opened_session(self) -> Session:
        if self._session is None:
            if isinstance(self.why_locked, Revoked):
                raise self.why_locked
            raise Locked("The desk is locked; unlock it first.")
        return self._session

    def _used(self) -> Session:
        """The session, for an act of a person: idleness counts from here."""
        self._used_at = self._setting.clock.monotonic()
        return self._opened_session()

    async def _read(self, read: Callable[[Cache], Awaitable[T]]) -> T:
        return await self._opened_session().use(read)

    def _opened(self) -> None:
        self.why_locked = None
        self._used_at = self._setting.clock.monotonic()
        self._listeners.tell(DeskEvent("unlocked"))

    async def _unlock_warm(self) -> None:
        async with self._turn:
            self._session = await open_session(self._setting, self, None, only_warm=True)
            self._opened()

    async def _lock(self, reason: str, error: WabizError | None) -> None:
        """Calls are refused from the first moment on; then what only its undo time keeps is sent, what is due destroyed, then the keys."""
        async with self._turn:
            session, self._session = self._session, None
            if session is None:
                # The kernel may hold keys of an earlier run that this one could not use.
                warm.drop(self._setting.enrolment.device)
                return
            self.why_locked = error
            self._listeners.tell(DeskEvent("locked", reason=reason))
            self._take_back_lent()
            try:
                if error is None and session.link_state == "online":
                    await session.outbox.end_undo(_LAST_LETTERS)
                await session.close(_purge_reason(reason))
            finally:
                session.vault.forget()
                self.spent.set()

    async def _end_session(self, error: WabizError) -> None:
        if not isinstance(error, Revoked):
            await self._lock(error.code, error)
            return
        async with self._turn:
            # Whoever asks from the first moment on is told why; destroying takes a while.
            self.why_locked = error
            session, self._session = self._session, None
            if session is not None:
                await session.drop()
                session.vault.forget()
            await self._destroy_all(error)

    async def _destroy_all(self, error: Revoked) -> None:
        self.why_locked = error
        enrolment, config, paths = self._setting[:3]
        await asyncio.to_thread(destroy_keys_and_files, enrolment, config, paths)
        await asyncio.to_thread(mark_revoked, enrolment, paths)
        self._listeners.tell(DeskEvent("locked", reason="revoked"))
        self._listeners.tell(DeskEvent("status"))
        self.spent.set()

    async def _watch_idleness(self) -> None:
        while True:
            idle = self._setting.clock.monotonic() - self._used_at
            left = self._idle_time().total_seconds() - idle
            if left <= 0 and self._session is not None:
                await self._lock("idle", None)
            await asyncio.sleep(min(max(left, 0.5), 30.0) if self._session is not None else 1.0)

    def _take_back_lent(self) -> None:
        device = self._setting.enrolment.device
        with suppress(OSError):
            clear_lent(lambda: lent_folder(device))

    def _idle_time(self) -> timedelta:
        policy = self._session.policy if self._session is not None else None
        return self._setting.config.idle_lock(policy.cache.idle_lock) if policy is not None else self._setting.config.desk.idle_lock

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _purge_reason(reason: str) -> Reason:
    return "exit" if reason == "exit" else "lock"
