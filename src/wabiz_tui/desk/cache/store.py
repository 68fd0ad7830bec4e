"""The cache of one epoch: its file, and its calls for the rest of the desk."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from sqlite3 import Connection
from typing import Generic, TypeVar

from wabiz_tui.desk.cache import reading, writing
from wabiz_tui.desk.cache.database import Database
from wabiz_tui.desk.cache.marks import PENDING, Marks, Pending, change_marks, load_marks, load_pending
from wabiz_tui.desk.cache.migrations import Kind
from wabiz_tui.desk.cache.reading import Counted
from wabiz_tui.desk.cache.resolved import take_in_again
from wabiz_tui.desk.cache.search.finding import find
from wabiz_tui.desk.cache.search.names import are_there, index_every, index_names
from wabiz_tui.desk.cache.search.question import ask
from wabiz_tui.desk.cache.times import NEVER, from_ms, to_ms
from wabiz_tui.desk.cache.writing import Applied, Holding, Item
from wabiz_tui.model.codec import encode
from wabiz_tui.model.desk import QueuePage, SearchHit, TimelinePage, View
from wabiz_tui.model.errors import StoreFull
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.values import Contact, Conversation, Event, Message
from wabiz_tui.model.wire import SignedPolicy

T = TypeVar("T")


class _Kept(Generic[T]):
    """What was counted, and after how many transactions."""

    counted: Counted[T] | None = None
    commits = 0


class Cache:
    """The rows a device holds in one epoch. `now` is the desk's time: the later of the hub's and ours."""

    def __init__(self, path: Path, key: Secret, *, epoch: int, now: Callable[[], datetime], me: str) -> None:
        """Open or create the file. Raises what Database raises."""
        self.epoch = epoch
        self.database = Database(path, key, Kind.CACHE)
        self._now, self._me = now, me
        self._held = writing.Held()
        self._has_names = False
        self._views: _Kept[dict[str, int]] = _Kept()
        self._messages: _Kept[int] = _Kept()

    @property
    def path(self) -> Path:
        return self.database.path

    def close(self) -> None:
        self.database.close()

    async def pending_receipt(self) -> Pending | None:
        """What the rebuild that made this file destroyed, until the receipt for it is written."""
        return await self.database.read(load_pending)

    async def owe_receipt(self, pending: Pending) -> None:
        await self.database.write(lambda connection: writing.set_meta(connection, PENDING, encode(pending)))

    async def forget_pending_receipt(self) -> None:
        await self.database.write(lambda connection: writing.delete_meta(connection, PENDING))

    async def marks(self) -> Marks:
        return await self.database.read(load_marks)

    async def set_marks(self, **changes: object) -> None:
        await self.database.write(lambda connection: change_marks(connection, **changes))

    async def apply(
        self,
        items: Sequence[Item],
        holding: Holding,
        *,
        cursor: int,
        begins: int = 0,
        policy: SignedPolicy | None = None,
        is_anew: bool = False,
        is_refilled: bool = False,
        is_read_again: bool = False,
        unknown_to: str = "",
    ) -> Applied:
        """A batch and its cursor in one transaction; with a new policy, which also times every row again. `is_anew` lets go of
        everything that was held before it. With `is_refilled` the cursor goes back to where the feed `begins`, since more may be
        held; that is done too when there is room again for what was left out, and by `is_read_again`, which forgets what was
        `unknown_to` the version before."""
        now = self._now()

        def work(connection: Connection) -> Applied:
            if is_anew:
                writing.expire_everything(connection)
            has_left_out = policy is not None and writing.hold(connection, holding, self._held, now=to_ms(now))
            applied = writing.apply(connection, items, holding, self._held, now=to_ms(now))
            index_names(connection, _ids(items, Conversation), _ids(items, Contact))
            marks = load_marks(connection)
            has_left_out |= applied.has_left_out or marks.has_left_out
            begins_anew = is_refilled or is_read_again or (has_left_out and writing.has_room(connection, holding, now=to_ms(now)))
            if is_refilled:
                take_in_again(connection)
            change_marks(
                connection,
                cursor=begins if begins_anew else cursor,
                policy=policy or marks.policy,
                floor=now,
                residue_since=marks.residue_since or (now if applied.has_residue else None),
                has_left_out=has_left_out and not begins_anew,
                unknown_to=unknown_to or ("" if begins_anew else marks.unknown_to),
            )
            return applied._replace(begins_anew=begins_anew)

        return await self.database.write(work)

    async def let_go_of_strangers(self) -> None:
        """Of contacts without a conversation, once everything that the hub had is in."""
        now = to_ms(self._now())
        await self.database.write(lambda connection: writing.let_go_of_strangers(connection, now=now))

    async def queue(self, view: View, *, offset: int, limit: int) -> QueuePage:
        rows = await self._read(
            lambda connection, now: reading.queue_rows(connection, view, me=self._me, now=now, offset=offset, limit=limit)
        )
        return QueuePage(rows=rows, total=(await self.counts())[view], offset=offset)

    async def counts(self) -> dict[str, int]:
        return await self._kept(self._views, lambda connection, now: reading.count_views(connection, me=self._me, now=now))

    async def _kept(self, kept: "_Kept[T]", count: Callable[[Connection, int], Counted[T]]) -> T:
        """As it was counted last, or again when something was written or has fallen due: the inbox asks at every change."""
        commits, now = self.database.commits, to_ms(self._now())
        if kept.counted is None or kept.commits != commits or not kept.counted.since <= now < kept.counted.until:
            kept.counted, kept.commits = await self._read(count), commits
        return kept.counted.found

    async def conversations(self) -> list[Conversation]:
        return await self._read(lambda connection, now: reading.conversations(connection, now=now))

    async def conversation(self, identifier: str) -> Conversation:
        return await self._read(lambda connection, now: reading.conversation(connection, identifier, now=now))

    async def timeline(self, identifier: str, *, before: str | None, after: str | None, limit: int) -> TimelinePage:
        return await self._read(
            lambda connection, now: reading.timeline(connection, identifier, before=before, after=after, now=now, limit=limit)
        )

    async def messages(self, identifier: str) -> list[Message]:
        return await self._read(lambda connection, now: reading.messages(connection, identifier, now=now))

    async def message(self, identifier: str) -> Message | None:
        return await self._read(lambda connection, now: reading.message(connection, identifier, now=now))

    async def message_by_key(self, key: str) -> Message | None:
        return await self._read(lambda connection, now: reading.message_by_key(connection, key, now=now))

    async def events(self, *, limit: int) -> list[Event]:
        return await self._read(lambda connection, now: reading.events(connection, now=now, limit=limit))

    async def search(self, words: str, *, limit: int, ranked: bool = False) -> list[SearchHit]:
        """Raises UsageError for a filter that does not exist."""
        question = ask(words, now=self._now())
        if not self._has_names and not question.is_empty:
            await self._index_names()
        return await self._read(lambda connection, now: find(connection, question, me=self._me, now=now, limit=limit, ranked=ranked))

    async def _index_names(self) -> None:
        if not await self._read(lambda connection, _: are_there(connection)):
            # What has no room for the index is still found by its words.
            with suppress(StoreFull):
                await self.database.write(index_every)
        self._has_names = True

    async def forgotten_until(self) -> datetime | None:
        """The time of the latest message this machine has purged, or must and has hidden already."""

        def work(connection: Connection, now: int) -> datetime | None:
            return reading.forgotten_until(connection, load_marks(connection).forgotten_until, now=now)

        return await self._read(work)

    async def totals(self) -> tuple[int, int]:
        """Visible messages and conversations."""
        messages = await self._kept(self._messages, lambda connection, now: reading.count_messages(connection, now=now))
        return messages, (await self.counts())["all"]

    async def due_since(self) -> datetime | None:
        """Since when (or from when on) something in the file must be destroyed; None when nothing ever falls due."""

        def work(connection: Connection, _: int) -> datetime | None:
            expiry = reading.first_expiry(connection)
            residue = load_marks(connection).residue_since
            falls_due = None if expiry is None or expiry >= NEVER else from_ms(expiry)
            return min((instant for instant in (falls_due, residue) if instant is not None), default=None)

        return await self._read(work)

    async def _read(self, work: Callable[[Connection, int], T]) -> T:
        now = to_ms(self._now())
        return await self.database.read(lambda connection: work(connection, now))


def _ids(items: Sequence[Item], kind: type[Conversation | Contact]) -> list[str]:
    return [item.id for item in items if isinstance(item.value, kind)]
