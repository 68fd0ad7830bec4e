"""Canned responses, macros and their runs in the archive. What they say is sealed; a name is compared by a keyed hash."""

from collections.abc import Callable, Iterable
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.sends import digest
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.feed import Entity
from wabiz_tui.model.naming import name_key
from wabiz_tui.model.work import Canned, Macro

R = TypeVar("R", Canned, Macro)
_run = schema.macro_run.c


class Kept(Generic[R]):
    """The rows of one kind of routine."""

    def __init__(self, table: sa.Table, kind: type[R], entity: Entity, name_of: Callable[[R], str]) -> None:
        self._entity: Entity = entity
        self._table, self._kind, self._name_of = table, kind, name_of

    def load(self, reading: Reading, ids: Iterable[str] | None = None) -> dict[str, R]:
        """Those of the ids that are there, or all; oldest first."""
        column = self._table.c
        query = sa.select(column.id, column.sealed).where(column.tenant == reading.tenant).order_by(column.id)
        if ids is not None:
            query = query.where(column.id.in_(sorted(set(ids))))
        found: dict[str, R] = {}
        for row in reading.connection.execute(query):
            plain = reading.sealer.open(self._entity, row.sealed, about=f"{self._entity}/{row.id}")
            if plain is not None:
                found[row.id] = decode(plain, self._kind)
        return found

    def find(self, reading: Reading, identifier: str) -> R | None:
        return self.load(reading, [identifier]).get(identifier)

    def named(self, reading: Reading, name: str, team: str | None) -> str | None:
        """The id of what a team has under this name, whatever its case."""
        column = self._table.c
        return reading.connection.execute(
            sa.select(column.id).where(column.tenant == reading.tenant, column.name_hash == self._hash(reading, name, team))
        ).scalar()

    def count(self, reading: Reading) -> int:
        query = sa.select(sa.func.count()).select_from(self._table).where(self._table.c.tenant == reading.tenant)
        return reading.connection.execute(query).scalar() or 0

    def save(self, writing: Writing, value: R) -> None:
        """Add it, or put it in the place of the one with its id."""
        column, row = self._table.c, self._row(writing, value)
        changed = writing.connection.execute(
            sa.update(self._table).where(column.tenant == writing.tenant, column.id == value.id).values(**row)
        ).rowcount
        if not changed:
            writing.connection.execute(sa.insert(self._table).values(tenant=writing.tenant, id=value.id, **row))
        writing.touch(self._entity, value.id)

    def remove(self, writing: Writing, identifier: str) -> None:
        column = self._table.c
        writing.connection.execute(sa.delete(self._table).where(column.tenant == writing.tenant, column.id == identifier))
        writing.touch(self._entity, identifier)

    def _row(self, writing: Writing, value: R) -> dict[str, Any]:
        sealed = writing.sealer.seal(self._entity, encode(value), about=f"{self._entity}/{value.id}")
        return {"name_hash": self._hash(writing, self._name_of(value), value.team), "sealed": sealed}

    def _hash(self, reading: Reading, name: str, team: str | None) -> bytes:
        return reading.sealer.lookup(self._entity, f"{team or ''}\n{name_key(name)}")


CANNED: Kept[Canned] = Kept(schema.canned, Canned, "canned", lambda value: value.shortcut)
MACROS: Kept[Macro] = Kept(schema.macro, Macro, "macro", lambda value: value.name)


class StoredRun(NamedTuple):
    """A macro that was run under a key: `answer` is None while its sends have none."""

    run: str
    macro: str
    conversation: str
    answer: bytes | None


def find_run(reading: Reading, caller: str, key: str) -> StoredRun | None:
    row = reading.connection.execute(sa.select(schema.macro_run).where(*_under(reading, caller, key))).first()
    return None if row is None else StoredRun(row.run, row.macro, row.conversation, None if row.answer is None else row.answer.encode())


def add_run(writing: Writing, caller: str, key: str, stored: StoredRun) -> None:
    writing.connection.execute(
        sa.insert(schema.macro_run).values(
            tenant=writing.tenant,
            caller=caller,
            key_hash=digest(key.encode()),
            run=stored.run,
            macro=stored.macro,
            conversation=stored.conversation,
            at_ms=writing.now_ms,
        )
    )


def answer_run(writing: Writing, caller: str, key: str, answer: msgspec.Struct) -> None:
    writing.connection.execute(sa.update(schema.macro_run).where(*_under(writing, caller, key)).values(answer=encode(answer).decode()))


def _under(reading: Reading, caller: str, key: str) -> tuple[sa.ColumnElement[bool], ...]:
    return _run.tenant == reading.tenant, _run.caller == caller, _run.key_hash == digest(key.encode())
