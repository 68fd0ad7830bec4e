"""The key store of the operating system, by name: only backends known to encrypt, chosen here and not by the environment."""

import os
import threading
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NamedTuple, TypeVar

from wabiz_tui.model.errors import NoKeyStore
from wabiz_tui.model.secret import Secret

T = TypeVar("T")
SERVICE = "wabiz"
_REFUSED = ("keyring.backends.null.", "keyring.backends.fail.", "keyring.backends.chainer.", "keyrings.alt.")
_PATIENCE = 3.0


class Refusal(NamedTuple):
    """Why a store is not used, in one sentence for `wabiz doctor`."""

    store: str
    reason: str


class OsStore:
    """One backend of the keyring library. Every call gives up after three seconds: a desktop may wait for a click for ever."""

    def __init__(self, backend: str, keyring: Any) -> None:
        self.name = backend
        self._keyring = keyring

    def load(self, device: str) -> Secret | None:
        """Raises NoKeyStore when the store does not answer."""
        found: object = _within_patience(lambda: self._keyring.get_password(SERVICE, device), self.name)
        return Secret(found) if isinstance(found, str) and found else None

    def save(self, device: str, packed: Secret) -> None:
        """Written, read back and compared. Raises NoKeyStore when any of it fails."""
        _within_patience(lambda: self._keyring.set_password(SERVICE, device, packed.text()), self.name)
        if self.load(device) != packed:
            raise NoKeyStore(f"{self.name} did not give back what was written to it; it cannot keep a key.")

    def delete(self, device: str) -> None:
        _within_patience(lambda: self._keyring.delete_password(SERVICE, device), self.name)

    def prove(self, random_bytes: Callable[[int], bytes]) -> None:
        """Write, read and delete a throw-away entry, so that an enrolment does not fail after its code is spent."""
        name = f"probe-{random_bytes(8).hex()}"
        self.save(name, Secret(random_bytes(16).hex()))
        self.delete(name)


def find_os_store(allow: Sequence[str], *, unsafe_test: bool = False) -> tuple[OsStore | None, list[Refusal]]:
    """The first backend of `allow` (module.Class) that works here, and why those before it did not."""
    refusals: list[Refusal] = []
    for name in allow:
        try:
            return OsStore(name, open_keyring(name, unsafe_test=unsafe_test)), refusals
        except NoKeyStore as error:
            refusals.append(Refusal(name, error.sentence))
    return None, refusals


def open_keyring(name: str, *, unsafe_test: bool) -> Any:
    """An instance of the very class `name`; the environment's and keyringrc's choice is never asked. Raises NoKeyStore."""
    _refuse_plain(name, unsafe_test=unsafe_test)
    return _within_patience(lambda: _instantiate(name, unsafe_test=unsafe_test), name)


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


def _within_patience(work: Callable[[], T], name: str) -> T:
    """Run on a thread of its own that is left behind when it hangs; every failure becomes one sentence."""
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except Exception as error:  # noqa: BLE001 a backend may raise anything; what it was is told below
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True, name="key-store")
    thread.start()
    thread.join(_PATIENCE)
    if failed and isinstance(failed[0], NoKeyStore):
        raise failed[0]
    if failed:
        raise NoKeyStore(f"{name} does not work here ({_told(failed[0])}).") from failed[0]
    if not done:
        raise NoKeyStore(f"{name} did not answer within {_PATIENCE:g} seconds.")
    return done[0]


def _told(error: BaseException) -> str:
    words = " ".join(str(error).split())[:160].rstrip(".")
    return words or type(error).__name__
