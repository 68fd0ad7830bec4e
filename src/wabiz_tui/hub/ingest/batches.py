"""Fold many journal entries together, and one by one only around what cannot be folded."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from wabiz_tui.graph.parsed import Parsed
from wabiz_tui.hub.archive.events import quarantine, set_fold_position
from wabiz_tui.hub.archive.journal import JournalEntry
from wabiz_tui.hub.archive.prefetch import prefetch
from wabiz_tui.hub.archive.store import Writing
from wabiz_tui.hub.ingest.folding import fold_part
from wabiz_tui.hub.ingest.pace import at_once
from wabiz_tui.model.errors import StoreError


class Lot(NamedTuple):
    """A journal entry and what it says, or why it cannot be read."""

    entry: JournalEntry
    parts: list[Parsed] | str


def fold_batch(writing: Writing, lots: Sequence[Lot], pace: Callable[[], None] = at_once) -> list[tuple[int, str]]:
    """Fold the entries and move the position past them; the numbers and reasons of those put aside. `pace` is called between the steps.

    The archive is the same however a journal is cut into batches."""
    writing.rest = pace
    readable = [lot for lot in lots if not isinstance(lot.parts, str)]
    reasons = {lot.entry.number: lot.parts for lot in lots if isinstance(lot.parts, str)} | dict(_fold(writing, readable, pace))
    for lot in lots:
        if lot.entry.number in reasons:
            quarantine(writing, lot.entry.number, lot.entry.raw, reason=reasons[lot.entry.number], at_ms=lot.entry.at_ms)
    set_fold_position(writing, lots[-1].entry.number)
    return sorted(reasons.items())


def _fold(writing: Writing, lots: Sequence[Lot], pace: Callable[[], None]) -> Iterator[tuple[int, str]]:
    """Each entry that cannot be folded whole costs those since the one before it a second time."""
    while lots:
        folded = _fold_together(writing, lots, pace)
        if folded == len(lots):
            return
        if folded is None or _fold_together(writing, lots[:folded], pace) != folded:
            folded = 0
        # Without an entry to blame (the writing failed, not the folding), all of them are tried alone.
        alone = lots[folded : folded + 1] if folded else lots
        for lot in alone:
            yield from _fold_alone(writing, lot)
        lots = lots[folded + len(alone) :]


def _fold_together(writing: Writing, lots: Sequence[Lot], pace: Callable[[], None]) -> int | None:
    """All of them or none: how many there are, or the place of the one that failed; None when it cannot be told."""
    place: int | None = None
    try:
        with writing.savepoint():
            prefetch(writing, [part for lot in lots for part in lot.parts if not isinstance(part, str)])
            for index, lot in enumerate(lots):
                place = index
                for part in lot.parts:
                    if not isinstance(part, str):
                        fold_part(writing, part)
                pace()
            place = None
    except Exception as error:  # noqa: BLE001 whatever it is, it is looked at again alone
        _raise_if_of_the_store(error)
        return place
    return len(lots)


def _fold_alone(writing: Writing, lot: Lot) -> Iterator[tuple[int, str]]:
    """Each part on its own savepoint: one that fails is undone alone, and its whole body is put aside as well."""
    reason = ""
    for part in lot.parts:
        if isinstance(part, str):
            continue
        try:
            with writing.savepoint():
                fold_part(writing, part)
        except Exception as error:  # noqa: BLE001 the body is put aside with this reason
            _raise_if_of_the_store(error)
            reason = reason or f"fold_{type(error).__name__}"
    if reason:
        yield lot.entry.number, reason


def _raise_if_of_the_store(error: Exception) -> None:
    """When the database itself failed (disk full, lock) nothing is wrong with the webhook, and it is tried again."""
    is_of_database = type(error).__module__.startswith("sqlalchemy.exc") and type(error).__name__ in ("OperationalError", "DatabaseError")
    if is_of_database or isinstance(error, StoreError | MemoryError):
        raise error
