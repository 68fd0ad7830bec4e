"""Follow the hub's feed: pages since the cursor, then the stream; each batch goes in with its cursor in one transaction."""

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import aclosing, suppress
from typing import Any

from wabiz_tui.desk.cache.letters import Letters
from wabiz_tui.desk.cache.store import Cache
from wabiz_tui.desk.cache.writing import Item, Value
from wabiz_tui.desk.link.link import Link
from wabiz_tui.desk.sync.rules import Rules, holds_longer, read_rules
from wabiz_tui.model.codec import decode
from wabiz_tui.model.desk import Link as LinkState
from wabiz_tui.model.errors import DamagedStore, DocumentError, Locked, Revoked, StoreFull, Unreachable, WabizError
from wabiz_tui.model.feed import Change, ChangesPage, Entity
from wabiz_tui.model.shift import ShiftStanding
from wabiz_tui.model.values import Contact, Conversation, Event, Message, Number, Person
from wabiz_tui.model.wire import SignedPolicy
from wabiz_tui.model.work import Presence

_KINDS: dict[Entity, Any] = {
    "contact": Contact,
    "conversation": Conversation,
    "message": Message,
    "number": Number,
    "event": Event,
    "person": Person,
}
_LONGEST_PAUSE = 30.0
_PAGE = 3000
"""Changes of one page, and so of one commit while catching up; the hub ends a page before it grows large."""


class Told:
    """What the sync tells the desk; the desk replaces these."""

    def changed(self, conversations: frozenset[str], reason: str) -> None:
        """These moved. `reason` is policy, resolved, removed, or empty: why something may have fallen due at once."""

    def moved(self, link: LinkState) -> None: ...

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
        self, link: Link, cache: Callable[[], Cache], letters: Letters, *, turn: asyncio.Lock, policy_key: str, tenant: str, told: Told
    ) -> None:
        self._link, self._cache, self._letters, self._turn, self._told = link, cache, letters, turn, told
        self._policy_key, self._tenant = policy_key, tenant
        self.rules: Rules | None = None
        self.cursor = 0
        self.head = 0
        self.is_catching_up = False
        self.notice = ""
        self._task: asyncio.Task[None] | None = None

    async def load(self) -> None:
        """Where an earlier run stopped, and its policy."""
        marks = await self._cache().marks()
        self.cursor = marks.cursor
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
        """Page until what the hub had at the call is applied; that sequence. Raises Unreachable, Denied."""
        self.is_catching_up = True
        ahead = _Ahead(self._link)
        try:
            await self._ensure_rules()
            wanted: int | None = None
            while wanted is None or self.cursor < wanted:
                async with self._turn:
                    page = await ahead.page(self.cursor)
                    wanted = page.head if wanted is None else wanted
                    if page.more:
                        ahead.ask(page.next)
                    await self._apply(page)
                    if not page.more and page.next >= page.head:
                        break
            return wanted
        finally:
            self.is_catching_up = False
            await ahead.forget()

    async def _run(self, after: float) -> None:
        await asyncio.sleep(after)
        failures = 0
        while True:
            try:
                self._told.moved("connecting")
                await self.catch_up()
                failures = 0
                self.notice = await self._what_is_not_understood()
                self._told.arrived()
                self._told.moved("online")
                await self._follow()
                continue
            except Revoked as error:
                self._told.moved("revoked")
                self._told.refused(error)
                return
            except (DamagedStore, Locked) as error:
                self._told.refused(error)
                return
            except Unreachable:
                self._told.moved("offline")
            except StoreFull as error:
                # Nothing of the batch went in: what is held stays readable, and the rest comes when there is room.
                self.notice = error.sentence
                self._told.moved("offline")
            except WabizError as error:
                self.notice = error.sentence
                self._told.moved("refused")
            failures += 1
            # Doubling, and spread, so that a hundred desks do not come back to a restarted hub at once.
            await asyncio.sleep(min(_LONGEST_PAUSE, 2.0 ** min(failures, 6) / 4) * random.uniform(0.5, 1.0))  # noqa: S311 spreading load is no secret

    async def _follow(self) -> None:
        """Until the feed has to be read from its start again, because a policy allows what was left out."""
        stream = self._link.stream(self.cursor)
        async with aclosing(stream):  # pyright: ignore[reportArgumentType] Link.stream is an async generator
            async for page in stream:
                if isinstance(page, ShiftStanding):
                    self._told.turned(page)
                    continue
                if isinstance(page, Presence):
                    self._told.seen(page)
                    continue
                async with self._turn:
                    await self._apply(page)
                if self.cursor < page.next:
                    return
        raise Unreachable("The hub ended the stream.")

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
        if page.next <= self.cursor:
            return
        new = [change for change in page.changes if change.seq > self.cursor]
        rules, extended = self._newest_rules(new)
        cache = self._cache()
        items = [item for change in new if (item := _item(change)) is not None]
        cursor = 0 if extended else page.next
        # The hub was restored: it tells everything anew, and what it does not is not there any more.
        is_anew = self.cursor < page.begins
        newer = rules.signed if rules is not self.rules else None
        applied = await cache.apply(items, rules.holding, cursor=cursor, policy=newer, is_anew=is_anew)
        reason = "policy" if rules is not self.rules else "removed" if is_anew else _reason(items)
        self.rules, self.cursor = rules, cursor
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


class _Ahead:
    """The page after the one that is being applied, asked for meanwhile: hub and desk work at the same time."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._asked: tuple[int, asyncio.Task[ChangesPage]] | None = None

    def ask(self, since: int) -> None:
        self._asked = since, asyncio.create_task(self._link.changes(since, limit=_PAGE), name="page")

    async def page(self, since: int) -> ChangesPage:
        """The page after `since`, whatever was asked for: the cache may have begun anew. Raises what the link raises."""
        asked, self._asked = self._asked, None
        if asked is None:
            return await self._link.changes(since, limit=_PAGE)
        if asked[0] == since:
            return await asked[1]
        self._asked = asked
        await self.forget()
        return await self._link.changes(since, limit=_PAGE)

    async def forget(self) -> None:
        asked, self._asked = self._asked, None
        if asked is not None:
            asked[1].cancel()
            await asyncio.wait((asked[1],))
            if not asked[1].cancelled():
                asked[1].exception()  # nobody waits for it any more


def _item(change: Change) -> Item | None:
    kind = _KINDS.get(change.entity)
    if kind is None:
        return None
    # A removal travels without a value; some encoders write it as null.
    if change.value is None or bytes(change.value) == b"null":
        return Item(change.entity, change.id, None)
    value: Value = decode(change.value, kind)
    return Item(change.entity, change.id, value)


def _reason(items: Sequence[Item]) -> str:
    if any(item.value is None for item in items):
        return "removed"
    if any(isinstance(item.value, Conversation) and item.value.status == "resolved" for item in items):
        return "resolved"
    return ""
