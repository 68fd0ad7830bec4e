"""Destroy what is due: rebuild the survivors under the next epoch's key, switch, destroy the old file and key, sign a receipt.

Every step leaves one readable state: until the rename the old file is the cache, from the rename on the new one is; what a
kill leaves half-done is finished at the next start from the note the new file carries.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import msgspec

from wabiz_tui.desk.cache.database import MEMORY
from wabiz_tui.desk.cache.letters import Letters
from wabiz_tui.desk.cache.marks import Pending
from wabiz_tui.desk.cache.rebuilding import count_everything
from wabiz_tui.desk.cache.store import Cache
from wabiz_tui.desk.keys.vault import Vault
from wabiz_tui.desk.link.answers import SHARE_DESTROYED
from wabiz_tui.desk.link.link import Link
from wabiz_tui.desk.purge.asides import destroy_overdue
from wabiz_tui.desk.purge.receipts import Receipts
from wabiz_tui.desk.purge.shelf import Shelf
from wabiz_tui.desk.purge.successor import Successor
from wabiz_tui.desk.sync.rules import Rules
from wabiz_tui.model.errors import DamagedStore, Locked, NotFound, StoreFull, Unreachable, WabizError
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.wire import ReceiptCounts, SignedReceipt

Reason = Literal["due", "policy", "resolved", "lock", "exit", "start", "asked", "removed", "reset", "wipe"]
_AT_ONCE = ("policy", "resolved", "removed", "start")
_LEAST_GAP = timedelta(seconds=10)
_RETRY = timedelta(seconds=20)
_DAMAGED = "The file of purge receipts is damaged; it is put right as soon as the hub can be reached."
_PUT_RIGHT = "The file of purge receipts was damaged and is put right from the hub's; the damaged one is kept beside it."
_NO_ROOM = "What is due is hidden already; it is destroyed as soon as the disk has room for it."


class Purger:
    """Holds the cache of the moment and replaces it. `turn` keeps writers out while it does."""

    def __init__(
        self,
        cache: Cache,
        *,
        vault: Vault,
        shelf: Shelf,
        link: Link,
        letters: Letters,
        receipts: Receipts,
        turn: asyncio.Lock,
        rules: Callable[[], Rules | None],
        now: Callable[[], datetime],
        open_cache: Callable[[int, Path], Cache],
        told: Callable[[str], None],
        damaged: Callable[[WabizError], None],
        overfull: Callable[[], None],
    ) -> None:
        """`overfull` is told when the disk has had no room for a rebuild for as long as the policy lets what is due stay: then the
        whole cache is to go, by `start_empty`."""
        self.cache = cache
        self.receipts = receipts
        self.next_at: datetime | None = None
        self.notice = ""
        self._vault, self._shelf, self._link, self._letters = vault, shelf, link, letters
        self._turn, self._rules, self._now, self._open_cache, self._told = turn, rules, now, open_cache, told
        self._damaged, self._overfull = damaged, overfull
        self._wake = asyncio.Event()
        self._hurried: Reason | None = "start"
        self._last_at: datetime | None = None
        self._not_before: datetime | None = None
        self._one = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._switching: asyncio.Task[SignedReceipt] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="purge")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        if self._switching is not None:
            await asyncio.wait((self._switching,))

    def look_again(self, reason: str = "") -> None:
        """Something changed; with `reason`, what fell due by it goes at once."""
        if reason in _AT_ONCE:
            self._hurried = reason  # pyright: ignore[reportAttributeAccessIssue] one of the reasons, just checked
        self._wake.set()

    async def is_due(self) -> bool:
        due = await self._due_since()
        return due is not None and due <= self._now()

    async def _due_since(self) -> datetime | None:
        """As the cache says; now, when it lies where the policy does not want it."""
        is_misplaced = self._rules() is not None and self._belongs_in_memory() != (self.cache.path == MEMORY)
        return self._now() if is_misplaced else await self.cache.due_since()

    async def _is_out_of_time(self) -> bool:
        due, rules = await self._due_since(), self._rules()
        return due is not None and rules is not None and due + rules.policy.cache.purge_within <= self._now()

    def _belongs_in_memory(self) -> bool:
        rules = self._rules()
        return rules is not None and not rules.policy.cache.disk

    async def purge(self, reason: Reason) -> SignedReceipt:
        """Rebuild now, due or not; the receipt. Raises Unreachable: the next epoch's share is the hub's to give."""
        async with self._one:
            started = self._now()
            old = self.cache
            reply = await self._link.begin_epoch(old.epoch)
            if reply.reset:
                # Its share was destroyed meanwhile: what it sealed must not live on under the key of the next.
                ended = NotFound("The hub has ended this cache's key; the cache is filled again.", code=SHARE_DESTROYED)
                self._damaged(ended)
                raise ended
            key = self._vault.take_share(reply)
            rules = self._rules()
            pending = Pending(
                epoch=old.epoch,
                next_epoch=reply.epoch,
                policy=0 if rules is None else rules.version,
                reason=reason,
                started_at=started,
                removed=ReceiptCounts(),
                kept=ReceiptCounts(),
                ids_hash="",
            )
            # Once begun it is not broken off: `stop` waits for it, which takes a second or two.
            self._switching = asyncio.create_task(self._switch(old, key, pending), name="switch")
            receipt = await asyncio.shield(self._switching)
            self._last_at = self._now()
            await self.deliver()
            self._told(reason)
            return receipt

    async def _switch(self, old: Cache, key: Secret, pending: Pending) -> SignedReceipt:
        """Readers and writers go on until the next cache is nearly whole; writers wait while the rest is copied and it takes over."""
        successor = await asyncio.to_thread(
            Successor,
            old,
            self._vault.keys[old.epoch],
            pending,
            key,
            in_memory=self._belongs_in_memory(),
            shelf=self._shelf,
            open_cache=self._open_cache,
        )
        try:
            await asyncio.to_thread(successor.fill)
            async with self._turn:
                self.cache = await asyncio.to_thread(successor.take_over)
        except BaseException:
            await asyncio.to_thread(successor.give_up)
            raise
        await asyncio.to_thread(old.close)
        await self._letters.scrub()
        receipt = await self.finish()
        assert receipt is not None  # noqa: S101 the file just made owes one
        return receipt

    async def start_empty(self) -> None:
        """The cache can no longer be read, may no longer be kept, or the hub has destroyed its epoch: an empty one takes its place
        under a later epoch, and the feed fills it. The receipt counts everything that was held, or nothing where nobody can count it."""
        async with self._one:
            old, started = self.cache, self._now()
            reply = await self._link.share()
            if reply.epoch <= old.epoch:
                reply = await self._link.begin_epoch(old.epoch)
            old_key = self._vault.keys.get(old.epoch)
            self._vault.take_share(reply)
            rules = self._rules()
            pending = lost(old.epoch, reply.epoch, 0 if rules is None else rules.version, started)
            async with self._turn:
                if old_key is not None:
                    pending = await asyncio.to_thread(_counted, old, old_key, pending)
                await asyncio.to_thread(old.close)
                # Destroyed before the new one is begun: there may be room for one of them only.
                await asyncio.to_thread(self._shelf.lose, old.epoch)
                path = MEMORY if self._belongs_in_memory() else self._shelf.path(reply.epoch)
                self.cache = await asyncio.to_thread(self._open_cache, reply.epoch, path)
                await self.cache.owe_receipt(pending)
            await asyncio.to_thread(self._shelf.clear_drafts)
            await self.finish()
            await self.deliver()
            self._told("reset")

    async def finish(self) -> SignedReceipt | None:
        """Destroy what the cache's own note says is destroyed, and sign for it; None when there is no such note. Needs no hub."""
        pending = await self.cache.pending_receipt()
        if pending is None:
            return None
        await asyncio.to_thread(self._shelf.destroy_up_to, pending.epoch)
        self._vault.drop_epochs(pending.epoch)
        bundle = await self._vault.open_bundle(None)
        if pending.reason == "reset" or self.receipts.is_damaged:
            await self.receipts.catch_up(self._link.receipts, bundle.seed)
        receipt = await asyncio.to_thread(self.receipts.add, pending, bundle.seed, finished_at=self._now())
        await self.cache.forget_pending_receipt()
        await asyncio.to_thread(self._shelf.forget_lost)
        return receipt

    async def deliver(self) -> None:
        """Give the hub the receipts it does not have; what it cannot take now waits."""
        try:
            if self.receipts.is_damaged:
                await self.receipts.catch_up(self._link.receipts, (await self._vault.open_bundle(None)).seed)
                self.notice = _DAMAGED if self.receipts.is_damaged else _PUT_RIGHT
            await self.receipts.deliver(self._letters, self._link.send_receipt)
        except Unreachable:
            return
        except WabizError as error:
            self.notice = f"The hub did not take a purge receipt: {error.sentence}"

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            await self._end_asides()
            try:
                wait = await self._wait()
            except DamagedStore as error:
                self._damaged(error)
                wait = _RETRY
            if wait <= timedelta():
                reason, self._hurried = self._hurried or "due", None
                wait = await self._try(reason)
                if wait == _RETRY and reason in _AT_ONCE:
                    self._hurried = self._hurried or reason
            with suppress(TimeoutError):
                async with asyncio.timeout(min(wait.total_seconds(), 3600.0)):
                    await self._wake.wait()

    async def _end_asides(self) -> None:
        rules = self._rules()
        if rules is not None:
            # A folder that cannot be written now can be in an hour.
            with suppress(OSError):
                await asyncio.to_thread(destroy_overdue, self._letters.path.parent, window=rules.policy.cache.window, now=self._now())

    async def _wait(self) -> timedelta:
        """Until the next rebuild. What falls due within a while is taken together, well within the policy's time."""
        hurried, self._hurried = self._hurried, None
        due = await self._due_since()
        rules, now = self._rules(), self._now()
        # A hurry that came while the cache was read is about what that reading may not have seen: it stays whatever was read.
        if due is not None and rules is not None and due <= now:
            self._hurried = self._hurried or hurried
        if due is None or rules is None:
            self.next_at = None
            return timedelta(hours=1)
        at = due + (timedelta() if self._hurried is not None else rules.policy.cache.purge_within / 3)
        if self._last_at is not None:
            at = max(at, self._last_at + _LEAST_GAP)
        if self._not_before is not None:
            at = max(at, self._not_before)
        self.next_at = at
        return at - now

    async def _try(self, reason: Reason) -> timedelta:
        try:
            await self.purge(reason)
        except Unreachable:
            self.notice = "What is due is hidden already; it is destroyed as soon as the hub can be reached."
            return _RETRY
        except Locked:
            return timedelta(hours=1)
        except DamagedStore as error:
            self._damaged(error)
            return self._later()
        except StoreFull as error:
            self.notice = f"{_NO_ROOM} {error.sentence}"
            if await self._is_out_of_time():
                self._overfull()
            return self._later()
        except WabizError as error:
            self.notice = f"The purge could not be done: {error.sentence}"
            return self._later()
        self.notice = ""
        return timedelta()

    def _later(self) -> timedelta:
        """Not at the next change already, of which there may be one a second: a rebuild that fails costs as much as another."""
        self._not_before = self._now() + _RETRY
        return _RETRY


def _counted(old: Cache, key: Secret, pending: Pending) -> Pending:
    """With everything that `old` holds as removed; as it was when `old` cannot be read any more."""
    try:
        removed, ids_hash = old.database.read_now(lambda source: count_everything(source, key))
    except WabizError:
        return pending
    return msgspec.structs.replace(pending, removed=removed, ids_hash=ids_hash)


def lost(epoch: int, next_epoch: int, policy: int, at: datetime) -> Pending:
    """The note for an epoch whose rows nobody can read any more: erased by the destruction of its key."""
    nothing = ReceiptCounts()
    return Pending(epoch, next_epoch, policy, "reset", at, removed=nothing, kept=nothing, ids_hash="")
