"""Whether the hub can work, and how far it is behind: for /readyz, /metrics and `wabiz hub doctor`."""

import asyncio
import hmac
from collections.abc import Callable, MutableMapping
from datetime import timedelta
from typing import Any

import msgspec

from wabiz_tui.hub.archive.events import fold_position
from wabiz_tui.hub.archive.figures import archive_figures, made_at
from wabiz_tui.hub.archive.journal import Journal
from wabiz_tui.hub.archive.store import Archive
from wabiz_tui.hub.archive.times import to_ms
from wabiz_tui.hub.front.addresses import client_address, parse_address
from wabiz_tui.hub.front.guard import Guard
from wabiz_tui.hub.operations.metrics import Metrics
from wabiz_tui.model.errors import StoreError
from wabiz_tui.model.secret import Secret

CLOSING_WITHIN = timedelta(hours=1)
_FRESH = 5.0
_ARCHIVE_ANSWERS = 5.0
_FORWARDED = frozenset((b"x-forwarded-for", b"x-real-ip", b"forwarded"))


class JournalLag(msgspec.Struct, frozen=True):
    """Acknowledged webhooks that are not in the archive yet, and for how many seconds the oldest of them has waited."""

    entries: int
    seconds: float


class MediaLag(msgspec.Struct, frozen=True):
    """Files to be fetched, the age of the oldest in seconds, seconds until the first of their ids dies, and how many were given
    up (counted up to a thousand)."""

    pending: int
    oldest_seconds: float
    expires_in: float | None
    failed: int


class Health(msgspec.Struct, frozen=True):
    status: str
    journal: JournalLag
    media: MediaLag
    windows_closing: int
    overdue_devices: int


class HealthKeeper:
    """Reads the figures at most once in five seconds, however often it is asked."""

    def __init__(self, archive: Archive, journal: Journal, metrics: Metrics, guard: Guard, monotonic: Callable[[], float]) -> None:
        self._archive, self._journal, self._metrics, self._guard, self._monotonic = archive, journal, metrics, guard, monotonic
        self._lock = asyncio.Lock()
        self._known: Health | None = None
        self._known_at = 0.0

    async def health(self) -> Health:
        """Raises StoreError when archive or journal do not answer, or not in five seconds, or when no webhook could be kept."""
        async with self._lock:
            if self._known is not None and self._monotonic() - self._known_at < _FRESH:
                return self._known
            self._known = None
            try:
                async with asyncio.timeout(_ARCHIVE_ANSWERS):
                    self._known = await self._read()
            except TimeoutError as error:
                self._metrics.store_errors.labels("timeout").inc()
                raise StoreError("The archive does not answer; look at its disk or its server.", path=None) from error
            except StoreError as error:
                self._metrics.store_errors.labels(error.code).inc()
                raise
            self._known_at = self._monotonic()
            return self._known

    async def text(self) -> bytes:
        """/metrics; without the archive's figures while it does not answer."""
        metrics = self._metrics
        try:
            known = await self.health()
        except StoreError:
            metrics.up.set(0)
        else:
            metrics.up.set(1)
            metrics.fold_lag.set(known.journal.entries)
            metrics.fold_lag_seconds.set(known.journal.seconds)
            metrics.media_pending.set(known.media.pending)
            metrics.media_oldest.set(known.media.oldest_seconds)
            metrics.windows_closing.set(known.windows_closing)
            metrics.overdue_devices.set(known.overdue_devices)
        figures = self._guard.figures
        metrics.connections.set(figures.connections)
        for kind, count in figures.working.items():
            metrics.working.labels(kind).set(count)
        return metrics.text()

    async def _read(self) -> Health:
        position = await self._archive.read(fold_position)
        journal = await asyncio.get_running_loop().run_in_executor(None, self._journal_lag, position)
        figures = await self._archive.read(lambda reading: archive_figures(reading, closing_within=CLOSING_WITHIN))
        now, media = self._archive.clock.now(), figures.media
        oldest = 0.0 if media.oldest is None else max(0.0, (now - made_at(media.oldest)).total_seconds())
        expires_in = None if media.soonest_expiry is None else (media.soonest_expiry - now).total_seconds()
        lag = MediaLag(media.pending, oldest, expires_in, media.failed)
        return Health("ready", journal, lag, figures.windows_closing, figures.overdue_devices)

    def _journal_lag(self, position: int) -> JournalLag:
        self._journal.check()
        waiting = self._journal.read_after(position, limit=1)
        if not waiting:
            return JournalLag(0, 0.0)
        seconds = (to_ms(self._archive.clock.now()) - waiting[0].at_ms) / 1000
        return JournalLag(max(1, self._journal.last() - position), max(0.0, seconds))


def may_watch(scope: MutableMapping[str, Any], is_proxy: Callable[[str], bool], token: Secret | None) -> bool:
    """Whether this request may see figures: from this machine or a trusted proxy's own address with nobody behind it, or with the
    token of the file `metrics_token`."""
    if token is not None:
        told = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(told) == 1 and hmac.compare_digest(told[0], b"Bearer " + token.reveal()):
            return True
    if any(name in _FORWARDED for name, _ in scope["headers"]):
        return False
    address = client_address(scope)
    found = parse_address(address) if address else None
    return found is None or found.is_loopback or is_proxy(address)
