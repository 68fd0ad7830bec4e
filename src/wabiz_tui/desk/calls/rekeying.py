"""Change the local secret of an open desk."""

import asyncio
import os

from wabiz_tui.desk.calls.keeping import Keeping
from wabiz_tui.desk.enrolment import get_enrolment
from wabiz_tui.desk.keys.bundle import Bundle
from wabiz_tui.desk.keys.rotation import begin, check_given, find_target
from wabiz_tui.desk.keys.stores import KeyStore
from wabiz_tui.desk.session.opening import Setting, open_session
from wabiz_tui.desk.session.session import Session
from wabiz_tui.model.config import load_config
from wabiz_tui.model.desk import DeskEvent, DeskStatus
from wabiz_tui.model.errors import Conflict, Locked, Revoked, Unreachable, WabizError
from wabiz_tui.model.secret import Secret

_LONGEST_END = 60.0


class Rekeying(Keeping):
    async def rekey(self, passphrase: Secret | None = None, new_passphrase: Secret | None = None) -> DeskStatus:
        async with self._turn:
            session = self._used()
            if session.rotating is not None and not session.rotating.done():
                raise Conflict("The last change of this machine's key is not finished yet; try again when the hub was reached.")
            # As they are now: the configuration is what may ask for another store.
            setting = self._setting._replace(config=load_config(self._setting.paths), enrolment=get_enrolment(self._setting.paths))
            check_given(setting.enrolment, passphrase)
            if passphrase is not None:
                await session.vault.check(passphrase)
            target = await asyncio.to_thread(find_target, setting.enrolment, setting.config, setting.paths, new_passphrase or passphrase)
            # Nothing is begun that could not be finished now.
            await session.link.share(session.cache.epoch)
            session = await self._reopen(session, setting, target, passphrase, new_passphrase or passphrase)
        if session.rotating is not None:
            await asyncio.wait((session.rotating,), timeout=_LONGEST_END)
            if not session.rotating.done():
                raise Unreachable("The new key is in force; the old one is dropped as soon as the hub can be reached.")
        return await self.status()

    async def _reopen(self, session: Session, setting: Setting, target: KeyStore, old: Secret | None, new: Secret | None) -> Session:
        """Shut the desk, change its secret, open it again: nobody has a file open while its key changes."""
        opened = await session.vault.open_bundle(old)
        # The session's own copy ends with it.
        bundle = Bundle(*(Secret(half.reveal()) for half in (opened.local, opened.seed)))
        self.why_locked = Locked("The keys are being changed; the desk opens again by itself.")
        self._session = None
        self._listeners.tell(DeskEvent("locked", reason="rekey"))
        passphrase = old
        try:
            await session.drop()
            session.vault.forget()
            enrolment = await asyncio.to_thread(begin, setting.enrolment, bundle, target, setting.paths, os.urandom)
            self._setting, passphrase = setting._replace(enrolment=enrolment), new
        finally:
            bundle.forget()
            reopened = await self._open_again(passphrase)
        return reopened

    async def _open_again(self, passphrase: Secret | None) -> Session:
        try:
            self._session = await open_session(self._setting, self, passphrase)
        except Revoked as error:
            await self._destroy_all(error)
            raise
        except WabizError as error:
            self.why_locked = error
            self.spent.set()
            raise
        self._opened()
        return self._session
