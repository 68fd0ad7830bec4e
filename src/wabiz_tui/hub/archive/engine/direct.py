"""Statements that run for every webhook, straight on the driver, within the transaction of a SQLAlchemy connection.

SQLAlchemy writes their text once for each engine; compiling, binding and fetching by it anew each time costs many times what the
database does (docs/decisions/folding-in-batches.md). Parameters are the columns' plain values: text, numbers, bytes, truth.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.dialects.postgresql import ARRAY, psycopg
from sqlalchemy.dialects.sqlite import pysqlite

T = TypeVar("T")
Parameters: TypeAlias = Mapping[str, Any]
_WANTED, _MARK, _MOST_KEYS = "wanted", "__wanted__", 512


class _Text(NamedTuple):
    sql: str
    names: tuple[str, ...]

    def values(self, parameters: Parameters) -> tuple[Any, ...]:
        return tuple(map(parameters.__getitem__, self.names))


class PerEngine(Generic[T]):
    """What is made once for each engine, by its name."""

    def __init__(self, make: Callable[[str], T]) -> None:
        self._make, self._made = make, dict[str, T]()

    def of(self, connection: sa.Connection) -> T:
        name = connection.dialect.name
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self._make(name)
        return made


class Direct:
    """A statement; `make` builds it for an engine by its name, where the two differ."""

    def __init__(self, statement: sa.ClauseElement | Callable[[str], sa.ClauseElement]) -> None:
        self._texts = PerEngine(lambda engine: _text_of(statement(engine) if callable(statement) else statement, engine))

    def rows(self, connection: sa.Connection, parameters: Parameters) -> list[tuple[Any, ...]]:
        text = self._texts.of(connection)
        return _rows(connection, text.sql, text.values(parameters))

    def value(self, connection: sa.Connection, parameters: Parameters) -> Any:
        """The first column of the first row, or None."""
        rows = self.rows(connection, parameters)
        return rows[0][0] if rows else None

    def run(self, connection: sa.Connection, rows: Sequence[Parameters]) -> None:
        """Once for each of the rows."""
        text = self._texts.of(connection)
        _run(connection, text.sql, [text.values(row) for row in rows])


class DirectLookup:
    """A query for the rows whose `column` is among some keys, however many: a few texts in all, so that the driver keeps each prepared."""

    def __init__(self, query: sa.Select[*tuple[Any, ...]], column: sa.ColumnElement[Any]) -> None:
        self._texts = PerEngine(lambda engine: _text_of(query.where(_among(column, engine)), engine))
        self._lengths: dict[int, str] = {}

    def rows(self, connection: sa.Connection, parameters: Parameters, keys: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        """In no order."""
        text = self._texts.of(connection)
        if connection.dialect.name == "postgresql":
            yield from _rows(connection, text.sql, text.values({**parameters, _WANTED: list(keys)}))
            return
        for start in range(0, len(keys), _MOST_KEYS):
            some = list(keys[start : start + _MOST_KEYS])
            # Filled up with the last one to one of ten lengths.
            length = 1 << (len(some) - 1).bit_length()
            values = [*text.values(parameters), *some, *some[-1:] * (length - len(some))]
            yield from _rows(connection, self._of_length(text, length), values)

    def _of_length(self, text: _Text, length: int) -> str:
        made = self._lengths.get(length)
        if made is None:
            made = self._lengths[length] = text.sql.replace(_MARK, ", ".join("?" * length))
        return made


def upsert(table: sa.Table, names: Sequence[str]) -> Callable[[str], sa.ClauseElement]:
    """Insert a row of these columns, or put them into the row whose primary key is there already."""

    def make(engine: str) -> sa.ClauseElement:
        if engine == "postgresql":
            from sqlalchemy.dialects.postgresql import insert
        else:
            from sqlalchemy.dialects.sqlite import insert
        statement: Any = insert(table).values({name: sa.bindparam(name) for name in names})
        keys = [column.name for column in table.primary_key]
        replaced = {name: statement.excluded[name] for name in names if name not in keys}
        if not replaced:
            return statement.on_conflict_do_nothing(index_elements=keys)
        return statement.on_conflict_do_update(index_elements=keys, set_=replaced)

    return make


def _among(column: sa.ColumnElement[Any], engine: str) -> sa.ColumnElement[bool]:
    """As the last of the conditions; in files the keys stand at the mark."""
    if engine == "postgresql":
        return column == sa.any_(sa.bindparam(_WANTED, type_=ARRAY(column.type)))
    return column.in_([sa.literal_column(_MARK)])


def _text_of(statement: sa.ClauseElement, engine: str) -> _Text:
    dialect: Any = psycopg.dialect(paramstyle="format") if engine == "postgresql" else pysqlite.dialect(paramstyle="qmark")
    compiled: Any = statement.compile(dialect=dialect)
    fixed = {name: value for name, value in compiled.params.items() if value is not None}
    assert not fixed, "a value within the statement would be lost"  # noqa: S101 of a statement's own making, found when it is first used
    return _Text(str(compiled), tuple(compiled.positiontup))


def begin_savepoint(connection: sa.Connection, name: str) -> None:
    _run(connection, f"SAVEPOINT {name}", [()])


def end_savepoint(connection: sa.Connection, name: str) -> None:
    _run(connection, f"RELEASE SAVEPOINT {name}", [()])


def undo_savepoint(connection: sa.Connection, name: str) -> None:
    """Undo what was done since, and let go of it."""
    _run(connection, f"ROLLBACK TO SAVEPOINT {name}", [()])
    _run(connection, f"RELEASE SAVEPOINT {name}", [()])


def _rows(connection: sa.Connection, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    line: Any = connection.connection.driver_connection
    try:
        return line.execute(sql, values).fetchall()
    except Exception as error:
        raise _wrapped(connection, sql, error) from error


def _run(connection: sa.Connection, sql: str, rows: Sequence[Sequence[Any]]) -> None:
    line: Any = connection.connection.driver_connection
    try:
        if len(rows) == 1:
            line.execute(sql, rows[0])
        else:
            line.cursor().executemany(sql, rows)
    except Exception as error:
        raise _wrapped(connection, sql, error) from error


def _wrapped(connection: sa.Connection, sql: str, error: Exception) -> BaseException:
    """As SQLAlchemy raises it, so that whoever tells errors apart need not know which way a statement went."""
    dialect: Any = connection.dialect
    if not isinstance(error, dialect.loaded_dbapi.Error):
        return error
    is_lost = dialect.is_disconnect(error, connection.connection.driver_connection, None)
    if is_lost:
        connection.invalidate(error)
    return exc.DBAPIError.instance(
        sql, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, connection_invalidated=is_lost, dialect=dialect
    )
