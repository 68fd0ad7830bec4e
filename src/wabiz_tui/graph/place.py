"""Where in a webhook one stands: the account, the business number, and the times that stand in for missing ones."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from wabiz_tui.graph.reading import instant_of

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Place(msgspec.Struct, frozen=True):
    waba: str
    entry_at: datetime | None = None
    received_at: datetime | None = None
    number: str | None = None
    display_number: str = ""

    def at_number(self, number: str | None, display_number: str) -> "Place":
        return msgspec.structs.replace(self, number=number, display_number=display_number)

    def time_of(self, value: Any) -> tuple[datetime, bool]:
        """The instant `value` tells and True, else the best stand-in there is and False."""
        told = instant_of(value)
        if told is not None:
            return told, True
        return self.entry_at or self.received_at or _NEVER, False
