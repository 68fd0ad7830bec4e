"""What the hub counts, for /metrics: counts and durations only."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Metrics:
    """One registry a hub, so that several can live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.webhooks = Counter("wabiz_webhooks", "Webhook posts by outcome.", ["outcome"], registry=self.registry)
        self.folded = Counter("wabiz_webhooks_folded", "Journal entries folded into the archive.", registry=self.registry)
        self.quarantined = Counter("wabiz_webhooks_quarantined", "Signed bodies that could not be folded.", registry=self.registry)
        self.unknown = Counter(
            "wabiz_webhooks_unknown",
            "Parts of webhooks for accounts or numbers that hub.toml does not name.",
            ["reason"],
            registry=self.registry,
        )
        self.journal_seconds = Histogram("wabiz_journal_seconds", "From a body's arrival to its commit.", registry=self.registry)
        self.sends = Counter("wabiz_sends", "Messages through the gateway by outcome.", ["outcome"], registry=self.registry)
        self.streams = Gauge("wabiz_streams", "Open streams of changes.", registry=self.registry)
        self.media = Counter("wabiz_media", "Files fetched by outcome.", ["outcome"], registry=self.registry)
        self.refused = Counter("wabiz_requests_refused", "Requests that the front refused, by reason.", ["reason"], registry=self.registry)
        self.store_errors = Counter("wabiz_store_errors", "Failures of the archive or journal, by code.", ["code"], registry=self.registry)
        self.up = self._gauge("wabiz_archive_up", "1 while archive and journal answer; the gauges below are of that moment.")
        self.fold_lag = self._gauge("wabiz_fold_lag_entries", "Acknowledged webhooks that are not in the archive yet.")
        self.fold_lag_seconds = self._gauge("wabiz_fold_lag_seconds", "For how long the oldest of them has waited.")
        self.media_pending = self._gauge("wabiz_media_pending", "Files that are still to be fetched.")
        self.media_oldest = self._gauge("wabiz_media_oldest_seconds", "Age of the message that has waited longest for its file.")
        self.windows_closing = self._gauge(
            "wabiz_windows_closing", "Open or pending conversations that wait for an answer and whose window closes within an hour."
        )
        self.overdue_devices = self._gauge("wabiz_purge_overdue_devices", "Devices that owe a purge receipt for too long.")
        self.connections = self._gauge("wabiz_connections", "Open HTTP connections.")
        self.working = Gauge("wabiz_requests_at_work", "Requests at work, by kind.", ["kind"], registry=self.registry)

    def _gauge(self, name: str, words: str) -> Gauge:
        return Gauge(name, words, registry=self.registry)

    def refuse(self, reason: str) -> None:
        self.refused.labels(reason).inc()

    def text(self) -> bytes:
        return generate_latest(self.registry)
