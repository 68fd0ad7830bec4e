"""The key store of the operating system, by name: only backends known to encrypt, chosen here and not by the environment."""

import os
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from wabiz_tui.desk.keys.patience import SECONDS, Patience
from wabiz_tui.model.errors import NoKeyStore
from wabiz_tui.model.secret import Secret

SERVICE = "wabiz"
_REFUSED = ("keyring.backends.null.", "keyring.backends.fail.", "keyring.backends.chainer.", "keyrings.alt.")


class Refusal(NamedTuple):
    """Why a store is not used, in one sentence for `wabiz doctor`."""

    store: str
    reason: str


class OsStore:
    """One backend of the keyring library. Every call gives up after `seconds`, whatever the desktop waits for."""

    def __init__(self, backend: str, keyring: Any, *, seconds: float = SECONDS) -> None:
        self.name = backend
        self._keyring, self._seconds = keyring, seconds

    def load(self, device: str) -> Secret | None:
        """Raises NoKeyStore when the store does not answer."""
        return self._load(device, Patience(self._seconds))

    def save(self, device: str, packed: Secret) -> None:
        """Written, read back and compared. Raises NoKeyStore when any of it fails."""
        self._save(device, packed, Patience(self._seconds))

    def delete(self, device: str) -> None:
        """Also where there is nothing: then nothing is done."""
        patience = Patience(self._seconds)
        if self._load(device, patience) is not None:
            patience.within(lambda: self._keyring.delete_password(SERVICE, device), self.name)

    def prove(self, random_bytes: Callable[[int], bytes], patience: Patience | None = None) -> None:
        """Write, read and delete a throw-away entry, so that an enrolment does not fail after its code is spent."""
        patience = patience or Patience(self._seconds)
        name = f"probe-{random_bytes(8).hex()}"
        self._save(name, Secret(random_bytes(16).hex()), patience)
        patience.within(lambda: self._keyring.delete_password(SERVICE, name), self.name)

    def _load(self, device: str, patience: Patience) -> Secret | None:
        found: object = patience.within(lambda: self._keyring.get_password(SERVICE, device), self.name)
        return Secret(found) if isinstance(found, str) and found else None

    def _save(self, device: str, packed: Secret, patience: Patience) -> None:
        patience.within(lambda: self._keyring.set_password(SERVICE, device, packed.text()), self.name)
        if self._load(device, patience) != packed:
            raise NoKeyStore(f"{self.name} did not give back what was written to it; it cannot keep a key.")


def find_os_store(
    allow: Sequence[str], *, unsafe_test: bool = False, patience: Patience | None = None
) -> tuple[OsStore | None, list[Refusal]]:
    """The first backend of `allow` (module.Class) that works here, and why those before it did not."""
    patience = patience or Patience()
    refusals: list[Refusal] = []
    for name in allow:
        try:
            keyring = open_keyring(name, unsafe_test=unsafe_test, patience=patience)
        except NoKeyStore as error:
            refusals.append(Refusal(name, error.sentence))
        else:
            return OsStore(name, keyring, seconds=patience.seconds), refusals
    return None, refusals


def open_keyring(name: str, *, unsafe_test: bool, patience: Patience | None = None) -> Any:
    """An instance of the very class `name`; the environment's and keyringrc's choice is never asked. Raises NoKeyStore."""
    _refuse_plain(name, unsafe_test=unsafe_test)
    return (patience or Patience()).within(lambda: _instantiate(name, unsafe_test=unsafe_test), name)


def _instantiate(name: str, *, unsafe_test: bool) -> Any:
    # The keyring library lets KEYRING_PROPERTY_… change attributes of a backend; that is a choice of the environment too.
    for variable in [variable for variable in os.environ if variable.startswith("KEYRING_PROPERTY_")]:
        del os.environ[variable]
    module, _, kind = name.rpartition(".")
    found: Any = getattr(import_module(module), kind)
    # The same class may be had under another name.
    _refuse_plain(f"{found.__module__}.{found.__qualname__}", unsafe_test=unsafe_test)
    _ = found.priority  # raises when the backend cannot work here
    return found()


def _refuse_plain(name: str, *, unsafe_test: bool) -> None:
    if name.startswith(_REFUSED) and not unsafe_test:
        raise NoKeyStore(f"{name} does not encrypt; it is never used.")
