"""Devices that owe a purge receipt for too long: the share of the epoch they had is destroyed, and a new epoch offered.

A receipt is owed for an epoch from the instant at which the next one was begun, and for the running one from the instant at which
something fell due that the device may hold. How long is counted by policy/overdue.py.
"""

from datetime import datetime
from itertools import pairwise

from wabiz_tui.hub.archive import people as rows
from wabiz_tui.hub.archive.dues import first_due
from wabiz_tui.hub.archive.epochs import (
    OVERDUE,
    Epoch,
    begin_epoch,
    end_epochs,
    forget_leases,
    forget_uptime,
    leases,
    living_epochs,
    note_uptime,
    uptime,
)
from wabiz_tui.hub.archive.people import DeviceRecord
from wabiz_tui.hub.archive.store import Writing
from wabiz_tui.hub.audit import Act, record
from wabiz_tui.policy.document import Policy
from wabiz_tui.policy.overdue import Span, is_overdue


def tend(writing: Writing, policy: Policy) -> int:
    """The housekeeping of people and devices: note that the hub is up, and once a minute forget what has run out and end what is
    overdue; how many epochs that ended. Any process may do it at any time, and again."""
    if not note_uptime(writing):
        return 0
    rows.forget_expired(writing)
    return end_overdue(writing, policy)


def end_overdue(writing: Writing, policy: Policy) -> int:
    """Destroy the shares of epochs whose receipt is overdue; how many."""
    living, held, reachable = living_epochs(writing), leases(writing), uptime(writing)
    ended = 0
    for device, epochs in living.items():
        spans = held.get(device, [])
        _forget_old(writing, device, spans, epochs[0].begun_at)
        # By everything the device could owe; few ever are that late, and only of them it is asked what they do owe.
        if is_overdue(epochs[0].begun_at, writing.now, held=spans, reachable=reachable, within=policy.cache.receipt_within):
            found = rows.find_device(writing, device)
            if found is not None and not found.is_revoked:
                ended += _end(writing, found, epochs, policy, held=spans, reachable=reachable)
    if held:
        forget_uptime(writing, before=min(span.begin for spans in held.values() for span in spans))
    return ended


def _end(writing: Writing, device: DeviceRecord, epochs: list[Epoch], policy: Policy, *, held: list[Span], reachable: list[Span]) -> int:
    """The epochs before the running one by themselves; with the running one all, and a new one begins."""

    def is_late(since: datetime | None) -> bool:
        within = policy.cache.receipt_within
        return since is not None and is_overdue(since, writing.now, held=held, reachable=reachable, within=within)

    running = epochs[-1]
    # An epoch is replaced when the one after it begins.
    late = [before.number for before, after in pairwise(epochs) if is_late(after.begun_at)]
    if is_late(first_due(writing, device.person, policy.cache, after=running.begun_at)):
        late.append(running.number)
    if not late:
        return 0
    ended = end_epochs(writing, device.id, up_to=late[-1], reason=OVERDUE)
    if late[-1] == device.epoch:
        begin_epoch(writing, device.id, device.epoch + 1)
        rows.note_device(writing, device.id, epoch=device.epoch + 1)
        # Until it fetches the new one it holds none.
        forget_leases(writing, device.id, before=None)
    rows.note_device(writing, device.id, overdue_ms=writing.now_ms)
    details = {"epoch": late[-1], "cause": OVERDUE, "method": "erased by key destruction"}
    record(writing, Act("share.destroyed", device=device.id, about=device.id, details=details))
    return ended


def _forget_old(writing: Writing, device: str, spans: list[Span], before: datetime) -> None:
    if any(span.end < before for span in spans):
        forget_leases(writing, device, before=before)
