"""Purge receipts: list this machine's chain, export another's from the hub, and verify a file of them offline, trusting nobody."""

from pathlib import Path
from urllib.parse import quote

import click

from wabiz_tui.cli.commands import json_option, passphrase_option
from wabiz_tui.cli.output import print_json, print_table, say
from wabiz_tui.cli.remote import ask_hub
from wabiz_tui.cli.session import with_desk
from wabiz_tui.model.codec import decode
from wabiz_tui.model.errors import BadInput, NotFound
from wabiz_tui.model.wire import Receipt, SignedReceipt

_LARGEST_FILE = 64 * 1024 * 1024


@click.group()
def receipts() -> None:
    """Purge receipts: devices' signed statements of what they destroyed."""


@receipts.command("list")
@json_option
@passphrase_option
def list_receipts(*, as_json: bool, passphrase_fd: int | None) -> None:
    """List this machine's receipts, oldest first. With --json each line is one signed receipt, as `verify` reads it."""
    chain = with_desk(passphrase_fd, lambda desk: desk.receipts())
    if as_json:
        print_json(chain)
        return
    rows = [decode(signed.receipt, Receipt) for signed in chain]
    print_table(
        ("number", "finished", "reason", "epoch", "messages removed", "policy"),
        ((row.number, row.finished_at, row.reason, row.epoch, row.removed.messages, row.policy) for row in rows),
        empty="This machine has signed no receipt yet.",
    )


@receipts.command()
@click.argument("device")
@passphrase_option
def export(device: str, *, passphrase_fd: int | None) -> None:
    """Write the receipts that the hub has of DEVICE (an id of `wabiz devices list`), oldest first, one a line, as `verify` reads them."""
    path = f"/v1/receipts?device={quote(device.strip().lower(), safe='')}"
    chain = ask_hub(passphrase_fd, "GET", path, None, list[SignedReceipt])
    if not chain:
        raise NotFound("The hub has no receipt of such a device.")
    print_json(chain)


@receipts.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", required=True, help="The device's public key (base64 or hex), from `wabiz devices list --json` at the hub.")
@click.option(
    "--last",
    type=click.IntRange(min=1),
    help="The number of the last receipt, from the same list: without it an end that is cut off is not noticed.",
)
@json_option
def verify(file: Path, *, key: str, last: int | None, as_json: bool) -> int:
    """Verify a FILE of signed receipts (JSON Lines): every signature, and that the chain has no gap. Exit code 0 valid, 1 not."""
    from wabiz_tui.proof.armour import parse_public_key
    from wabiz_tui.proof.receipts import parse_receipts, verify_chain

    public = parse_public_key(key)
    if file.stat().st_size > _LARGEST_FILE:
        raise BadInput(f"{file.name} is larger than {_LARGEST_FILE // 2**20} MiB; that is no file of receipts.")
    chain = verify_chain(parse_receipts(file.read_bytes()), public)
    if not chain:
        raise BadInput(f"{file.name} holds no receipt.")
    if last is not None and chain[-1].number != last:
        raise BadInput(
            f"The last receipt has number {chain[-1].number} where {last} is due: the end is missing, or belongs to another time."
        )
    if as_json:
        print_json(chain)
    else:
        say(f"Valid: {len(chain)} receipts, numbers {chain[0].number} to {chain[-1].number}, of device {chain[-1].device}.")
    return 0
