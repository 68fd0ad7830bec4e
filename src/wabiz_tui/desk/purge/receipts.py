"""The device's chain of purge receipts: a file of signed lines, kept here and delivered to the hub in order."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from wabiz_tui.desk.cache.letters import Letters
from wabiz_tui.desk.cache.marks import Pending
from wabiz_tui.desk.files import append_private, what_stands_at, write_private
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.errors import BadInput, DamagedStore, Unreachable, WabizError
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.wire import Receipt, SignedReceipt
from wabiz_tui.proof.receipts import chain_hash, parse_receipts, sign_receipt, verify_chain, verify_next
from wabiz_tui.proof.signing import public_key

NAME = "receipts.jsonl"
DAMAGED = "receipts-damaged.jsonl"
STORES = ("messages", "previews", "contacts", "events", "full-text index", "write-ahead log", "free pages")
METHOD = "survivors rebuilt under the next epoch's key; file overwritten and unlinked; key and share destroyed"
METHOD_OF_RESET = "nothing kept; file overwritten and unlinked; key and share destroyed"
_DELIVERED = "receipts_delivered"


class Receipts:
    """`file` is the chain, oldest first. How much of it the hub has is remembered in the outbox file.

    Of a damaged file (`is_damaged`) the receipts before the damage are the chain, and nothing is signed or delivered until `catch_up`
    has learnt the rest from the hub: a chain that went on from the wrong end would be a forgery."""

    def __init__(self, folder: Path, *, device: str, tenant: str) -> None:
        self.path = folder / NAME
        self._device, self._tenant = device, tenant
        self.is_damaged = False
        self._behind: list[SignedReceipt] = []
        """What can be read after the damage."""
        self._taken: int | None = None
        """How many the hub has, where it was asked."""
        self._chain = self._load()

    @property
    def chain(self) -> list[SignedReceipt]:
        return list(self._chain)

    @property
    def last_at(self) -> datetime | None:
        return None if not self._chain else decode(self._chain[-1].receipt, Receipt).finished_at

    def add(self, pending: Pending, seed: Secret, *, finished_at: datetime) -> SignedReceipt:
        """Sign and append; durable when it returns. For an epoch that has its receipt already, that one. Raises
        Unreachable while the file is damaged."""
        if self.is_damaged:
            raise Unreachable(f"{self.path.name} is damaged; it is put right as soon as the hub can be reached.")
        last = self._chain[-1] if self._chain else None
        before = None if last is None else decode(last.receipt, Receipt)
        if last is not None and before is not None and before.epoch >= pending.epoch:
            return last
        receipt = Receipt(
            number=1 if before is None else before.number + 1,
            device=self._device,
            tenant=self._tenant,
            epoch=pending.epoch,
            next_epoch=pending.next_epoch,
            policy=pending.policy,
            reason=cast("Any", pending.reason),
            started_at=pending.started_at,
            finished_at=max(finished_at, pending.started_at),
            removed=pending.removed,
            kept=pending.kept,
            ids_hash=pending.ids_hash,
            stores=STORES,
            method=METHOD if pending.reason != "reset" else METHOD_OF_RESET,
            file_destroyed=True,
            key_destroyed=True,
            previous=chain_hash(last),
        )
        signed = sign_receipt(receipt, seed)
        append_private(self.path, encode(signed) + b"\n")
        self._chain.append(signed)
        return signed

    async def catch_up(self, told: Callable[[str], Awaitable[list[SignedReceipt]]], seed: Secret) -> None:
        """After an older state of this machine was put back, or the file was damaged: take over the receipts that the hub has and this file
        lacks, so that the chain goes on from its true end. Nothing happens while the hub cannot be asked."""
        public = public_key(seed)
        try:
            chain = await told(self._device)
            if chain and verify_chain(chain, public)[-1].device != self._device:
                return
        except WabizError:
            return
        common = min(len(chain), len(self._chain))
        if self.is_damaged:
            whole = chain if len(chain) > common or chain[:common] != self._chain[:common] else self._chain
            await asyncio.to_thread(self._put_right, _with_followers(whole, self._behind, public))
        elif len(chain) > common and chain[:common] == self._chain:
            await asyncio.to_thread(self._write, chain)
        else:
            return
        self._taken = len(chain)

    async def deliver(self, letters: Letters, send: Callable[[SignedReceipt], Awaitable[object]]) -> int:
        """Send what the hub does not have yet, in order; how many. Raises what `send` raises: the rest waits."""
        if self.is_damaged:
            return 0
        raw = await letters.get_meta(_DELIVERED)
        delivered = int(raw) if raw is not None else 0
        if self._taken is not None:
            delivered, self._taken = self._taken, None
        waiting = self._chain[delivered:]
        for number, signed in enumerate(waiting, start=delivered + 1):
            await send(signed)
            await letters.set_meta(_DELIVERED, str(number).encode())
        return len(waiting)

    def _load(self) -> list[SignedReceipt]:
        if what_stands_at(self.path):
            raise DamagedStore(f"{self.path.name} is {what_stands_at(self.path)} and no file; move it away.", path=self.path)
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return []
        # A kill while appending leaves a last line without its end: it was never a receipt.
        whole = raw[: raw.rfind(b"\n") + 1]
        try:
            chain = parse_receipts(whole)
        except BadInput:
            self.is_damaged = True
            before, self._behind = _readable(whole)
            return before
        if whole != raw:
            write_private(self.path, whole)
        return chain

    def _put_right(self, chain: list[SignedReceipt]) -> None:
        """What cannot be read stays beside it: there may be a receipt in it that the hub never got."""
        write_private(self.path.with_name(DAMAGED), self.path.read_bytes())
        self._write(chain)
        self.is_damaged, self._behind = False, []

    def _write(self, chain: list[SignedReceipt]) -> None:
        write_private(self.path, b"".join(encode(signed) + b"\n" for signed in chain))
        self._chain = chain


def _readable(raw: bytes) -> tuple[list[SignedReceipt], list[SignedReceipt]]:
    """The receipts before the first line that is none, and those after it."""
    before: list[SignedReceipt] = []
    behind: list[SignedReceipt] = []
    found = before
    for line in raw.splitlines():
        try:
            found.append(parse_receipts(line)[0])
        except (BadInput, IndexError):
            found = behind
    return before, behind


def _with_followers(chain: list[SignedReceipt], others: list[SignedReceipt], public: bytes) -> list[SignedReceipt]:
    """`chain`, and those of `others` that follow it one after the other."""
    followed = list(chain)
    for one in others:
        with suppress(WabizError):
            verify_next(one, public, previous=followed[-1] if followed else None)
            followed.append(one)
    return followed
