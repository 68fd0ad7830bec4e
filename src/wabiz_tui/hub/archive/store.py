"""The archive: its one writer and its readers, and the rule by which changes are numbered."""

import asyncio
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.beginning import with_check
from wabiz_tui.hub.archive.engine.direct import Direct, begin_savepoint, end_savepoint, undo_savepoint
from wabiz_tui.hub.archive.engine.places import KEYS_DESTROYED, Place
from wabiz_tui.hub.archive.engine.sql import put
from wabiz_tui.hub.archive.erasure.tombstones import Tombstones
from wabiz_tui.hub.archive.journal import Journal
from wabiz_tui.hub.archive.keystore import KeyStore
from wabiz_tui.hub.archive.sealing import Sealer, derive, month_of
from wabiz_tui.hub.archive.shelves import Shelf, Shelved, Shelves
from wabiz_tui.hub.archive.times import from_ms, to_ms
from wabiz_tui.hub.processes.bus import CHANGES, Bus, Told, checked, in_one
from wabiz_tui.model.clock import Clock
from wabiz_tui.model.feed import Entity
from wabiz_tui.model.identifiers import new_id
from wabiz_tui.model.secret import Secret

T = TypeVar("T")
V = TypeVar("V")

# What a desk needs first stands first among the changes of one transaction: no message before its conversation.
_ORDER: dict[str, int] = {
    name: rank
    for rank, name in enumerate(("policy", "team", "person", "number", "canned", "macro", "contact", "conversation", "message", "event"))
}


def _go_on() -> None: ...


_tenant: sa.BindParameter[str] = sa.bindparam("of_tenant")
_TAKE_NUMBERS = Direct(
    sa.update(schema.head)
    .where(schema.head.c.tenant == _tenant)
    .values(seq=schema.head.c.seq + sa.bindparam("count", type_=sa.BigInteger))
    .returning(schema.head.c.seq)
)
_KEY_EPOCH = Direct(sa.select(schema.key_epoch.c.number).where(schema.key_epoch.c.tenant == _tenant))


class Reading:
    """One snapshot of the archive. Queries take it as their first argument."""

    def __init__(self, connection: sa.Connection, archive: "Archive") -> None:
        self._connection, self.tenant, self.sealer, self.now = connection, archive.tenant, archive.sealer, archive.clock.now()
        self.archive = archive
        self.tombstones = Tombstones(archive.keys)
        self._shelves = Shelves(connection, archive.tenant, archive.sealer)

    @property
    def connection(self) -> sa.Connection:
        return self._connection

    def shelf(self, shelved: Shelved[V]) -> Shelf[V]:
        """The rows of a table, read through memory."""
        return self._shelves.of(shelved)

    @property
    def now_ms(self) -> int:
        return to_ms(self.now)

    def new_id(self) -> str:
        """A fresh id, greater than every one made before it by this process: equal times keep their order of arrival."""
        return self.archive.next_id(self.now)


class Writing(Reading):
    """One transaction of the one writer. What it touched gets its numbers last, just before the commit."""

    def __init__(self, connection: sa.Connection, archive: "Archive") -> None:
        super().__init__(connection, archive)
        self._savepoints = 0
        """How many are open within each other."""
        self._touched: dict[tuple[Entity, str], None] = {}
        self._told: list[Told] = []
        self._afterwards: list[Callable[[], object]] = []
        self.rest: Callable[[], None] = _go_on
        """Called between the steps of what is long: whoever runs that may leave the processor to others there."""
        self.facts: list[object] = []
        """What happened in this transaction, for those who settle what follows from it (archive/facts.py)."""

    @property
    def connection(self) -> sa.Connection:
        """The database, with everything written that was on the shelves; they are empty after, since a statement may change any row."""
        self._shelves.write(self.rest)
        self._shelves.clear()
        return self._connection

    @contextmanager
    def savepoint(self) -> Generator[None]:
        """All of what follows or nothing of it: rows, shelves, changes and what is to be done afterwards."""
        touched, told, promised, known = dict(self._touched), len(self._told), len(self._afterwards), len(self.facts)
        name = f"wabiz_{self._savepoints}"
        begin_savepoint(self.connection, name)
        self._savepoints += 1
        try:
            yield
            self._shelves.write(self.rest)
            end_savepoint(self._connection, name)
        except BaseException:
            self._shelves.clear()
            self._touched = touched
            del self.facts[known:]
            del self._told[told:]
            del self._afterwards[promised:]
            # Where the whole transaction is gone there is nothing to go back to: the error that ended it counts.
            with suppress(SQLAlchemyError):
                undo_savepoint(self._connection, name)
            raise
        finally:
            self._savepoints -= 1

    def touch(self, entity: Entity, entity_id: str) -> None:
        """Say in the feed that this entity changed."""
        self._touched[entity, entity_id] = None

    def tell(self, topic: str, text: str = "") -> None:
        """Tell this process and the others once the transaction is durable, and not at all if it is not (see processes/bus.py).

        Raises ValueError for a text beyond what can be told."""
        self._told.append(checked(Told(topic, text)))

    def touched(self, entity: Entity) -> list[str]:
        """The entities of a kind that this transaction changed so far."""
        return [entity_id for kind, entity_id in self._touched if kind == entity]

    def settle(self) -> None:
        """Let those settle what follows from all that was done who asked for it."""
        for act in self.archive.settling:
            act(self)

    def afterwards(self, act: Callable[[], object]) -> None:
        """Do this once the transaction is durable, and not at all if it is not."""
        self._afterwards.append(act)

    def number_changes(self) -> int | None:
        """Take the tenant's counter and give every touched entity its sequence; the new head, or None when nothing was touched.

        The counter row is taken last and held until the commit: so numbers become visible in their order, and a reader that
        has seen N never later finds a row at or below N."""
        self._shelves.write(self.rest)
        if not self._touched:
            return None
        ordered = sorted(self._touched, key=lambda key: _ORDER[key[0]])
        taken = _TAKE_NUMBERS.value(self._connection, {"of_tenant": self.tenant, "count": len(ordered)})
        if taken is None:
            taken = len(ordered)
            self._connection.execute(sa.insert(schema.head).values(tenant=self.tenant, seq=taken))
        first = taken - len(ordered) + 1
        rows = [
            {"tenant": self.tenant, "entity": kind, "id": entity_id, "seq": first + index}
            for index, (kind, entity_id) in enumerate(ordered)
        ]
        put(self._connection, schema.change, rows)
        return taken

    def tell_others(self, head: int | None) -> None:
        """Hand what is told over to the transaction, as its last statement."""
        self._told = in_one(self._told)
        others = [*self._told, *([] if head is None else [Told(CHANGES, str(head))])]
        if others:
            self.archive.signals.put(self._connection, others)

    def committed(self, head: int | None) -> None:
        """Do what was to be done afterwards, and tell. Raises the first error of these acts, once every one was done and all is told:
        the transaction is durable, whatever became of one of them."""
        failed: list[Exception] = []
        for act in self._afterwards:
            try:
                act()
            except Exception as error:  # noqa: BLE001 raised below; whoever waits for the next act or the feed has no part in it
                failed.append(error)
        for told in [*self._told, *([] if head is None else [Told(CHANGES, str(head))])]:
            self.archive.bus.hear(told)
        if failed:
            raise failed[0]


class Archive:
    """The record of one tenant. `read` and `write` run a function over a snapshot or a transaction, off the event loop."""

    def __init__(self, place: Place, seal_key: Secret, *, tenant: str, clock: Clock, random_bytes: Callable[[int], bytes]) -> None:
        self.place, self.tenant, self.clock, self.random_bytes = place, tenant, clock, random_bytes
        self.listeners: list[Callable[[int], None]] = []
        """Called with the new head after each commit that changed something, of this process or another; 0 where some may have been
        missed. In the writer's thread or the bus's."""
        self.settling: list[Callable[[Writing], object]] = []
        """Called in each transaction with all that it did, before its changes get their numbers."""
        wrap = derive(seal_key, "wrap")
        with ExitStack() as opened:
            self._engines = place.open(tenant)
            opened.callback(self._engines.readers.dispose)
            self.keys = KeyStore(place.open_keys("keys", tenant), wrap, tenant=tenant, random_bytes=random_bytes)
            opened.callback(self.keys.close)
            self.keys.find("hub")  # raises where the seal key is not the one that the archive was set up with
            self.shares = KeyStore(place.open_keys("shares", tenant), wrap, tenant=tenant, random_bytes=random_bytes)
            opened.callback(self.shares.close)
            self.prepare_months()
            self.signals = place.open_signals(tenant)
            self.bus = Bus(self.signals)
            opened.callback(self.bus.close)
            self._opened = opened.pop_all()
        self.sealer = Sealer(self.keys, derive(seal_key, "index"), tenant=tenant, random_bytes=random_bytes)
        self.bus.on(CHANGES, lambda head: self._tell_listeners(int(head)))
        self.bus.on(KEYS_DESTROYED, lambda table: (self.shares if table == "shares" else self.keys).forget_cached())
        self.bus.on_gap(self._catch_up)
        self._id_lock, self._last_ms = Lock(), 0
        self._key_epoch: int | None = None
        self._writes = 0
        """How many transactions of `write` are under way or wait; the event loop's own."""
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="archive-writer")
        self._readers = ThreadPoolExecutor(4, thread_name_prefix="archive-reader")

    def next_id(self, now: datetime) -> str:
        with self._id_lock:
            self._last_ms = max(self._last_ms + 1, to_ms(now))
            return new_id(from_ms(self._last_ms), self.random_bytes)

    def open_journal(self) -> Journal:
        """The webhook journal that belongs to this archive; its caller stops it."""
        rows = self.place.open_journal(self.tenant)
        return Journal(rows, self.keys, clock=self.clock, random_bytes=self.random_bytes)

    def prepare_months(self) -> None:
        """Make room for messages of this month and the next."""
        this = self.clock.now().astimezone(UTC).replace(day=1)
        self.place.prepare_months((month_of(this), month_of(this + timedelta(days=31))))

    @contextmanager
    def reading(self) -> Generator[Reading]:
        with self.place.translated(), self._engines.readers.begin() as connection:
            yield Reading(connection, self)

    @contextmanager
    def writing(self) -> Generator[Writing]:
        """A transaction; keys made in it are durable before it is. Only one thread at a time gets past the begin."""
        writing: Writing | None = None
        head: int | None = None
        try:
            with self.place.translated(), self._engines.writer.begin() as connection:
                self._notice_renewed_keys(connection)
                writing = Writing(connection, self)
                yield writing
                writing.settle()
                head = writing.number_changes()
                writing.tell_others(head)
                self.keys.commit()
                self.shares.commit()
        except BaseException:
            self.keys.rollback()
            self.shares.rollback()
            raise
        writing.committed(head)

    def _notice_renewed_keys(self, connection: sa.Connection) -> None:
        """Nothing may be sealed under a key that an erasure by another process is about to destroy."""
        epoch = _KEY_EPOCH.value(connection, {"of_tenant": self.tenant})
        if epoch != self._key_epoch:
            self.keys.forget_cached()
            self._key_epoch = epoch

    async def read(self, work: Callable[[Reading], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_now, work)

    async def write(self, work: Callable[[Writing], T]) -> T:
        """Run `work` in a transaction on the writer's thread; it is durable when this returns."""
        self._writes += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._writer, self.write_now, with_check(work))
        finally:
            self._writes -= 1

    @property
    def is_writer_awaited(self) -> bool:
        """Whether somebody of this process waits for the writer while another has it."""
        return self._writes > 1

    def read_now(self, work: Callable[[Reading], T]) -> T:
        with self.reading() as reading:
            return work(reading)

    def write_now(self, work: Callable[[Writing], T]) -> T:
        with self.writing() as writing:
            return work(writing)

    def _tell_listeners(self, head: int) -> None:
        for listener in tuple(self.listeners):
            listener(head)

    def _catch_up(self) -> None:
        """Others may have told what was not heard."""
        self.keys.forget_cached()
        self.shares.forget_cached()
        self._tell_listeners(0)

    def close(self) -> None:
        """Finish what is under way, then close every file."""
        self._writer.shutdown()
        self._readers.shutdown()
        self._opened.close()


_ENDS = Direct(sa.select(schema.head.c.seq, schema.head.c.begins).where(schema.head.c.tenant == sa.bindparam("of_tenant")))
_SINCE = Direct(
    sa.select(schema.change.c.seq, schema.change.c.entity, schema.change.c.id)
    .where(schema.change.c.tenant == sa.bindparam("of_tenant"), schema.change.c.seq > sa.bindparam("since"))
    .order_by(schema.change.c.seq)
    .limit(sa.bindparam("most", type_=sa.Integer))
    .offset(sa.literal_column("0"))  # SQLite's dialect puts one as a value of its own where there is none
)


class FeedEnds(NamedTuple):
    """`head` is the sequence the feed has reached, 0 before the first change; `begins` the number after which it begins, above 0
    once the archive was restored."""

    head: int = 0
    begins: int = 0


def feed_ends(reading: Reading) -> FeedEnds:
    rows = _ENDS.rows(reading.connection, {"of_tenant": reading.tenant})
    return FeedEnds(*(number or 0 for number in rows[0])) if rows else FeedEnds()


def feed_head(reading: Reading) -> int:
    """The sequence the feed has reached; 0 before the first change."""
    return feed_ends(reading).head


class ChangeRow(NamedTuple):
    seq: int
    entity: Entity
    id: str


def changes_since(reading: Reading, since: int, limit: int) -> list[ChangeRow]:
    """The next rows of the feed after `since`, in rising sequence."""
    return [ChangeRow._make(row) for row in _SINCE.rows(reading.connection, {"of_tenant": reading.tenant, "since": since, "most": limit})]


def changes_of(reading: Reading, since: int, entities: Sequence[Entity]) -> list[ChangeRow]:
    """All rows after `since` of these entities, in rising sequence: only for entities of which there are few."""
    column = schema.change.c
    rows = reading.connection.execute(
        sa.select(column.seq, column.entity, column.id)
        .where(column.tenant == reading.tenant, column.entity.in_(entities), column.seq > since)
        .order_by(column.seq)
    )
    return [ChangeRow(row.seq, row.entity, row.id) for row in rows]
