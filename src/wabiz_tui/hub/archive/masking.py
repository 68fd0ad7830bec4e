"""What is told anew when the masks of a policy change: everything of customers that desks hold as the old rule showed it."""

from datetime import datetime

import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.contacts import touch_identities
from wabiz_tui.hub.archive.store import Writing
from wabiz_tui.hub.archive.times import to_ms

_message, _event = schema.message.c, schema.event.c


def touch_masked(writing: Writing, *, since: datetime) -> None:
    """Say of every contact and conversation, and of the messages and events from `since` on, that it changed.

    A line of our own (a note, an activity) is masked by no rule. Costs a row of the feed for each."""
    touch_identities(writing)
    since_ms = to_ms(since)
    messages = sa.select(_message.id).where(
        _message.tenant == writing.tenant, _message.sent_ms >= since_ms, _message.direction.in_(("incoming", "outgoing"))
    )
    for row in writing.connection.execute(messages):
        writing.touch("message", row.id)
    for row in writing.connection.execute(sa.select(_event.id).where(_event.tenant == writing.tenant, _event.at_ms >= since_ms)):
        writing.touch("event", row.id)
