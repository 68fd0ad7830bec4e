"""The keys of an unlocked desk: where they come from, how long they may be used, and their end."""

import base64
import binascii
import hashlib
import hmac
import os
from datetime import datetime, timedelta

from wabiz_tui.desk.clock import DeskClock
from wabiz_tui.desk.enrolment import Enrolment, open_bundle
from wabiz_tui.desk.keys import warm
from wabiz_tui.desk.keys.bundle import Bundle
from wabiz_tui.desk.keys.passphrase_file import PassphraseFile
from wabiz_tui.desk.keys.warm import Warm
from wabiz_tui.model.config import Config
from wabiz_tui.model.errors import BadInput, Locked
from wabiz_tui.model.paths import Paths
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.wire import ShareReply
from wabiz_tui.proof.derivation import cache_key, outbox_key

WITHOUT_LEASE = timedelta(minutes=10)
"""How long an open desk goes on without hearing from the hub where the lease is zero: long enough for a restart of the hub."""


class Vault:
    """Secrets in this process' memory, and for the lease in the kernel's. `forget` ends both.

    With `keeps_warm` false the kernel's keyring is neither read nor written."""

    def __init__(self, enrolment: Enrolment, *, config: Config, paths: Paths, clock: DeskClock, keeps_warm: bool = True) -> None:
        self._is_warm_allowed = keeps_warm and config.keys.kernel_keyring and not config.shared_host
        self._enrolment, self._config, self._paths, self._clock = enrolment, config, paths, clock
        self.bundle: Bundle | None = None
        self.outbox: Secret | None = None
        self.keys: dict[int, Secret] = {}
        self.lease = timedelta()
        self.lease_until: datetime | None = None
        # A fast fingerprint of the passphrase that opened the key store; it lives and ends beside the keys, which tell more.
        self._salt = os.urandom(32)
        self._right: bytes | None = None

    def open_warm(self) -> bool:
        """Take up the keys an earlier run left in the kernel; False when there are none."""
        if not self._is_warm_allowed:
            return False
        kept = warm.find(self._enrolment.device, now=self._clock.now())
        if kept is None:
            return False
        self.keys, self.outbox, self.lease_until = dict(kept.epochs), kept.outbox, kept.lease_until
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
        """The key of the share's epoch; the lease begins anew. The share itself is not kept."""
        bundle = self.bundle
        if bundle is None:
            raise Locked("The desk is locked; unlock it first.")
        share, outbox_share = _half(reply.share), _half(reply.outbox_share)
        who = {"cache_id": self._enrolment.cache_id, "agent": self._enrolment.person, "device": self._enrolment.device}
        self.keys[reply.epoch] = cache_key(bundle.local, share, **who, epoch=reply.epoch)
        self.outbox = outbox_key(bundle.local, outbox_share, **who)
        share.forget()
        outbox_share.forget()
        # On a host that others use too, nothing outlives the process.
        self.lease = timedelta() if self._config.shared_host else timedelta(seconds=max(reply.lease, 0))
        self.lease_until = self._clock.now() + (self.lease or WITHOUT_LEASE)
        self.keep_warm()
        return self.keys[reply.epoch]

    def keep_warm(self) -> None:
        """Leave the keys with the kernel for the rest of the lease."""
        if not self._is_warm_allowed:
            return
        if self.outbox is None or self.lease_until is None or not self.lease:
            warm.drop(self._enrolment.device)
            return
        needs_person = self._enrolment.key_store == PassphraseFile.name
        kept = Warm(self.keys, self.outbox, self.lease_until, self.bundle if needs_person else None)
        warm.keep(self._enrolment.device, kept, now=self._clock.now())

    def drop_epochs(self, up_to: int) -> None:
        """Destroy the keys of these epochs, here and in the kernel."""
        for epoch in [epoch for epoch in self.keys if epoch <= up_to]:
            self.keys.pop(epoch).forget()
        self.keep_warm()

    def forget(self) -> None:
        """Destroy everything, here and in the kernel: opening again takes the key store and the hub."""
        warm.drop(self._enrolment.device)
        self.close()

    def close(self) -> None:
        """Destroy what this process holds; what the kernel keeps for the lease stays."""
        for secret in (*self.keys.values(), self.outbox, *(self.bundle or ())):
            if secret is not None:
                secret.forget()
        self.keys, self.outbox, self.bundle, self.lease_until, self._right = {}, None, None, None, None


def _half(text: str) -> Secret:
    try:
        return Secret(base64.b64decode(text, validate=True))
    except binascii.Error as error:
        raise BadInput("The hub's key share is not base64.") from error
