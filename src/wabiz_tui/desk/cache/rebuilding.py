"""Copy what may stay of one cache into a new one under another key: the only way in which anything is destroyed for good.

Readers and writers of the old cache go on meanwhile. What is written is noted, and copied again; only the last of it and the marks
are copied while writers wait.
"""

import hashlib
import heapq
import hmac
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from sqlite3 import Connection
from typing import Any

import msgspec

from wabiz_tui.desk.cache.database import Database
from wabiz_tui.desk.cache.marks import PENDING, Pending, change_marks, load_marks
from wabiz_tui.desk.cache.queries import load_queries
from wabiz_tui.desk.cache.reading import forgotten_until
from wabiz_tui.desk.cache.search import names
from wabiz_tui.desk.cache.surviving import Copying, follow, tables_of, take_touched, unfollow
from wabiz_tui.desk.cache.times import to_ms
from wabiz_tui.desk.cache.words import indexed
from wabiz_tui.desk.cache.writing import set_meta
from wabiz_tui.model.codec import encode
from wabiz_tui.model.errors import Locked
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.wire import ReceiptCounts

_sql = load_queries("cache.sql")
_AT_ONCE = 1000
_FEW = 200
"""Rows that may be left for the switch, where writers wait for them."""
_MOST_ROUNDS = 8
_COUNTED = frozenset(ReceiptCounts.__struct_fields__)
Touched = tuple[str, Any]
"""A table and the key of a row of it."""
_INDEX = "words"
_WHILE_FILLING = {"automerge": 0, "crisismerge": 1999, "hashsize": 32 << 20}
_AFTER = {"automerge": 4, "crisismerge": 16, "hashsize": 1 << 20}
"""FTS5's own defaults (sqlite.org/fts5.html, sections 6.1, 6.3 and 6.5)."""


class Rebuilding:
    """From `old` into the empty `made`. `copy` takes about a second per 50 000 messages and disturbs nobody; `finish` takes
    milliseconds, and nobody may write to `old` from when it begins. Both block. After `finish` or `give_up` the object is done."""

    def __init__(self, old: Database, old_key: Secret, made: Database, *, now: datetime) -> None:
        self._old, self._old_key, self._made, self._now = old, old_key, made, now
        self._at = {"now": to_ms(now)}
        self._due: dict[str, list[list[bytes]]] = {}
        self._revived: dict[str, set[bytes]] = {}
        self._kept: dict[str, int] = {}
        self._summed: tuple[dict[str, int], str] | None = None
        self._forgotten: datetime | None = None
        self._has_residue = False
        self._copying = made.read_now(lambda target: {table.name: Copying(target, table) for table in tables_of(target)})

    def copy(self) -> None:
        """Everything as it is now and nearly everything that is written meanwhile. Raises what the databases raise."""
        self._old.write_now(follow)
        self._made.write_now(self._fill)
        for _ in range(_MOST_ROUNDS):
            touched = self._old.write_now(take_touched)
            self._made.write_now(lambda target, touched=touched: self._copy_again(target, touched))
            if len(touched) <= _FEW:
                break
        self._forgotten = self._old.read_now(lambda source: forgotten_until(source, None, now=self._at["now"]))
        self._summed = self._sum_up()

    def finish(self, pending: Pending) -> Pending:
        """`pending` completed by what was counted; it lies in the new cache, which is whole."""
        touched = self._old.write_now(take_touched)
        complete = self._made.write_now(lambda target: self._old.read_now(lambda source: self._finish(source, target, touched, pending)))
        self._old.write_now(unfollow)
        return complete

    def give_up(self) -> None:
        """The old cache goes on as if nothing had been begun."""
        with suppress(Locked):
            self._old.write_now(unfollow)

    def _fill(self, target: Connection) -> None:
        later = _take_indexes(target)
        _set_up_index(target, _WHILE_FILLING)
        for copying in self._copying.values():
            self._copy_table(target, copying)
        # Made of sorted rows they take a third of the time, and lie in order.
        for statement in later:
            target.execute(statement)
        _set_up_index(target, _AFTER)
        names.index_every(target)

    def _copy_table(self, target: Connection, copying: Copying) -> None:
        name, now = copying.table.name, self._at["now"]
        runs, self._kept[name] = self._due.setdefault(name, []), 0
        after: Any = copying.least
        self._revived[name] = set()
        while rows := self._portion(copying, after):
            after = rows[-1][0]
            live = [row for row in rows if row[1]]
            target.executemany(copying.put, [copying.row_of(row, now) for row in live])
            if name == "messages":
                # The index of the old file is contentless and holds the purged words too: it is made anew from what stays.
                target.executemany(_sql["add_words"], [(row[0], indexed(copying.words_of(row[2:]))) for row in live])
            self._kept[name] += len(live)
            if len(live) < len(rows) and name in _COUNTED:
                runs.append(sorted(copying.id_of(row) for row in rows if not row[1]))

    def _portion(self, copying: Copying, after: Any) -> list[tuple[Any, ...]]:
        # A transaction for each, so that the log of the old file can be cut meanwhile, and nobody waits long where readers take turns.
        at = {**self._at, "after": after, "most": _AT_ONCE}
        return self._old.read_now(lambda source: source.execute(copying.portion, at).fetchall())

    def _copy_again(self, target: Connection, touched: Iterable[Touched]) -> None:
        ordered = sorted(touched)
        for start in range(0, len(ordered), _AT_ONCE):
            some = ordered[start : start + _AT_ONCE]
            found = self._old.read_now(lambda source, some=some: self._look_again(source, some))
            self._put_again(target, some, found)

    def _look_again(self, source: Connection, touched: Sequence[Touched]) -> list[tuple[Any, ...] | None]:
        return [source.execute(self._copying[name].one, {**self._at, "key": key}).fetchone() for name, key in touched]

    def _put_again(self, target: Connection, touched: Sequence[Touched], found: Sequence[tuple[Any, ...] | None]) -> None:
        for (name, key), row in zip(touched, found, strict=True):
            copying = self._copying[name]
            before = target.execute(copying.held, (key,)).fetchone()
            if row is None:
                self._has_residue |= before is not None and copying.table.words is not None
                self._kept[name] -= target.execute(copying.delete, (key,)).rowcount
                continue
            if before is None and not row[1]:
                self._note_due(name, copying, row)
                continue
            # A row that was taken away after it was copied stays one that the next rebuild destroys and counts.
            target.execute(copying.put, copying.row_of(row, self._at["now"]))
            if before is None:
                self._kept[name] += 1
                if name in _COUNTED and self._is_noted_due(name, copying.id_of(row)):
                    self._revived[name].add(copying.id_of(row))
                    self._summed = None
            self._replace_words(target, copying, key, None if before is None else copying.words_of(before))
        named: dict[str, list[str]] = {"conversations": [], "contacts": []}
        for (name, _), row in zip(touched, found, strict=True):
            if name in named and row is not None:
                named[name].append(self._copying[name].id_of(row).hex())
        if any(named.values()):
            names.index_names(target, named["conversations"], named["contacts"])

    def _replace_words(self, target: Connection, copying: Copying, key: Any, before: str | None) -> None:
        after = copying.words_of(target.execute(copying.held, (key,)).fetchone())
        if before == after:
            return
        if copying.table.name == "messages":
            target.execute(_sql["put_words"], {"doc": key, "body": indexed(after)})
            self._has_residue |= bool(before)
        # A newer preview takes the place of one whose message is still held; none is one that may be held no longer.
        self._has_residue |= bool(before) and not after

    def _is_noted_due(self, name: str, identifier: bytes) -> bool:
        places = ((run, bisect_left(run, identifier)) for run in self._due[name])
        return any(place < len(run) and run[place] == identifier for run, place in places)

    def _note_due(self, name: str, copying: Copying, row: Sequence[Any]) -> None:
        if name in _COUNTED:
            self._due[name].append([copying.id_of(row)])
            self._revived[name].discard(copying.id_of(row))
            self._summed = None

    def _finish(self, source: Connection, target: Connection, touched: set[Touched], pending: Pending) -> Pending:
        ordered = sorted(touched)
        self._put_again(target, ordered, self._look_again(source, ordered))
        marks = load_marks(source)
        changes = {
            "residue_since": self._now if self._has_residue else None,
            "floor": max(self._now, marks.floor or self._now),
            "forgotten_until": max((at for at in (marks.forgotten_until, self._forgotten) if at is not None), default=None),
        }
        change_marks(target, **msgspec.structs.asdict(marks) | changes)
        removed, ids_hash = self._summed or self._sum_up()
        complete = msgspec.structs.replace(pending, removed=_counts(removed), kept=_counts(self._kept), ids_hash=ids_hash)
        set_meta(target, PENDING, encode(complete))
        return complete

    def _ids_of(self, name: str) -> Iterator[bytes]:
        """Sorted, each once. Merged of short sorted runs, for one long sort would keep all other threads waiting."""
        before, revived = b"", self._revived.get(name, set())
        for identifier in heapq.merge(*self._due[name]):
            if identifier != before and identifier not in revived:
                yield identifier
            before = identifier

    def _sum_up(self) -> tuple[dict[str, int], str]:
        """How many of each are destroyed, and the keyed hash of their ids."""
        counted = dict.fromkeys(self._due, 0)

        def ids(name: str) -> Iterator[bytes]:
            for identifier in self._ids_of(name):
                counted[name] += 1
                yield identifier

        digest = hash_ids(self._old_key, (identifier.hex() for identifier in heapq.merge(*map(ids, counted))))
        return counted, digest


def count_everything(source: Connection, key: Secret) -> tuple[ReceiptCounts, str]:
    """Of all rows that a receipt counts, due or not: how many of each there are, and the keyed hash of their ids."""
    counted = [table for table in tables_of(source) if table.name in _COUNTED]
    ids = {
        table.name: [bytes(row[0]) for row in source.execute(f"SELECT {table.id} FROM {table.name} ORDER BY 1")]  # noqa: S608 names of our schema
        for table in counted
    }
    return _counts({name: len(found) for name, found in ids.items()}), hash_ids(key, (one.hex() for one in heapq.merge(*ids.values())))


def hash_ids(key: Secret, ids: Iterable[str]) -> str:
    """HMAC-SHA256 (hex) over the ids, each on a line, in rising order: a guess can be tested only while the epoch's key exists."""
    digest = hmac.new(key.reveal(), digestmod=hashlib.sha256)
    for place, identifier in enumerate(ids):
        digest.update(f"\n{identifier}".encode() if place else identifier.encode())
    return digest.hexdigest()


def _counts(counted: dict[str, int]) -> ReceiptCounts:
    return ReceiptCounts(**{kind: counted[kind] for kind in _COUNTED if kind in counted})


def _take_indexes(target: Connection) -> list[str]:
    """Drop the indexes of the tables that are filled; the statements that make them again."""
    later: list[str] = []
    for table in tables_of(target):
        rows = target.execute(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL", (table.name,)
        )
        for name, statement in rows.fetchall():
            later.append(str(statement))
            target.execute(f"DROP INDEX {name}")
    return later


def _set_up_index(target: Connection, settings: dict[str, int]) -> None:
    for setting, value in settings.items():
        target.execute(f"INSERT INTO {_INDEX} ({_INDEX}, rank) VALUES (?, ?)", (setting, value))  # noqa: S608 a name of our schema
