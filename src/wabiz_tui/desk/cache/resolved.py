"""What a cache remembers of resolved conversations, which it may hold nothing else of: so that a message of one that comes late (read
at last, corrected) is judged by when its conversation was resolved, and does not bring back what was let go of."""

from collections.abc import Callable, Sequence
from datetime import datetime
from sqlite3 import Connection
from typing import NamedTuple

from wabiz_tui.desk.cache.queries import load_queries, rows_of
from wabiz_tui.desk.cache.times import NEVER, from_ms, to_key

_sql = load_queries("resolved.sql")

Until = Callable[[int, int | None], int]
"""When what was sent at one instant must go if its conversation was resolved at another; in milliseconds."""


class Resolved(NamedTuple):
    """`at`: when, None while it is open. What was sent until `forgotten_ms` was let go of and is not taken in again."""

    at: datetime | None
    forgotten_ms: int


_NOTHING = Resolved(None, 0)


def note(connection: Connection, conversation: str, resolved_at: int | None, last_at: int, *, until: Until, now: int) -> None:
    """The conversation is told as resolved then, or as open."""
    key = to_key(conversation)
    before = connection.execute(_sql["find"], {"id": key}).fetchone()
    forgotten = 0 if before is None else before[2]
    if before is not None and before[0] is not None and before[0] != resolved_at and before[1] <= now:
        # All of that episode has fallen due here: that the conversation goes on does not bring it back.
        forgotten = max(forgotten, before[0])
    longest = until(max(last_at, resolved_at or 0, forgotten), None)
    if longest <= now or (resolved_at is None and not forgotten):
        if before is not None:
            connection.execute(_sql["delete"], {"id": key})
        return
    expires_at = NEVER if resolved_at is None else until(resolved_at, resolved_at)
    row = {"id": key, "resolved_at": resolved_at, "expires_at": expires_at, "forgotten": forgotten, "until": longest}
    connection.execute(_sql["put"], row)


def forget(connection: Connection, conversation: str) -> None:
    """It is out of sight: if it comes back, everything of it is told anew."""
    connection.execute(_sql["delete"], {"id": to_key(conversation)})


def forget_all(connection: Connection) -> None:
    connection.execute(_sql["delete_every"])


def take_in_again(connection: Connection) -> None:
    """Everything is told anew, under rules that allow more."""
    connection.execute(_sql["take_in_again"])


def time_again(connection: Connection, *, until: Until, now: int) -> None:
    """The rules are others; what has fallen due stays so."""
    for key, resolved_at in connection.execute(_sql["times"], {"now": now}).fetchall():
        times = {"id": key, "expires_at": until(resolved_at, resolved_at), "until": until(resolved_at, None)}
        connection.execute(_sql["set_times"], times)


def resolved_among(connection: Connection, conversations: Sequence[str]) -> Callable[[str], Resolved]:
    """What is remembered of each of these, asked at once."""
    keys = {to_key(one): one for one in set(conversations)}
    found = {
        keys[key]: Resolved(None if resolved_at is None else from_ms(resolved_at), forgotten)
        for key, resolved_at, forgotten in rows_of(connection, _sql["find_all"], list(keys))
    }
    return lambda conversation: found.get(conversation, _NOTHING)
