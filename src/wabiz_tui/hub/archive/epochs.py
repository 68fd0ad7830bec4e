"""Purge epochs of devices and the receipts that end them: the record is here, the shares themselves in the file of shares.

The record of a destruction commits first and the share is destroyed right after, so nothing is destroyed that is not on
record; `destroy_recorded` catches up at the start with what a crash came between.
"""

import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.engine.sql import put
from wabiz_tui.hub.archive.store import Archive, Reading, Writing
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.wire import SignedReceipt

_epoch, _receipt = schema.epoch.c, schema.receipt.c


def share_name(device: str, epoch: int) -> str:
    return f"share/{device}/{epoch}"


def outbox_share_name(device: str) -> str:
    return f"outbox/{device}"


def begin_epoch(writing: Writing, device: str, epoch: int) -> None:
    """Make the share of a device's epoch; a second call changes nothing."""
    row = {"tenant": writing.tenant, "device": device, "epoch": epoch}
    known = writing.connection.execute(
        sa.select(_epoch.epoch).where(_epoch.tenant == writing.tenant, _epoch.device == device, _epoch.epoch == epoch)
    ).first()
    if known is None:
        put(writing.connection, schema.epoch, [{**row, "begun_ms": writing.now_ms}])
        writing.archive.shares.make(share_name(device, epoch))


def end_epochs(writing: Writing, device: str, *, up_to: int | None, reason: str) -> int:
    """Record that the shares of this device's epochs (up to one, or all) are destroyed, and destroy them after the commit."""
    query = sa.update(schema.epoch).where(_epoch.tenant == writing.tenant, _epoch.device == device, _epoch.destroyed_ms.is_(None))
    if up_to is not None:
        query = query.where(_epoch.epoch <= up_to)
    ended = writing.connection.execute(query.values(destroyed_ms=writing.now_ms, reason=reason).returning(_epoch.epoch)).all()
    names = [share_name(device, row.epoch) for row in ended]
    if up_to is None:
        names.append(outbox_share_name(device))
    shares = writing.archive.shares
    if names:
        writing.afterwards(lambda: shares.destroy(names))
    return len(ended)


def destroy_recorded(archive: Archive) -> int:
    """Destroy the shares that the record says are destroyed but a crash left; how many."""
    with archive.reading() as reading:
        ended = reading.connection.execute(
            sa.select(_epoch.device, _epoch.epoch).where(_epoch.tenant == reading.tenant, _epoch.destroyed_ms.is_not(None))
        ).all()
        revoked = reading.connection.execute(
            sa.select(schema.device.c.id).where(schema.device.c.tenant == reading.tenant, schema.device.c.revoked_ms.is_not(None))
        ).all()
    due = {share_name(row.device, row.epoch) for row in ended} | {outbox_share_name(row.id) for row in revoked}
    left = due.intersection(archive.shares.names("share/") + archive.shares.names("outbox/"))
    return archive.shares.destroy(sorted(left)) if left else 0


def find_share(reading: Reading, device: str, epoch: int) -> bytes | None:
    return reading.archive.shares.find(share_name(device, epoch))


def add_receipt(writing: Writing, device: str, number: int, signed: SignedReceipt) -> None:
    writing.connection.execute(
        sa.insert(schema.receipt).values(
            tenant=writing.tenant, device=device, number=number, signed=encode(signed).decode(), received_ms=writing.now_ms
        )
    )


def find_receipt(reading: Reading, device: str, number: int) -> SignedReceipt | None:
    row = reading.connection.execute(
        sa.select(_receipt.signed).where(_receipt.tenant == reading.tenant, _receipt.device == device, _receipt.number == number)
    ).first()
    return None if row is None else decode(row.signed, SignedReceipt)


def list_receipts(reading: Reading, device: str | None) -> list[SignedReceipt]:
    """All receipts of one device, or of all, oldest first."""
    query = sa.select(_receipt.signed).where(_receipt.tenant == reading.tenant).order_by(_receipt.device, _receipt.number)
    if device is not None:
        query = query.where(_receipt.device == device)
    return [decode(row.signed, SignedReceipt) for row in reading.connection.execute(query)]
