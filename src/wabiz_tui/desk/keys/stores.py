"""Which key store this machine uses: the first of the configured order that works, never a plain file."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

from wabiz_tui.desk.keys.bundle import Bundle, pack, unpack
from wabiz_tui.desk.keys.os_store import OsStore, Refusal, find_os_store, open_keyring
from wabiz_tui.desk.keys.passphrase_file import PassphraseFile, needs_passphrase
from wabiz_tui.model.config import Config
from wabiz_tui.model.errors import NoKeyStore
from wabiz_tui.model.secret import Secret


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


def find_store(config: Config, data: Path, passphrase: Secret | None, *, random_bytes: Callable[[int], bytes] = os.urandom) -> Found:
    """The store for a new bundle, proved to keep what it is given. Raises NoKeyStore that names the ways out.

    Slow: an operating system's store may take three seconds a backend to refuse."""
    refusals: list[Refusal] = []
    for kind in config.keys.order:
        if kind == "keyring":
            store, against = find_os_store(config.keys.allow, unsafe_test=config.keys.unsafe_test)
            refusals += against
            if store is not None:
                try:
                    store.prove(random_bytes)
                except NoKeyStore as error:
                    refusals.append(Refusal(store.name, error.sentence))
                else:
                    return Found(store, refusals)
        elif kind == "passphrase":
            if passphrase is not None:
                return Found(PassphraseFile(data, passphrase, random_bytes=random_bytes), refusals)
            refusals.append(Refusal("passphrase file", "No passphrase was given."))
        else:
            refusals.append(Refusal(kind, f"This version of wabiz does not know how to use {kind}."))
    raise NoKeyStore(needs_passphrase())


def open_store(name: str, config: Config, data: Path, passphrase: Secret | None) -> KeyStore:
    """The store an enrolment was made with. Raises NoKeyStore when it does not work any more."""
    if name == PassphraseFile.name:
        return PassphraseFile(data, passphrase)
    return OsStore(name, open_keyring(name, unsafe_test=config.keys.unsafe_test))


def load_bundle(store: KeyStore, device: str) -> Bundle:
    """Raises NoKeyStore when the store has lost it, WrongKey for a wrong passphrase."""
    packed = store.load(device)
    if packed is None:
        raise NoKeyStore(f"{store.name} no longer holds this machine's key: run `wabiz wipe` and enrol again; the hub has every message.")
    return unpack(packed)


def save_bundle(store: KeyStore, device: str, bundle: Bundle) -> None:
    store.save(device, pack(bundle))
