"""`wabiz hub backup` and `wabiz hub restore`: progress on standard error, one result on standard output."""

import sys
import time
from pathlib import Path

import click
import msgspec

from wabiz_tui.cli.commands import json_option
from wabiz_tui.cli.output import print_json, say
from wabiz_tui.model.clock import clock_from_environment
from wabiz_tui.model.errors import UsageError

_BETWEEN_LINES = 1.0
_CONFIG = click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="hub.toml; the one under WABIZ_HOME if left out.",
)


@click.command()
@click.argument("target", type=click.Path(path_type=Path), required=False)
@click.option(
    "--keys",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Where the keys and tombstones go: a place of their own, kept for a shorter time. Without TARGET they alone are backed up.",
)
@_CONFIG
@json_option
def backup(*, target: Path | None, keys: Path | None, config_file: Path | None, as_json: bool) -> None:
    """Back up the archive into TARGET, a file or a folder, while the hub goes on serving."""
    from wabiz_tui.cli.hub import need_hub_extra, resolve_config

    need_hub_extra()
    from wabiz_tui.hub.operations.backups import Around, make_backup

    made = make_backup(resolve_config(config_file), target, keys, Around(clock_from_environment()), _Progress("backed up"))
    if as_json:
        print_json([{one.kind: msgspec.to_builtins(one) | {"rows": one.counts.rows} for one in made}])
        return
    for one in made:
        counts = one.counts
        held = f"{counts.rows} rows, {counts.files} files" if one.kind == "content" else f"{counts.keys} keys and tombstones"
        say(f"{one.path}: {held}, {one.bytes} bytes in {one.seconds:.1f} s, SHA-256 {one.sha256}")


@click.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option(
    "--keys",
    type=click.Path(dir_okay=False, path_type=Path),
    multiple=True,
    help="A backup of the keys; several may be given: the newest for its tombstones, older ones for what was sealed then. Those beside"
    " SOURCE if left out.",
)
@click.option("--replace", is_flag=True, help="Also where the archive is not empty: everything in it goes.")
@click.option("--yes", is_flag=True, help="Confirms --replace.")
@_CONFIG
@json_option
def restore(*, source: Path, keys: tuple[Path, ...], replace: bool, yes: bool, config_file: Path | None, as_json: bool) -> None:
    """Fill the archive that hub.toml names from SOURCE, a backup or a folder of backups, without what was erased since."""
    from wabiz_tui.cli.hub import need_hub_extra, resolve_config

    need_hub_extra()
    if replace and not yes:
        raise UsageError("--replace removes everything that is in the archive now; confirm it with --yes.")
    from wabiz_tui.hub.operations.backups import Around, restore_backup

    around = Around(clock_from_environment())
    done = restore_backup(resolve_config(config_file), source, keys, around, _Progress("restored"), replace=replace)
    if as_json:
        print_json([msgspec.to_builtins(done) | {"rows": done.counts.rows}])
        return
    say(
        f"Restored {done.counts.rows} rows and {done.counts.files} files of {done.created} in {done.seconds:.1f} s;"
        f" {done.erased.messages} messages and {done.erased.contacts} contacts that were erased since did not come back."
    )
    if done.shut or done.devices_revoked:
        say(f"{done.shut} rows and files had lost their key, {done.devices_revoked} devices had been revoked.")


class _Progress:
    """A line a second at most."""

    def __init__(self, verb: str) -> None:
        self._verb, self._told = verb, time.monotonic()

    def __call__(self, rows: int, size: int) -> None:
        now = time.monotonic()
        if now - self._told >= _BETWEEN_LINES:
            self._told = now
            sys.stderr.write(f"{self._verb}: {rows} rows, {size // 1_000_000} MB\n")
            sys.stderr.flush()
