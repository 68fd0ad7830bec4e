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
    local: Secret
    seed: Secret

    def forget(self) -> None:
        self.local.forget()
        self.seed.forget()


class _Packed(msgspec.Struct, frozen=True):
    version: int
    local: str
    seed: str


def make_bundle(random_bytes: Callable[[int], bytes]) -> Bundle:
    return Bundle(Secret(random_bytes(SIZE)), Secret(random_bytes(SIZE)))


def pack(bundle: Bundle) -> Secret:
    """The bundle as text that any key store can keep."""
    local, seed = (base64.b64encode(half.reveal()).decode() for half in bundle)
    return Secret(encode(_Packed(1, local, seed)))


def unpack(packed: Secret) -> Bundle:
    """Raises BadInput that repeats nothing of it."""
    kept = decode(packed.reveal(), _Packed)
    try:
        local, seed = base64.b64decode(kept.local, validate=True), base64.b64decode(kept.seed, validate=True)
    except binascii.Error as error:
        raise BadInput("The key store holds something else than wabiz put there.") from error
    if kept.version != 1 or len(local) != SIZE or len(seed) != SIZE:
        raise BadInput("The key store holds something else than this version of wabiz puts there.")
    return Bundle(Secret(local), Secret(seed))
