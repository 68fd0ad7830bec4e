"""The audit log: list its entries and keep its signed checkpoints."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from wabiz_tui.cli.commands import json_option, passphrase_option
from wabiz_tui.cli.output import print_json, print_table
from wabiz_tui.cli.remote import ask_hub


@click.group()
def audit() -> None:
    """The audit log: an append-only Merkle tree of commitments, with signed checkpoints."""


@audit.command("list")
@json_option
@passphrase_option
def list_entries(*, as_json: bool, passphrase_fd: int | None) -> None:
    """List the entries: who did what, never what was said."""
    entries = ask_hub(passphrase_fd, "GET", "/v1/audit/entries", None, dict[str, Any])
    rows: list[dict[str, Any]] = entries.get("entries", [])
    if as_json:
        print_json(rows)
        return
    print_table(
        ("entry", "at", "action", "result"),
        ((row.get("index"), _time(row.get("at")), row.get("action"), row.get("result")) for row in rows),
        empty="No entry.",
    )


def _time(text: object) -> object:
    """An instant as the hub wrote it, for a table."""
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return text


@audit.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=None, help="A file; standard output if left out.")
@json_option
@passphrase_option
def checkpoint(*, out: Path | None, as_json: bool, passphrase_fd: int | None) -> None:
    """Print the newest signed checkpoint (a C2SP note): its size and root, which every later log must extend."""
    note = ask_hub(passphrase_fd, "GET", "/v1/audit/checkpoint", None, dict[str, Any])
    text = str(note.get("checkpoint", ""))
    if out is None and as_json:
        print_json([{"checkpoint": text}])
    elif out is None:
        click.echo(text, nl=not text.endswith("\n"))
    else:
        out.write_text(text, encoding="utf-8")
