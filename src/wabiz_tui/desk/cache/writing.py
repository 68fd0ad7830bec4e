"""What goes into the cache: batches of the feed, at which everything the policy does not allow is left out or deleted."""

from collections.abc import Callable, Sequence
from datetime import datetime
from sqlite3 import Connection
from typing import NamedTuple

from wabiz_tui.desk.cache import resolved
from wabiz_tui.desk.cache.arriving import put_messages
from wabiz_tui.desk.cache.queries import load_queries
from wabiz_tui.desk.cache.reading import without_preview
from wabiz_tui.desk.cache.stored import stored
from wabiz_tui.desk.cache.times import NEVER, from_ms, to_key, to_ms
from wabiz_tui.model.codec import encode
from wabiz_tui.model.feed import Entity
from wabiz_tui.model.values import Contact, Conversation, Event, Message, Number, Person

_sql = load_queries("cache.sql")

Value = Conversation | Contact | Message | Number | Event | Person


class Item(NamedTuple):
    """A decoded change: no value means it is gone or out of sight."""

    entity: Entity
    id: str
    value: Value | None


class Holding(NamedTuple):
    """What the policy lets this machine hold: `until(its time, when its conversation was resolved)`, and how many messages."""

    until: Callable[[datetime, datetime | None], datetime]
    max_messages: int


class Applied(NamedTuple):
    """What a batch moved. `has_residue`: words were replaced, and only a rebuild destroys the pages that held the earlier ones.
    `has_left_out`: there were more messages than the policy lets this machine hold. `begins_anew`: so many of those went since that
    there is room for what was left out, and the cursor was set back to where the feed begins.

    What is removed stays in the file as an expired row, invisible, until the rebuild that also counts it for the receipt."""

    conversations: frozenset[str]
    has_residue: bool
    has_left_out: bool = False
    begins_anew: bool = False


class Held:
    """How many messages are visible at most, from one batch to the next: to count them reads a whole index (1 ms per 10,000)."""

    def __init__(self) -> None:
        self.at_most: int | None = None


class _Work:
    def __init__(self, connection: Connection, holding: Holding, held: Held, now: int) -> None:
        self.connection, self.holding, self.held, self.now = connection, holding, held, now
        self.touched: set[str] = set()
        self.has_residue = False
        self.has_left_out = False

    def until(self, at_ms: int, resolved_ms: int | None) -> int:
        return to_ms(self.holding.until(from_ms(at_ms), None if resolved_ms is None else from_ms(resolved_ms)))


def apply(connection: Connection, items: Sequence[Item], holding: Holding, held: Held | None = None, *, now: int) -> Applied:
    """Put a batch in. Of several changes to one thing the last counts; conversations go first, for they say when they were resolved."""
    work = _Work(connection, holding, held or Held(), now)
    newest = {(item.entity, item.id): item for item in items}
    arrived: list[Message] = []
    for item in sorted(newest.values(), key=_order):
        match item.value:
            case None:
                _remove(work, item.entity, item.id)
            case Conversation():
                _put_conversation(work, item.value)
            case Message():
                arrived.append(item.value)
            case Contact():
                connection.execute(_sql["put_contact"], {"id": to_key(item.value.id), "expires_at": NEVER, "value": encode(item.value)})
            case Event():
                _put_event(work, item.value)
            case Number():
                connection.execute(_sql["put_number"], {"id": item.value.id, "value": encode(item.value)})
            case Person():
                connection.execute(_sql["put_person"], {"id": item.value.id, "value": encode(item.value)})
    if arrived:
        work.touched.update(message.conversation for message in arrived)
        work.has_residue |= put_messages(connection, arrived, holding.until, now=now)
        _keep_newest(work, arrived=len(arrived))
    return Applied(frozenset(work.touched), work.has_residue, work.has_left_out)


def has_room(connection: Connection, holding: Holding, *, now: int) -> bool:
    """Whether a tenth of what may be held is free: enough to be worth reading the feed again."""
    held = connection.execute(_sql["count_messages"], {"now": now}).fetchone()[0]
    return bool(held <= holding.max_messages * 9 // 10)


def let_go_of_strangers(connection: Connection, *, now: int) -> None:
    """Contacts with whom nothing is held any more, or ever was. Not while a conversation of theirs may be on its way."""
    connection.execute(_sql["expire_strangers"], {"now": now})


def expire_everything(connection: Connection) -> None:
    """Nothing that is held may be shown any more; the next rebuild destroys it. What is put again is held again."""
    for kind in ("message", "conversation", "contact", "event"):
        connection.execute(_sql[f"expire_every_{kind}"])
    for query in ("delete_every_number", "delete_every_person"):
        connection.execute(_sql[query])
    resolved.forget_all(connection)


def _order(item: Item) -> int:
    return 0 if item.entity == "conversation" else 1


def _put_conversation(work: _Work, held: Conversation) -> None:
    key = to_key(held.id)
    before = work.connection.execute(_sql["row_of_conversation"], {"id": key}).fetchone()
    last_at = 0 if held.last_at is None else to_ms(held.last_at)
    resolved_at = None if held.resolved_at is None else to_ms(held.resolved_at)
    preview_until, expires_at = _conversation_expiry(work, held.status, last_at, resolved_at)
    work.touched.add(held.id)
    resolved.note(work.connection, held.id, resolved_at, last_at, until=work.until, now=work.now)
    if before is None or before[0] != resolved_at:
        _time_messages_again(work, key, resolved_at)
    if expires_at <= work.now:
        _expire(work, "expire_conversation", key)
        return
    if preview_until <= work.now:
        # Words that may be held no longer are not put in, so that nothing is there to be destroyed; those before them may be.
        held, preview_until = without_preview(held), 0
        work.has_residue |= before is not None and before[1] > 0
    work.connection.execute(
        _sql["put_conversation"],
        {
            "id": key,
            "contact": to_key(held.contact),
            "status": held.status,
            "assignee": held.assignee,
            "unread": held.unread,
            "last_at": last_at,
            "resolved_at": resolved_at,
            "preview_until": preview_until,
            "expires_at": expires_at,
            "value": encode(held),
        },
    )


def _conversation_expiry(work: _Work, status: str, last_at: int, resolved_at: int | None) -> tuple[int, int]:
    """When the preview and the whole row must go: a conversation that waits for work stays in the queue without its words."""
    preview_until = work.until(last_at, resolved_at)
    return preview_until, preview_until if status == "resolved" else NEVER


def _time_messages_again(work: _Work, conversation: bytes, resolved_at: int | None) -> None:
    for doc, sent_at, expires_at in work.connection.execute(_sql["times_of_conversation"], {"conversation": conversation}).fetchall():
        _set_message_expiry(work, doc, expires_at, work.until(sent_at, resolved_at))


def _set_message_expiry(work: _Work, doc: int, before: int, after: int) -> None:
    # What has expired stays expired, whatever a later policy or a reopened conversation would allow.
    if before > work.now and before != after:
        work.connection.execute(_sql["set_message_expiry"], {"doc": doc, "expires_at": after})


def _event_expiry(work: _Work, event: Event) -> int:
    # An event is news of the account, not a customer's words: it is held for the window from when it came.
    return work.until(to_ms(event.at if event.received_at is None else max(event.at, event.received_at)), None)


def _put_event(work: _Work, event: Event) -> None:
    at, expires_at = to_ms(event.at), _event_expiry(work, event)
    if expires_at <= work.now:
        _expire(work, "expire_event", to_key(event.id))
        return
    work.connection.execute(_sql["put_event"], {"id": to_key(event.id), "at": at, "expires_at": expires_at, "value": encode(event)})


def _keep_newest(work: _Work, *, arrived: int) -> None:
    most, held = work.holding.max_messages, work.held
    # Rows become visible by arriving alone. A batch that is rolled back counts too: then they are counted sooner than need be.
    if held.at_most is not None:
        held.at_most += arrived
    if held.at_most is None or held.at_most > most:
        held.at_most = int(work.connection.execute(_sql["count_messages"], {"now": work.now}).fetchone()[0])
    if held.at_most <= most:
        return
    # A hundredth more than needed goes, so that at the limit not every batch has to look for the oldest.
    work.connection.execute(_sql["expire_messages_beyond"], {"most": most - most // 100, "now": work.now})
    work.has_left_out = True


def _remove(work: _Work, entity: Entity, identifier: str) -> None:
    match entity:
        case "conversation":
            work.touched.add(identifier)
            resolved.forget(work.connection, identifier)
            for query in ("expire_conversation", "expire_messages_of"):
                _expire(work, query, to_key(identifier))
        case "message":
            row = work.connection.execute(_sql["row_of_message"], {"id": to_key(identifier)}).fetchone()
            if row is not None:
                work.touched.add(stored(row[1], Message).conversation)
            _expire(work, "expire_message", to_key(identifier))
        case "contact":
            _expire(work, "expire_contact", to_key(identifier))
        case "event":
            _expire(work, "expire_event", to_key(identifier))
        case "number":
            work.connection.execute(_sql["delete_number"], {"id": identifier})
        case "person":
            work.connection.execute(_sql["delete_person"], {"id": identifier})
        case "policy":
            pass  # A policy is replaced, never taken back.
        case "team" | "canned" | "macro":
            pass  # The cache holds none of these.


def _expire(work: _Work, query: str, key: bytes) -> None:
    work.connection.execute(_sql[query], {"id": key})


def hold(connection: Connection, holding: Holding, held: Held, *, now: int) -> bool:
    """Time every row again under another policy; what is expired now stays so. Whether some were left out, being too many."""
    work = _Work(connection, holding, held, now)
    for doc, sent_at, expires_at, resolved_at in connection.execute(_sql["times_of_messages"]).fetchall():
        _set_message_expiry(work, doc, expires_at, work.until(sent_at, resolved_at))
    for identifier, status, last_at, resolved_at in connection.execute(_sql["times_of_conversations"], {"now": now}).fetchall():
        preview_until, expires_at = _conversation_expiry(work, status, last_at, resolved_at)
        connection.execute(
            _sql["set_conversation_expiry"], {"id": identifier, "preview_until": preview_until, "expires_at": expires_at, "now": now}
        )
    for identifier, value in connection.execute(_sql["times_of_events"], {"now": now}).fetchall():
        connection.execute(_sql["set_event_expiry"], {"id": identifier, "expires_at": _event_expiry(work, stored(value, Event))})
    resolved.time_again(connection, until=work.until, now=now)
    _keep_newest(work, arrived=0)
    return work.has_left_out


def set_meta(connection: Connection, name: str, value: bytes) -> None:
    connection.execute(_sql["set_meta"], {"name": name, "value": value})


def delete_meta(connection: Connection, name: str) -> None:
    connection.execute(_sql["delete_meta"], {"name": name})
