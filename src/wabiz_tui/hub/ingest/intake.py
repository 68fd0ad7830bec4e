"""The background step from the journal to the archive: in order, restartable, one transaction a batch, nothing blocks the rest."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import structlog

from wabiz_tui.graph.parsed import Parsed
from wabiz_tui.graph.webhooks import parse
from wabiz_tui.hub.archive.events import fold_position
from wabiz_tui.hub.archive.journal import Journal, JournalEntry
from wabiz_tui.hub.archive.store import Archive, Writing
from wabiz_tui.hub.archive.times import from_ms
from wabiz_tui.hub.ingest.batches import Lot, fold_batch
from wabiz_tui.hub.ingest.pace import Pace, at_once
from wabiz_tui.hub.operations.metrics import Metrics
from wabiz_tui.hub.processes.bus import FOLDED, JOURNAL
from wabiz_tui.model.errors import BadInput, StoreError

_BATCH = 256
_PAUSE_AFTER_FAILURE = 1.0
_PATIENCE = 5.0
_BETWEEN_TELLINGS = 0.02
_BETWEEN_LOOKS = 1.0

_MOST_STRANGERS = 1000

log = structlog.get_logger("hub.intake")


class Ours(NamedTuple):
    """The accounts and phone_number_ids that hub.toml names."""

    accounts: frozenset[str]
    numbers: frozenset[str]


class Intake:
    """`wake` after each journal commit; `run` folds until `stop`, and then what is left. Of several processes the one that `leads`
    folds; the others tell it that there is something."""

    def __init__(
        self, archive: Archive, journal: Journal, metrics: Metrics, ours: Ours, *, leads: Callable[[], bool] = lambda: True
    ) -> None:
        self._archive, self._journal, self._metrics, self._ours, self._leads = archive, journal, metrics, ours, leads
        self._strangers: set[tuple[str, str]] = set()
        self._wanted = asyncio.Event()
        self._progress = asyncio.Event()
        """Set, and another put in its place, when the archive has more of the journal than before."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = self._leaving = False
        self._pace = Pace(lambda: journal.handed_in, lambda: archive.is_writer_awaited)
        self._position: int | None = None
        """Up to where the journal is folded, as far as this process knows; nobody moves it unnoticed (`_fold`)."""
        self.is_behind = False
        """Whether more is waiting than one batch takes."""
        self._purged_on = ""
        archive.bus.on(FOLDED, lambda _position: self._soon(self._advance))
        archive.bus.on(JOURNAL, lambda _nothing: self._soon(self._told))
        archive.bus.on_gap(lambda: self._soon(self._catch_up))

    def wake(self) -> None:
        self._wanted.set()

    def stop(self) -> None:
        self._stopping = True
        self._wanted.set()

    def leave(self) -> None:
        """After `stop`: what is not folded after this batch waits in the journal for the next start."""
        self._leaving = True

    async def caught_up(self, *, within: float = _PATIENCE) -> bool:
        """Wait until everything acknowledged before this call is in the archive; False when that takes longer than `within` seconds.

        A reader who asks after a webhook's 200 finds it: the two steps of ingest are not seen from outside.
        """
        self._loop = loop = asyncio.get_running_loop()
        wanted = await loop.run_in_executor(None, self._journal.last)
        try:
            async with asyncio.timeout(within):
                while True:
                    progress = self._progress
                    if await self._archive.read(fold_position) >= wanted:
                        return True
                    await progress.wait()
        except TimeoutError:
            return False

    async def run(self) -> None:
        """Start with what an earlier end left over."""
        self._loop = asyncio.get_running_loop()
        self._wanted.set()
        while True:
            await self._until_wanted()
            try:
                if self._leads():
                    while await self.fold_once():
                        if self._leaving:
                            return
                        if self._has_all():
                            break
                    await self._purge_daily()
                elif not self._stopping:
                    self._archive.bus.tell_now(JOURNAL)
                    await asyncio.sleep(_BETWEEN_TELLINGS)
            except StoreError as error:
                # Nothing is lost: the journal holds it, and the position moved only with the transaction.
                log.warning("fold_failed", code=error.code)
                if self._stopping:
                    return
                await asyncio.sleep(_PAUSE_AFTER_FAILURE)
                self._wanted.set()
            if self._stopping and not self._wanted.is_set():
                return

    def _has_all(self) -> bool:
        """Whether nothing of ours is left: to look again would cost a lone webhook's readers time. What others kept they tell of."""
        return self._position is not None and 0 < self._journal.newest <= self._position

    async def fold_once(self) -> int:
        """Fold one batch; how many entries it had. Where another process folded meanwhile it is left alone."""
        loop = asyncio.get_running_loop()
        # A body of 3 MB takes 100 ms and more to parse: neither the loop nor the one writer waits for it.
        position, entries, lots = await loop.run_in_executor(None, self._read_on, loop)
        if not entries:
            return 0
        try:
            bad = await self._archive.write(lambda writing: _fold(writing, lots, position, self._pace))
        except BaseException:
            self._position = None
            raise
        self._position = None if bad is None else entries[-1].number
        if bad is None:
            return len(entries)
        self._metrics.folded.inc(len(entries))
        for lot in lots:
            self._tell_strangers(() if isinstance(lot.parts, str) else lot.parts)
        for number, reason in bad:
            self._metrics.quarantined.inc()
            log.warning("webhook_quarantined", entry=number, reason=reason)
        return len(entries)

    def _read_on(self, loop: asyncio.AbstractEventLoop) -> tuple[int, list[JournalEntry], list[Lot]]:
        """The position, the next entries and what they say. In one thread: each change of threads would cost a lone webhook time."""
        position = self._archive.read_now(fold_position) if self._position is None else self._position
        entries = self._journal.read_after(position, limit=_BATCH)
        self.is_behind = len(entries) == _BATCH
        if not entries:
            return position, entries, []
        self._pace.begin(loop, lag=self._archive.clock.now() - from_ms(entries[0].at_ms))
        self._pace.here()
        return position, entries, parse_all(entries, self._pace)

    def _tell_strangers(self, parts: Sequence[Parsed]) -> None:
        """Count what is for an account or number that is not ours (it is archived all the same), and log each such id once."""
        for part in parts:
            for reason, named, known in (
                ("unknown_account", part.waba, self._ours.accounts),
                ("unknown_number", part.number, self._ours.numbers),
            ):
                if not named or named in known:
                    continue
                self._metrics.unknown.labels(reason).inc()
                if (reason, named) not in self._strangers and len(self._strangers) < _MOST_STRANGERS:
                    self._strangers.add((reason, named))
                    log.warning("webhook_not_for_us", reason=reason, id=named[:64])

    async def _until_wanted(self) -> None:
        """A process that ends between its journal's commit and its word to the leader leaves it to the leader's next look."""
        patience = _BETWEEN_LOOKS if self._archive.bus.is_shared and self._leads() else None
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wanted.wait(), patience)
        self._wanted.clear()

    def _soon(self, act: Callable[[], None]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(act)

    def _advance(self) -> None:
        self._progress.set()
        self._progress = asyncio.Event()

    def _told(self) -> None:
        if self._leads():
            self.wake()

    def _catch_up(self) -> None:
        self._advance()
        self.wake()

    async def _purge_daily(self) -> None:
        today = self._archive.clock.now().date().isoformat()
        if today != self._purged_on:
            self._purged_on = today
            position = await self._archive.read(fold_position)
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, self._archive.prepare_months)
            await loop.run_in_executor(None, lambda: self._journal.purge(folded=position))


def _fold(writing: Writing, lots: Sequence[Lot], position: int, pace: Pace) -> list[tuple[int, str]] | None:
    """None where the position is not what these entries were read after: two that take themselves for the leader fold nothing twice."""
    if fold_position(writing) != position:
        return None
    pace.here()
    writing.tell(FOLDED, str(lots[-1].entry.number))
    return fold_batch(writing, lots, pace)


def parse_all(entries: Sequence[JournalEntry], pace: Callable[[], None] = at_once) -> list[Lot]:
    lots: list[Lot] = []
    for entry in entries:
        lots.append(Lot(entry, _parse_one(entry)))
        pace()
    return lots


def _parse_one(entry: JournalEntry) -> list[Parsed] | str:
    try:
        return parse(entry.raw, received_at=from_ms(entry.at_ms))
    except BadInput as error:
        return f"unparsable_{error.code}"
