"""What a cache file remembers beside its rows: how far the feed was followed, the policy, the time, the receipt it still owes."""

from datetime import datetime
from sqlite3 import Connection

import msgspec

from wabiz_tui.desk.cache.reading import get_meta
from wabiz_tui.desk.cache.stored import stored
from wabiz_tui.desk.cache.writing import set_meta
from wabiz_tui.model.codec import encode
from wabiz_tui.model.shift import ShiftStanding
from wabiz_tui.model.wire import ReceiptCounts, SignedPolicy

PENDING = "pending_receipt"
_MARKS = "marks"


class Marks(msgspec.Struct, frozen=True, omit_defaults=True):
    """`floor` is the latest time this device has known: no earlier one is believed."""

    cursor: int = 0
    policy: SignedPolicy | None = None
    floor: datetime | None = None
    residue_since: datetime | None = None
    """Since when words lie in the file that no row holds any more; None when a rebuild has destroyed them."""
    forgotten_until: datetime | None = None
    """The time of the latest message this machine has purged: what is not later is not fetched from the hub again unasked."""
    has_left_out: bool = False
    """Whether there were more messages than the policy lets this machine hold."""
    stands: ShiftStanding | None = None
    """How the hub last said that the shift stands."""
    unknown_to: str = ""
    """The version of wabiz that was told what it does not know, so that a later one reads the feed again; empty when none was."""


class Pending(msgspec.Struct, frozen=True):
    """What a rebuild destroyed, kept in the file that it made until the receipt is written: a kill in between loses no receipt."""

    epoch: int
    next_epoch: int
    policy: int
    reason: str
    started_at: datetime
    removed: ReceiptCounts
    kept: ReceiptCounts
    ids_hash: str


def load_marks(connection: Connection) -> Marks:
    raw = get_meta(connection, _MARKS)
    return Marks() if raw is None else stored(raw, Marks)


def change_marks(connection: Connection, **changes: object) -> None:
    set_meta(connection, _MARKS, encode(msgspec.structs.replace(load_marks(connection), **changes)))


def load_pending(connection: Connection) -> Pending | None:
    raw = get_meta(connection, PENDING)
    return None if raw is None else stored(raw, Pending)
