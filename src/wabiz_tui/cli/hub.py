"""The hub's commands: set it up, run it."""

import os
from pathlib import Path

import click

from wabiz_tui.cli.backup import backup, restore
from wabiz_tui.cli.output import print_json
from wabiz_tui.model.clock import clock_from_environment
from wabiz_tui.model.errors import UsageError
from wabiz_tui.model.paths import paths_from_environment


@click.group()
def hub() -> None:
    """The hub: the only holder of the Graph token and the system of record."""


hub.add_command(backup)
hub.add_command(restore)


def need_hub_extra() -> None:
    """Raise a sentence instead of a traceback where the hub's packages are not installed, as on an agent's machine."""
    from importlib.util import find_spec

    if any(find_spec(name) is None for name in ("starlette", "uvicorn", "sqlalchemy", "alembic")):
        raise UsageError("This installation holds the agent's half only; install 'wabiz-tui[hub]' to run a hub or a simulator.")


@hub.command()
@click.option(
    "--archive",
    required=True,
    help="Path of the SQLCipher archive to make, or postgresql://user@host/database; its password goes into the file archive_password of"
    " --secrets-dir, or into PGPASSFILE.",
)
@click.option(
    "--waba-id",
    "waba_ids",
    multiple=True,
    required=True,
    help="The WhatsApp Business Account this hub serves; may be given several times, the first names the tenant.",
)
@click.option("--phone-number-id", "phone_number_ids", multiple=True, required=True, help="May be given several times.")
@click.option("--graph-url", default="https://graph.facebook.com", show_default=True)
@click.option(
    "--secrets-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Folder of files graph_token, app_secret, verify_token (0600).",
)
@click.option("--graph-token-env", default=None, help="For development: the variable that holds the Graph token.")
@click.option("--app-secret-env", default=None)
@click.option("--verify-token-env", default=None)
def init(
    *,
    archive: str,
    waba_ids: tuple[str, ...],
    phone_number_ids: tuple[str, ...],
    graph_url: str,
    secrets_dir: Path | None,
    graph_token_env: str | None,
    app_secret_env: str | None,
    verify_token_env: str | None,
) -> None:
    """Make hub.toml and the archive, and print the one-time code of the first administrator."""
    need_hub_extra()
    from wabiz_tui.hub.operations.settings import initialise

    names = (graph_token_env, app_secret_env, verify_token_env)
    if secrets_dir is not None and any(names):
        raise UsageError("Give either --secrets-dir or the names of environment variables, not both.")
    if secrets_dir is None and not all(names):
        raise UsageError("Give --secrets-dir DIR, or for development all of --graph-token-env, --app-secret-env and --verify-token-env.")
    code = initialise(
        paths_from_environment(),
        archive=archive,
        waba_id=waba_ids[0],
        further_waba_ids=waba_ids[1:],
        phone_number_ids=list(phone_number_ids),
        graph_url=graph_url,
        secrets_dir=secrets_dir,
        graph_token_env=graph_token_env,
        app_secret_env=app_secret_env,
        verify_token_env=verify_token_env,
        clock=clock_from_environment(),
        random_bytes=os.urandom,
    )
    print_json([code])


@hub.command()
@click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="hub.toml; the one under WABIZ_HOME if left out.",
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8420, show_default=True, help="0 picks a free one.")
def serve(*, config_file: Path | None, host: str, port: int) -> int:
    """Run the hub until SIGTERM; prints one JSON line when it listens."""
    need_hub_extra()
    from wabiz_tui.hub.operations.serve import serve as serve_hub

    return serve_hub(resolve_config(config_file), host=host, port=port, clock=clock_from_environment())


@hub.command()
@click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="hub.toml; the one under WABIZ_HOME if left out.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON Lines: check, state (ok, warning, failed), sentence.")
def doctor(*, config_file: Path | None, as_json: bool) -> int:
    """Say whether this hub is well: its files, its archive, and what Meta knows of it. Ends with 1 where a check failed."""
    need_hub_extra()
    import asyncio

    from wabiz_tui.cli.output import print_table
    from wabiz_tui.hub.operations.doctor import examine
    from wabiz_tui.hub.operations.findings import is_well

    findings = asyncio.run(examine(resolve_config(config_file), clock=clock_from_environment(), random_bytes=os.urandom))
    if as_json:
        print_json(findings)
    else:
        marks = {"ok": "✓", "warning": "!", "failed": "✗"}
        print_table(("", "check", ""), [(marks[one.state], one.check, one.sentence) for one in findings], empty="")
    return 0 if is_well(findings) else 1


def resolve_config(config_file: Path | None) -> Path:
    """The file named; a bare `hub.toml` that is not in this folder is looked for under WABIZ_HOME, where `init` wrote it."""
    ours = paths_from_environment().config / "hub.toml"
    found = ours if config_file is None else config_file
    if not found.exists() and not found.is_absolute() and (ours.parent / found).exists():
        found = ours.parent / found
    if not found.is_file():
        raise UsageError(f"There is no {found}; `wabiz hub init` makes it.")
    return found
