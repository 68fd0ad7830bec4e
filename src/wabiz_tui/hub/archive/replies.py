"""Replies out of hours in the archive: who is owed one, and what became of it."""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.archive.times import from_ms, to_ms

EVERY = timedelta(hours=24)
"""A conversation gets one reply in so long, counted from the message that asked for the last."""

ReplyState = Literal["due", "sent", "refused", "uncertain", "late", "unknown"]
_reply = schema.auto_reply.c


class OwedReply(NamedTuple):
    conversation: str
    asked_ms: int
    at: datetime
    """When the hub noted that it is owed."""


def owe_reply(writing: Writing, conversation: str, asked_at: datetime) -> bool:
    """Note that a reply is owed; False where the conversation had one, or is owed one, within the time."""
    known = writing.connection.execute(
        sa.select(_reply.asked_ms).where(
            _reply.tenant == writing.tenant, _reply.conversation == conversation, _reply.asked_ms > to_ms(asked_at - EVERY)
        )
    ).first()
    if known is not None:
        return False
    writing.connection.execute(
        sa.insert(schema.auto_reply).values(
            tenant=writing.tenant, conversation=conversation, asked_ms=to_ms(asked_at), state="due", at_ms=writing.now_ms
        )
    )
    return True


def owed_replies(reading: Reading, *, limit: int) -> list[OwedReply]:
    """The oldest first."""
    rows = reading.connection.execute(
        sa.select(_reply.conversation, _reply.asked_ms, _reply.at_ms)
        .where(_reply.tenant == reading.tenant, _reply.state == "due")
        .order_by(_reply.at_ms, _reply.conversation)
        .limit(limit)
    )
    return [OwedReply(row.conversation, row.asked_ms, from_ms(row.at_ms)) for row in rows]


def settle_reply(writing: Writing, owed: OwedReply, state: ReplyState, *, message: str | None = None) -> None:
    writing.connection.execute(
        sa.update(schema.auto_reply)
        .where(_reply.tenant == writing.tenant, _reply.conversation == owed.conversation, _reply.asked_ms == owed.asked_ms)
        .values(state=state, message=message)
    )
