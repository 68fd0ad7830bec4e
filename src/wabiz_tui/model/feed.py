"""The hub's feed as it travels to a desk: pages of changes, by request and on the event stream."""

from datetime import datetime
from typing import TYPE_CHECKING, Literal

import msgspec

Entity = Literal["contact", "conversation", "message", "number", "event", "policy", "person", "team", "canned", "macro"]


if TYPE_CHECKING:
    RawValue = msgspec.Raw | None
else:
    # msgspec 0.22 decodes `Raw | None` as if it were `None` alone; a plain Raw with None for what is absent reads both.
    RawValue = msgspec.Raw


# Thousands live at once, and what they hold came from JSON, so no cycle goes through them: the collector need not look.
class Change(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One row of the feed: entity, id and sequence, with the value as it is now; no value means it is gone or out of sight.

    `entity` is an Entity; of one that a later version added, a reader passes over the row.

    `value` is the JSON of model.values.{Contact, Conversation, Message, Number, Event, Person},
    model.work.{Team, Canned, Macro} or model.wire.SignedPolicy.
    """

    seq: int
    entity: str
    id: str
    value: RawValue = None


class ChangesPage(msgspec.Struct, frozen=True):
    """Changes in rising sequence. `next` is the cursor to ask from next; `head` the hub's sequence when the page was made.

    A reader that applied everything up to `next` never later finds a row at or below it.
    """

    changes: list[Change]
    next: int
    head: int
    more: bool
    at: datetime
    """The hub's clock, for measuring skew."""
    begins: int = 0
    """The number after which this feed begins. A reader whose cursor is below it followed an archive that was restored since: what it
    holds and is not told anew is not there any more."""
