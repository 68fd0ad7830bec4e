"""Fill the index of words from the messages that are held: after a migration that made it anew."""

from sqlite3 import Connection

import msgspec

from wabiz_tui.desk.cache.queries import load_queries
from wabiz_tui.desk.cache.stored import stored
from wabiz_tui.desk.cache.words import indexed, words_of
from wabiz_tui.model.content import Content

_sql = load_queries("search.sql")
_AT_ONCE = 1_000


class _Worded(msgspec.Struct):
    """Of a message, what it is found by: the rest of the value is skipped, not decoded."""

    content: Content


def words_of_value(value: bytes) -> str:
    """Of a message as it is stored."""
    return words_of(stored(value, _Worded).content)


def fill_words(connection: Connection) -> None:
    """The index is empty. About 10 µs a message; no more than a portion of them is in memory."""
    after = -(1 << 63)
    while rows := connection.execute(_sql["messages_to_index"], {"after": after, "most": _AT_ONCE}).fetchall():
        connection.executemany(_sql["index_words"], [(doc, indexed(words_of_value(value))) for doc, value in rows])
        after = rows[-1][0]
