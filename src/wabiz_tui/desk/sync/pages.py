"""Pages of the feed on their way to the cache: asked for one ahead, checked, and read into what the cache takes."""

import asyncio
from collections.abc import Sequence
from itertools import chain, pairwise
from typing import Any, cast, get_args

import msgspec

from wabiz_tui.desk.cache.writing import Item, Value
from wabiz_tui.desk.link.link import Link
from wabiz_tui.model.codec import decode
from wabiz_tui.model.errors import BadInput, WabizError
from wabiz_tui.model.feed import Change, ChangesPage, Entity
from wabiz_tui.model.newer import decode_or_translate, is_translated
from wabiz_tui.model.values import Contact, Conversation, Event, Message, Number, Person

_KINDS: dict[str, Any] = {
    "contact": Contact,
    "conversation": Conversation,
    "message": Message,
    "number": Number,
    "event": Event,
    "person": Person,
}
_ENTITIES = frozenset(get_args(Entity))
_PAGE = 3000
"""Changes of one page, and so of one commit while catching up; the hub ends a page before it grows large."""
_TOGETHER, _TOGETHER_BYTES = 4, 8 << 20
"""Pages, and bytes of their values, that go in by one transaction at most while there are many: each commit writes most
pages of the indexes again, since ids are random."""
_NOT_A_FEED = "What the hub tells does not fit together; update wabiz, or check what answers at the hub's address."


class Ahead:
    """The page after the one that is being applied, asked for meanwhile: hub and desk work at the same time. No more than it and
    those that go in together are in memory."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._asked: tuple[int, asyncio.Task[ChangesPage]] | None = None
        self._together = 0

    def ask(self, since: int) -> None:
        self._asked = since, asyncio.create_task(self._link.changes(since, limit=_PAGE), name="page")

    async def page(self, since: int) -> ChangesPage:
        """The page after `since`, whatever was asked for: the cache may have begun anew. Raises what the link raises, and BadInput
        for a page that leads nowhere."""
        page = await self._page(since)
        check(page)
        if page.more and page.next <= since:
            raise BadInput(_NOT_A_FEED)
        return page

    async def _page(self, since: int) -> ChangesPage:
        asked, self._asked = self._asked, None
        if asked is None:
            return await self._link.changes(since, limit=_PAGE)
        if asked[0] == since:
            return await asked[1]
        self._asked = asked
        await self.forget()
        return await self._link.changes(since, limit=_PAGE)

    async def pages(self, since: int) -> ChangesPage:
        """The page after `since`, and with it those that follow, one more than the last time: the first is to be seen soon, and many at
        once cost less. The one after them is asked for already."""
        page = await self.page(since)
        self._together, changes, size = self._together + 1, [page.changes], _size_of(page)
        while page.more:
            self.ask(page.next)
            if len(changes) >= min(self._together, _TOGETHER) or size > _TOGETHER_BYTES:
                break
            try:
                following = await self.page(page.next)
            except WabizError:
                # What is here goes in first; what is asked for next fails again, if it must.
                break
            if following.begins != page.begins:
                break
            page = following
            changes.append(page.changes)
            size += _size_of(page)
        return msgspec.structs.replace(page, changes=list(chain.from_iterable(changes)))

    async def forget(self) -> None:
        asked, self._asked = self._asked, None
        if asked is not None:
            asked[1].cancel()
            await asyncio.wait((asked[1],))
            if not asked[1].cancelled():
                asked[1].exception()  # nobody waits for it any more


def _size_of(page: ChangesPage) -> int:
    return sum(memoryview(change.value).nbytes for change in page.changes if change.value is not None)


def check(page: ChangesPage) -> None:
    """Sequences never fall, and stay within the page's own bounds. Raises BadInput."""
    seqs = [change.seq for change in page.changes]
    if any(after < before for before, after in pairwise(seqs)) or (seqs and not 0 < seqs[0] <= seqs[-1] <= page.next):
        raise BadInput(_NOT_A_FEED)
    if page.begins < 0 or page.next < 0:
        raise BadInput(_NOT_A_FEED)


def items_of(changes: Sequence[Change]) -> list[Item]:
    """Of the kinds that the cache holds; those it does not, and those of a later version, are passed over. Raises BadInput for a value
    that is not what its kind must be."""
    return [item for change in changes if (item := _item(change)) is not None]


def has_unknown(changes: Sequence[Change], items: Sequence[Item]) -> bool:
    """Whether there is something among the changes, and what was read of them, that only a later version knows."""
    return any(change.entity not in _ENTITIES for change in changes) or any(
        isinstance(item.value, Message) and is_translated(item.value.content) for item in items
    )


def _item(change: Change) -> Item | None:
    kind = _KINDS.get(change.entity)
    if kind is None:
        return None
    entity = cast("Entity", change.entity)
    # A removal travels without a value; some encoders write it as null.
    if change.value is None or bytes(change.value) == b"null":
        return Item(entity, change.id, None)
    value: Value = decode_or_translate(change.value, kind) if kind is Message else decode(change.value, kind)
    return Item(entity, change.id, value)
