"""The warm start: opened keys in the kernel keyring for as long as the lease runs, so that a restart asks neither hub nor person."""

import base64
from datetime import datetime
from typing import NamedTuple

import msgspec

from wabiz_tui.desk.keys import kernel
from wabiz_tui.desk.keys.bundle import Bundle, pack, unpack
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.errors import BadInput
from wabiz_tui.model.secret import Secret


class Warm(NamedTuple):
    """What a restart needs. `epochs` holds the key of each epoch whose file may exist: two while a purge switches files.

    `bundle` is there when the key store would ask for a passphrase: without it a warm desk could neither speak to the hub
    nor derive the key of the next epoch."""

    epochs: dict[int, Secret]
    outbox: Secret
    lease_until: datetime
    bundle: Bundle | None


class _Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    version: int
    epochs: dict[str, str]
    outbox: str
    lease_until: datetime
    bundle: str = ""


def keep(device: str, warm: Warm, *, now: datetime) -> bool:
    """Put the keys into the kernel until the lease ends; False where the kernel does not take them."""
    seconds = int((warm.lease_until - now).total_seconds())
    kept = _Kept(
        version=1,
        epochs={str(epoch): _text(key) for epoch, key in warm.epochs.items()},
        outbox=_text(warm.outbox),
        lease_until=warm.lease_until,
        bundle="" if warm.bundle is None else pack(warm.bundle).text(),
    )
    try:
        kernel.put(_name(device), Secret(encode(kept)), seconds=seconds)
    except kernel.KernelRefusal:
        return False
    return True


def find(device: str, *, now: datetime) -> Warm | None:
    """The keys, if the kernel still has them and the lease runs by our own count of time too."""
    raw = kernel.get(_name(device))
    if raw is None:
        return None
    try:
        kept = decode(raw.reveal(), _Kept)
        epochs = {int(epoch): Secret(base64.b64decode(key)) for epoch, key in kept.epochs.items()}
        bundle = unpack(Secret(kept.bundle)) if kept.bundle else None
    except (BadInput, ValueError):
        return None
    finally:
        raw.forget()
    if kept.version != 1 or kept.lease_until <= now:
        drop(device)
        return None
    return Warm(epochs, Secret(base64.b64decode(kept.outbox)), kept.lease_until, bundle)


def drop(device: str) -> None:
    """Destroy the kernel's copy at once."""
    kernel.take(_name(device))


def _name(device: str) -> str:
    return f"wabiz:{device}"


def _text(secret: Secret) -> str:
    return base64.b64encode(secret.reveal()).decode()
