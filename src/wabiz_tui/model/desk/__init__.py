"""The desk's calls: the door between the screen (or a script) and everything the agent's computer does.

`Desk` is implemented by the desk's socket client (desk/process) and by the still desk of the tests. All calls raise errors
of model.errors; `Locked` when the desk is locked, `Unreachable` when the desk's process is gone. Lists come newest first
where that is said, and are plain values: asking again is the only way to see a later state.
"""

from typing import Protocol

from wabiz_tui.model.desk.keeping import Keeping
from wabiz_tui.model.desk.media import Media
from wabiz_tui.model.desk.reading import Reading
from wabiz_tui.model.desk.sending import Sending
from wabiz_tui.model.desk.values import (
    DeskEvent,
    DeskStatus,
    Draft,
    Earlier,
    Lent,
    Link,
    MediaFile,
    MediaUse,
    OutboxLetter,
    PurgeOutcome,
    QueuePage,
    SearchHit,
    TimelinePage,
    View,
)
from wabiz_tui.model.desk.working import Working


class Desk(Reading, Sending, Working, Media, Keeping, Protocol):
    """What a desk does for its clients."""


__all__ = [
    "Desk",
    "DeskEvent",
    "DeskStatus",
    "Draft",
    "Earlier",
    "Keeping",
    "Lent",
    "Link",
    "Media",
    "MediaFile",
    "MediaUse",
    "OutboxLetter",
    "PurgeOutcome",
    "QueuePage",
    "Reading",
    "SearchHit",
    "Sending",
    "TimelinePage",
    "View",
    "Working",
]
