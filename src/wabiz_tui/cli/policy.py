"""The policy: show, check, compare, apply, approve."""

from pathlib import Path

import click

from wabiz_tui.cli.commands import json_option, passphrase_option
from wabiz_tui.cli.output import print_json, print_table, say
from wabiz_tui.cli.remote import ask_hub
from wabiz_tui.model.codec import decode
from wabiz_tui.model.document import load_text
from wabiz_tui.model.errors import DocumentError
from wabiz_tui.model.wire import PolicyOutcome, PolicyStanding, PolicyText, PolicyVersion, SignedPolicy

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def policy() -> None:
    """The one policy that rules what is kept, where, and for how long."""


def _read(file: Path) -> PolicyText:
    return PolicyText(text=load_text(file), file=str(file))


@policy.command()
@json_option
@passphrase_option
def show(*, as_json: bool, passphrase_fd: int | None) -> None:
    """Print the policy in force."""
    signed = ask_hub(passphrase_fd, "GET", "/v1/policy", None, SignedPolicy)
    version = decode(signed.policy, PolicyVersion)
    if as_json:
        print_json([version])
    else:
        click.echo(version.text, nl=not version.text.endswith("\n"))


@policy.command()
@click.argument("file", type=_FILE)
@json_option
def check(file: Path, *, as_json: bool) -> int:
    """Check the policy in FILE here, without the hub: unknown keys, bad spans, impossible combinations."""
    from wabiz_tui.policy.document import parse_policy

    try:
        document = _read(file)
        parsed = parse_policy(document.text, file=document.file)
    except DocumentError as error:
        if not as_json:
            raise
        print_json([{"valid": False, "errors": [_mistake(one) for one in (error, *error.others)]}])
        return error.exit_status
    if as_json:
        print_json([{"valid": True, "name": parsed.name}])
    else:
        say(f"{file}: '{parsed.name}' is a valid policy.")
    return 0


def _mistake(error: DocumentError) -> dict[str, object]:
    # The first of several speaks for all of them, one a line; its own line comes first.
    sentence = error.sentence.splitlines()[0]
    return {"file": error.file, "line": error.line, "key": error.key, "nearest": error.nearest, "sentence": sentence}


@policy.command()
@click.argument("file", type=_FILE)
@json_option
@passphrase_option
def diff(file: Path, *, as_json: bool, passphrase_fd: int | None) -> None:
    """Say what FILE would change of the policy in force: what tightens at once, and what waits for a second person."""
    _tell(ask_hub(passphrase_fd, "POST", "/v1/policy/diff", _read(file), PolicyOutcome), _WOULD, as_json=as_json)


@policy.command()
@click.argument("file", type=_FILE)
@json_option
@passphrase_option
def apply(file: Path, *, as_json: bool, passphrase_fd: int | None) -> None:
    """Apply the policy in FILE: what tightens is in force at once, the rest waits for a second person and the grace period."""
    check_locally(file)
    _tell(ask_hub(passphrase_fd, "POST", "/v1/policy", _read(file), PolicyOutcome), as_json=as_json)


@policy.command()
@json_option
@passphrase_option
def status(*, as_json: bool, passphrase_fd: int | None) -> None:
    """Say how each version of the policy stands: in force, waiting for a second person or the grace period, superseded."""
    rows = ask_hub(passphrase_fd, "GET", "/v1/policy/versions", None, list[PolicyStanding])
    if as_json:
        print_json(rows)
        return
    print_table(
        ("version", "name", "state", "from", "approved", "not before"),
        ((row.version, row.name, row.state.replace("_", " "), row.at, "yes" if row.approved_by else "", row.waits_until) for row in rows),
        empty="The hub has no policy.",
    )


@policy.command()
@click.argument("version", type=click.IntRange(1))
@json_option
@passphrase_option
def approve(version: int, *, as_json: bool, passphrase_fd: int | None) -> None:
    """Approve the waiting VERSION of the policy as its second person."""
    _tell(ask_hub(passphrase_fd, "POST", "/v1/policy/approve", {"version": version}, PolicyOutcome), as_json=as_json)


def check_locally(file: Path) -> None:
    """Refuse a wrong document here, with the file's own name and lines, before it travels."""
    from wabiz_tui.policy.document import parse_policy

    document = _read(file)
    parse_policy(document.text, file=document.file)


_IS = {"in_force": "is in force", "waiting": "waits for a second person", "unchanged": "changes nothing"}
_WOULD = {"in_force": "would be in force at once", "waiting": "would wait for a second person", "unchanged": "changes nothing"}


def _tell(outcome: PolicyOutcome, states: dict[str, str] = _IS, *, as_json: bool) -> None:
    if as_json:
        print_json([outcome])
        return
    say(f"Version {outcome.version} {states[outcome.state]}.")
    for line in outcome.changes:
        say(f"  {line}")
    if outcome.waits_until:
        say(f"  not before {outcome.waits_until:%Y-%m-%d %H:%M} UTC")
