"""Keys from two halves: the device's local secret and the hub's share; one half alone opens nothing."""

import re

from wabiz_tui.model.errors import UsageError
from wabiz_tui.model.secret import Secret

HALF_SIZE = 32
KEY_SIZE = 32
_CACHE_ID = re.compile(r"[0-9a-f]{32}")


def cache_key(local: Secret, share: Secret, *, cache_id: str, agent: str, device: str, epoch: int) -> Secret:
    """The cache's raw key of 32 bytes in this purge epoch: HKDF-SHA256 (RFC 5869) of `local` followed by `share`.

    The salt is the 16 bytes of `cache_id`; the info is `wabiz/cache/v1|agent|device|epoch`. Raises UsageError for parts of
    a wrong form, never naming a secret.
    """
    if epoch < 0:
        raise UsageError("A purge epoch is not negative.")
    return _derive(local, share, cache_id, ("wabiz/cache/v1", _part(agent), _part(device), str(epoch)))


def outbox_key(local: Secret, outbox_share: Secret, *, cache_id: str, agent: str, device: str) -> Secret:
    """The key of outbox and drafts, 32 bytes; it outlives purge epochs. The info is `wabiz/outbox/v1|agent|device`."""
    return _derive(local, outbox_share, cache_id, ("wabiz/outbox/v1", _part(agent), _part(device)))


def _part(text: str) -> str:
    # The info joins its parts with bars: a bar inside one would let two devices share an info.
    if not text or "|" in text:
        raise UsageError("The ids of agent and device are not empty and hold no bar.")
    return text


def _derive(local: Secret, share: Secret, cache_id: str, info: tuple[str, ...]) -> Secret:
    # Fixed sizes keep the join of the halves unambiguous.
    if len(local) != HALF_SIZE or len(share) != HALF_SIZE:
        raise UsageError(f"The local secret and the hub's share are {HALF_SIZE} bytes each.")
    if _CACHE_ID.fullmatch(cache_id) is None:
        raise UsageError("The cache id is 32 hexadecimal digits.")
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    hkdf = HKDF(algorithm=SHA256(), length=KEY_SIZE, salt=bytes.fromhex(cache_id), info="|".join(info).encode())
    return Secret(hkdf.derive(local.reveal() + share.reveal()))
