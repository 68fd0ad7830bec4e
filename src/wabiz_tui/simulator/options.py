"""What a simulator is told when it starts."""

from pathlib import Path

import msgspec

from wabiz_tui.model.clock import Clock, SystemClock
from wabiz_tui.model.secret import Secret

WEBHOOK_PATH = "/webhooks/whatsapp"


class SimulatorOptions(msgspec.Struct, frozen=True, kw_only=True):
    """`hub_url` is the hub's base URL, to which `/webhooks/whatsapp` is added. Without `token` every Bearer token is accepted, without
    `verify_token` there is no handshake, without `app_secret` webhooks are not signed. Port 0 picks a free one."""

    waba_id: str
    phone_number_ids: tuple[str, ...]
    host: str = "127.0.0.1"
    port: int = 0
    hub_url: str | None = None
    app_secret: Secret | None = None
    token: Secret | None = None
    verify_token: Secret | None = None
    scenario: Path | None = None
    clock: Clock = msgspec.field(default_factory=SystemClock)
    seed: int = 1
    app_id: str = "670843887433847"
    requires_proof: bool = False
    """Calls without `appsecret_proof` are refused, as an app's setting can demand."""
