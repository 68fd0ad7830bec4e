"""Webhook bodies folded into an archive as the intake does it, without a journal between."""

from typing import Any

from tests.support.hub_served import body_of
from wabiz_tui.hub.archive.journal import JournalEntry
from wabiz_tui.hub.archive.store import Archive
from wabiz_tui.hub.archive.times import to_ms
from wabiz_tui.hub.ingest.batches import fold_batch
from wabiz_tui.hub.ingest.intake import parse_all


def fold_bodies(archive: Archive, *bodies: bytes) -> list[tuple[int, str]]:
    """All in one batch; what was put aside."""
    at_ms = to_ms(archive.clock.now())
    entries = [JournalEntry(number, body, at_ms) for number, body in enumerate(bodies, start=1)]
    return archive.write_now(lambda writing: fold_batch(writing, parse_all(entries)))


def fold_values(archive: Archive, *values: dict[str, Any], field: str = "messages") -> None:
    """The same from the `value` of each change."""
    put_aside = fold_bodies(archive, *(body_of(value, field=field) for value in values))
    assert put_aside == []
