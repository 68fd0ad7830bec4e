"""The life of the desk: its lock, its sync, its purge."""

from collections.abc import AsyncIterator

from wabiz_tui.desk.calls.door import Door
from wabiz_tui.desk.session.opening import open_session
from wabiz_tui.desk.session.summary import locked_status, open_status
from wabiz_tui.model.codec import decode
from wabiz_tui.model.desk import DeskEvent, DeskStatus, PurgeOutcome
from wabiz_tui.model.errors import Locked, Revoked, WabizError
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.shift import OFF_SHIFT
from wabiz_tui.model.wire import Receipt, SignedReceipt


class Keeping(Door):
    async def status(self) -> DeskStatus:
        session = self._session
        lock_after = int(self._idle_time().total_seconds())
        if session is None:
            return locked_status(self._setting, self.why_locked, lock_after=lock_after)
        try:
            return await open_status(session, lock_after=lock_after)
        except Locked:
            return locked_status(self._setting, self.why_locked, lock_after=lock_after)

    async def unlock(self, passphrase: Secret | None = None) -> DeskStatus:
        async with self._turn:
            if self._session is None:
                if isinstance(self.why_locked, Revoked):
                    raise self.why_locked
                try:
                    self._session = await open_session(self._setting, self, passphrase)
                except Revoked as error:
                    await self._destroy_all(error)
                    raise
                except WabizError as error:
                    self.spent.set()
                    if error.code == OFF_SHIFT:
                        self.why_locked = error
                    raise
                self._opened()
            elif passphrase is not None:
                await self._session.vault.check(passphrase)
        return await self.status()

    async def lock(self, reason: str = "asked") -> None:
        await self._lock(reason, None)

    async def sync(self) -> int:
        session = self._opened_session()
        return await session.mended(session.sync.catch_up)

    async def purge(self) -> PurgeOutcome:
        session = self._used()
        signed = await session.mended(lambda: session.purger.purge("asked"))
        return PurgeOutcome(decode(signed.receipt, Receipt).removed.messages, session.cache.epoch, signed)

    async def receipts(self) -> list[SignedReceipt]:
        return self._opened_session().purger.receipts.chain

    async def activity(self) -> None:
        self._used_at = self._setting.clock.monotonic()

    def listen(self) -> AsyncIterator[DeskEvent]:
        return self._listeners.listen()
