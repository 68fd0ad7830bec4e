"""Teams: commands of an administrator, asked of the hub through this machine's own device."""

from urllib.parse import quote

import click

from wabiz_tui.cli.commands import json_option, passphrase_option
from wabiz_tui.cli.output import print_json, print_table, say
from wabiz_tui.cli.remote import ask_hub
from wabiz_tui.model.staff import NewTeam, Outcome
from wabiz_tui.model.work import Team


@click.group()
def teams() -> None:
    """Teams: who gets which conversations."""


@teams.command("list")
@json_option
@passphrase_option
def list_teams(*, as_json: bool, passphrase_fd: int | None) -> None:
    """List the teams."""
    rows = ask_hub(passphrase_fd, "GET", "/v1/teams", None, list[Team])
    if as_json:
        print_json(rows)
        return
    print_table(("team", "name"), ((row.id, row.name) for row in rows), empty="There are no teams.")


@teams.command()
@click.argument("name")
@json_option
@passphrase_option
def add(name: str, *, as_json: bool, passphrase_fd: int | None) -> None:
    """Make a team."""
    _tell(ask_hub(passphrase_fd, "POST", "/v1/teams", NewTeam(name), Team), as_json=as_json)


@teams.command()
@click.argument("team")
@click.argument("name")
@json_option
@passphrase_option
def rename(team: str, name: str, *, as_json: bool, passphrase_fd: int | None) -> None:
    """Give TEAM (an id) another name."""
    _tell(ask_hub(passphrase_fd, "PUT", _path(team), NewTeam(name), Team), as_json=as_json)


@teams.command()
@click.argument("team")
@click.option("--move-to", help="The team (an id) that gets what is not resolved.")
@json_option
@passphrase_option
def remove(team: str, *, move_to: str | None, as_json: bool, passphrase_fd: int | None) -> None:
    """Remove TEAM (an id). While conversations of it are not resolved, say with --move-to which team gets them."""
    query = f"?move_to={quote(move_to.strip().lower(), safe='')}" if move_to else ""
    outcome = ask_hub(passphrase_fd, "DELETE", _path(team) + query, None, Outcome)
    if as_json:
        print_json([outcome])
    else:
        say("Removed.")


def _tell(team: Team, *, as_json: bool) -> None:
    if as_json:
        print_json([team])
    else:
        say(f"Team {team.id} is named {team.name}.")


def _path(team: str) -> str:
    return f"/v1/teams/{quote(team.strip().lower(), safe='')}"
