"""The keys of an unlocked desk: where they come from, how long they may be used, and their end."""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from wabiz_tui.desk.clock import DeskClock
from wabiz_tui.desk.enrolment import Enrolment, open_bundle
from wabiz_tui.desk.keys import warm
from wabiz_tui.desk.keys.bundle import Bundle
from wabiz_tui.desk.keys.passphrase_file import PassphraseFile
from wabiz_tui.desk.keys.stores import comes_and_goes
from wabiz_tui.desk.keys.warm import Warm
from wabiz_tui.model.config import Config
from wabiz_tui.model.errors import BadInput, Locked, WrongKey
from wabiz_tui.model.paths import Paths
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.wire import ShareReply
from wabiz_tui.proof.derivation import cache_key, outbox_key

T = TypeVar("T")
WITHOUT_LEASE = timedelta(minutes=10)
"""How long an open desk goes on without hearing from the hub where the lease is zero: long enough for a restart of the hub."""


class Vault:
    """Secrets in this process' memory, and for the lease in the kernel's. `forget` ends both.

    With `keeps_warm` false the kernel's keyring is neither read nor written."""

    def __init__(
        self,
        enrolment: Enrolment,
        *,
        config: Config,
        paths: Paths,
        clock: DeskClock,
        keeps_warm: bool = True,
        since_boot: Callable[[], float] = warm.since_boot,
    ) -> None:
        self._is_warm_allowed = keeps_warm and config.keys.kernel_keyring and not config.shared_host
        self._enrolment, self._config, self._paths, self._clock = enrolment, config, paths, clock
        self.bundle: Bundle | None = None
        self.outbox: Secret | None = None
        self.keys: dict[int, Secret] = {}
        # While the local secret is being changed: the keys that the one before gives, and the epochs whose file still needs them.
        self.former_outbox: Secret | None = None
        self._former: dict[int, Secret] = {}
        self._under_former: set[int] = set()
        self.lease = timedelta()
        self._since_boot = since_boot
        self._lease_until: tuple[datetime, float] | None = None
        # A fast fingerprint of the passphrase that opened the key store; it lives and ends beside the keys, which tell more.
        self._salt = os.urandom(32)
        self._right: bytes | None = None

    @property
    def lease_until(self) -> datetime | None:
        """The end of the lease: by the clock, or by the seconds since it began where these are over sooner, for a clock can be set
        back."""
        if self._lease_until is None:
            return None
        until, over_at = self._lease_until
        return min(until, self._clock.now() + timedelta(seconds=over_at - self._since_boot()))

    @lease_until.setter
    def lease_until(self, until: datetime | None) -> None:
        over_in = 0.0 if until is None else (until - self._clock.now()).total_seconds()
        self._lease_until = None if until is None else (until, self._since_boot() + over_in)

    def open_warm(self) -> bool:
        """Take up the keys an earlier run left in the kernel; False when there are none."""
        if not self._is_warm_allowed:
            return False
        kept = warm.find(self._enrolment.device, now=self._clock.now(), since_boot=self._since_boot)
        if kept is None:
            return False
        self.keys, self.outbox = dict(kept.epochs), kept.outbox
        self.lease_until = kept.lease_until
        self.bundle = self.bundle or kept.bundle
        self.lease = kept.lease_until - self._clock.now()
        return True

    async def open_bundle(self, passphrase: Secret | None) -> Bundle:
        """The local secret and the device's key. Raises NoKeyStore, WrongKey."""
        if self.bundle is None:
            self.bundle = await open_bundle(
                self._enrolment, paths=self._paths, config=self._config, passphrase=passphrase, now=self._clock.now()
            )
        return self.bundle

    async def check(self, passphrase: Secret) -> None:
        """Raises WrongKey for one that does not open the key store; any is right where the store asks for none. The first time
        costs what the key store costs (a tenth of a second), then nothing."""
        if self._enrolment.key_store != PassphraseFile.name:
            return
        told = hashlib.blake2b(passphrase.reveal(), key=self._salt).digest()
        if self._right is not None and hmac.compare_digest(told, self._right):
            return
        opened = await open_bundle(self._enrolment, paths=self._paths, config=self._config, passphrase=passphrase, now=self._clock.now())
        self._right = told
        if self.bundle is None:
            self.bundle = opened

    def take_share(self, reply: ShareReply) -> Secret:
        """The key of the share's epoch; the lease begins anew. The share itself is not kept. The outbox's key stays as it is where
        the hub gives none. Raises Locked, BadInput."""
        bundle = self.bundle
        if bundle is None or (self.outbox is None and not reply.outbox_share):
            raise Locked("The desk is locked; unlock it first.")
        share = _half(reply.share)
        who = {"cache_id": self._enrolment.cache_id, "agent": self._enrolment.person, "device": self._enrolment.device}
        if reply.outbox_share:
            self._take_outbox_share(_half(reply.outbox_share), bundle, who)
        keys = [cache_key(local, share, **who, epoch=reply.epoch) for local in bundle.locals]
        self.keys[reply.epoch] = keys[0]
        if bundle.previous is not None:
            self._former[reply.epoch] = keys[1]
            if reply.epoch in self._under_former:
                self.keys[reply.epoch] = keys[1]
        share.forget()
        # On a host that others use too, nothing outlives the process.
        self.lease = timedelta() if self._config.shared_host else timedelta(seconds=max(reply.lease, 0))
        self.lease_until = self._clock.now() + (self.lease or WITHOUT_LEASE)
        self.keep_warm()
        return self.keys[reply.epoch]

    def _take_outbox_share(self, share: Secret, bundle: Bundle, who: dict[str, str]) -> None:
        outbox = [outbox_key(local, share, **who) for local in bundle.locals]
        self.outbox = outbox[0]
        if bundle.previous is not None:
            self.former_outbox = outbox[1]
        share.forget()

    def open_file(self, epoch: int, opening: Callable[[Secret], T]) -> T:
        """Open the file of `epoch` with its key; while the local secret is being changed, with the key that the one before gives
        where the file is still under that. Raises WrongKey."""
        try:
            return opening(self.keys[epoch])
        except WrongKey:
            former = self._former.get(epoch)
            if former is None:
                raise
        opened = opening(former)
        self.keys[epoch] = former
        self._under_former.add(epoch)
        return opened

    def is_under_former(self, epoch: int) -> bool:
        """Whether the file of `epoch` needs the local secret before the one in force."""
        return epoch in self._under_former

    def settle(self) -> None:
        """No file needs the local secret before the one in force any more: it and what it gave are destroyed here."""
        if self.bundle is None:
            return
        forgotten = (*self.bundle.locals[1:], *self._former.values(), self.former_outbox)
        self.bundle = self.bundle._replace(previous=None)
        self._former, self.former_outbox, self._under_former = {}, None, set()
        for secret in forgotten:
            if secret is not None:
                secret.forget()
        self.keep_warm()

    def keep_warm(self) -> None:
        """Leave the keys with the kernel for the rest of the lease; not while the local secret is being changed, when only an
        opening that tries both is safe."""
        if not self._is_warm_allowed:
            return
        is_changing = self.bundle is not None and self.bundle.previous is not None
        until = self.lease_until
        if self.outbox is None or until is None or not self.lease or is_changing:
            warm.drop(self._enrolment.device)
            return
        kept = Warm(self.keys, self.outbox, until, self.bundle if comes_and_goes(self._enrolment.key_store) else None)
        warm.keep(self._enrolment.device, kept, now=self._clock.now(), since_boot=self._since_boot)

    def drop_epochs(self, up_to: int) -> None:
        """Destroy the keys of these epochs, here and in the kernel."""
        for epoch in [epoch for epoch in self.keys if epoch <= up_to]:
            self.keys.pop(epoch).forget()
            self._under_former.discard(epoch)
            former = self._former.pop(epoch, None)
            if former is not None:
                former.forget()
        self.keep_warm()

    def forget(self) -> None:
        """Destroy everything, here and in the kernel: opening again takes the key store and the hub."""
        warm.drop(self._enrolment.device)
        self.close()

    def close(self) -> None:
        """Destroy what this process holds; what the kernel keeps for the lease stays."""
        for secret in (*self.keys.values(), self.outbox, *self._former.values(), self.former_outbox, *(self.bundle or ())):
            if secret is not None:
                secret.forget()
        self.keys, self.outbox, self.bundle, self._lease_until, self._right = {}, None, None, None, None
        self._former, self.former_outbox, self._under_former = {}, None, set()


def _half(text: str) -> Secret:
    try:
        return Secret(base64.b64decode(text, validate=True))
    except binascii.Error as error:
        raise BadInput("The hub's key share is not base64.") from error
