"""The warm start: opened keys in the kernel keyring for as long as the lease runs, so that a restart asks neither hub nor person."""

import base64
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from wabiz_tui.desk.keys import kernel
from wabiz_tui.desk.keys.bundle import Bundle, pack, unpack
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.errors import BadInput
from wabiz_tui.model.secret import Secret

_VERSION = 2


class Warm(NamedTuple):
    """What a restart needs. `epochs` holds the key of each epoch whose file may exist: two while a purge switches files.

    `bundle` is there when the key store would ask for a passphrase: without it a warm desk could neither speak to the hub
    nor derive the key of the next epoch."""

    epochs: dict[int, Secret]
    outbox: Secret
    lease_until: datetime
    bundle: Bundle | None


def since_boot() -> float:
    """Seconds since the machine started, its sleep counted where the system counts it; no setting of the clock moves it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class _Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    """`over_at` is the lease's end in seconds since boot: the kernel's own timeout goes by the clock on the wall
    (security/keys/key.c of Linux), which whoever has the machine may set back."""

    version: int
    epochs: dict[str, str]
    outbox: str
    lease_until: datetime
    over_at: float
    bundle: str = ""


def keep(device: str, warm: Warm, *, now: datetime, since_boot: Callable[[], float] = since_boot) -> bool:
    """Put the keys into the kernel until the lease ends; False where the kernel does not take them."""
    seconds = int((warm.lease_until - now).total_seconds())
    kept = _Kept(
        version=_VERSION,
        epochs={str(epoch): _text(key) for epoch, key in warm.epochs.items()},
        outbox=_text(warm.outbox),
        lease_until=warm.lease_until,
        over_at=since_boot() + seconds,
        bundle="" if warm.bundle is None else pack(warm.bundle).text(),
    )
    try:
        kernel.put(_name(device), Secret(encode(kept)), seconds=seconds)
    except kernel.KernelRefusal:
        return False
    return True


def find(device: str, *, now: datetime, since_boot: Callable[[], float] = since_boot) -> Warm | None:
    """The keys, if the kernel still has them and the lease runs by the clock and by the seconds that have passed; its end is the
    sooner of the two."""
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
    until = min(kept.lease_until, now + timedelta(seconds=kept.over_at - since_boot()))
    if kept.version != _VERSION or until <= now:
        drop(device)
        return None
    return Warm(epochs, Secret(base64.b64decode(kept.outbox)), until, bundle)


def drop(device: str) -> None:
    """Destroy the kernel's copy at once."""
    kernel.take(_name(device))


def _name(device: str) -> str:
    return f"wabiz:{device}"


def _text(secret: Secret) -> str:
    return base64.b64encode(secret.reveal()).decode()
