"""The bundle in a file of its own, wrapped by a passphrase: Argon2id makes a key of it, AES-256-GCM seals with that key."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from wabiz_tui.desk.files import destroy
from wabiz_tui.desk.keys.sealed_file import NONCE_SIZE, SealedFile, bytes_of, read_sealed, text_of, unseal, write_sealed
from wabiz_tui.model.errors import BadInput, NewerSchema, NoKeyStore, WrongKey
from wabiz_tui.model.secret import Secret

NAME = "local-secret.json"


class Cost(NamedTuple):
    """Argon2id's parameters. The default takes about 0.2 s on one core (RFC 9106, second recommended option, and a bit more)."""

    memory_kib: int = 65_536
    iterations: int = 3
    lanes: int = 4


USUAL = Cost()
# A file made by somebody else must not be able to take the machine's memory or minutes.
_DEAREST = Cost(memory_kib=1_048_576, iterations=16, lanes=16)


class _Header(msgspec.Struct, frozen=True):
    """All that is not secret; it is authenticated together with the sealed part."""

    device: str
    memory_kib: int
    iterations: int
    lanes: int
    salt: str
    nonce: str
    version: int = 1
    kdf: str = "argon2id"
    cipher: str = "aes-256-gcm"


class PassphraseFile:
    """A key store that needs a passphrase for every `load` and `save`."""

    name = "passphrase file"

    def __init__(self, folder: Path, passphrase: Secret | None, *, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        self.path = folder / NAME
        self._passphrase, self._random = passphrase, random_bytes

    def load(self, device: str) -> Secret | None:
        """None when there is no file. Raises WrongKey for a wrong passphrase, NoKeyStore when none was given."""
        if not self.path.exists():
            return None
        file = _checked(read_sealed(self.path, _Header), self.path)
        self._given()
        if file.header.device != device:
            raise WrongKey(f"{self.path.name} belongs to another device; `wabiz wipe` and enrol again.")
        opened = unseal(file, self.path, file.header.nonce, lambda: _key(self._given(), file.header, self.path))
        if opened is None:
            raise WrongKey("That passphrase is not the one this machine's key was kept under.")
        return opened

    def save(self, device: str, packed: Secret) -> None:
        """Durable when it returns; read back and compared. Raises NoKeyStore without a passphrase."""
        passphrase, salt, nonce = self._given(), self._random(16), self._random(NONCE_SIZE)
        header = _Header(device=device, salt=text_of(salt), nonce=text_of(nonce), **USUAL._asdict())
        write_sealed(self.path, header, nonce, _key(passphrase, header, self.path), packed)
        if self.load(device) != packed:
            raise NoKeyStore(f"{self.path.name} did not give back what was written to it.")

    def delete(self, device: str) -> None:
        destroy(self.path)

    def _given(self) -> Secret:
        if self._passphrase is None:
            raise NoKeyStore(needs_passphrase())
        return self._passphrase


def needs_passphrase() -> str:
    return (
        "This machine has no key store that wabiz may use, so its key is kept under a passphrase: "
        "run in a terminal, give it with --passphrase-fd N, unlock the desktop keyring, or ask for your ssh-agent with [keys] store."
    )


def _checked(file: SealedFile[_Header], path: Path) -> SealedFile[_Header]:
    header = file.header
    if header.version != 1 or header.kdf != "argon2id" or header.cipher != "aes-256-gcm":
        raise NewerSchema(f"{path.name} was written by another version of wabiz; update wabiz.", path=path)
    asked = Cost(header.memory_kib, header.iterations, header.lanes)
    if not all(1 <= part <= most for part, most in zip(asked, _DEAREST, strict=True)) or asked.memory_kib < 8 * asked.lanes:
        raise BadInput(f"{path.name} asks for more work than any passphrase needs; it is not ours.")
    return file


def _key(passphrase: Secret, header: _Header, path: Path) -> bytes:
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    salt = bytes_of(header.salt, path)
    kdf = Argon2id(salt=salt, length=32, iterations=header.iterations, lanes=header.lanes, memory_cost=header.memory_kib)
    return kdf.derive(passphrase.reveal())
