"""The hub's parts, joined once and handed to every endpoint."""

from collections.abc import Callable
from typing import NamedTuple

from wabiz_tui.cloud.transport import Transport
from wabiz_tui.hub.archive.journal import Journal
from wabiz_tui.hub.archive.store import Archive
from wabiz_tui.hub.feed.stream import Feed
from wabiz_tui.hub.front.guard import Guard
from wabiz_tui.hub.gateway.media import MediaDoor
from wabiz_tui.hub.gateway.messages import Gateway
from wabiz_tui.hub.gateway.objects import Objects
from wabiz_tui.hub.ingest.door import WebhookDoor
from wabiz_tui.hub.ingest.intake import Intake
from wabiz_tui.hub.ingest.media import MediaFetcher
from wabiz_tui.hub.operations.health import HealthKeeper
from wabiz_tui.hub.operations.metrics import Metrics
from wabiz_tui.hub.operations.secrets import HubSecrets
from wabiz_tui.hub.operations.settings import Settings
from wabiz_tui.hub.people.rates import Rates
from wabiz_tui.hub.policy import InForce, PolicyKeeper
from wabiz_tui.hub.processes.process import HubProcess
from wabiz_tui.hub.routines.keeping import Routines
from wabiz_tui.hub.shifts.board import ShiftBoard
from wabiz_tui.hub.shifts.keeper import ShiftKeeper
from wabiz_tui.model.clock import Clock


class Hub(NamedTuple):
    settings: Settings
    secrets: HubSecrets
    archive: Archive
    journal: Journal
    intake: Intake
    door: WebhookDoor
    feed: Feed
    gateway: Gateway
    files: MediaDoor
    objects: Objects
    media: MediaFetcher
    guard: Guard
    health: HealthKeeper
    rates: Rates
    policies: PolicyKeeper
    process: HubProcess
    shifts: ShiftBoard
    shift_keeper: ShiftKeeper
    routines: Routines
    metrics: Metrics
    transport: Transport
    clock: Clock
    random_bytes: Callable[[int], bytes]

    @property
    def policy(self) -> InForce:
        return self.policies.current
