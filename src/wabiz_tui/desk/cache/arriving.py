"""Messages on their way into the cache, a batch at a time: what is known already is asked once for all of them, and each table is
written by one statement. A statement for each question about each message costs three times as much as writing it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from sqlite3 import Connection

from wabiz_tui.desk.cache.queries import load_queries, rows_of
from wabiz_tui.desk.cache.reading import is_from_customer
from wabiz_tui.desk.cache.resolved import resolved_among
from wabiz_tui.desk.cache.stored import stored
from wabiz_tui.desk.cache.times import DOCS_PER_MS, from_ms, to_key, to_ms
from wabiz_tui.desk.cache.words import indexed, words_of
from wabiz_tui.model.codec import encode
from wabiz_tui.model.values import Message

_sql = load_queries("cache.sql")

Until = Callable[[datetime, datetime | None], datetime]


_Row = tuple[int, bytes, bytes, int, int, bool, str | None, bytes]
"""As add_message takes it: doc, id, conversation, sent_at, expires_at, is_incoming, key, value. A bare tuple, for thousands of named ones
cost as much as what is done with them."""


def put_messages(connection: Connection, arrived: Sequence[Message], until: Until, *, now: int) -> bool:
    """Each is there once, as it is told here; one that the policy does not let this machine hold (`until` its time and when its
    conversation was resolved), or that it has let go of with its episode, is hidden. Whether words were replaced, so that the index has
    residue."""
    resolved = resolved_among(connection, [message.conversation for message in arrived])
    keys = [to_key(message.id) for message in arrived]
    talks = {one: to_key(one) for one in {message.conversation for message in arrived}}
    known: dict[bytes, tuple[int, bytes]] = {row[0]: (row[1], row[2]) for row in rows_of(connection, _sql["rows_of_messages"], keys)}
    added: dict[bytes, tuple[_Row, str]] = {}
    changed: list[tuple[_Row, str]] = []
    expired: list[tuple[bytes]] = []
    for key, message in zip(keys, arrived, strict=True):
        sent_at, before = to_ms(message.sent_at), known.get(key)
        # By the millisecond that is kept, as when the rows are timed again.
        ended = resolved(message.conversation)
        at = from_ms(sent_at) if message.sent_at.microsecond % 1000 else message.sent_at
        expires_at = to_ms(until(at, ended.at))
        if expires_at <= now or sent_at <= ended.forgotten_ms:
            expired.append((key,))
            continue
        row = (
            sent_at * DOCS_PER_MS + int.from_bytes(key[-4:], "big") % DOCS_PER_MS if before is None else before[0],
            key,
            talks[message.conversation],
            sent_at,
            expires_at,
            is_from_customer(message),
            message.key,
            encode(message),
        )
        if before is None:
            added[key] = row, words_of(message.content)
        else:
            changed.append((row, words_of(message.content)))
    connection.executemany(_sql["expire_message"], expired)
    _add(connection, added)
    return _change(connection, changed, known)


def _add(connection: Connection, added: dict[bytes, tuple[_Row, str]]) -> None:
    # The index writes rising document numbers several times as fast as mixed ones.
    ordered = sorted(added.values())
    written = connection.executemany(_sql["add_message"], (row for row, _ in ordered)).rowcount
    if written < len(ordered):
        ordered = _with_free_docs(connection, ordered)
    connection.executemany(_sql["add_words"], ((row[0], indexed(words)) for row, words in ordered))


def _with_free_docs(connection: Connection, ordered: Sequence[tuple[_Row, str]]) -> list[tuple[_Row, str]]:
    """Add what was not added, because another message has its number; all of them with the numbers they have."""
    there = {row[0] for row in rows_of(connection, _sql["rows_of_messages"], [row[1] for row, _ in ordered])}
    settled: list[tuple[_Row, str]] = []
    for row, words in ordered:
        if row[1] in there:
            settled.append((row, words))
            continue
        doc = row[0] + 1
        while connection.execute(_sql["is_doc_taken"], {"doc": doc}).fetchone() is not None:
            doc += 1
        placed = (doc, *row[1:])
        connection.execute(_sql["add_message"], placed)
        settled.append((placed, words))
    return sorted(settled)


def _change(connection: Connection, changed: Sequence[tuple[_Row, str]], known: dict[bytes, tuple[int, bytes]]) -> bool:
    has_residue = False
    for row, words in changed:
        connection.execute(_sql["change_message"], (*row[2:], row[0]))
        earlier = words_of(stored(known[row[1]][1], Message).content)
        if earlier != words:
            connection.execute(_sql["put_words"], {"doc": row[0], "body": indexed(words)})
            has_residue |= bool(earlier)
    return has_residue
