"""What a device must keep to be itself: the local secret (half of every database key) and the seed of its Ed25519 key."""

import base64
import binascii
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.errors import BadInput
from wabiz_tui.model.secret import Secret

SIZE = 32


class Bundle(NamedTuple):
    """`previous` is the local secret before `local`, as long as a file may still be under a key of it (desk/keys/rotation.py)."""

    local: Secret
    seed: Secret
    previous: Secret | None = None

    @property
    def locals(self) -> tuple[Secret, ...]:
        """Every local secret that a file may need, the one in force first."""
        return (self.local,) if self.previous is None else (self.local, self.previous)

    def forget(self) -> None:
        for secret in (*self.locals, self.seed):
            secret.forget()


class _Packed(msgspec.Struct, frozen=True, omit_defaults=True):
    """Version 2 has a previous secret, without which whoever knows only version 1 would take good files for damaged ones."""

    version: int
    local: str
    seed: str
    previous: str = ""


def make_bundle(random_bytes: Callable[[int], bytes]) -> Bundle:
    return Bundle(Secret(random_bytes(SIZE)), Secret(random_bytes(SIZE)))


def pack(bundle: Bundle) -> Secret:
    """The bundle as text that any key store can keep."""
    local, seed = _text(bundle.local), _text(bundle.seed)
    packed = _Packed(1, local, seed) if bundle.previous is None else _Packed(2, local, seed, _text(bundle.previous))
    return Secret(encode(packed))


def unpack(packed: Secret) -> Bundle:
    """Raises BadInput that repeats nothing of it."""
    kept = decode(packed.reveal(), _Packed)
    try:
        halves = [base64.b64decode(half, validate=True) for half in (kept.local, kept.seed, kept.previous)]
    except binascii.Error as error:
        raise BadInput("The key store holds something else than wabiz put there.") from error
    sizes = [len(half) for half in halves]
    if sizes != {1: [SIZE, SIZE, 0], 2: [SIZE, SIZE, SIZE]}.get(kept.version):
        raise BadInput("The key store holds something else than this version of wabiz puts there.")
    local, seed, previous = (Secret(half) for half in halves)
    return Bundle(local, seed, previous or None)


def _text(secret: Secret) -> str:
    return base64.b64encode(secret.reveal()).decode()
