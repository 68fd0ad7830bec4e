"""What an operator watches of the archive: few numbers, each by an index or from a small table."""

from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.files import MediaCounts, media_counts
from wabiz_tui.hub.archive.people import count_overdue
from wabiz_tui.hub.archive.store import Reading
from wabiz_tui.hub.archive.times import from_ms, to_ms

_conversation, _episode = schema.conversation.c, schema.episode.c


class ArchiveFigures(NamedTuple):
    """`windows_closing` counts conversations under way whose customer waits for an answer and whose window closes soon."""

    media: MediaCounts
    windows_closing: int
    overdue_devices: int


def archive_figures(reading: Reading, *, closing_within: timedelta) -> ArchiveFigures:
    """Cost: the open and pending episodes, the pending files, the devices."""
    joined = sa.join(
        schema.episode, schema.conversation, (_conversation.tenant == _episode.tenant) & (_conversation.id == _episode.conversation)
    )
    closing = (
        sa.select(sa.func.count())
        .select_from(joined)
        .where(
            _episode.tenant == reading.tenant,
            _episode.status.in_(("open", "pending")),
            _conversation.episode == _episode.id,
            _conversation.waiting_since_ms.is_not(None),
            _conversation.window_until_ms > reading.now_ms,
            _conversation.window_until_ms <= to_ms(reading.now + closing_within),
        )
    )
    return ArchiveFigures(media_counts(reading), reading.connection.execute(closing).scalar() or 0, count_overdue(reading))


def made_at(identifier: str) -> datetime:
    """When an id was made: it begins with the milliseconds since 1970, in 12 hexadecimal digits."""
    return from_ms(int(identifier[:12], 16))
