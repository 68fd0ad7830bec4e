"""The file of a message: fetched and sealed on this machine, shown by a viewer, or saved where the policy lets it be."""

import os
import sys
from pathlib import Path
from typing import BinaryIO

import click

from wabiz_tui.cli.commands import json_option, passphrase_option
from wabiz_tui.cli.output import print_json, print_table, say
from wabiz_tui.cli.session import machine_paths, with_desk
from wabiz_tui.model.desk import Desk, MediaFile
from wabiz_tui.model.errors import UsageError
from wabiz_tui.model.identifiers import is_id
from wabiz_tui.model.text import safe_line


@click.command()
@click.argument("message")
@click.option("--out", type=click.Path(path_type=Path), help="Save it in this new file (- for standard output), where the policy allows.")
@click.option("--open", "is_opened", is_flag=True, help="Show it with [desk] viewer of config.toml, from memory, until the viewer ends.")
@json_option
@passphrase_option
def media(message: str, *, out: Path | None, is_opened: bool, as_json: bool, passphrase_fd: int | None) -> None:
    """Fetch the file of MESSAGE; it lies encrypted on this machine for as long as the policy says.

    Exit codes: 3 when the policy does not allow it, 4 when the file is not here and the hub cannot be reached."""
    wanted = message.strip().lower()
    if not is_id(wanted):
        raise UsageError("A message is named by its 32 hexadecimal digits; `wabiz messages CONVERSATION --json` lists them.")
    if out is not None and is_opened:
        raise UsageError("A file is either saved or opened: give --out or --open, not both.")
    if is_opened:
        from wabiz_tui.model.config import load_config
        from wabiz_tui.tui.viewing import show, viewer_command

        command = viewer_command(load_config(machine_paths()).desk.viewer)
        with_desk(passphrase_fd, lambda desk: show(desk, wanted, command))
        return
    if out is not None:
        size = with_desk(passphrase_fd, lambda desk: _save(desk, wanted, out))
        if str(out) != "-":
            say(f"Saved {size} bytes in {out}: from here on no policy deletes them.")
        return
    found = with_desk(passphrase_fd, lambda desk: desk.fetch_media(wanted))
    if as_json:
        print_json([found])
    else:
        print_table(("message", "type", "name", "bytes", "sha256"), [_row(found)], empty="")


def _row(found: MediaFile) -> tuple[object, ...]:
    return found.message, found.mime_type, safe_line(found.filename, limit=80), found.size, found.sha256


async def _save(desk: Desk, message: str, out: Path) -> int:
    # Asked for before anything is made: what the policy refuses leaves no empty file behind.
    piece = await desk.read_media(message, use="save")
    if str(out) == "-":
        return await _copy(desk, message, piece, sys.stdout.buffer)
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise UsageError(f"{out} exists already; name a new file.") from None
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {os.strerror(error.errno or 0)}.") from error
    with os.fdopen(descriptor, "wb") as file:
        return await _copy(desk, message, piece, file)


async def _copy(desk: Desk, message: str, piece: bytes, file: BinaryIO) -> int:
    written = 0
    while piece:
        file.write(piece)
        written += len(piece)
        piece = await desk.read_media(message, offset=written, use="save")
    file.flush()
    return written
