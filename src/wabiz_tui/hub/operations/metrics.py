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

    def refuse(self, reason: str) -> None:
        self.refused.labels(reason).inc()

    def text(self) -> bytes:
        return generate_latest(self.registry)
