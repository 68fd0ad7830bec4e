"""The bundle in a file sealed by a key that only a certain ssh-agent key can make: HKDF of its signature over a random salt.

Ed25519 and RSA (PKCS #1 v1.5) signatures of the same bytes are the same bytes (RFC 8032 §5.1.6, RFC 8017 §8.2), and whoever
could predict one could forge; so the signature is a secret that need not be stored. docs/decisions/ssh-agent.md weighs it.
"""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from wabiz_tui.desk.files import destroy
from wabiz_tui.desk.keys.patience import SECONDS, Patience
from wabiz_tui.desk.keys.sealed_file import NONCE_SIZE, bytes_of, read_sealed, text_of, unseal, write_sealed
from wabiz_tui.desk.keys.ssh_agent import Agent, AgentKey, Refused
from wabiz_tui.model.errors import NewerSchema, NoKeyStore, WrongKey
from wabiz_tui.model.secret import Secret

NAME = "local-secret-agent.json"
_SALT_SIZE = 32


class _Header(msgspec.Struct, frozen=True):
    """All that is not secret; it is authenticated together with the sealed part."""

    device: str
    fingerprint: str
    salt: str
    nonce: str
    version: int = 1
    kdf: str = "hkdf-sha256 of a sshsig"
    cipher: str = "aes-256-gcm"


class AgentFile:
    """A key store that needs the ssh-agent for every `load` and `save`, and gives up after `seconds`.

    `fingerprint` names the key for `save`; empty means the only suitable one. `load` uses the one that the file names."""

    name = "ssh-agent"

    def __init__(
        self, folder: Path, fingerprint: str = "", *, seconds: float = SECONDS, random_bytes: Callable[[int], bytes] = os.urandom
    ) -> None:
        self.path = folder / NAME
        self._fingerprint, self._seconds, self._random = fingerprint, seconds, random_bytes

    def load(self, device: str) -> Secret | None:
        """None when there is no file. Raises NoKeyStore with what is wrong with the agent, WrongKey for a changed file."""
        if not self.path.exists():
            return None
        file = read_sealed(self.path, _Header)
        header = file.header
        if header.version != 1 or header.kdf != _Header.__struct_defaults__[1] or header.cipher != "aes-256-gcm":
            raise NewerSchema(f"{self.path.name} was written by another version of wabiz; update wabiz.", path=self.path)
        if header.device != device:
            raise WrongKey(f"{self.path.name} belongs to another device; `wabiz wipe` and enrol again.")
        salt = bytes_of(header.salt, self.path)
        (signature,) = self._signatures(header.fingerprint, device, salt, times=1)
        opened = unseal(file, self.path, header.nonce, lambda: _key(signature, salt, device))
        if opened is None:
            raise WrongKey(f"The ssh-agent's key {header.fingerprint} does not open {self.path.name}; `wabiz wipe` and enrol again.")
        return opened

    def save(self, device: str, packed: Secret) -> None:
        """Signed twice and compared; durable when it returns; read back and compared. Raises NoKeyStore."""
        salt, nonce = self._random(_SALT_SIZE), self._random(NONCE_SIZE)
        fingerprint, signature = self._repeated(device, salt)
        header = _Header(device, fingerprint, text_of(salt), text_of(nonce))
        write_sealed(self.path, header, nonce, _key(signature, salt, device), packed)
        if self.load(device) != packed:
            raise NoKeyStore(f"{self.path.name} did not give back what was written to it.")

    def delete(self, device: str) -> None:
        destroy(self.path)

    def fingerprint(self) -> str:
        """Of the key that seals the file, or that is asked for; empty where neither says."""
        return self._fingerprint or (read_sealed(self.path, _Header).header.fingerprint if self.path.exists() else "")

    def prove(self) -> str:
        """That the agent has a key whose signatures repeat, so that an enrolment does not fail after its code is spent; its
        fingerprint. Raises NoKeyStore."""
        return self._repeated("probe", self._random(_SALT_SIZE))[0]

    def _repeated(self, device: str, salt: bytes) -> tuple[str, Secret]:
        agent = Agent(Patience(self._seconds))
        try:
            key = _choose(agent.keys(), self._fingerprint)
        finally:
            agent.close()
        once, again = self._signatures(key.fingerprint, device, salt, times=2)
        if once != again:
            raise NoKeyStore(f"The ssh-agent's key {key.fingerprint} signs differently each time; only Ed25519 and RSA keys will do.")
        return key.fingerprint, once

    def _signatures(self, fingerprint: str, device: str, salt: bytes, *, times: int) -> list[Secret]:
        agent = Agent(Patience(self._seconds))
        try:
            key = _choose(agent.keys(), fingerprint)
            return [agent.sign(key, _message(device, salt)) for _ in range(times)]
        except Refused as error:
            raise NoKeyStore(
                f"The ssh-agent would not sign with {fingerprint}: the agent is locked, the confirmation was refused (ssh-add -c), "
                "or the key may be used for certain hosts only (ssh-add -h)."
            ) from error
        finally:
            agent.close()


def _choose(keys: list[AgentKey], fingerprint: str) -> AgentKey:
    """The key of that fingerprint, or the only suitable one. Raises NoKeyStore with the way out."""
    if not keys:
        raise NoKeyStore("The ssh-agent shows no key: it is locked (ssh-add -X), or empty (ssh-add).")
    named = [key for key in keys if key.fingerprint == fingerprint]
    if fingerprint and not named:
        raise NoKeyStore(f"The ssh-agent does not have the key {fingerprint} (any more): ssh-add it.")
    found = named or [key for key in keys if key.is_suitable]
    if not found or not found[0].is_suitable:
        kinds = ", ".join(sorted({key.kind for key in named or keys}))[:200]
        raise NoKeyStore(f"No key of the ssh-agent signs the same twice ({kinds}): only Ed25519 and RSA keys do, on no security key.")
    if len(found) > 1:
        raise NoKeyStore(
            "The ssh-agent has several keys that will do: name one with [keys] ssh_key in config.toml, as `ssh-add -l` prints it."
        )
    return found[0]


def _message(device: str, salt: bytes) -> bytes:
    return b"wabiz/ssh-agent/v1|" + device.encode() + b"|" + salt


def _key(signature: Secret, salt: bytes, device: str) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"wabiz/ssh-agent/v1|" + device.encode()).derive(signature.reveal())
