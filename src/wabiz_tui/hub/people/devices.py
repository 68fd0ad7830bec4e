"""Devices: their shares and purge epochs, the receipts that end an epoch, and revocation."""

import msgspec

from wabiz_tui.hub.archive import people as rows
from wabiz_tui.hub.archive.epochs import (
    add_receipt,
    begin_epoch,
    end_epochs,
    find_receipt,
    find_share,
    forget_leases,
    is_offered,
    last_overdue_epoch,
    outbox_share_name,
)
from wabiz_tui.hub.archive.epochs import note_lease as note_held
from wabiz_tui.hub.archive.people import DeviceRecord
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.archive.times import to_ms
from wabiz_tui.hub.audit import Act, checkpoint, record
from wabiz_tui.hub.processes.bus import DEVICE_REVOKED
from wabiz_tui.model.codec import decode
from wabiz_tui.model.errors import BadInput, Conflict, NotFound, Revoked
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.wire import Receipt, ReceiptReply, ShareReply, SignedReceipt
from wabiz_tui.policy.document import Policy
from wabiz_tui.policy.overdue import share_held_for
from wabiz_tui.proof.armour import to_base64
from wabiz_tui.proof.receipts import verify_next, verify_receipt


def share_of(reading: Reading, device: DeviceRecord, policy: Policy, *, epoch: int | None = None) -> ShareReply:
    """The share of the device's current epoch, or of an earlier one that lives still. Raises NotFound for a dead one."""
    wanted = device.epoch if epoch is None else epoch
    share = find_share(reading, device.id, wanted)
    outbox = reading.archive.shares.find(outbox_share_name(device.id))
    if share is None or outbox is None:
        raise NotFound("The share of this epoch is destroyed; what was sealed with it can no longer be opened.", code="share_destroyed")
    return ShareReply(
        epoch=wanted,
        share=to_base64(share),
        outbox_share=to_base64(outbox),
        lease=int(policy.cache.lease.total_seconds()),
        at=reading.now,
        reset=device.is_overdue and is_offered(reading, device.id, wanted),
    )


def give_share(writing: Writing, device: str, policy: Policy, *, policy_version: int, epoch: int | None = None) -> ShareReply:
    """As `share_of`, of the device as it stands now, and its lease begins anew. Raises NotFound, Revoked."""
    current = current_device(writing, device)
    reply = share_of(writing, current, policy, epoch=epoch)
    note_lease(writing, current, policy, policy_version=policy_version)
    return reply


def note_lease(writing: Writing, device: DeviceRecord, policy: Policy, *, policy_version: int) -> None:
    """Remember until when this device may open its cache without the hub."""
    until = to_ms(writing.now + policy.cache.lease)
    rows.note_device(writing, device.id, seen_ms=writing.now_ms, lease_until_ms=until, policy=policy_version)
    note_held(writing, device.id, until=writing.now + share_held_for(policy.cache))


def begin_next_epoch(
    writing: Writing, device: str, after: int, policy: Policy, *, policy_version: int, is_closed: bool = False
) -> ShareReply:
    """Begin the epoch after `after`; asked twice, the same answer. The earlier share lives until its receipt comes. Whoever is closed
    out gets what a purge needs and no more: no share of the outbox, which is there already, and a share that ends with the process."""
    current = current_device(writing, device)
    if after not in (current.epoch, current.epoch - 1):
        raise Conflict("The device is in another epoch than it says; ask for the current share first.", code="epoch_conflict")
    if after == current.epoch:
        begin_epoch(writing, device, after + 1)
        rows.note_device(writing, device, epoch=after + 1)
        current = current._replace(epoch=after + 1)
    note_lease(writing, current, policy, policy_version=policy_version)
    reply = share_of(writing, current, policy)
    return msgspec.structs.replace(reply, outbox_share="", lease=0) if is_closed else reply


def begins_anew(reading: Reading, device: str, after: int) -> bool:
    """Whether the epoch `after` is the device's newest and lives: what it holds is purged by going on to the next one, whose share
    opens nothing that there is yet."""
    return current_device(reading, device).epoch == after and find_share(reading, device, after) is not None


def accept_receipt(writing: Writing, device: DeviceRecord, signed: SignedReceipt, *, audit_key: Secret) -> ReceiptReply:
    """Verify a receipt and its place in the device's chain, record it, and destroy the share of its epoch.

    Record, audit entry and the mark of destruction are one transaction; the same receipt again gets the same answer.
    Raises BadSignature, BadInput, Conflict."""
    receipt = verify_receipt(signed, device.public_key)
    if receipt.device != device.id or receipt.tenant != writing.tenant:
        raise BadInput("The receipt is of another device or business.")
    known = find_receipt(writing, device.id, receipt.number)
    if known is not None:
        if known.receipt != signed.receipt:
            raise Conflict("There is another receipt of that number; a chain has one.", code="receipt_conflict")
        return ReceiptReply(number=receipt.number, share_destroyed=True, checkpoint=checkpoint(writing, audit_key))
    current = rows.find_device(writing, device.id) or device
    verify_next(signed, device.public_key, previous=find_receipt(writing, device.id, current.receipt_number))
    _check_epochs(receipt, current)
    add_receipt(writing, device.id, receipt.number, signed)
    rows.note_device(writing, device.id, receipt_number=receipt.number, last_receipt_ms=writing.now_ms, policy=receipt.policy)
    destroyed = end_epochs(writing, device.id, up_to=receipt.epoch, reason="receipt")
    if current.is_overdue and receipt.epoch >= last_overdue_epoch(writing, device.id):
        rows.note_device(writing, device.id, overdue_ms=None)
    details = {"number": receipt.number, "epoch": receipt.epoch, "reason": receipt.reason, "messages": receipt.removed.messages}
    record(writing, Act("receipt.recorded", by=device.person.id, device=device.id, about=device.id, details=details))
    if destroyed:
        record(writing, Act("share.destroyed", device=device.id, about=device.id, details={"epoch": receipt.epoch, "cause": "receipt"}))
    return ReceiptReply(number=receipt.number, share_destroyed=True, checkpoint=checkpoint(writing, audit_key))


def revoke(writing: Writing, device_id: str, *, by: str) -> DeviceRecord:
    """End a device for good: all its shares, the outbox's among them, are destroyed. Raises NotFound.

    Its tokens stay on record until they run out, so that their next use is told why it is refused."""
    device = rows.find_device(writing, device_id)
    if device is None:
        raise NotFound("There is no such device.")
    if rows.revoke_device(writing, device_id):
        end_epochs(writing, device_id, up_to=None, reason="revoked")
        forget_leases(writing, device_id, before=None)
        writing.tell(DEVICE_REVOKED, device_id)
        record(writing, Act("device.revoked", by=by, device=device_id, about=device_id))
    return device._replace(is_revoked=True)


def current_device(reading: Reading, device: str) -> DeviceRecord:
    """As it stands in this transaction: since the request was let in it may have been revoked, or its epoch ended."""
    found = rows.find_device(reading, device)
    if found is None or found.is_revoked:
        raise revoked()
    return found


def revoked() -> Revoked:
    return Revoked("An administrator has revoked this device; what it holds can no longer be opened.")


def _check_epochs(receipt: Receipt, device: DeviceRecord) -> None:
    if receipt.next_epoch > device.epoch:
        raise BadInput("The receipt speaks of an epoch that has not begun.")


def receipt_of(signed: SignedReceipt) -> Receipt:
    return decode(signed.receipt, Receipt)
