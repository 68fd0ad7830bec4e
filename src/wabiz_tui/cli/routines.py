"""Canned responses and macros: asked of the hub through this machine's own device."""

import sys
from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import quote

import click

from wabiz_tui.cli.commands import json_option, passphrase_option
from wabiz_tui.cli.output import print_json, print_table, say
from wabiz_tui.cli.remote import Asker, ask_hub
from wabiz_tui.model.errors import NotFound, UsageError
from wabiz_tui.model.naming import name_key
from wabiz_tui.model.values import Person
from wabiz_tui.model.work import Canned, Macro, MacroOutcome, MacroStep, NewCanned, NewMacro, RunMacro, Team

K = TypeVar("K", Canned, Macro)
_LONGEST_INPUT = 64 * 1024
_team_option = click.option("--team", help="The team that has it, by name or id; without it, everybody.")


@click.group()
def canned() -> None:
    """Canned responses: texts to answer with, with variables such as {{contact.name}}."""


@canned.command("list")
@json_option
@passphrase_option
def list_canned(*, as_json: bool, passphrase_fd: int | None) -> None:
    """List the canned responses you may use."""
    asker = Asker(passphrase_fd)
    rows = asker.ask("GET", "/v1/canned", None, list[Canned])
    if as_json:
        print_json(rows)
        return
    names = _team_names(asker) if any(row.team for row in rows) else {}
    table = ((row.id, f"/{row.shortcut}", names.get(row.team or "", row.team or ""), row.text) for row in rows)
    print_table(("id", "shortcut", "team", "text"), table, empty="There are no canned responses.", minor=("team",))


@canned.command()
@click.argument("shortcut")
@click.argument("text")
@_team_option
@json_option
@passphrase_option
def add(shortcut: str, text: str, *, team: str | None, as_json: bool, passphrase_fd: int | None) -> None:
    """Keep TEXT under SHORTCUT; `-` reads the text from standard input."""
    asker = Asker(passphrase_fd)
    wanted = NewCanned(shortcut, _read(text), _team(asker, team))
    _tell_canned(asker.ask("POST", "/v1/canned", wanted, Canned), as_json=as_json)


@canned.command()
@click.argument("name")
@click.argument("text")
@click.option("--shortcut", help="Another shortcut.")
@json_option
@passphrase_option
def edit(name: str, text: str, *, shortcut: str | None, as_json: bool, passphrase_fd: int | None) -> None:
    """Give NAME (an id or a shortcut) another TEXT; `-` reads it from standard input."""
    asker = Asker(passphrase_fd)
    kept = _find_canned(asker, name)
    wanted = NewCanned(shortcut or kept.shortcut, _read(text), kept.team)
    _tell_canned(asker.ask("PUT", f"/v1/canned/{kept.id}", wanted, Canned), as_json=as_json)


@canned.command()
@click.argument("name")
@json_option
@passphrase_option
def remove(name: str, *, as_json: bool, passphrase_fd: int | None) -> None:
    """Remove NAME (an id or a shortcut)."""
    asker = Asker(passphrase_fd)
    kept = _find_canned(asker, name)
    outcome = asker.ask("DELETE", f"/v1/canned/{kept.id}", None, dict[str, str])
    if as_json:
        print_json([outcome])
    else:
        say(f"/{kept.shortcut} is removed.")


@click.group()
def macro() -> None:
    """Macros: steps of work taken together, under a name."""


@macro.command("list")
@json_option
@passphrase_option
def list_macros(*, as_json: bool, passphrase_fd: int | None) -> None:
    """List the macros you may use."""
    rows = ask_hub(passphrase_fd, "GET", "/v1/macros", None, list[Macro])
    if as_json:
        print_json(rows)
        return
    table = ((row.id, row.name, "; ".join(f"{step.do} {step.value}".strip() for step in row.steps)) for row in rows)
    print_table(("id", "name", "steps"), table, empty="There are no macros.")


@macro.command("add")
@click.argument("name")
@click.argument("steps", nargs=-1, required=True)
@_team_option
@json_option
@passphrase_option
def add_macro(name: str, steps: tuple[str, ...], *, team: str | None, as_json: bool, passphrase_fd: int | None) -> None:
    """Keep STEPS under NAME, each written DO=VALUE: assign, team, label, unlabel, status, priority, note or canned.

    People and canned responses are named by id or name, "me" for whoever runs it: `wabiz macro add Thank canned=thanks
    status=resolved`."""
    asker = Asker(passphrase_fd)
    wanted = NewMacro(name, tuple(_step(asker, step) for step in steps), _team(asker, team))
    _tell_macro(asker.ask("POST", "/v1/macros", wanted, Macro), as_json=as_json)


@macro.command("remove")
@click.argument("name")
@json_option
@passphrase_option
def remove_macro(name: str, *, as_json: bool, passphrase_fd: int | None) -> None:
    """Remove NAME (an id or a name)."""
    asker = Asker(passphrase_fd)
    kept = _find_macro(asker, name)
    outcome = asker.ask("DELETE", f"/v1/macros/{kept.id}", None, dict[str, str])
    if as_json:
        print_json([outcome])
    else:
        say(f"{kept.name} is removed.")


@macro.command()
@click.argument("conversation")
@click.argument("name")
@click.option("--key", help="Makes a repeat harmless.")
@json_option
@passphrase_option
def run(conversation: str, name: str, *, key: str | None, as_json: bool, passphrase_fd: int | None) -> int:
    """Take the steps of NAME (an id or a name) in CONVERSATION. Exit code 1 where a text was not sent; the work stands."""
    asker = Asker(passphrase_fd)
    kept = _find_macro(asker, name)
    path = f"/v1/conversations/{quote(conversation.strip().lower(), safe='')}/macros/{kept.id}"
    outcome = asker.ask("POST", path, RunMacro(key), MacroOutcome)
    if as_json:
        print_json([outcome])
    else:
        say(outcome.sentence or f"{kept.name}: all {len(outcome.steps)} steps are done.")
    return 1 if outcome.sentence else 0


def _read(text: str) -> str:
    """The text, or standard input for `-`. Raises UsageError for what is no text."""
    if text != "-":
        return text
    try:
        return sys.stdin.buffer.read(_LONGEST_INPUT).decode().rstrip("\n")
    except UnicodeDecodeError as error:
        raise UsageError("Standard input is not UTF-8 text.") from error


def _find_canned(asker: Asker, name: str) -> Canned:
    wanted = name.strip().removeprefix("/")
    found = asker.ask("GET", "/v1/canned", None, list[Canned])
    named = [one for one in found if one.id == wanted.lower() or name_key(one.shortcut) == name_key(wanted)]
    return _the_one(named, "canned response")


def _find_macro(asker: Asker, name: str) -> Macro:
    found = asker.ask("GET", "/v1/macros", None, list[Macro])
    return _the_one([one for one in found if one.id == name.strip().lower() or name_key(one.name) == name_key(name.strip())], "macro")


def _the_one(named: Sequence[K], what: str) -> K:
    if len(named) != 1:
        which = "no" if not named else "more than one"
        raise NotFound(f"There is {which} {what} of this name that you may use; give its id.")
    return named[0]


def _team_names(asker: Asker) -> dict[str, str]:
    return {team.id: team.name for team in asker.ask("GET", "/v1/teams", None, list[Team])}


def _team(asker: Asker, name: str | None) -> str | None:
    if name is None:
        return None
    for identifier, known in _team_names(asker).items():
        if identifier == name.strip().lower() or name_key(known) == name_key(name.strip()):
            return identifier
    raise NotFound("There is no such team; `wabiz teams list` names them all.")


def _step(asker: Asker, written: str) -> MacroStep:
    do, found, value = written.partition("=")
    if not found:
        raise UsageError(f"A step is written DO=VALUE, such as label=complaint or status=resolved; '{written[:40]}' is not.")
    match do:
        case "canned":
            return MacroStep("canned", _find_canned(asker, value).id)
        case "team":
            return MacroStep("team", _team(asker, value) or "" if value else "")
        case "assign":
            return MacroStep("assign", value if value in ("", "me") else _person(asker, value))
        case "label" | "unlabel" | "status" | "priority" | "note":
            return MacroStep(do, value)
        case _:
            raise UsageError("A step assigns, or is one of team, label, unlabel, status, priority, note and canned.")


def _person(asker: Asker, name: str) -> str:
    people = asker.ask("GET", "/v1/people", None, list[Person])
    named = [one for one in people if one.id == name.lower() or name_key(one.name) == name_key(name)]
    if len(named) != 1:
        raise NotFound("No person, or more than one, has this name; give the id that `wabiz people list` tells.")
    return named[0].id


def _tell_canned(kept: Canned, *, as_json: bool) -> None:
    if as_json:
        print_json([kept])
    else:
        say(f"/{kept.shortcut} is kept ({kept.id}).")


def _tell_macro(kept: Macro, *, as_json: bool) -> None:
    if as_json:
        print_json([kept])
    else:
        say(f"{kept.name} is kept ({kept.id}).")
