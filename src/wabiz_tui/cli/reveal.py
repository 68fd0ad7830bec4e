"""Unmask a customer's identity for a moment."""

from urllib.parse import quote

import click

from wabiz_tui.cli.commands import json_option, passphrase_option
from wabiz_tui.cli.output import print_json, print_table
from wabiz_tui.cli.remote import ask_hub
from wabiz_tui.model.staff import Revealed, RevealRequest


@click.command()
@click.argument("contact")
@click.option("--reason", required=True, help="Why; the audit log keeps it, so write no customer's name.")
@json_option
@passphrase_option
def reveal(contact: str, *, reason: str, as_json: bool, passphrase_fd: int | None) -> None:
    """Show who CONTACT (an id) is, where the policy lets your role. It is audited, and kept nowhere here."""
    path = f"/v1/contacts/{quote(contact.strip().lower(), safe='')}/reveal"
    shown = ask_hub(passphrase_fd, "POST", path, RevealRequest(reason), Revealed)
    if as_json:
        print_json([shown])
        return
    found = shown.contact
    rows = (("name", found.name), ("phone", found.phone), ("username", found.username), ("user id", found.user_id))
    print_table(("", ""), [row for row in rows if row[1]], empty="Nothing is known of this contact's identity.")
