"""People and devices: commands of an administrator, asked of the hub through this machine's own device."""

from urllib.parse import quote

import click
from msgspec import UNSET

from wabiz_tui.cli.commands import json_option, passphrase_option
from wabiz_tui.cli.output import print_json, print_table, say
from wabiz_tui.cli.remote import Asker, ask_hub
from wabiz_tui.cli.shift import override
from wabiz_tui.model.errors import UsageError
from wabiz_tui.model.staff import CodeInfo, Outcome, PersonChange, PersonRevoked
from wabiz_tui.model.values import Device, Person
from wabiz_tui.model.wire import EnrolmentCode, NewPerson
from wabiz_tui.model.work import Team

_ROLES = click.Choice(["agent", "supervisor", "compliance", "auditor", "admin"])


@click.group()
def people() -> None:
    """People: who may work here, and in which role."""


people.add_command(override)


@people.command()
@click.argument("name")
@click.option("--role", type=_ROLES, required=True)
@click.option("--team", "teams", multiple=True, help="A team the person belongs to, by name or id; may be given several times.")
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
    """List the people, those who were revoked too."""
    asker = Asker(passphrase_fd)
    rows = asker.ask("GET", "/v1/people", None, list[Person])
    if as_json:
        print_json(rows)
        return
    teams = {team.id: team.name for team in asker.ask("GET", "/v1/teams", None, list[Team])}
    names = {row.id: row.name for row in rows}
    print_table(
        ("person", "name", "role", "teams", "buddy", "state"),
        (
            (row.id, row.name, row.role, ", ".join(teams.get(team, team) for team in row.teams), names.get(row.buddy or ""), _left(row))
            for row in rows
        ),
        empty="Nobody.",
        minor=("buddy", "teams"),
    )


@people.command()
@click.argument("person")
@click.option("--name", help="A new name.")
@click.option("--role", type=_ROLES, help="A new role; in force at once.")
@click.option("--team", "teams", multiple=True, help="The teams from now on, by name or id; may be given several times.")
@click.option("--no-teams", is_flag=True, help="In no team from now on.")
@click.option("--buddy", help="Who takes their work over: a person's id.")
@click.option("--no-buddy", is_flag=True, help="Nobody takes their work over.")
@json_option
@passphrase_option
def change(
    person: str,
    *,
    name: str | None,
    role: str | None,
    teams: tuple[str, ...],
    no_teams: bool,
    buddy: str | None,
    no_buddy: bool,
    as_json: bool,
    passphrase_fd: int | None,
) -> None:
    """Change name, role, teams or buddy of PERSON (an id)."""
    if (teams and no_teams) or (buddy and no_buddy):
        raise UsageError("Give either --team or --no-teams, and either --buddy or --no-buddy.")
    wanted = PersonChange(
        name=name,
        role=role,  # pyright: ignore[reportArgumentType] click checked the role
        teams=teams if teams or no_teams else None,
        buddy=None if no_buddy else buddy or UNSET,
    )
    if wanted == PersonChange():
        raise UsageError("Say what to change: --name, --role, --team or --buddy.")
    changed = ask_hub(passphrase_fd, "POST", _path(person), wanted, Person)
    if as_json:
        print_json([changed])
    else:
        say(f"{changed.name} is {changed.role} now.")


@people.command("revoke")
@click.argument("person")
@json_option
@passphrase_option
def revoke_person(person: str, *, as_json: bool, passphrase_fd: int | None) -> None:
    """End the access of PERSON (an id) for good: all their devices, and what those hold; their work is handed on."""
    outcome = ask_hub(passphrase_fd, "POST", f"{_path(person)}/revoke", {}, PersonRevoked)
    if as_json:
        print_json([outcome])
    else:
        say(f"Revoked: {outcome.devices} devices ended, {outcome.conversations} conversations handed on.")


@people.command()
@click.argument("person")
@json_option
@passphrase_option
def code(person: str, *, as_json: bool, passphrase_fd: int | None) -> None:
    """Print a one-time code that enrols one more device of PERSON (an id)."""
    del as_json  # one JSON line in any case, as `people add`
    print_json([ask_hub(passphrase_fd, "POST", f"{_path(person)}/code", {}, EnrolmentCode)])


@people.command()
@json_option
@passphrase_option
def codes(*, as_json: bool, passphrase_fd: int | None) -> None:
    """List the enrolment codes that could still be used; what they are is not kept."""
    rows = ask_hub(passphrase_fd, "GET", "/v1/codes", None, list[CodeInfo])
    if as_json:
        print_json(rows)
        return
    print_table(
        ("code's id", "person", "until", "made", "by"),
        ((row.id, row.person, row.expires_at, row.made_at, row.made_by) for row in rows),
        empty="No code waits to be used.",
        minor=("by", "made"),
    )


@people.command()
@click.argument("code_id")
@json_option
@passphrase_option
def withdraw(code_id: str, *, as_json: bool, passphrase_fd: int | None) -> None:
    """End an enrolment code that was not used, by its id."""
    outcome = ask_hub(passphrase_fd, "DELETE", f"/v1/codes/{quote(code_id.strip().lower(), safe='')}", None, Outcome)
    if as_json:
        print_json([outcome])
    else:
        say("Withdrawn.")


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
        ("device", "person", "name", "seen", "lease until", "policy", "epoch", "last receipt", "state"),
        (
            (row.id, row.person_name, row.name, row.seen_at, row.lease_until, row.policy, row.epoch, row.last_receipt_at, _state(row))
            for row in rows
        ),
        empty="No device is enrolled.",
        minor=("epoch", "policy", "last receipt", "lease until", "name", "seen"),
    )


@devices.command()
@click.argument("device")
@json_option
@passphrase_option
def revoke(device: str, *, as_json: bool, passphrase_fd: int | None) -> None:
    """Revoke DEVICE: its tokens and streams end at once, and its key share is destroyed."""
    outcome = ask_hub(passphrase_fd, "POST", f"/v1/devices/{quote(device.strip().lower(), safe='')}/revoke", {}, dict[str, object])
    if as_json:
        print_json([outcome])
    else:
        say(f"Device {device} is revoked; whatever copy of its cache exists can never be opened again.")


def _path(person: str) -> str:
    return f"/v1/people/{quote(person.strip().lower(), safe='')}"


def _left(row: Person) -> str:
    return "revoked" if row.revoked_at else row.state


def _state(row: Device) -> str:
    if row.revoked_at:
        return "revoked"
    return "overdue" if row.overdue else "in use"
