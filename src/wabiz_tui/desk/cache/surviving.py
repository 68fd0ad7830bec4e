"""Which rows of each table survive a rebuild, and the statements that copy them. A new table joins by one line; a new column needs none."""

from collections.abc import Callable, Sequence
from sqlite3 import Connection
from typing import Any, NamedTuple

import msgspec

from wabiz_tui.desk.cache.reading import without_preview
from wabiz_tui.desk.cache.search.filling import words_of_value
from wabiz_tui.desk.cache.stored import stored
from wabiz_tui.model.codec import encode
from wabiz_tui.model.values import Conversation

_LIVE = "expires_at_ms > :now"
_CONVERSATIONS_WITH = "SELECT 1 FROM conversations c WHERE c.contact = contacts.id"
_LIVE_WITH_CONVERSATION = (
    # One without any conversation stands before its own in the feed.
    f"expires_at_ms > :now AND (EXISTS ({_CONVERSATIONS_WITH} AND c.expires_at_ms > :now) OR NOT EXISTS ({_CONVERSATIONS_WITH}))"
)
_LIVE_WITH_MESSAGE = "expires_at_ms > :now AND EXISTS (SELECT 1 FROM messages m WHERE m.id = media.message AND m.expires_at_ms > :now)"
_ROWID = "rowid"
_EVENTS = (("INSERT", "new"), ("UPDATE", "new"), ("DELETE", "old"))
_CONTACT_TOO = "INSERT INTO touched SELECT 'contacts', rowid FROM main.contacts WHERE id = new.contact;"
_FILE_TOO = "INSERT INTO touched SELECT 'media', message FROM main.media WHERE message = new.id;"


class Table(NamedTuple):
    """`live` is a condition on its rows; what does not meet it is destroyed, and counted if the receipt has a count of that name.
    `touches` is a statement for triggers: rows of another table that depend on the row `new`."""

    name: str
    live: str = "1"
    id: str = "id"
    touches: str = ""
    words: Callable[[bytes], str] | None = None
    """The words of a value. Pages keep them for good: what replaces them leaves them behind."""
    trim: Callable[[dict[str, Any], int], dict[str, Any] | None] | None = None
    """What of a live row may not stay either: the columns to change, if any, at a time in milliseconds."""


class _Preview(msgspec.Struct):
    preview: str = ""


def words_of_preview(value: bytes) -> str:
    return stored(value, _Preview).preview


def _without_expired_preview(row: dict[str, Any], now: int) -> dict[str, Any] | None:
    if row["preview_until_ms"] > now:
        return None
    # 0: there is no preview left that could fall due.
    return {"preview_until_ms": 0, "value": encode(without_preview(stored(row["value"], Conversation)))}


TABLES = (
    Table("messages", _LIVE, touches=_FILE_TOO, words=words_of_value),
    Table("conversations", _LIVE, touches=_CONTACT_TOO, words=words_of_preview, trim=_without_expired_preview),
    Table("contacts", _LIVE_WITH_CONVERSATION),
    Table("events", _LIVE),
    Table("numbers"),
    Table("people"),
    Table("media", _LIVE_WITH_MESSAGE, id="message"),
    Table("resolved", "until_ms > :now"),
)
"""Every table but `meta`, whose marks the rebuild writes itself."""
_LEAST: dict[str, object] = {"INTEGER": -(1 << 63), "TEXT": "", "BLOB": b""}


def tables_of(connection: Connection) -> list[Table]:
    """Those that this file has."""
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    return [table for table in TABLES if table.name in names]


class Copying:
    """The statements for one table, by the columns that it has in this file. A row is named by its key: the rowid, which it keeps
    (the full-text index names rows by it), or in a table without one its primary key."""

    def __init__(self, connection: Connection, table: Table) -> None:
        self.table = table
        name = table.name
        found: list[tuple[str, str, int]] = connection.execute("SELECT name, type, pk FROM pragma_table_info(?)", (name,)).fetchall()
        self.columns = [column for column, _, _ in found]
        self.key = key_of(connection, name)
        self.least = _LEAST["INTEGER" if self.key == _ROWID else next(kind for column, kind, _ in found if column == self.key)]
        # Where the rowid has a name of its own it is among the columns.
        self._has_hidden_key = self.key == _ROWID and not any(kind == "INTEGER" and pk for _, kind, pk in found)
        listed = ", ".join(self.columns)
        into = f"{_ROWID}, {listed}" if self._has_hidden_key else listed
        marks = ", ".join("?" * (len(found) + self._has_hidden_key))
        # No word of these comes from outside: names of our own schema, and the conditions above.
        select = f"SELECT {self.key}, {table.live}, {listed} FROM {name}"  # noqa: S608 as said above
        self.portion = f"{select} WHERE {self.key} > :after ORDER BY {self.key} LIMIT :most"
        self.one = f"{select} WHERE {self.key} = :key"
        self.held = f"SELECT {listed} FROM {name} WHERE {self.key} = ?"  # noqa: S608 as said above
        self.delete = f"DELETE FROM {name} WHERE {self.key} = ?"  # noqa: S608 as said above
        self.put = f"INSERT OR REPLACE INTO {name} ({into}) VALUES ({marks})"  # noqa: S608 as said above

    def row_of(self, found: Sequence[Any], now: int) -> tuple[Any, ...]:
        """As `put` takes it, of a row of `portion` or `one`."""
        values = list(found[2:])
        if self.table.trim is not None:
            changed = self.table.trim(dict(zip(self.columns, values, strict=True)), now)
            for column, value in (changed or {}).items():
                values[self.columns.index(column)] = value
        return (found[0], *values) if self._has_hidden_key else tuple(values)

    def id_of(self, found: Sequence[Any]) -> bytes:
        """Of a row of `portion` or `one` of a table that is counted."""
        return bytes(found[2 + self.columns.index(self.table.id)])

    def words_of(self, columns: Sequence[Any]) -> str:
        """Of the columns of a row alone."""
        words = self.table.words
        return "" if words is None else words(columns[self.columns.index("value")])


def key_of(connection: Connection, name: str) -> str:
    """What names a row of this table."""
    if connection.execute("SELECT wr FROM pragma_table_list(?) WHERE schema = 'main'", (name,)).fetchone()[0]:
        return str(connection.execute("SELECT name FROM pragma_table_info(?) WHERE pk = 1", (name,)).fetchone()[0])
    return _ROWID


def follow(connection: Connection) -> None:
    """Note from now on which rows this connection writes: `take_touched` tells them. Nothing of it is in the file."""
    unfollow(connection)
    connection.execute("CREATE TEMP TABLE touched (name TEXT NOT NULL, key NOT NULL)")
    for table in tables_of(connection):
        key = key_of(connection, table.name)
        for event, which in _EVENTS:
            note = f"INSERT INTO touched VALUES ('{table.name}', {which}.{key});"  # noqa: S608 names of our own schema
            also = "" if event == "DELETE" else table.touches
            when = f"AFTER {event} ON main.{table.name}"
            connection.execute(f"CREATE TEMP TRIGGER touched_{table.name}_{event} {when} BEGIN {note} {also} END")


def unfollow(connection: Connection) -> None:
    for table in TABLES:
        for event, _ in _EVENTS:
            connection.execute(f"DROP TRIGGER IF EXISTS temp.touched_{table.name}_{event}")
    connection.execute("DROP TABLE IF EXISTS temp.touched")


def take_touched(connection: Connection) -> set[tuple[str, Any]]:
    """Table and key of what was written since the last call."""
    found = {(str(name), key) for name, key in connection.execute("SELECT DISTINCT name, key FROM temp.touched")}
    connection.execute("DELETE FROM temp.touched")
    return found
