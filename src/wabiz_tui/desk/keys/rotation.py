"""Change the local secret, and with it every key of this device; a kill at any instant leaves what opens, and loses nothing.

1. The new secret is kept together with the one before, in the store of the moment or in another. Everything opens from here on
   by trying both (Vault.open_file); the kernel keeps nothing meanwhile.
2. The outbox is put under its new key by a copy and a rename, at the next opening (session/opening.py).
3. The cache is rebuilt under the next epoch, whose key comes from the new secret alone: a purge.
4. The secret before is dropped, and the store that was left is emptied.

The seed of the device's key stays, for the hub knows the device by it; it is sealed anew with the rest.
"""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from wabiz_tui.desk.enrolment import Enrolment, get_enrolment, write_enrolment
from wabiz_tui.desk.keys.agent_file import AgentFile
from wabiz_tui.desk.keys.bundle import SIZE, Bundle
from wabiz_tui.desk.keys.passphrase_file import PassphraseFile, needs_passphrase
from wabiz_tui.desk.keys.stores import KeyStore, find_store, kind_of, open_store, save_bundle
from wabiz_tui.desk.keys.vault import Vault
from wabiz_tui.model.config import Config
from wabiz_tui.model.errors import Locked, NoKeyStore, Unreachable, WabizError
from wabiz_tui.model.paths import Paths
from wabiz_tui.model.secret import Secret

_RETRY = 20.0


def find_target(enrolment: Enrolment, config: Config, paths: Paths, passphrase: Secret | None) -> KeyStore:
    """Where the new secret goes, proved: the store of the moment as long as the configuration allows it, else the first it allows.
    `passphrase` is the one to be. Raises NoKeyStore."""
    kind = kind_of(enrolment.key_store)
    is_allowed = kind in config.keys.asked and (kind != "keyring" or enrolment.key_store in config.keys.allow)
    if not is_allowed:
        return find_store(config, paths.data, passphrase).store
    if kind == "keyring":
        config = _only(config, kind, allow=(enrolment.key_store,))
    elif kind == "ssh-agent":
        config = _only(config, kind, ssh_key=AgentFile(paths.data, config.keys.ssh_key).fingerprint())
    else:
        config = _only(config, kind)
    return find_store(config, paths.data, passphrase).store


def _only(config: Config, kind: str, **changes: object) -> Config:
    return msgspec.structs.replace(config, keys=msgspec.structs.replace(config.keys, store=kind, **changes))


def begin(enrolment: Enrolment, bundle: Bundle, target: KeyStore, paths: Paths, random_bytes: Callable[[int], bytes]) -> Enrolment:
    """Step 1; the enrolment as it is from then on. Nobody may have cache or outbox open, and the kernel may keep no keys.
    Raises NoKeyStore, StoreFull: then nothing is changed."""
    fresh = Bundle(Secret(random_bytes(SIZE)), bundle.seed, bundle.local)
    if target.name == enrolment.key_store:
        save_bundle(target, enrolment.device, fresh)
        return enrolment
    # Named before it holds anything, so that whatever is left there after a kill is found.
    write_enrolment(msgspec.structs.replace(enrolment, other_store=target.name), paths)
    save_bundle(target, enrolment.device, fresh)
    moved = msgspec.structs.replace(enrolment, key_store=target.name, other_store=enrolment.key_store)
    write_enrolment(moved, paths)
    return moved


def empty_other_store(enrolment: Enrolment, config: Config, paths: Paths) -> Enrolment:
    """Remove what a change of stores left in the store that is not in use. One that does not answer now is asked another time."""
    if not enrolment.other_store or enrolment.other_store == enrolment.key_store:
        return enrolment
    try:
        open_store(enrolment.other_store, config, paths.data, None).delete(enrolment.device)
    except WabizError:
        return enrolment
    emptied = msgspec.structs.replace(enrolment, other_store="")
    write_enrolment(emptied, paths)
    return emptied


class Rotation:
    """Steps 3 and 4, for an open session. Keeps the passphrase it is given until it is done or dropped."""

    def __init__(self, vault: Vault, enrolment: Enrolment, config: Config, paths: Paths, passphrase: Secret | None) -> None:
        self._vault, self._enrolment, self._config, self._paths = vault, enrolment, config, paths
        self._passphrase = None if passphrase is None else Secret(passphrase.reveal())

    @property
    def is_needed(self) -> bool:
        return bool(self._enrolment.other_store) or (self._vault.bundle is not None and self._vault.bundle.previous is not None)

    def start(
        self, epoch: Callable[[], int], rebuild: Callable[[], Awaitable[object]], noticed: Callable[[str], None]
    ) -> "asyncio.Task[None]":
        """In the background, until it is done: `epoch` is the cache's of the moment, `rebuild` puts it under the next one."""
        return asyncio.create_task(self._keep_trying(epoch, rebuild, noticed), name="rotation")

    async def _keep_trying(
        self, epoch: Callable[[], int], rebuild: Callable[[], Awaitable[object]], noticed: Callable[[str], None]
    ) -> None:
        try:
            while True:
                try:
                    await self._finish(epoch, rebuild)
                except Unreachable:
                    # The next epoch's share is the hub's to give.
                    pass
                except Locked:
                    return
                except WabizError as error:
                    noticed(f"The old key could not be dropped yet: {error.sentence}")
                else:
                    return
                await asyncio.sleep(_RETRY)
        finally:
            if self._passphrase is not None:
                self._passphrase.forget()

    async def _finish(self, epoch: Callable[[], int], rebuild: Callable[[], Awaitable[object]]) -> None:
        if self._vault.is_under_former(epoch()):
            await rebuild()
        bundle = self._vault.bundle
        if bundle is not None and bundle.previous is not None:
            await asyncio.to_thread(self._drop_previous, bundle)
            self._vault.settle()
        await asyncio.to_thread(empty_other_store, get_enrolment(self._paths), self._config, self._paths)

    def _drop_previous(self, bundle: Bundle) -> None:
        store = open_store(self._enrolment.key_store, self._config, self._paths.data, self._passphrase)
        save_bundle(store, self._enrolment.device, bundle._replace(previous=None))


def check_given(enrolment: Enrolment, passphrase: Secret | None) -> None:
    """Whoever changes the secret under a passphrase gives it, also to a desk that is open. Raises NoKeyStore."""
    if enrolment.key_store == PassphraseFile.name and passphrase is None:
        raise NoKeyStore(needs_passphrase())
