"""Messages in the archive: sealed under their unit, unique by wamid, their delivery beside them."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.engine.direct import Direct
from wabiz_tui.hub.archive.sealing import month_of, text_unit
from wabiz_tui.hub.archive.shelves import Row, Sealing, Shelved
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.archive.times import to_ms
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.content import kind_of
from wabiz_tui.model.values import Delivery, Direction, Message

_message = schema.message.c
# Sealed without the delivery, which has a column of its own.
_SEALING = Sealing(Message, unit=lambda row: text_unit(row["conversation"], row["month"]), about=lambda row: f"message/{row['id']}")
MESSAGES = Shelved(schema.message, "id", sealing=_SEALING)
MESSAGE_KEYS: Shelved[None] = Shelved(schema.message_key, "wamid_hash")
AWAITED: Shelved[None] = Shelved(schema.awaited, "target_hash", "message", group="target_hash")


_IN_FEED = Direct(
    sa.select(_message.id, _message.conversation, _message.month, _message.delivery, _message.sealed)
    .join(schema.change, (schema.change.c.tenant == _message.tenant) & (schema.change.c.id == _message.id))
    .where(
        schema.change.c.tenant == sa.bindparam("of_tenant"),
        schema.change.c.seq.between(sa.bindparam("first"), sa.bindparam("last")),
        schema.change.c.entity == sa.literal_column("'message'"),
    )
)


class SealedMessage(NamedTuple):
    """A message's row, not opened; `delivery` is JSON."""

    id: str
    conversation: str
    month: str
    delivery: str | None
    sealed: bytes


class Filed(NamedTuple):
    """Where a message stands and what became of it, known without opening it."""

    id: str
    conversation: str
    month: str
    delivery: Delivery | None


def wamid_hash(reading: Reading, wamid: str) -> bytes:
    return reading.sealer.lookup("wamid", wamid)


def find_by_wamid(reading: Reading, wamid: str) -> str | None:
    row = reading.shelf(MESSAGE_KEYS).get(wamid_hash(reading, wamid))
    return None if row is None else row["message"]


def find_filed(reading: Reading, message: str) -> Filed | None:
    """None also when the key of the message's unit is destroyed: nothing may be sealed under a new one of that name."""
    shelf = reading.shelf(MESSAGES)
    row = shelf.get(message)
    if row is None or not shelf.opens(message):
        return None
    return Filed(row["id"], row["conversation"], row["month"], _delivery_of(row))


def load_messages(reading: Reading, ids: Iterable[str]) -> dict[str, Message]:
    """The messages that are there and whose unit's key is."""
    shelf, wanted = reading.shelf(MESSAGES), sorted(set(ids))
    shelf.fetch(wanted)
    found: dict[str, Message] = {}
    for one in wanted:
        row, value = shelf.get(one), shelf.value(one)
        if row is not None and value is not None:
            found[one] = _delivered(row, value)
    return found


def messages_in_feed(reading: Reading, first: int, last: int) -> dict[str, SealedMessage]:
    """By id, those that the feed tells from `first` to `last`. Through no shelf: they are many, and each is looked at once."""
    rows = _IN_FEED.rows(reading.connection, {"of_tenant": reading.tenant, "first": first, "last": last})
    return {row[0]: SealedMessage._make(row) for row in rows}


def open_messages(reading: Reading, rows: Sequence[SealedMessage]) -> Iterator[tuple[SealedMessage, bytes]]:
    """With the JSON that is sealed in each, a Message without its delivery; those whose unit's key is destroyed are left out."""
    units = [text_unit(row.conversation, row.month) for row in rows]
    opening = reading.sealer.opening(units)
    for row, unit in zip(rows, units, strict=True):
        plain = opening.open(unit, row.sealed, about=f"message/{row.id}")
        if plain is not None:
            yield row, plain


def message_of(row: SealedMessage, plain: bytes) -> Message:
    """What open_messages gave, decoded and with its delivery."""
    message = decode(plain, Message)
    return message if row.delivery is None else msgspec.structs.replace(message, delivery=decode(row.delivery, Delivery))


def load_message(reading: Reading, message: str) -> Message | None:
    return load_messages(reading, [message]).get(message)


def page_of_messages(reading: Reading, conversation: str, *, before: tuple[int, str] | None, limit: int) -> list[Message]:
    """The newest `limit` messages of a conversation before a place (sent_ms, id), in rising time."""
    query = sa.select(schema.message).where(_message.tenant == reading.tenant, _message.conversation == conversation)
    if before is not None:
        query = query.where(sa.tuple_(_message.sent_ms, _message.id) < sa.tuple_(before[0], before[1]))
    rows = reading.connection.execute(query.order_by(_message.sent_ms.desc(), _message.id.desc()).limit(limit))
    opened = ((row, _SEALING.open(reading.sealer, row)) for row in map(dict, rows.mappings()))
    return [_delivered(row, value) for row, value in opened if value is not None][::-1]


def add_message(writing: Writing, message: Message, *, is_unread: bool = False) -> None:
    """Archive a message; its wamid, where it has one, must not be known yet."""
    month = month_of(message.sent_at)
    row = {
        "id": message.id,
        "conversation": message.conversation,
        "direction": message.direction.value,
        "kind": kind_of(message.content),
        "month": month,
        "sent_ms": to_ms(message.sent_at),
        "is_unread": is_unread,
        "author": message.author,
        "delivery": _delivery_text(message.delivery),
        "archived_ms": writing.now_ms,
    }
    writing.archive.place.prepare_months((month,))
    writing.shelf(MESSAGES).add(row, _undelivered(message))
    if message.wamid is not None:
        _add_key(writing, message.wamid, message.id, month)
    writing.touch("message", message.id)


def save_message(writing: Writing, message: Message) -> None:
    """Write the message as it now is, under the unit it was sealed with: content, reactions, edits, delivery."""
    shelf = writing.shelf(MESSAGES)
    shelf.change(message.id, kind=kind_of(message.content), delivery=_delivery_text(message.delivery))
    shelf.replace(message.id, _undelivered(message))
    writing.touch("message", message.id)


def move_message(writing: Writing, message: Message) -> None:
    """Put the message into the conversation it names now, sealed under that one's unit."""
    shelf = writing.shelf(MESSAGES)
    shelf.change(message.id, conversation=message.conversation)
    shelf.replace(message.id, _undelivered(message))
    writing.touch("message", message.id)


def set_wamid(writing: Writing, message: Message, wamid: str) -> Message:
    """Record the wamid Meta gave one of our messages."""
    named = msgspec.structs.replace(message, wamid=wamid)
    if find_by_wamid(writing, wamid) is None:
        _add_key(writing, wamid, message.id, month_of(message.sent_at))
    save_message(writing, named)
    return named


def set_delivery(writing: Writing, message: str, delivery: Delivery) -> None:
    """Costs no sealing: what became of a message is no content."""
    writing.shelf(MESSAGES).change(message, delivery=_delivery_text(delivery))
    writing.touch("message", message)


def await_target(writing: Writing, target_wamid: str, message: str) -> None:
    """Remember that `message` reacts to, edits or revokes something that has not come yet."""
    row = {"target_hash": wamid_hash(writing, target_wamid), "message": message}
    shelf = writing.shelf(AWAITED)
    if row not in ({name: one[name] for name in row} for one in shelf.group(row["target_hash"])):
        shelf.add(row)


def take_awaiting(writing: Writing, target_wamid: str) -> list[Message]:
    """The messages that waited for this one, oldest first; they wait no more."""
    shelf = writing.shelf(AWAITED)
    rows = shelf.group(wamid_hash(writing, target_wamid))
    for row in rows:
        shelf.remove(AWAITED.key_of(row))
    waiting = load_messages(writing, (row["message"] for row in rows))
    return sorted(waiting.values(), key=lambda message: (message.sent_at, message.id))


def mark_read_up_to(writing: Writing, conversation: str, up_to: tuple[int, str] | None) -> Message | None:
    """Clear the unread marks up to a place (all of them for None); the newest message whose mark was cleared."""
    query = sa.select(_message.id).where(
        _message.tenant == writing.tenant, _message.conversation == conversation, _message.is_unread.is_(True)
    )
    if up_to is not None:
        query = query.where(sa.tuple_(_message.sent_ms, _message.id) <= sa.tuple_(up_to[0], up_to[1]))
    ids = [row.id for row in writing.connection.execute(query.order_by(_message.sent_ms, _message.id))]
    if not ids:
        return None
    _set_unread(writing, ids, is_unread=False)
    return load_message(writing, ids[-1])


def mark_last_unread(writing: Writing, conversation: str) -> bool:
    """Mark the newest incoming message unread; False when there is none."""
    message = last_incoming(writing, conversation)
    if message is None:
        return False
    _set_unread(writing, [message], is_unread=True)
    return True


def last_incoming(reading: Reading, conversation: str) -> str | None:
    row = reading.connection.execute(
        sa.select(_message.id)
        .where(
            _message.tenant == reading.tenant,
            _message.conversation == conversation,
            _message.direction == Direction.INCOMING.value,
            _message.kind != "system",
        )
        .order_by(_message.sent_ms.desc(), _message.id.desc())
    ).first()
    return None if row is None else row.id


def count_unread(reading: Reading, conversation: str) -> int:
    return (
        reading.connection.execute(
            sa.select(sa.func.count())
            .select_from(schema.message)
            .where(_message.tenant == reading.tenant, _message.conversation == conversation, _message.is_unread.is_(True))
        ).scalar()
        or 0
    )


def ids_sent_since(reading: Reading, conversation: str, since: datetime) -> list[str]:
    rows = reading.connection.execute(
        sa.select(_message.id).where(
            _message.tenant == reading.tenant, _message.conversation == conversation, _message.sent_ms >= to_ms(since)
        )
    )
    return [row.id for row in rows]


def _set_unread(writing: Writing, ids: list[str], *, is_unread: bool) -> None:
    writing.connection.execute(
        sa.update(schema.message).where(_message.tenant == writing.tenant, _message.id.in_(ids)).values(is_unread=is_unread)
    )


def _add_key(writing: Writing, wamid: str, message: str, month: str) -> None:
    writing.shelf(MESSAGE_KEYS).add({"wamid_hash": wamid_hash(writing, wamid), "message": message, "month": month})


def _undelivered(message: Message) -> Message:
    return message if message.delivery is None else msgspec.structs.replace(message, delivery=None)


def _delivered(row: Row, message: Message) -> Message:
    return message if row["delivery"] is None else msgspec.structs.replace(message, delivery=_delivery_of(row))


def _delivery_of(row: Row) -> Delivery | None:
    return None if row["delivery"] is None else decode(row["delivery"], Delivery)


def _delivery_text(delivery: Delivery | None) -> str | None:
    return None if delivery is None else encode(delivery).decode()
