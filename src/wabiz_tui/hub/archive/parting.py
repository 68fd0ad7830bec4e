"""When a number change is told late, what came from the old number after it was written by the number's next holder."""

from datetime import datetime

import msgspec
import sqlalchemy as sa

from wabiz_tui.graph.parsed import Identity, IdentityChange
from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.contacts import apply_identity_change, contact_of, find_contact, is_told_again, load_contacts
from wabiz_tui.hub.archive.conversations import conversation_of, conversations_with, refresh_state
from wabiz_tui.hub.archive.joining import move_statuses
from wabiz_tui.hub.archive.messages import load_message, move_message
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.archive.times import to_ms

_message, _conversation = schema.message.c, schema.conversation.c


def change_identity(writing: Writing, change: IdentityChange, *, at: datetime) -> str:
    """The contact under its new keys. What its old number wrote after `at` goes to a contact of its own: the outcome is the same
    as if the change had been told in time."""
    late = _later_messages(writing, change, at)
    contact = apply_identity_change(writing, change, at=at)
    if late:
        _part(writing, change.previous.wa_id or "", late)
    return contact


def _later_messages(reading: Reading, change: IdentityChange, at: datetime) -> list[str]:
    """Messages with the old number's holder of after the change; none where user ids tell people apart, whatever their number."""
    number = change.previous.wa_id
    if not number or not change.current.wa_id or number == change.current.wa_id or is_told_again(reading, change):
        return []
    holder = find_contact(reading, Identity(wa_id=number))
    if holder is None or load_contacts(reading, [holder])[holder].record.aliases != (("wa_id", number),):
        return []
    conversations = conversations_with(reading, [holder]).get(holder, [])
    rows = reading.connection.execute(
        sa.select(_message.id)
        .where(
            _message.tenant == reading.tenant,
            _message.conversation.in_(conversations),
            _message.sent_ms > to_ms(at),
            _message.direction.in_(("incoming", "outgoing")),
            _message.kind != "system",
        )
        .order_by(_message.sent_ms, _message.id)
    )
    return [row.id for row in rows]


def _part(writing: Writing, number: str, late: list[str]) -> None:
    changed: dict[str, None] = {}
    for message in filter(None, (load_message(writing, one) for one in late)):
        business = writing.connection.execute(
            sa.select(_conversation.number).where(_conversation.tenant == writing.tenant, _conversation.id == message.conversation)
        ).scalar()
        holder = contact_of(writing, Identity(wa_id=number), at=message.sent_at)
        moved = msgspec.structs.replace(message, conversation=conversation_of(writing, business or "", holder))
        move_message(writing, moved)
        move_statuses(writing, moved)
        changed |= {message.conversation: None, moved.conversation: None}
    for conversation in changed:
        refresh_state(writing, conversation)
