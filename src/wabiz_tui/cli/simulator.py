"""The simulator's command."""

import os
from pathlib import Path

import click

from wabiz_tui.cli.hub import need_hub_extra
from wabiz_tui.model.clock import clock_from_environment
from wabiz_tui.model.errors import UsageError
from wabiz_tui.model.secret import Secret


@click.group()
def simulator() -> None:
    """A pretend Meta, for the demo, for tests and for other programs' integrations."""


@simulator.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8421, show_default=True, help="0 picks a free one.")
@click.option("--waba-id", required=True)
@click.option("--phone-number-id", "phone_number_ids", multiple=True, required=True, help="May be given several times.")
@click.option("--hub", "hub_url", default=None, help="Where webhooks go: the hub's base URL.")
@click.option("--app-secret-env", default=None, help="The variable that holds the app secret webhooks are signed with.")
@click.option("--token-env", default=None, help="The variable that holds the one token that is accepted; without it any is.")
@click.option("--verify-token-env", default=None, help="The variable that holds the verify token of the handshake.")
@click.option("--scenario", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=None)
@click.option("--app-id", default="670843887433847", show_default=True, help="The app that webhooks and app tokens belong to.")
@click.option("--require-app-secret-proof", "requires_proof", is_flag=True, help="Refuse calls without appsecret_proof.")
@click.option("--seed", type=int, default=1, show_default=True)
def serve(
    *,
    host: str,
    port: int,
    waba_id: str,
    phone_number_ids: tuple[str, ...],
    hub_url: str | None,
    app_secret_env: str | None,
    token_env: str | None,
    verify_token_env: str | None,
    scenario: Path | None,
    app_id: str,
    requires_proof: bool,
    seed: int,
) -> int:
    """Run the simulator until SIGTERM; prints one JSON line when it listens."""
    need_hub_extra()
    from wabiz_tui.simulator.options import SimulatorOptions
    from wabiz_tui.simulator.server import serve as serve_simulator

    return serve_simulator(
        SimulatorOptions(
            host=host,
            port=port,
            waba_id=waba_id,
            phone_number_ids=phone_number_ids,
            hub_url=hub_url,
            app_secret=_secret(app_secret_env),
            token=_secret(token_env),
            verify_token=_secret(verify_token_env),
            scenario=scenario,
            clock=clock_from_environment(),
            seed=seed,
            app_id=app_id,
            requires_proof=requires_proof,
        )
    )


def _secret(name: str | None) -> Secret | None:
    if name is None:
        return None
    value = os.environ.get(name, "")
    if not value:
        raise UsageError(f"The environment variable {name} is empty; set it to the secret it names.")
    return Secret(value)
