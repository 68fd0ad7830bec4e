"""People and devices: commands of an administrator, asked of the hub through this machine's own device."""

import click

from wabiz_tui.cli.commands import json_option, passphrase_option
from wabiz_tui.cli.output import print_json, print_table, say
from wabiz_tui.cli.remote import ask_hub
from wabiz_tui.model.values import Device, Person
from wabiz_tui.model.wire import EnrolmentCode, NewPerson

_ROLES = click.Choice(["agent", "supervisor", "compliance", "auditor", "admin"])


@click.group()
def people() -> None:
    """People: who may work here, and in which role."""


@people.command()
@click.argument("name")
@click.option("--role", type=_ROLES, required=True)
@click.option("--team", "teams", multiple=True, help="A team the person belongs to; may be given several times.")
@json_option
@passphrase_option
def add(name: str, *, role: str, teams: tuple[str, ...], as_json: bool, passphrase_fd: int | None) -> None:
    """Add a person and print the one-time code that enrols their first device."""
    del as_json  # the answer is one JSON line in any case: it is handed on to `wabiz enroll`
    wanted = NewPerson(name=name, role=role, teams=teams)  # pyright: ignore[reportArgumentType] click checked the role
    print_json([ask_hub(passphrase_fd, "POST", "/v1/people", wanted, EnrolmentCode)])


@people.command("list")
@json_option
@passphrase_option
def list_people(*, as_json: bool, passphrase_fd: int | None) -> None:
    """List the people."""
    rows = ask_hub(passphrase_fd, "GET", "/v1/people", None, list[Person])
    if as_json:
        print_json(rows)
        return
    print_table(("person", "name", "role", "teams"), ((row.id, row.name, row.role, ", ".join(row.teams)) for row in rows), empty="Nobody.")


@click.group()
def devices() -> None:
    """Devices: which machines hold a cache, and how each stands."""


@devices.command("list")
@json_option
@passphrase_option
def list_devices(*, as_json: bool, passphrase_fd: int | None) -> None:
    """List the devices with lease, policy version, epoch and last receipt."""
    rows = ask_hub(passphrase_fd, "GET", "/v1/devices", None, list[Device])
    if as_json:
        print_json(rows)
        return
    print_table(
        ("device", "person", "name", "seen", "policy", "epoch", "last receipt", "state"),
        ((row.id, row.person_name, row.name, row.seen_at, row.policy, row.epoch, row.last_receipt_at, _state(row)) for row in rows),
        empty="No device is enrolled.",
    )


@devices.command()
@click.argument("device")
@json_option
@passphrase_option
def revoke(device: str, *, as_json: bool, passphrase_fd: int | None) -> None:
    """Revoke DEVICE: its tokens and streams end at once, and its key share is destroyed."""
    outcome = ask_hub(passphrase_fd, "POST", f"/v1/devices/{device.strip().lower()}/revoke", {}, dict[str, object])
    if as_json:
        print_json([outcome])
    else:
        say(f"Device {device} is revoked; whatever copy of its cache exists can never be opened again.")


def _state(row: Device) -> str:
    if row.revoked_at:
        return "revoked"
    return "overdue" if row.overdue else "in use"
