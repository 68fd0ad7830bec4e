"""The device's chain of purge receipts: a file of signed lines, kept here and delivered to the hub in order."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from wabiz_tui.desk.cache.letters import Letters
from wabiz_tui.desk.cache.marks import Pending
from wabiz_tui.desk.files import append_private, write_private
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.errors import BadInput, WabizError
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.wire import Receipt, SignedReceipt
from wabiz_tui.proof.receipts import chain_hash, parse_receipts, sign_receipt, verify_chain
from wabiz_tui.proof.signing import public_key

NAME = "receipts.jsonl"
STORES = ("messages", "previews", "contacts", "events", "full-text index", "write-ahead log", "free pages")
METHOD = "survivors rebuilt under the next epoch's key; file overwritten and unlinked; key and share destroyed"
METHOD_OF_RESET = "nothing kept; file overwritten and unlinked; key and share destroyed"
_DELIVERED = "receipts_delivered"


class Receipts:
    """`file` is the chain, oldest first. How much of it the hub has is remembered in the outbox file."""

    def __init__(self, folder: Path, *, device: str, tenant: str) -> None:
        self.path = folder / NAME
        self._device, self._tenant = device, tenant
        self._chain = self._load()

    @property
    def chain(self) -> list[SignedReceipt]:
        return list(self._chain)

    @property
    def last_at(self) -> datetime | None:
        return None if not self._chain else decode(self._chain[-1].receipt, Receipt).finished_at

    def add(self, pending: Pending, seed: Secret, *, finished_at: datetime) -> SignedReceipt:
        """Sign and append; durable when it returns. For an epoch that has its receipt already, that one."""
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
        """After an older state of this machine was put back: take over the receipts that the hub has and this file lacks, so that the
        chain goes on from its true end. Nothing happens while the hub has no more than we do, or cannot be asked."""
        try:
            chain = await told(self._device)
            if len(chain) <= len(self._chain) or chain[: len(self._chain)] != self._chain:
                return
            if verify_chain(chain, public_key(seed))[-1].device != self._device:
                return
        except WabizError:
            return
        await asyncio.to_thread(write_private, self.path, b"".join(encode(signed) + b"\n" for signed in chain))
        self._chain = chain

    async def deliver(self, letters: Letters, send: Callable[[SignedReceipt], Awaitable[object]]) -> int:
        """Send what the hub does not have yet, in order; how many. Raises what `send` raises: the rest waits."""
        raw = await letters.get_meta(_DELIVERED)
        delivered = int(raw) if raw is not None else 0
        waiting = self._chain[delivered:]
        for number, signed in enumerate(waiting, start=delivered + 1):
            await send(signed)
            await letters.set_meta(_DELIVERED, str(number).encode())
        return len(waiting)

    def _load(self) -> list[SignedReceipt]:
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return []
        # A kill while appending leaves a last line without its end: it was never a receipt.
        whole = raw[: raw.rfind(b"\n") + 1]
        try:
            chain = parse_receipts(whole)
        except BadInput as error:
            raise BadInput(f"{self.path.name} is damaged ({error.sentence}); the hub has the receipts it was given.") from error
        if whole != raw:
            write_private(self.path, whole)
        return chain
