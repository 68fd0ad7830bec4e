"""The background step from the journal to the archive: in order, restartable, one transaction a batch, nothing blocks the rest."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import structlog

from wabiz_tui.graph.parsed import Parsed
from wabiz_tui.graph.webhooks import parse
from wabiz_tui.hub.archive.events import fold_position
from wabiz_tui.hub.archive.journal import Journal, JournalEntry
from wabiz_tui.hub.archive.store import Archive
from wabiz_tui.hub.archive.times import from_ms
from wabiz_tui.hub.ingest.batches import Lot, fold_batch
from wabiz_tui.hub.operations.metrics import Metrics
from wabiz_tui.model.errors import BadInput, StoreError

_BATCH = 500
_PAUSE_AFTER_FAILURE = 1.0
_PATIENCE = 5.0

_MOST_STRANGERS = 1000

log = structlog.get_logger("hub.intake")


class Ours(NamedTuple):
    """The accounts and phone_number_ids that hub.toml names."""

    accounts: frozenset[str]
    numbers: frozenset[str]


class Intake:
    """`wake` after each journal commit; `run` folds until `stop`, and then what is left."""

    def __init__(self, archive: Archive, journal: Journal, metrics: Metrics, ours: Ours) -> None:
        self._archive, self._journal, self._metrics, self._ours = archive, journal, metrics, ours
        self._strangers: set[tuple[str, str]] = set()
        self._wanted = asyncio.Event()
        self._folded = asyncio.Condition()
        self._stopping = False
        self._purged_on = ""

    def wake(self) -> None:
        self._wanted.set()

    def stop(self) -> None:
        self._stopping = True
        self._wanted.set()

    async def caught_up(self, *, within: float = _PATIENCE) -> bool:
        """Wait until everything acknowledged before this call is in the archive; False when that takes longer than `within` seconds.

        A reader who asks after a webhook's 200 finds it: the two steps of ingest are not seen from outside.
        """
        loop = asyncio.get_running_loop()
        wanted = await loop.run_in_executor(None, self._journal.last)
        try:
            async with asyncio.timeout(within), self._folded:
                while await self._archive.read(fold_position) < wanted:
                    await self._folded.wait()
        except TimeoutError:
            return False
        return True

    async def run(self) -> None:
        """Start with what an earlier end left over."""
        self._wanted.set()
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                while await self.fold_once():
                    pass
                await self._purge_daily()
            except StoreError as error:
                # Nothing is lost: the journal holds it, and the position moved only with the transaction.
                log.warning("fold_failed", code=error.code)
                if self._stopping:
                    return
                await asyncio.sleep(_PAUSE_AFTER_FAILURE)
                self._wanted.set()
            if self._stopping and not self._wanted.is_set():
                return

    async def fold_once(self) -> int:
        """Fold one batch; how many entries it had."""
        position = await self._archive.read(fold_position)
        loop = asyncio.get_running_loop()
        entries = await loop.run_in_executor(None, lambda: self._journal.read_after(position, limit=_BATCH))
        if not entries:
            return 0
        # A body of 3 MB takes 100 ms and more to parse: neither the loop nor the one writer waits for it.
        lots = await loop.run_in_executor(None, parse_all, entries)
        bad = await self._archive.write(lambda writing: fold_batch(writing, lots))
        async with self._folded:
            self._folded.notify_all()
        self._metrics.folded.inc(len(entries))
        for lot in lots:
            self._tell_strangers(() if isinstance(lot.parts, str) else lot.parts)
        for number, reason in bad:
            self._metrics.quarantined.inc()
            log.warning("webhook_quarantined", entry=number, reason=reason)
        return len(entries)

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

    async def _purge_daily(self) -> None:
        today = self._archive.clock.now().date().isoformat()
        if today != self._purged_on:
            self._purged_on = today
            position = await self._archive.read(fold_position)
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, self._archive.prepare_months)
            await loop.run_in_executor(None, lambda: self._journal.purge(folded=position))


def parse_all(entries: Sequence[JournalEntry]) -> list[Lot]:
    return [Lot(entry, _parse_one(entry)) for entry in entries]


def _parse_one(entry: JournalEntry) -> list[Parsed] | str:
    try:
        return parse(entry.raw, received_at=from_ms(entry.at_ms))
    except BadInput as error:
        return f"unparsable_{error.code}"
