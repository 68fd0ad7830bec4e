"""Keys and journal in PostgreSQL, through the raw driver: each on lines of its own, in a schema of its own."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from threading import RLock
from typing import Any

import psycopg
from psycopg import sql

from wabiz_tui.hub.archive.engine.places import KeyTable, SealedEntry
from wabiz_tui.model.errors import StoreError

Connection = psycopg.Connection[Any]
_PURGED_AT_ONCE = 5000
_SET_UP = 0x7761_6269_7A00  # the lock of those who make tables


class Line:
    """One connection that is opened again after it broke. Errors are those of `translated`."""

    def __init__(self, name: str, connect: Callable[[], Connection], translated: Callable[[], AbstractContextManager[None]]) -> None:
        self.name, self._connect, self.translated = name, connect, translated
        self._connection: Connection | None = None

    def open(self) -> Connection:
        """The connection, in autocommit. What was not committed on a line that broke is lost, as its server lost it."""
        if self._connection is None or self._connection.closed or self._connection.broken:
            self._connection = self._connect()
        return self._connection

    def set_up(self, *statements: str | sql.Composed) -> None:
        """Make what is not there yet, once, whoever else begins at the same time; the line is closed when that fails."""
        try:
            with self.translated(), self.open().transaction():
                connection = self.open()
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (_SET_UP,))
                for statement in statements:
                    connection.execute(statement.encode() if isinstance(statement, str) else statement)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class KeysTable:
    """Wrapped keys in the schema `wabiz_keys`, which is backed up apart from the content and kept for a short time."""

    def __init__(self, line: Line, table: KeyTable, tenant: str, *, tell: Callable[[Connection], None] | None = None) -> None:
        """`tell` tells the other processes, with the transaction of the connection it is given, that keys of theirs are gone."""
        self._line, self._tenant, self._tell = line, tenant, tell
        self._is_adding = False
        self._table = sql.Identifier("wabiz_keys", table)
        made = (
            'CREATE TABLE IF NOT EXISTS {} (tenant text NOT NULL, name text COLLATE "C" NOT NULL, wrapped bytea NOT NULL,'
            " PRIMARY KEY (tenant, name))"
        )
        line.set_up("CREATE SCHEMA IF NOT EXISTS wabiz_keys", self._sql(made))

    @property
    def name(self) -> str:
        return self._line.name

    def find(self, name: str) -> bytes | None:
        with self._line.translated():
            row = (
                self._line.open()
                .execute(self._sql("SELECT wrapped FROM {} WHERE tenant = %s AND name = %s"), (self._tenant, name))
                .fetchone()
            )
        return None if row is None else bytes(row[0])

    def find_many(self, names: Sequence[str]) -> list[tuple[str, bytes]]:
        query = self._sql("SELECT name, wrapped FROM {} WHERE tenant = %s AND name = ANY(%s)")
        with self._line.translated():
            return [(row[0], bytes(row[1])) for row in self._line.open().execute(query, (self._tenant, list(names)))]

    def add(self, name: str, wrapped: bytes) -> bool:
        query = self._sql("INSERT INTO {} VALUES (%s, %s, %s) ON CONFLICT DO NOTHING")
        return self._change(query, name, wrapped) == 1

    def put(self, name: str, wrapped: bytes) -> None:
        self._change(
            self._sql("INSERT INTO {} VALUES (%s, %s, %s) ON CONFLICT (tenant, name) DO UPDATE SET wrapped = excluded.wrapped"),
            name,
            wrapped,
        )

    def _change(self, query: sql.Composed, name: str, wrapped: bytes) -> int:
        with self._line.translated():
            connection = self._line.open()
            if not self._is_adding:
                connection.execute("BEGIN")
                self._is_adding = True
            return connection.execute(query, (self._tenant, name, wrapped)).rowcount

    def page(self, after: str, limit: int) -> list[tuple[str, bytes]]:
        query = self._sql("SELECT name, wrapped FROM {} WHERE tenant = %s AND name > %s ORDER BY name LIMIT %s")
        with self._line.translated():
            return [(row[0], bytes(row[1])) for row in self._line.open().execute(query, (self._tenant, after, limit))]

    def commit(self) -> None:
        """Raises StoreError where the server dropped the transaction: by its line, or by a statement of it that failed. To COMMIT
        it would say yes all the same."""
        if not self._is_adding:
            return
        with self._line.translated():
            connection = self._line.open()
            if connection.info.transaction_status != psycopg.pq.TransactionStatus.INTRANS:
                raise StoreError(f"The line to {self.name} broke before new keys were kept; nothing of it was.")
            connection.execute("COMMIT")
        self._is_adding = False

    def rollback(self) -> None:
        """The end of the line is the end of what was added on it: the server takes the rest back."""
        if self._is_adding:
            self._is_adding = False
            self._line.close()

    def names(self, prefix: str) -> list[str]:
        query = self._sql("SELECT name FROM {} WHERE tenant = %s AND name >= %s AND name < %s ORDER BY name")
        with self._line.translated():
            return [row[0] for row in self._line.open().execute(query, (self._tenant, prefix, prefix + "\U0010ffff"))]

    def destroy(self, names: Iterable[str], *, replaced: Mapping[str, bytes] | None = None) -> int:
        """Rewrites the table: a deleted row stays in its page until then. The server's log and copies keep it for as long as they
        are kept themselves."""
        with self._line.translated():
            connection = self._line.open()
            query = self._sql("DELETE FROM {} WHERE tenant = %s AND name = ANY(%s)")
            with connection.transaction():
                deleted = connection.execute(query, (self._tenant, list(names))).rowcount
                for name, wrapped in (replaced or {}).items():
                    update = self._sql("UPDATE {} SET wrapped = %s WHERE tenant = %s AND name = %s")
                    deleted += connection.execute(update, (wrapped, self._tenant, name)).rowcount
                if deleted and self._tell is not None:
                    self._tell(connection)
            if deleted:
                # Cut halfway the rows would stay in their pages.
                connection.execute("SET statement_timeout = 0; SET lock_timeout = 0")
                connection.execute(self._sql("VACUUM (FULL) {}"))
                connection.execute("RESET statement_timeout; RESET lock_timeout")
        return deleted

    def close(self) -> None:
        self._line.close()

    def _sql(self, text: str) -> sql.Composed:
        return sql.SQL(text).format(self._table)  # pyright: ignore[reportArgumentType] every text is a literal of this file


class JournalTable:
    """Sealed bodies in the schema `wabiz_journal`. Commits of a tenant take turns, so that numbers become visible in their order."""

    def __init__(self, reader: Line, writer: Line, tenant: str, lock: int) -> None:
        self._reader, self._writer, self._tenant, self._lock = reader, writer, tenant, lock
        self._reading, self._writing = RLock(), RLock()
        writer.set_up(
            "CREATE SCHEMA IF NOT EXISTS wabiz_journal",
            "CREATE TABLE IF NOT EXISTS wabiz_journal.entry (tenant text NOT NULL, number bigint GENERATED ALWAYS AS IDENTITY,"
            " day text NOT NULL, at_ms bigint NOT NULL, sealed bytea NOT NULL, PRIMARY KEY (tenant, number))",
        )

    @property
    def name(self) -> str:
        return self._writer.name

    def add(self, day: str, at_ms: int, sealed: Sequence[bytes]) -> list[int]:
        # One statement is one transaction, and one way there and back: webhooks wait for it. No number is taken before the turn is, for
        # they are taken of the rows that come of joining it.
        insert = (
            "WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(%s))"
            " INSERT INTO wabiz_journal.entry (tenant, day, at_ms, sealed) SELECT %s, %s, %s, body"
            " FROM turn CROSS JOIN unnest(%s::bytea[]) WITH ORDINALITY AS bodies (body, place) ORDER BY place RETURNING number"
        )
        with self._writing, self._writer.translated():
            rows = self._writer.open().execute(insert, (self._lock, self._tenant, day, at_ms, list(sealed)), binary=True).fetchall()
        return sorted(int(row[0]) for row in rows)

    def after(self, number: int, limit: int) -> Iterator[SealedEntry]:
        query = "SELECT number, day, at_ms, sealed FROM wabiz_journal.entry WHERE tenant = %s AND number > %s ORDER BY number LIMIT %s"
        with self._reading, self._reader.translated():
            rows = self._reader.open().execute(query, (self._tenant, number, limit), binary=True).fetchall()
        return (SealedEntry(row[0], row[1], row[2], bytes(row[3])) for row in rows)

    def last(self) -> int:
        with self._reading, self._reader.translated():
            row = self._reader.open().execute("SELECT max(number) FROM wabiz_journal.entry WHERE tenant = %s", (self._tenant,)).fetchone()
        return 0 if row is None or row[0] is None else int(row[0])

    def check(self) -> None:
        """Whatever number it takes is given to no entry, as with any transaction that is undone."""
        with self._writing, self._writer.translated(), self._writer.open().transaction(force_rollback=True):
            insert = "INSERT INTO wabiz_journal.entry (tenant, day, at_ms, sealed) VALUES (%s, '', 0, '')"
            self._writer.open().execute(insert, (self._tenant,))

    def skip_to(self, number: int) -> None:
        """Tenants share the sequence, which only ever rises."""
        sequence = "pg_get_serial_sequence('wabiz_journal.entry', 'number')"
        skip = f"SELECT setval({sequence}, greatest(%s, nextval({sequence})))"
        with self._writing, self._writer.translated():
            self._writer.open().execute(skip.encode(), (number,))

    def purge(self, before: str, folded: int) -> tuple[int, set[str]]:
        due = "SELECT number FROM wabiz_journal.entry WHERE tenant = %s AND day < %s AND number <= %s ORDER BY number LIMIT %s"
        delete = f"DELETE FROM wabiz_journal.entry WHERE tenant = %s AND number IN ({due})"  # noqa: S608 no word of it comes from outside
        given = (self._tenant, self._tenant, before, folded, _PURGED_AT_ONCE)
        deleted, some = 0, _PURGED_AT_ONCE
        while some == _PURGED_AT_ONCE:
            # Between two lots those who wait with a webhook have their turn.
            with self._writing, self._writer.translated():
                some = self._writer.open().execute(delete.encode(), given).rowcount
            deleted += some
        with self._writing, self._writer.translated():
            connection = self._writer.open()
            left = connection.execute("SELECT DISTINCT day FROM wabiz_journal.entry WHERE tenant = %s AND day < %s", (self._tenant, before))
            return deleted, {row[0] for row in left}

    def close(self) -> None:
        with self._reading, self._writing:
            self._reader.close()
            self._writer.close()
