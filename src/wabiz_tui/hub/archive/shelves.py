"""Rows held in memory for the length of one transaction: read many at a time, changed in place, written together.

A statement for each row of each webhook costs more than everything else in folding. So what runs for every message reads and
changes rows here; whatever reaches for the connection itself has everything written first, and finds the shelves empty after.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeAlias, TypeVar, cast

import sqlalchemy as sa

from wabiz_tui.hub.archive.engine.direct import Direct, DirectLookup
from wabiz_tui.hub.archive.sealing import Sealer
from wabiz_tui.model.codec import decode, encode

V = TypeVar("V")
Key: TypeAlias = Any
"""A value of the key column; a tuple where the key has several."""
Row: TypeAlias = dict[str, Any]


class Sealing(Generic[V]):
    """How a table's `sealed` column is made: of which type, and from the row the unit and what it is bound to."""

    def __init__(self, kind: type[V], *, unit: Callable[[Row], str], about: Callable[[Row], str]) -> None:
        self.kind, self.unit, self.about = kind, unit, about

    def seal(self, sealer: Sealer, row: Row, value: V) -> bytes:
        return sealer.seal(self.unit(row), encode(value), about=self.about(row))

    def open(self, sealer: Sealer, row: Row) -> V | None:
        """None when the unit's key is destroyed."""
        plain = sealer.open(self.unit(row), row["sealed"], about=self.about(row))
        return None if plain is None else decode(plain, self.kind)


class Shelved(Generic[V]):
    """A table as it goes on a shelf; its statements are built once, since building one costs more than running it.

    `key` finds a row, `narrowed` helps the index to it, `group` finds several, of which only those that `belongs` count.
    """

    def __init__(
        self,
        table: sa.Table,
        *key: str,
        narrowed: sa.ColumnElement[bool] | None = None,
        group: str | None = None,
        belongs: Callable[[Row], bool] = lambda _: True,
        belonging: sa.ColumnElement[bool] | None = None,
        identity: Sequence[str] = (),
        sealing: Sealing[V] | None = None,
    ) -> None:
        self.table, self.key, self.group, self.belongs, self.sealing = table, key, group, belongs, sealing
        self.identity = tuple(identity) or key
        self.names = tuple(column.name for column in table.columns)
        self.blank: Row = dict.fromkeys(self.names)
        self._tenant = table.c.tenant == sa.bindparam("of_tenant")
        query = sa.select(table).where(self._tenant)
        self.by_key = DirectLookup(query if narrowed is None else query.where(narrowed), table.c[key[0]])
        self.by_group = None if group is None else DirectLookup(query if belonging is None else query.where(belonging), table.c[group])
        self.insert = Direct(sa.insert(table))
        self.delete = Direct(sa.delete(table).where(*self._same()))
        self._updates: dict[tuple[str, ...], Direct] = {}
        self._truths = tuple(column.name for column in table.columns if isinstance(column.type, sa.Boolean))

    def key_of(self, row: Row) -> Key:
        return row[self.key[0]] if len(self.key) == 1 else tuple(row[name] for name in self.key)

    def row_of(self, values: tuple[Any, ...]) -> Row:
        """From what the database gave for all columns; SQLite has numbers for truths."""
        row = dict(zip(self.names, values, strict=True))
        for name in self._truths:
            row[name] = bool(row[name])
        return row

    def update(self, names: tuple[str, ...]) -> Direct:
        made = self._updates.get(names)
        if made is None:
            statement = sa.update(self.table).where(*self._same()).values({name: sa.bindparam(f"to_{name}") for name in names})
            made = self._updates[names] = Direct(statement)
        return made

    def named(self, row: Row) -> Row:
        """The parameters that find this row's one place."""
        return {"of_tenant": row["tenant"]} | {f"of_{name}": row[name] for name in self.identity}

    def _same(self) -> list[sa.ColumnElement[bool]]:
        return [self._tenant, *(self.table.c[name] == sa.bindparam(f"of_{name}") for name in self.identity)]


class Shelf(Generic[V]):
    """The rows of one table that this transaction has seen or made; None stands for a row known to be absent."""

    def __init__(self, shelved: Shelved[V], connection: sa.Connection, tenant: str, sealer: Sealer) -> None:
        self._shelved, self._connection, self._tenant, self._sealer = shelved, connection, tenant, sealer
        self._rows: dict[Key, Row | None] = {}
        self._values: dict[Key, V | None] = {}
        self._groups: dict[Key, dict[Key, None]] = {}
        self._made: dict[Key, dict[Key, None]] = {}
        self._new: dict[Key, None] = {}
        self._changed: dict[Key, set[str]] = {}
        self._gone: dict[Key, Row] = {}
        self._unsealed: dict[Key, None] = {}

    def get(self, key: Key) -> Row | None:
        """The row as it now is. It is the shelf's own: change it by `change` alone."""
        if key not in self._rows:
            self.fetch((key,))
        return self._rows[key]

    def value(self, key: Key) -> V | None:
        """What is sealed in the row, opened once; None when there is no row or its key is destroyed."""
        row = self.get(key)
        if row is None:
            return None
        if key not in self._values:
            self._values[key] = self._sealing.open(self._sealer, row)
        return self._values[key]

    def opens(self, key: Key) -> bool:
        """Whether there is a row whose sealed value can be had; costs no opening."""
        row = self.get(key)
        return row is not None and (key in self._unsealed or self._sealer.has_key(self._sealing.unit(row)))

    def is_new(self, key: Key) -> bool:
        """Whether this transaction made the row, so that nothing in the database can speak of it."""
        return key in self._new

    def fetch(self, keys: Iterable[Key]) -> None:
        """Read these rows, as far as they are not here, in few statements."""
        missing = [key for key in dict.fromkeys(keys) if key not in self._rows]
        if not missing:
            return
        for row in self._read(self._shelved.by_key, missing):
            self._rows[self._shelved.key_of(row)] = row
        for key in missing:
            self._rows.setdefault(key, None)

    def group(self, of: Key, *, is_new: bool = False) -> list[Row]:
        """The rows of one group, in no order; of one that `is_new` only what this transaction made."""
        if of not in self._groups and is_new:
            self._groups[of] = dict(self._made.get(of, {}))
        elif of not in self._groups:
            self.fetch_groups((of,))
        rows = (self._rows[key] for key in self._groups[of])
        return [row for row in rows if row is not None and self._shelved.belongs(row)]

    def fetch_groups(self, of: Iterable[Key]) -> None:
        missing = [key for key in dict.fromkeys(of) if key not in self._groups]
        if not missing:
            return
        for key in missing:
            self._groups[key] = {}
        name = cast("str", self._shelved.group)
        for row in self._read(cast("DirectLookup", self._shelved.by_group), missing):
            key = self._shelved.key_of(row)
            self._rows.setdefault(key, row)
            self._groups[row[name]][key] = None
        for key in missing:
            self._groups[key] |= self._made.get(key, {})

    def add(self, row: Row, value: V | None = None) -> None:
        """A new row; columns not named are null. `value` is sealed when the row is written."""
        full = {**self._shelved.blank, "tenant": self._tenant, **row}
        key = self._shelved.key_of(full)
        if self._gone.pop(key, None) is None:
            self._new[key] = None
        else:
            self._changed[key] = set(self._shelved.names).difference(("tenant", *self._shelved.identity))
        self._rows[key] = full
        if self._shelved.group is not None:
            of = full[self._shelved.group]
            self._made.setdefault(of, {})[key] = None
            if of in self._groups:
                self._groups[of][key] = None
        if value is not None:
            self._values[key] = value
            self._unsealed[key] = None

    def change(self, key: Key, **values: Any) -> None:
        """Set columns of a row; nothing happens where there is none. What a group is found by cannot be changed here."""
        row = self.get(key)
        if row is None:
            return
        row.update(values)
        if key not in self._new:
            self._changed.setdefault(key, set()).update(values)

    def replace(self, key: Key, value: V) -> None:
        """Put another value into the row, to be sealed when it is written."""
        self._values[key] = value
        self._unsealed[key] = None

    def remove(self, key: Key) -> None:
        row = self.get(key)
        if row is None:
            return
        if key in self._new:
            del self._new[key]
        else:
            self._gone[key] = row
        self._rows[key] = None
        for kept in (self._changed, self._values, self._unsealed):
            kept.pop(key, None)

    def write(self) -> bool:
        """Send what is new, changed and gone to the database: a few statements, each for many rows. Whether there was anything."""
        if not (self._unsealed or self._gone or self._new or self._changed):
            return False
        for key in self._unsealed:
            row = self._row(key)
            row["sealed"] = self._sealing.seal(self._sealer, row, cast("V", self._values[key]))
            if key not in self._new:
                self._changed.setdefault(key, set()).add("sealed")
        if self._gone:
            self._shelved.delete.run(self._connection, [self._shelved.named(row) for row in self._gone.values()])
        if self._new:
            self._shelved.insert.run(self._connection, [self._row(key) for key in self._new])
        alike: dict[tuple[str, ...], list[Row]] = {}
        for key, names in self._changed.items():
            alike.setdefault(tuple(sorted(names)), []).append(self._row(key))
        for names, rows in alike.items():
            parameters = [self._shelved.named(row) | {f"to_{name}": row[name] for name in names} for row in rows]
            self._shelved.update(names).run(self._connection, parameters)
        for kept in (self._unsealed, self._gone, self._new, self._changed):
            kept.clear()
        return True

    @property
    def _sealing(self) -> Sealing[V]:
        return cast("Sealing[V]", self._shelved.sealing)

    def _row(self, key: Key) -> Row:
        return cast("Row", self._rows[key])

    def _read(self, lookup: DirectLookup, wanted: Sequence[Key]) -> list[Row]:
        return [self._shelved.row_of(values) for values in lookup.rows(self._connection, {"of_tenant": self._tenant}, wanted)]


class Shelves:
    """The shelves of one transaction, made as they are asked for."""

    def __init__(self, connection: sa.Connection, tenant: str, sealer: Sealer) -> None:
        self._connection, self._tenant, self._sealer = connection, tenant, sealer
        self._shelves: dict[Shelved[Any], Shelf[Any]] = {}

    def of(self, shelved: Shelved[V]) -> Shelf[V]:
        shelf = self._shelves.get(shelved)
        if shelf is None:
            shelf = self._shelves[shelved] = Shelf(shelved, self._connection, self._tenant, self._sealer)
        return shelf

    def write(self, rest: Callable[[], None]) -> None:
        """`rest` is called between the tables."""
        for shelf in self._shelves.values():
            if shelf.write():
                rest()

    def clear(self) -> None:
        """Forget everything, written or not."""
        self._shelves.clear()
