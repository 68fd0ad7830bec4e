"""Integrations: other programs that send through the gateway, each with a key of its own."""

import click

from wabiz_tui.cli.commands import json_option, passphrase_option
from wabiz_tui.cli.output import print_json, print_table, say
from wabiz_tui.cli.remote import ask_hub
from wabiz_tui.model.wire import IntegrationInfo, IntegrationKey, NewIntegration
from wabiz_tui.policy.permissions import INTEGRATION_ACTIONS

_USUAL = ("media.read", "media.send", "message.mark_read", "message.send", "number.read", "template.read")


@click.group()
def integrations() -> None:
    """Integrations: other programs that send through the gateway."""


@integrations.command()
@click.argument("name")
@click.option("--number", "numbers", multiple=True, required=True, metavar="ID", help="A phone_number_id it may use; may repeat.")
@click.option(
    "--permission",
    "permissions",
    multiple=True,
    type=click.Choice(sorted(INTEGRATION_ACTIONS)),
    help="What it may do; may repeat. Left out: send and read messages' files, read templates and numbers.",
)
@click.option("--rate", type=click.IntRange(1, 1000), default=50, show_default=True, help="Requests a second.")
@click.option("--any-hour", is_flag=True, help="The policy's working hours do not bind it.")
@json_option
@passphrase_option
def add(
    name: str,
    *,
    numbers: tuple[str, ...],
    permissions: tuple[str, ...],
    rate: int,
    any_hour: bool,
    as_json: bool,
    passphrase_fd: int | None,
) -> None:
    """Add a program and print its key, which is shown this once."""
    del as_json  # the answer is one JSON line in any case: the key is handed on to the program's own configuration
    wanted = NewIntegration(name=name, numbers=numbers, permissions=permissions or _USUAL, rate=rate, any_hour=any_hour)
    print_json([ask_hub(passphrase_fd, "POST", "/v1/integrations", wanted, IntegrationKey)])


@integrations.command("list")
@json_option
@passphrase_option
def list_integrations(*, as_json: bool, passphrase_fd: int | None) -> None:
    """List the programs, revoked ones too."""
    rows = ask_hub(passphrase_fd, "GET", "/v1/integrations", None, list[IntegrationInfo])
    if as_json:
        print_json(rows)
        return
    print_table(
        ("integration", "name", "numbers", "permissions", "rate", "hours", "state"),
        (
            (
                row.id,
                row.name,
                ", ".join(row.numbers),
                ", ".join(row.permissions),
                row.rate,
                "any" if row.any_hour else "the policy's",
                "revoked" if row.revoked_at else "in use",
            )
            for row in rows
        ),
        empty="No program sends through the gateway.",
        minor=("hours", "rate", "numbers", "permissions"),
    )


@integrations.command()
@click.argument("integration")
@json_option
@passphrase_option
def revoke(integration: str, *, as_json: bool, passphrase_fd: int | None) -> None:
    """Revoke INTEGRATION: its key is refused from the next request on."""
    outcome = ask_hub(passphrase_fd, "POST", f"/v1/integrations/{integration.strip().lower()}/revoke", {}, dict[str, object])
    if as_json:
        print_json([outcome])
    else:
        say(f"Integration {integration} is revoked.")
