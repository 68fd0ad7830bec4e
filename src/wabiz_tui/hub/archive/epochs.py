"""Purge epochs of devices and the receipts that end them: the record is here, the shares themselves in the file of shares.

The record of a destruction commits first and the share is destroyed right after, so nothing is destroyed that is not on
record; `destroy_recorded` catches up at the start with what a crash came between.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.engine.sql import put
from wabiz_tui.hub.archive.store import Archive, Reading, Writing
from wabiz_tui.hub.archive.times import from_ms, to_ms
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.wire import SignedReceipt
from wabiz_tui.policy.overdue import Span

_epoch, _receipt = schema.epoch.c, schema.receipt.c
_lease, _uptime = schema.lease.c, schema.uptime.c
OVERDUE = "overdue"
"""Why an epoch ended whose receipt did not come in time."""
SHORTEST_OUTAGE = timedelta(minutes=1)
"""The hub notes that it is up several times a minute; a longer silence was an outage."""


class Epoch(NamedTuple):
    number: int
    begun_at: datetime


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
    """The share, unless the record says that it is destroyed: it may still be on its way out, or in this process's memory."""
    living = reading.connection.execute(
        sa.select(_epoch.epoch).where(*_living(reading), _epoch.device == device, _epoch.epoch == epoch)
    ).first()
    return None if living is None else reading.archive.shares.find(share_name(device, epoch))


def living_epochs(reading: Reading) -> dict[str, list[Epoch]]:
    """Device → its epochs whose shares live, the oldest first."""
    rows = reading.connection.execute(
        sa.select(_epoch.device, _epoch.epoch, _epoch.begun_ms).where(*_living(reading)).order_by(_epoch.device, _epoch.epoch)
    )
    found: dict[str, list[Epoch]] = {}
    for row in rows:
        found.setdefault(row.device, []).append(Epoch(row.epoch, from_ms(row.begun_ms)))
    return found


def last_overdue_epoch(reading: Reading, device: str) -> int:
    """The newest epoch that was ended because its receipt was overdue; 0 for none."""
    query = sa.select(sa.func.max(_epoch.epoch)).where(_epoch.tenant == reading.tenant, _epoch.device == device)
    return reading.connection.execute(query.where(_epoch.reason == OVERDUE)).scalar() or 0


def is_offered(reading: Reading, device: str, epoch: int) -> bool:
    """Whether the hub began this epoch itself, because the one before was overdue: nothing that the device has opens by it."""
    before = schema.epoch.alias("before")
    query = sa.select(_epoch.epoch).join(
        before, (before.c.tenant == _epoch.tenant) & (before.c.device == _epoch.device) & (before.c.epoch == _epoch.epoch - 1)
    )
    query = query.where(_epoch.tenant == reading.tenant, _epoch.device == device, _epoch.epoch == epoch)
    return reading.connection.execute(query.where(before.c.reason == OVERDUE, before.c.destroyed_ms <= _epoch.begun_ms)).first() is not None


def note_lease(writing: Writing, device: str, *, until: datetime) -> None:
    """Remember that the device holds a share from now, without a gap where it still did."""
    of_device = (_lease.tenant == writing.tenant, _lease.device == device)
    newest = sa.select(sa.func.max(_lease.from_ms)).where(*of_device).scalar_subquery()
    running = sa.update(schema.lease).where(*of_device, _lease.from_ms == newest, _lease.until_ms >= writing.now_ms)
    if not writing.connection.execute(running.values(until_ms=to_ms(until))).rowcount:
        put(
            writing.connection,
            schema.lease,
            [{"tenant": writing.tenant, "device": device, "from_ms": writing.now_ms, "until_ms": to_ms(until)}],
        )


def forget_leases(writing: Writing, device: str, *, before: datetime | None) -> None:
    """Forget leases that ended before an instant, or all: nothing is counted by them any more."""
    query = sa.delete(schema.lease).where(_lease.tenant == writing.tenant, _lease.device == device)
    writing.connection.execute(query if before is None else query.where(_lease.until_ms < to_ms(before)))


def leases(reading: Reading) -> dict[str, list[Span]]:
    """Device → when it held a share; leases that run reach into the future."""
    rows = reading.connection.execute(sa.select(schema.lease).where(_lease.tenant == reading.tenant).order_by(_lease.from_ms))
    found: dict[str, list[Span]] = {}
    for row in rows:
        found.setdefault(row.device, []).append(Span(from_ms(row.from_ms), from_ms(row.until_ms)))
    return found


def note_uptime(writing: Writing) -> bool:
    """Remember that the hub is up now; whether another minute has begun since it was noted last. An outage is a gap."""
    newest = writing.connection.execute(
        sa.select(schema.uptime).where(_uptime.tenant == writing.tenant).order_by(_uptime.from_ms.desc()).limit(1)
    ).first()
    now = writing.now_ms
    if newest is not None and now <= newest.until_ms:
        return False
    if newest is not None and now - newest.until_ms <= SHORTEST_OUTAGE // timedelta(milliseconds=1):
        running = sa.update(schema.uptime).where(_uptime.tenant == writing.tenant, _uptime.from_ms == newest.from_ms)
        writing.connection.execute(running.values(until_ms=now))
        return now // 60_000 != newest.until_ms // 60_000
    writing.connection.execute(sa.insert(schema.uptime).values(tenant=writing.tenant, from_ms=now, until_ms=now))
    return True


def forget_uptime(writing: Writing, *, before: datetime) -> None:
    writing.connection.execute(sa.delete(schema.uptime).where(_uptime.tenant == writing.tenant, _uptime.until_ms < to_ms(before)))


def uptime(reading: Reading) -> list[Span]:
    """When the hub could be reached."""
    rows = reading.connection.execute(sa.select(schema.uptime).where(_uptime.tenant == reading.tenant).order_by(_uptime.from_ms))
    return [Span(from_ms(row.from_ms), from_ms(row.until_ms)) for row in rows]


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


def _living(reading: Reading) -> tuple[sa.ColumnElement[bool], ...]:
    return (_epoch.tenant == reading.tenant, _epoch.destroyed_ms.is_(None))
