"""What the cache answers: pages of the queue, timelines, search; every query leaves out what has expired."""

from datetime import datetime
from sqlite3 import Connection
from typing import Generic, NamedTuple, TypeVar

import msgspec

from wabiz_tui.desk.cache.queries import load_queries
from wabiz_tui.desk.cache.stored import stored
from wabiz_tui.desk.cache.times import NEVER, find_key, from_ms
from wabiz_tui.model.content import kind_of
from wabiz_tui.model.desk import TimelinePage, View
from wabiz_tui.model.errors import NotFound
from wabiz_tui.model.values import Contact, Conversation, Direction, Event, Message

_sql = load_queries("cache.sql")
_MANY = -1

T = TypeVar("T")


def queue_rows(connection: Connection, view: View, *, me: str, now: int, offset: int, limit: int) -> list[Conversation]:
    parameters = {"view": view, "me": me, "now": now, "offset": max(offset, 0), "limit": limit}
    return [
        shown_conversation(value, may_preview=bool(may_preview))
        for value, may_preview in connection.execute(_sql["queue_page"], parameters).fetchall()
    ]


class Counted(NamedTuple, Generic[T]):
    """True from `since` until something falls due, while nothing is written."""

    found: T
    since: int
    until: int


def count_views(connection: Connection, *, me: str, now: int) -> Counted[dict[str, int]]:
    """How many conversations are in each view of the queue. Reads an index whole: a millisecond for two thousand conversations."""
    cursor = connection.execute(_sql["queue_counts"], {"me": me, "now": now})
    names = [column[0] for column in cursor.description]
    found = dict(zip(names, cursor.fetchone(), strict=True))
    until = found.pop("until")
    return Counted(found, now, NEVER if until is None else until)


def count_messages(connection: Connection, *, now: int) -> Counted[int]:
    """How many messages are visible. Reads an index whole: a millisecond for ten thousand."""
    found = int(connection.execute(_sql["count_messages"], {"now": now}).fetchone()[0])
    until = connection.execute(_sql["next_expiry"], {"now": now}).fetchone()[0]
    return Counted(found, now, NEVER if until is None else until)


def conversations(connection: Connection, *, now: int) -> list[Conversation]:
    return queue_rows(connection, "all", me="", now=now, offset=0, limit=_MANY)


def conversation(connection: Connection, identifier: str, *, now: int) -> Conversation:
    """Raises NotFound."""
    row = connection.execute(_sql["conversation"], {"id": find_key(identifier), "now": now}).fetchone()
    if row is None:
        raise NotFound("This machine holds no such conversation; `wabiz conversations` lists those it holds.")
    return shown_conversation(row[0], may_preview=bool(row[1]))


def contact(connection: Connection, identifier: str, *, now: int) -> Contact | None:
    row = connection.execute(_sql["contact"], {"id": find_key(identifier), "now": now}).fetchone()
    return None if row is None else stored(row[0], Contact)


def messages(connection: Connection, identifier: str, *, now: int) -> list[Message]:
    """All of a conversation, in rising time. Raises NotFound."""
    conversation(connection, identifier, now=now)
    return _newest(connection, identifier, now=now, limit=_MANY)


def message(connection: Connection, identifier: str, *, now: int) -> Message | None:
    row = connection.execute(_sql["message"], {"id": find_key(identifier), "now": now}).fetchone()
    return None if row is None else stored(row[0], Message)


def message_by_key(connection: Connection, key: str, *, now: int) -> Message | None:
    row = connection.execute(_sql["message_by_key"], {"key": key, "now": now}).fetchone()
    return None if row is None else stored(row[0], Message)


def timeline(connection: Connection, identifier: str, *, before: str | None, after: str | None, now: int, limit: int) -> TimelinePage:
    """The slice next to the message id given (an unknown one counts as the newest place), else the newest. Raises NotFound."""
    held = conversation(connection, identifier, now=now)
    slice_, has_earlier, has_later = _slice(connection, identifier, before=before, after=after, now=now, limit=limit)
    return TimelinePage(
        conversation=held,
        contact=contact(connection, held.contact, now=now),
        messages=slice_,
        has_earlier=has_earlier,
        has_later=has_later,
        first_unread=_first_unread(connection, held, now=now),
        leaves_at=_leaves_at(connection, identifier, now=now),
    )


def _slice(
    connection: Connection, identifier: str, *, before: str | None, after: str | None, now: int, limit: int
) -> tuple[list[Message], bool, bool]:
    anchor = before or after
    at = None if anchor is None else _place(connection, identifier, anchor, now=now)
    if anchor is None or at is None:
        if after is not None:
            return [], True, False
        found = _newest(connection, identifier, now=now, limit=limit + 1)
        return found[-limit:], len(found) > limit, False
    name = "messages_before" if before is not None else "messages_after"
    parameters = {"conversation": find_key(identifier), "now": now, "at": at, "anchor": find_key(anchor), "limit": limit + 1}
    found = [stored(row[0], Message) for row in connection.execute(_sql[name], parameters).fetchall()]
    is_more = len(found) > limit
    del found[limit:]
    return (found[::-1], is_more, True) if before is not None else (found, True, is_more)


def forgotten_until(connection: Connection, before: datetime | None, *, now: int) -> datetime | None:
    """The later of `before` and the time of the newest message that has expired in this file."""
    latest = connection.execute(_sql["latest_due_message"], {"now": now}).fetchone()[0]
    # Rows hold whole milliseconds; the message itself may be later by less than one.
    known = [instant for instant in (before, None if latest is None else from_ms(latest + 1)) if instant is not None]
    return max(known, default=None)


def _newest(connection: Connection, identifier: str, *, now: int, limit: int) -> list[Message]:
    parameters = {"conversation": find_key(identifier), "now": now, "limit": limit}
    return [stored(row[0], Message) for row in connection.execute(_sql["newest_messages"], parameters).fetchall()][::-1]


def _place(connection: Connection, identifier: str, anchor: str, *, now: int) -> int | None:
    parameters = {"id": find_key(anchor), "conversation": find_key(identifier), "now": now}
    row = connection.execute(_sql["place_of_message"], parameters).fetchone()
    return None if row is None else int(row[0])


def _first_unread(connection: Connection, held: Conversation, *, now: int) -> str | None:
    if held.unread == 0:
        return None
    parameters = {"conversation": find_key(held.id), "now": now, "unread": held.unread}
    row = connection.execute(_sql["first_unread"], parameters).fetchone()
    return None if row is None else bytes(row[0]).hex()


def _leaves_at(connection: Connection, identifier: str, *, now: int) -> datetime | None:
    row = connection.execute(_sql["leaves_at"], {"conversation": find_key(identifier), "now": now}).fetchone()
    return None if row is None else from_ms(row[0])


def events(connection: Connection, *, now: int, limit: int) -> list[Event]:
    """The newest `limit`, in rising time."""
    found = [stored(row[0], Event) for row in connection.execute(_sql["events"], {"now": now, "limit": limit}).fetchall()]
    return found[::-1]


def first_expiry(connection: Connection) -> int | None:
    """When the first row that is still in the file falls due, in milliseconds; it may be past."""
    row = connection.execute(_sql["first_expiry"]).fetchone()
    return None if row[0] is None else int(row[0])


def get_meta(connection: Connection, name: str) -> bytes | None:
    row = connection.execute(_sql["get_meta"], {"name": name}).fetchone()
    return None if row is None else bytes(row[0])


def is_from_customer(held: Message) -> bool:
    return held.direction is Direction.INCOMING and kind_of(held.content) not in ("system", "request_welcome")


def shown_conversation(raw: bytes, *, may_preview: bool) -> Conversation:
    """A row's value, without the preview where it has expired."""
    held = stored(raw, Conversation)
    return held if may_preview else without_preview(held)


def without_preview(held: Conversation) -> Conversation:
    """The queue's row without the words of a message that may no longer be held."""
    return msgspec.structs.replace(held, preview="", preview_kind="", preview_direction=None, preview_delivery=None)
