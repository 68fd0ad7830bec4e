"""Which key store this machine uses: the first of the configured order that works, never a plain file."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

from wabiz_tui.desk.keys.agent_file import NAME as AGENT_FILE
from wabiz_tui.desk.keys.agent_file import AgentFile
from wabiz_tui.desk.keys.bundle import Bundle, pack, unpack
from wabiz_tui.desk.keys.os_store import OsStore, Refusal, find_os_store, open_keyring
from wabiz_tui.desk.keys.passphrase_file import NAME as PASSPHRASE_FILE
from wabiz_tui.desk.keys.passphrase_file import PassphraseFile, needs_passphrase
from wabiz_tui.desk.keys.patience import SECONDS, Patience
from wabiz_tui.desk.keys.systemd_creds import NAME as CREDENTIAL
from wabiz_tui.desk.keys.systemd_creds import SystemdCreds
from wabiz_tui.model.config import Config
from wabiz_tui.model.config import KeyStore as Kind
from wabiz_tui.model.errors import NoKeyStore
from wabiz_tui.model.secret import Secret

FILES = (PASSPHRASE_FILE, AGENT_FILE, CREDENTIAL)
"""In the data folder: where a store keeps its own file."""


class KeyStore(Protocol):
    @property
    def name(self) -> str: ...

    def load(self, device: str) -> Secret | None: ...

    def save(self, device: str, packed: Secret) -> None: ...

    def delete(self, device: str) -> None: ...


class Found(NamedTuple):
    """The store in use, and why those before it in the order are not."""

    store: KeyStore
    refusals: list[Refusal]


_KINDS: dict[str, Kind] = {PassphraseFile.name: "passphrase", AgentFile.name: "ssh-agent", SystemdCreds.name: "systemd-creds"}


def kind_of(name: str) -> Kind:
    """The kind of store that an enrolment recorded by name; those of the operating system are named by class."""
    return _KINDS.get(name, "keyring")


def comes_and_goes(name: str) -> bool:
    """Whether a store needs somebody to be there: to type a passphrase, to forward an agent."""
    return kind_of(name) in ("passphrase", "ssh-agent")


def find_store(
    config: Config,
    data: Path,
    passphrase: Secret | None,
    *,
    random_bytes: Callable[[int], bytes] = os.urandom,
    seconds: float = SECONDS,
) -> Found:
    """The store for a new bundle, proved to keep what it is given. Raises NoKeyStore that names the ways out.

    Slow: each kind of store may take `seconds` to refuse."""
    search = _Search(config, data, passphrase, random_bytes, seconds, [])
    for kind in config.keys.asked:
        try:
            return Found(search.proved(kind), search.refusals)
        except NoKeyStore as error:
            if config.keys.store and kind != "passphrase":
                # Asked for by name: nothing else is tried, and why it failed is what must be put right.
                raise
            if kind != "keyring":
                search.refusals.append(Refusal(kind, error.sentence))
    raise NoKeyStore(needs_passphrase())


class _Search(NamedTuple):
    config: Config
    data: Path
    passphrase: Secret | None
    random_bytes: Callable[[int], bytes]
    seconds: float
    refusals: list[Refusal]

    def proved(self, kind: Kind) -> KeyStore:
        """A store of that kind that works. Raises NoKeyStore; what the backends of a keyring refuse goes to `refusals`."""
        match kind:
            case "keyring":
                return self._keyring()
            case "ssh-agent":
                # The very key that was proved: another may be added before it is used.
                proved = AgentFile(self.data, self.config.keys.ssh_key, seconds=self.seconds).prove()
                return AgentFile(self.data, proved, seconds=self.seconds, random_bytes=self.random_bytes)
            case "systemd-creds":
                credentials = SystemdCreds(self.data, seconds=self.seconds)
                credentials.prove(self.random_bytes)
                return credentials
            case "passphrase":
                if self.passphrase is None:
                    raise NoKeyStore("No passphrase was given.")
                return PassphraseFile(self.data, self.passphrase, random_bytes=self.random_bytes)

    def _keyring(self) -> OsStore:
        patience, keys = Patience(self.seconds), self.config.keys
        store, against = find_os_store(keys.allow, unsafe_test=keys.unsafe_test, patience=patience)
        self.refusals.extend(against)
        if store is None:
            raise NoKeyStore("No key store of the operating system works here: unlock the desktop keyring, or choose another in [keys].")
        try:
            store.prove(self.random_bytes, patience)
        except NoKeyStore as error:
            self.refusals.append(Refusal(store.name, error.sentence))
            raise
        return store


def open_store(name: str, config: Config, data: Path, passphrase: Secret | None, *, seconds: float = SECONDS) -> KeyStore:
    """The store an enrolment was made with. Raises NoKeyStore when it does not work any more."""
    match kind_of(name):
        case "passphrase":
            return PassphraseFile(data, passphrase)
        case "ssh-agent":
            return AgentFile(data, config.keys.ssh_key, seconds=seconds)
        case "systemd-creds":
            return SystemdCreds(data, seconds=seconds)
        case "keyring":
            keyring = open_keyring(name, unsafe_test=config.keys.unsafe_test, patience=Patience(seconds))
            return OsStore(name, keyring, seconds=seconds)


def load_bundle(store: KeyStore, device: str) -> Bundle:
    """Raises NoKeyStore when the store has lost it, WrongKey for a wrong passphrase."""
    packed = store.load(device)
    if packed is None:
        raise NoKeyStore(f"{store.name} no longer holds this machine's key: run `wabiz wipe` and enrol again; the hub has every message.")
    return unpack(packed)


def save_bundle(store: KeyStore, device: str, bundle: Bundle) -> None:
    store.save(device, pack(bundle))
