"""An unlocked desk: its parts, alive from the unlocking to the lock."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from wabiz_tui.desk.cache.letters import Letters
from wabiz_tui.desk.cache.store import Cache
from wabiz_tui.desk.clock import DeskClock
from wabiz_tui.desk.enrolment import Enrolment
from wabiz_tui.desk.keys.rotation import Rotation
from wabiz_tui.desk.keys.vault import Vault
from wabiz_tui.desk.link.link import Link
from wabiz_tui.desk.media.keeper import MediaKeeper
from wabiz_tui.desk.media.store import FOLDER, MediaStore, Of
from wabiz_tui.desk.outbox.outbox import Author, Outbox
from wabiz_tui.desk.outbox.posting import Post
from wabiz_tui.desk.outbox.windows import window_in
from wabiz_tui.desk.purge.purge import Purger, Reason
from wabiz_tui.desk.purge.receipts import Receipts
from wabiz_tui.desk.purge.shelf import Shelf
from wabiz_tui.desk.session.lease import Lease
from wabiz_tui.desk.session.mending import DAMAGED, OVERDUE, Mending, is_of_cache
from wabiz_tui.desk.session.presence import Company, said_over
from wabiz_tui.desk.session.shift import ShiftEnd
from wabiz_tui.desk.sync.sync import Sync, Told
from wabiz_tui.model.desk import Link as LinkState
from wabiz_tui.model.errors import DamagedStore, Denied, StoreFull, Unreachable, WabizError
from wabiz_tui.model.shift import OFF_SHIFT, ShiftStanding
from wabiz_tui.model.work import Presence
from wabiz_tui.policy.document import Policy
from wabiz_tui.policy.standing import closed_sentence

_LAST_PURGE = 15.0
_OVERFULL = "The disk had no room to destroy only what was due in time, so the whole cache was destroyed; it is filled again from the hub."


class Hears:
    """What a session tells the desk it belongs to; the desk replaces these."""

    def changed(self, conversations: frozenset[str]) -> None: ...

    def met(self, conversation: str, others: list[Presence]) -> None:
        """These are there from now on, and nobody else is."""

    def status_changed(self) -> None: ...

    def ended(self, error: WabizError) -> None:
        """The session cannot go on: revoked, lease over, file damaged beyond what it can mend itself."""


class Session(Told):
    """Made by opening.open_session. `start` begins to sync, send and purge; `close` ends all of it and forgets the keys."""

    def __init__(
        self,
        enrolment: Enrolment,
        *,
        cache: Cache,
        letters: Letters,
        vault: Vault,
        shelf: Shelf,
        link: Link,
        receipts: Receipts,
        clock: DeskClock,
        hears: Hears,
        open_cache: Callable[[int, Path], Cache],
    ) -> None:
        self.enrolment, self.vault, self.shelf, self.link, self.letters, self.clock = enrolment, vault, shelf, link, letters, clock
        self.link_state: LinkState = "connecting"
        self.notice = ""
        self.stands = ShiftStanding("working")
        self._hears = hears
        self.shift = ShiftEnd(
            enrolment.role,
            policy=lambda: None if self.sync.rules is None else self.sync.rules.policy,
            now=clock.now,
            is_online=lambda: self.link_state == "online",
            ended=hears.ended,
        )
        turn = asyncio.Lock()
        self.sync = Sync(
            link, lambda: self.purger.cache, letters, turn=turn, policy_key=enrolment.policy_key, tenant=enrolment.tenant, told=self
        )
        self.purger = Purger(
            cache,
            vault=vault,
            shelf=shelf,
            link=link,
            letters=letters,
            receipts=receipts,
            turn=turn,
            rules=lambda: self.sync.rules,
            now=clock.now,
            open_cache=open_cache,
            told=self._purged,
            damaged=self.refused,
            overfull=lambda: self.mending.begin(_OVERFULL),
        )
        self._post = Post(link, letters, now=clock.now)
        self.outbox = Outbox(
            letters,
            self._post,
            author=Author(enrolment.person, enrolment.person_name),
            now=clock.now,
            changed=lambda conversation: hears.changed(frozenset((conversation,))),
            refused=self.refused,
            window_of=lambda conversation: window_in(self.cache, conversation),
            noticed=hears.status_changed,
            dropped=self._post.forget,
        )
        self.company = Company(said_over(link.request), may_say=self._may_say, met=hears.met, monotonic=clock.monotonic)
        self.mending = Mending(self.sync, self.purger, noticed=self._noticed, changed=lambda: hears.changed(frozenset()), ended=hears.ended)
        self.use, self.mended = self.mending.use, self.mending.mended
        self.lease = Lease(
            vault,
            link,
            epoch=lambda: self.cache.epoch,
            now=clock.now,
            ended=hears.ended,
            epoch_ended=lambda: self.mending.begin(OVERDUE),
            noticed=self._noticed,
        )
        of = Of(lambda: self.cache, lambda: self.policy, link.media, clock.now, os.urandom, enrolment.device, turn)
        self.media = MediaStore(shelf.folder / FOLDER, of)
        self._files = MediaKeeper(
            self.media,
            of,
            me=enrolment.person,
            is_online=lambda: self.link_state == "online",
            retimed=lambda: self.purger.look_again("policy"),
        )
        link.answered = self.sync.pace.hurry
        self._lease_task: asyncio.Task[None] | None = None
        self._shift_task: asyncio.Task[None] | None = None
        self._delivering: asyncio.Task[None] | None = None
        self.rotating: asyncio.Task[None] | None = None
        """Runs while a change of the local secret is not finished."""

    @property
    def cache(self) -> Cache:
        return self.purger.cache

    @property
    def policy(self) -> Policy:
        return Policy() if self.sync.rules is None else self.sync.rules.policy

    async def start(self, *, quiet: float = 0.0, is_refilled: bool = False) -> None:
        """Finish what a kill left half-done, then go to work, with the hub after `quiet` seconds. With `is_refilled` the cache stands
        in for one that was lost: nobody reads it before it has caught up. Raises what the cache raises."""
        try:
            await self._take_up()
        except DamagedStore as error:
            if not is_of_cache(error):
                raise
            await self.mending.empty(DAMAGED)
            is_refilled = True
        self._begin_shift()
        self.outbox.start()
        self.sync.start(after=quiet)
        self.purger.start()
        self._files.start()
        self.company.start()
        self._lease_task = asyncio.create_task(self.lease.keep(quiet), name="lease")
        self._shift_task = asyncio.create_task(self.shift.keep(), name="shift")
        if is_refilled:
            self.mending.fill()

    def rotate(self, rotation: Rotation) -> None:
        """Finish a change of the local secret, where one has begun."""
        if rotation.is_needed:
            self.rotating = rotation.start(lambda: self.cache.epoch, lambda: self.purger.purge("asked"), self._noticed)

    def _begin_shift(self) -> None:
        """Raises Denied off shift, with what the kernel kept of the keys destroyed: to open again takes the hub."""
        if self.clock.has_heard:
            self.shift.admit()
        self.shift.hear_earlier(self.sync.stands)
        refusal = self.shift.refusal()
        if refusal is not None:
            self.vault.forget()
            raise refusal

    async def _take_up(self) -> None:
        await self.sync.load()
        self.clock.remember((await self.cache.marks()).floor)
        try:
            await self.purger.finish()
        except (Denied, StoreFull, Unreachable) as error:
            # The note stays in the file; what it says is destroyed is invisible and has no key at the hub.
            self.notice = error.sentence

    async def close(self, reason: Reason) -> None:
        """Destroy what is due if the hub can be reached, stop everything, close the files."""
        self.company.stop()
        await self._stop(self._lease_task, self._shift_task, self.mending.task, self._delivering, self.rotating)
        await self.sync.stop()
        await self.purger.stop()
        try:
            await self._purge_at_last(reason)
        finally:
            # Whatever becomes of the purge, nothing stays open behind a lock.
            await self._shut()

    async def _purge_at_last(self, reason: Reason) -> None:
        with suppress(WabizError, TimeoutError):
            if self.link_state == "online" and await self.purger.is_due():
                async with asyncio.timeout(_LAST_PURGE):
                    await self.purger.purge(reason)
            elif self.link_state == "online":
                # Of a rebuild that `stop` has waited for.
                async with asyncio.timeout(_LAST_PURGE):
                    await self.purger.deliver()

    async def drop(self) -> None:
        """Stop and close without another word to the hub."""
        self.company.stop(is_said=False)
        await self._stop(self._lease_task, self._shift_task, self.mending.task, self._delivering, self.rotating)
        await self.sync.stop()
        await self.purger.stop()
        await self._shut()

    async def _shut(self) -> None:
        await self._files.stop()
        await self.outbox.stop()
        await self._post.stop()
        await self.company.gone()
        await self.link.close()
        await asyncio.to_thread(self.cache.close)
        await asyncio.to_thread(self.letters.close)

    async def _stop(self, *tasks: "asyncio.Task[None] | None") -> None:
        for task in tasks:
            if task is not None and task is not asyncio.current_task():
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    def _may_say(self) -> bool:
        """Off shift nobody is told who looks at what."""
        return self.link_state == "online" and self.stands.state == "working"

    # What the parts tell

    def changed(self, conversations: frozenset[str], reason: str) -> None:
        self.purger.look_again(reason)
        self._files.moved(conversations)
        self._hears.changed(conversations)
        if reason == "policy":
            self._files.policy_changed()
            self._hears.status_changed()

    def moved(self, link: LinkState) -> None:
        if link != self.link_state:
            self.link_state = link
            self._hears.status_changed()
            if link == "online":
                self.company.line_stands()
                self._files.arrived()
            else:
                self.company.line_lost()

    def turned(self, stands: ShiftStanding) -> None:
        self.stands = stands
        self.shift.hear(stands)
        self._hears.status_changed()
        if stands.is_closed:
            self._hears.ended(Denied(closed_sentence(stands, self.policy.hours.zone), code=OFF_SHIFT))

    def progressed(self) -> None:
        self._hears.status_changed()

    def seen(self, presence: Presence) -> None:
        self.company.hear(presence)

    def arrived(self) -> None:
        self.outbox.hurry()
        self._delivering = asyncio.create_task(self.purger.deliver(), name="receipts")
        self.purger.look_again()

    def refused(self, error: WabizError) -> None:
        self.mending.refused(error)

    def _noticed(self, sentence: str) -> None:
        self.notice = sentence

    def _purged(self, _reason: str) -> None:
        self._files.purged()
        self._hears.changed(frozenset())
        self._hears.status_changed()
