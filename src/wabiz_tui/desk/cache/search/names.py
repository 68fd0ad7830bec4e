"""The index of names: what a conversation is found by beside its messages."""

from collections.abc import Collection
from sqlite3 import Connection

from wabiz_tui.desk.cache.queries import load_queries, rows_of
from wabiz_tui.desk.cache.times import to_key
from wabiz_tui.desk.cache.words import indexed

_sql = load_queries("search.sql")


def are_there(connection: Connection) -> bool:
    """Whether the index was made: in a file that a rebuild or a migration has just made it is empty."""
    return bool(connection.execute(_sql["has_names"]).fetchone()[0])


def index_every(connection: Connection) -> None:
    """About 10 µs a conversation."""
    _index(connection, [bytes(row[0]) for row in connection.execute(_sql["every_conversation"])])


def index_names(connection: Connection, conversations: Collection[str], contacts: Collection[str]) -> None:
    """After these were written: by the names that they have now, and whoever shares a contact too; all, if there was no index."""
    if not are_there(connection):
        index_every(connection)
        return
    keys = {to_key(one) for one in conversations}
    keys.update(bytes(row[0]) for row in rows_of(connection, _sql["conversations_of_contacts"], [to_key(one) for one in contacts]))
    _index(connection, sorted(keys))


def _index(connection: Connection, keys: list[bytes]) -> None:
    for key, *parts in rows_of(connection, _sql["to_be_named"], keys):
        # A person who is called the same in both is not found the better for it.
        name = indexed(" ".join(dict.fromkeys(part for part in parts if part)))
        row = _row_of(key)
        before = connection.execute(_sql["name_of"], {"row": row}).fetchone()
        if before is None or before[0] != name:
            connection.execute(_sql["put_name"], {"row": row, "conversation": key, "name": name})


def _row_of(key: bytes) -> int:
    """The same in every file. Ids are random in their last 62 bits and more: no two of a device's are alike there."""
    return int.from_bytes(key[-8:], "big") & ((1 << 63) - 1)
