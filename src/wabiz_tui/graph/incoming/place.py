"""Where in a webhook one stands: the account, the business number, and the times that stand in for missing ones."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from wabiz_tui.graph.reading import Json, aside, instant_of, object_of, word, word_or_none

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
AHEAD = timedelta(hours=1)
"""How far Meta's clock may be ahead of ours; what is later was not written then, and would hold a window open for years."""


class Place(msgspec.Struct, frozen=True):
    waba: str
    entry_at: datetime | None = None
    received_at: datetime | None = None
    number: str | None = None
    display_number: str = ""
    spare: Json | None = None
    """What `metadata` says beyond the number's id and spelling; each part read at this place keeps it."""

    def at_number(self, metadata: Any) -> "Place":
        known = object_of(metadata)
        number, display = word_or_none(known.get("phone_number_id")), word(known.get("display_phone_number"))
        spare = aside(known, phone_number_id=number, display_phone_number=display) if isinstance(metadata, dict) else metadata
        return msgspec.structs.replace(self, number=number, display_number=display, spare=({"metadata": spare} if spare else None))

    def extra(self, **parts: Any) -> Json | None:
        """Those `parts` that say something, and what was spare here; None when there is nothing."""
        told = {key: part for key, part in parts.items() if part}
        return (told | self.spare if self.spare else told) or None

    def time_of(self, value: Any) -> tuple[datetime, bool]:
        """The instant `value` tells and True, else the best stand-in there is and False; one that lies ahead is not believed."""
        told = instant_of(value)
        if told is None:
            return self.entry_at or self.received_at or _NEVER, False
        return self.believed(told), self._is_past(told)

    def believed(self, told: datetime) -> datetime:
        """`told`, or when the webhook came if that was before."""
        return told if self._is_past(told) or self.received_at is None else self.received_at

    def _is_past(self, told: datetime) -> bool:
        return self.received_at is None or told <= self.received_at + AHEAD
