"""Follow the hub's feed: pages since the cursor, then the stream; each batch goes in with its cursor in one transaction."""

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import aclosing, suppress

from wabiz_tui import __version__
from wabiz_tui.desk.cache.letters import Letters
from wabiz_tui.desk.cache.store import Cache
from wabiz_tui.desk.cache.writing import Item
from wabiz_tui.desk.link.answers import wait_of
from wabiz_tui.desk.link.link import Link
from wabiz_tui.desk.sync.pace import Pace
from wabiz_tui.desk.sync.pages import Ahead, check, has_unknown, items_of
from wabiz_tui.desk.sync.rules import Rules, holds_longer, read_rules
from wabiz_tui.model.codec import decode
from wabiz_tui.model.desk import Link as LinkState
from wabiz_tui.model.errors import (
    BadInput,
    BadSignature,
    DamagedStore,
    Denied,
    DocumentError,
    Locked,
    Revoked,
    StoreFull,
    Unreachable,
    WabizError,
)
from wabiz_tui.model.feed import Change, ChangesPage
from wabiz_tui.model.shift import ShiftStanding
from wabiz_tui.model.values import Conversation, Message
from wabiz_tui.model.wire import SignedPolicy
from wabiz_tui.model.work import Presence


class Told:
    """What the sync tells the desk; the desk replaces these."""

    def changed(self, conversations: frozenset[str], reason: str) -> None:
        """These moved. `reason` is policy, resolved, removed, or empty: why something may have fallen due at once."""

    def moved(self, link: LinkState) -> None: ...

    def progressed(self) -> None:
        """Another page of many is in."""

    def refused(self, error: WabizError) -> None: ...

    def turned(self, stands: ShiftStanding) -> None:
        """How the shift stands from now on."""

    def seen(self, presence: Presence) -> None:
        """What somebody else does at a conversation from now on."""

    def arrived(self) -> None:
        """The hub was heard: what waits for it may go."""


class Sync:
    """`turn` is held whenever the cache is written or replaced. `cache` gives the cache of the moment."""

    def __init__(
        self,
        link: Link,
        cache: Callable[[], Cache],
        letters: Letters,
        *,
        turn: asyncio.Lock,
        policy_key: str,
        tenant: str,
        told: Told,
        pace: Pace | None = None,
    ) -> None:
        self._link, self._cache, self._letters, self._turn, self._told = link, cache, letters, turn, told
        self._policy_key, self._tenant = policy_key, tenant
        self.pace = pace or Pace(random.random)
        self.rules: Rules | None = None
        self.stands: ShiftStanding | None = None
        """How the hub last said, now or in an earlier run, that the shift stands."""
        self.cursor = 0
        self.head = 0
        self.notice = ""
        self._catching_up = 0
        self._reads_again = False
        self._task: asyncio.Task[None] | None = None

    @property
    def is_catching_up(self) -> bool:
        return self._catching_up > 0

    async def load(self) -> None:
        """Where an earlier run stopped, and its policy."""
        marks = await self._cache().marks()
        self.cursor, self.stands = marks.cursor, marks.stands
        # An earlier version could not take in all that it was told.
        self._reads_again = marks.unknown_to not in ("", __version__)
        if marks.policy is not None:
            self.rules = self._read(marks.policy)

    def start(self, *, after: float = 0.0) -> None:
        self._task = asyncio.create_task(self._run(after), name="sync")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def catch_up(self) -> int:
        """Page until what the hub had at the call is applied; that sequence. Raises Unreachable, Denied, BadInput."""
        self._catching_up += 1
        ahead = Ahead(self._link)
        try:
            await self._ensure_rules()
            wanted, has_moved = None, False
            while True:
                async with self._turn:
                    before = self.cursor
                    page = await ahead.pages(before)
                    wanted = page.head if wanted is None else wanted
                    await self._apply(page)
                    # Also where the feed is read again up to where it was.
                    has_moved |= self.cursor != before
                self._told.progressed()
                if self.cursor >= wanted or (not page.more and self.cursor >= page.next):
                    break
            if has_moved and not page.more:
                async with self._turn:
                    await self._cache().let_go_of_strangers()
            return wanted
        finally:
            self._catching_up -= 1
            await ahead.forget()

    async def _run(self, after: float) -> None:
        await asyncio.sleep(after)
        loop = asyncio.get_running_loop()
        while True:
            stands_since: float | None = None
            try:
                if not self.pace.has_failed:
                    self._told.moved("connecting")
                await self.catch_up()
                self.notice = await self._what_is_not_understood()
                self._told.arrived()
                self._told.moved("online")
                stands_since = loop.time()
                await self._follow()
                continue
            except (Revoked, DamagedStore, Locked) as error:
                if isinstance(error, Revoked):
                    self._told.moved("revoked")
                self._told.refused(error)
                return
            except WabizError as error:
                failure = error
            except Exception as error:  # noqa: BLE001 what nobody foresaw must be seen too, and must not end the sync for good
                failure = WabizError(f"The hub's changes could not be taken in ({type(error).__name__}); update wabiz, or tell its makers.")
            self._fail(failure)
            self.pace.stood(0.0 if stands_since is None else loop.time() - stands_since)
            await self.pace.pause(wait_of(failure))

    def _fail(self, error: WabizError) -> None:
        # Nothing of the batch went in: what is held stays readable, and the rest comes when the cause is gone.
        if isinstance(error, Unreachable):
            self.notice = ""
            self._told.moved("offline")
            return
        self.notice = error.sentence
        is_refused = isinstance(error, Denied | BadSignature) or not isinstance(error, StoreFull | BadInput)
        self._told.moved("refused" if is_refused and type(error) is not WabizError else "offline")

    async def _follow(self) -> None:
        """Until the feed has to be read from its start again, because more may be held."""
        stream = self._link.stream(self.cursor)
        async with aclosing(stream):  # pyright: ignore[reportArgumentType] Link.stream is an async generator
            async for page in stream:
                if isinstance(page, ShiftStanding):
                    await self._keep_standing(page)
                    self._told.turned(page)
                    continue
                if isinstance(page, Presence):
                    self._told.seen(page)
                    continue
                check(page)
                async with self._turn:
                    await self._apply(page)
                if self.cursor < page.next:
                    return
        raise Unreachable("The hub ended the stream.")

    async def _keep_standing(self, stands: ShiftStanding) -> None:
        if stands != self.stands:
            self.stands = stands
            async with self._turn:
                await self._cache().set_marks(stands=stands)

    async def _what_is_not_understood(self) -> str:
        newest = (await self._link.me()).policy
        if self.rules is None or newest <= self.rules.version:
            return ""
        return "The business has a policy that this version of wabiz does not understand: update wabiz."

    async def _ensure_rules(self) -> None:
        """Nothing is stored before it is known what may be."""
        if self.rules is not None:
            return
        signed = await self._link.policy()
        self.rules = self._read(signed)
        async with self._turn:
            await self._cache().set_marks(policy=signed)

    async def _apply(self, page: ChangesPage) -> None:
        """A page that overlaps with what is applied (the stream and a call of `sync` may both bring it) adds only what is new."""
        self.head = max(self.head, page.head)
        if page.next <= self.cursor and not self._reads_again:
            return
        new = [change for change in page.changes if change.seq > self.cursor]
        rules, is_refilled = self._newest_rules(new)
        items = items_of(new)
        # The hub was restored: it tells everything anew, and what it does not is not there any more.
        is_anew = self.cursor < page.begins
        newer = rules.signed if rules is not self.rules else None
        applied = await self._cache().apply(
            items,
            rules.holding,
            cursor=page.next,
            begins=page.begins,
            policy=newer,
            is_anew=is_anew,
            is_refilled=is_refilled,
            is_read_again=self._reads_again,
            unknown_to=__version__ if has_unknown(new, items) else "",
        )
        self._reads_again = False
        reason = "policy" if rules is not self.rules else "removed" if is_anew else _reason(items)
        self.rules, self.cursor = rules, page.begins if applied.begins_anew else page.next
        arrived = [item.value for item in items if isinstance(item.value, Message)]
        await self._letters.settle(arrived)
        self._told.changed(applied.conversations, reason)

    def _newest_rules(self, changes: Sequence[Change]) -> tuple[Rules, bool]:
        """The policy after these changes, and whether it allows what was left out before: then the feed is read from its start."""
        rules = self.rules
        assert rules is not None  # noqa: S101 _ensure_rules ran before any page
        for change in changes:
            if change.entity == "policy" and change.value is not None:
                try:
                    newer = self._read(decode(change.value, SignedPolicy))
                except DocumentError:
                    # The one that is understood stays in force; `_run` says that there is a newer one.
                    continue
                if newer.version > rules.version:
                    rules = newer
        return rules, self.rules is not None and holds_longer(self.rules.policy, rules.policy)

    def _read(self, signed: SignedPolicy) -> Rules:
        return read_rules(signed, policy_key=self._policy_key, tenant=self._tenant)


def _reason(items: Sequence[Item]) -> str:
    if any(item.value is None for item in items):
        return "removed"
    if any(isinstance(item.value, Conversation) and item.value.status == "resolved" for item in items):
        return "resolved"
    return ""
