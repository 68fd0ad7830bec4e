"""Copy what may stay of one cache into a new file under another key: the only way in which anything is destroyed for good."""

import hashlib
import hmac
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from sqlite3 import Connection
from typing import Any

import msgspec

from wabiz_tui.desk.cache.database import Database
from wabiz_tui.desk.cache.marks import PENDING, Pending, change_marks, load_marks
from wabiz_tui.desk.cache.migrations import Kind
from wabiz_tui.desk.cache.queries import load_queries
from wabiz_tui.desk.cache.reading import forgotten_until, without_preview
from wabiz_tui.desk.cache.times import to_ms
from wabiz_tui.desk.cache.words import indexed
from wabiz_tui.desk.cache.writing import set_meta
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.content import plain_text
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.values import Conversation, Message
from wabiz_tui.model.wire import ReceiptCounts

_sql = load_queries("cache.sql")
_AT_ONCE = 2000


def rebuild(old: Database, old_key: Secret, path: Path, key: Secret, pending: Pending, *, now: datetime) -> Pending:
    """Make `path` anew with the rows that have not expired, and `pending` completed by what was counted. Blocks for about a
    second per 30 000 messages; nobody may write to `old` meanwhile. The new file is whole and closed when it returns."""
    made = Database(path, key, Kind.CACHE)
    try:
        return copy_survivors(old, old_key, made, pending, now=now)
    finally:
        made.close()


def copy_survivors(old: Database, old_key: Secret, made: Database, pending: Pending, *, now: datetime) -> Pending:
    """The same into an empty database that stays open."""
    return made.write_now(lambda target: old.read_now(lambda source: _copy(source, target, old_key, pending, now)))


def _copy(source: Connection, target: Connection, old_key: Secret, pending: Pending, now: datetime) -> Pending:
    at = {"now": to_ms(now)}
    removed = {kind: [str(row[0]) for row in source.execute(_sql[f"due_{kind}"], at)] for kind in _KINDS}
    kept = {"messages": _copy_messages(source, target, at), "conversations": _copy_conversations(source, target, at)}
    for kind in ("contacts", "events"):
        kept[kind] = target.executemany(_sql[f"copy_{kind[:-1]}"], source.execute(_sql[f"live_{kind}"], at)).rowcount
    for query, rows in (("copy_number", "all_numbers"), ("copy_person", "all_people")):
        target.executemany(_sql[query], source.execute(_sql[rows]))
    marks = load_marks(source)
    forgotten = forgotten_until(source, marks.forgotten_until, now=at["now"])
    change_marks(target, **msgspec.structs.asdict(marks) | {"residue_since": None, "floor": now, "forgotten_until": forgotten})
    complete = msgspec.structs.replace(
        pending,
        removed=_counts({kind: len(ids) for kind, ids in removed.items()}),
        kept=_counts(kept),
        ids_hash=hash_ids(old_key, [identifier for ids in removed.values() for identifier in ids]),
    )
    set_meta(target, PENDING, encode(complete))
    return complete


_KINDS = ("messages", "conversations", "contacts", "events")


def _counts(counted: dict[str, int]) -> ReceiptCounts:
    return ReceiptCounts(**{kind: max(number, 0) for kind, number in counted.items()})


def hash_ids(key: Secret, ids: list[str]) -> str:
    """HMAC-SHA256 (hex) over the sorted ids, each on a line: a guess can be tested only while the epoch's key exists."""
    return hmac.new(key.reveal(), "\n".join(sorted(ids)).encode(), hashlib.sha256).hexdigest()


def _copy_messages(source: Connection, target: Connection, at: dict[str, int]) -> int:
    copied = 0
    for rows in _in_portions(source, _sql["live_messages"], at):
        target.executemany(_sql["copy_message"], rows)
        # The index of the old file is contentless and holds the purged words too: it is made anew from what stays.
        words = ({"doc": row[0], "body": indexed(plain_text(decode(row[-1], Message).content))} for row in rows)
        target.executemany(_sql["put_words"], words)
        copied += len(rows)
    return copied


def _copy_conversations(source: Connection, target: Connection, at: dict[str, int]) -> int:
    copied = 0
    for rows in _in_portions(source, _sql["live_conversations"], at):
        target.executemany(_sql["copy_conversation"], [_without_expired_preview(row, at["now"]) for row in rows])
        copied += len(rows)
    return copied


def _without_expired_preview(row: tuple[Any, ...], now: int) -> tuple[Any, ...]:
    *columns, preview_until, expires_at, value = row
    if not isinstance(preview_until, int) or preview_until > now or not isinstance(value, bytes):
        return row
    # 0: there is no preview left that could fall due.
    return (*columns, 0, expires_at, encode(without_preview(decode(value, Conversation))))


def _in_portions(source: Connection, query: str, at: dict[str, int]) -> Iterator[list[tuple[Any, ...]]]:
    cursor = source.execute(query, at)
    while rows := cursor.fetchmany(_AT_ONCE):
        yield rows
