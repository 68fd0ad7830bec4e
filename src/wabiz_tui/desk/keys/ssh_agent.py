"""Speak to the ssh-agent behind SSH_AUTH_SOCK: which keys it shows, and one signature of one of them.

The protocol is draft-ietf-sshm-ssh-agent (OpenSSH's PROTOCOL.agent): a length of 32 bits, a kind of one byte, strings with
their length before them. What is signed has the form that `ssh-keygen -Y sign` gives it (OpenSSH's PROTOCOL.sshsig), with a
namespace of our own: no login ever signs such bytes.
"""

import base64
import hashlib
import os
import socket
from collections.abc import Mapping
from typing import NamedTuple

from wabiz_tui.desk.keys.patience import Patience
from wabiz_tui.model.errors import NoKeyStore
from wabiz_tui.model.secret import Secret

SOCKET = "SSH_AUTH_SOCK"
NAMESPACE = b"local-secret@wabiz"
_LIST, _LISTED, _SIGN, _SIGNED = 11, 12, 13, 14
_RSA_SHA2_512 = 4
_LARGEST_ANSWER = 256 * 1024
_MOST_KEYS = 500
_LEAST_RSA_BYTES = 256
_ALGORITHMS = {"ssh-ed25519": "ssh-ed25519", "ssh-rsa": "rsa-sha2-512"}


class AgentKey(NamedTuple):
    """A public key that the agent shows; `blob` is its form on the wire."""

    kind: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """As `ssh-add -l` prints it."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")

    @property
    def is_suitable(self) -> bool:
        """Whether its signatures repeat exactly: ECDSA's are random, a security key's count upwards."""
        return self.kind in _ALGORITHMS


class Refused(Exception):
    """The agent answered, and would not."""


class Agent:
    """One connection to the agent. Every failure but its refusal is a NoKeyStore with the sentence for a person."""

    def __init__(self, patience: Patience, environment: Mapping[str, str] = os.environ) -> None:
        path = environment.get(SOCKET, "")
        if not path:
            raise NoKeyStore(f"No ssh-agent is here: {SOCKET} is not set; log in with agent forwarding (ssh -A), or start one and ssh-add.")
        self._patience = patience
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._wait()
            self._socket.connect(path)
        except OSError as error:
            self._socket.close()
            raise NoKeyStore(
                f"No ssh-agent answers at {SOCKET}: it has ended, or the login that forwarded it has; log in again."
            ) from error

    def close(self) -> None:
        self._socket.close()

    def keys(self) -> list[AgentKey]:
        """Those it shows; none while it is locked."""
        try:
            answer = self._ask(_LIST, b"", _LISTED)
        except Refused:
            return []
        parts = _Parts(answer)
        found: list[AgentKey] = []
        for _ in range(min(parts.number(), _MOST_KEYS)):
            blob, _comment = parts.string(), parts.string()
            found.append(AgentKey(_Parts(blob).string().decode("ascii", "replace"), blob))
        return found

    def sign(self, key: AgentKey, message: bytes) -> Secret:
        """The bare signature over the SSHSIG form of `message`, proved with the public key. Raises Refused."""
        data = sshsig_data(message)
        answer = self._ask(_SIGN, _string(key.blob) + _string(data) + _RSA_SHA2_512.to_bytes(4, "big"), _SIGNED)
        parts = _Parts(_Parts(answer).string())
        algorithm, signature = parts.string().decode("ascii", "replace"), parts.string()
        if algorithm != _ALGORITHMS.get(key.kind) or not _is_genuine(key, signature, data):
            raise NoKeyStore("The ssh-agent gave a signature that is not the key's; nothing can be kept with it.")
        return Secret(signature)

    def _ask(self, kind: int, body: bytes, wanted: int) -> bytes:
        try:
            self._wait()
            self._socket.sendall((1 + len(body)).to_bytes(4, "big") + bytes((kind,)) + body)
            size = int.from_bytes(self._read(4), "big")
            if not 1 <= size <= _LARGEST_ANSWER:
                raise NoKeyStore(f"What listens at {SOCKET} does not speak as an ssh-agent does.")
            answer = self._read(size)
        except TimeoutError as error:
            raise NoKeyStore(
                f"The ssh-agent did not answer within {self._patience.seconds:g} seconds: "
                "if its key waits for somebody to confirm, add it without (ssh-add, not ssh-add -c)."
            ) from error
        except OSError as error:
            raise NoKeyStore("The ssh-agent went away before it answered; log in again.") from error
        if answer[0] != wanted:
            raise Refused
        return answer[1:]

    def _read(self, size: int) -> bytes:
        read = b""
        while len(read) < size:
            self._wait()
            more = self._socket.recv(size - len(read))
            if not more:
                raise ConnectionResetError
            read += more
        return read

    def _wait(self) -> None:
        left = self._patience.left()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)


def sshsig_data(message: bytes) -> bytes:
    """What is signed for `message`: `ssh-keygen -Y sign -n local-secret@wabiz` signs the same bytes."""
    return b"SSHSIG" + b"".join(map(_string, (NAMESPACE, b"", b"sha512", hashlib.sha512(message).digest())))


def _is_genuine(key: AgentKey, signature: bytes, data: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA512
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key

    try:
        public = load_ssh_public_key(key.kind.encode() + b" " + base64.b64encode(key.blob))
        if isinstance(public, Ed25519PublicKey):
            public.verify(signature, data)
            return True
        if isinstance(public, RSAPublicKey) and public.key_size >= _LEAST_RSA_BYTES * 8:
            public.verify(signature, data, PKCS1v15(), SHA512())
            return True
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        return False
    return False


def _string(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


class _Parts:
    """Reads what an agent sent, which may be anything."""

    def __init__(self, raw: bytes) -> None:
        self._raw, self._at = raw, 0

    def number(self) -> int:
        return int.from_bytes(self._take(4), "big")

    def string(self) -> bytes:
        return self._take(self.number())

    def _take(self, size: int) -> bytes:
        taken = self._raw[self._at : self._at + size]
        if len(taken) < size:
            raise NoKeyStore(f"What listens at {SOCKET} does not speak as an ssh-agent does.")
        self._at += size
        return taken
