"""One's own shift, and leave for somebody to work outside the hours; asked of the hub, so that it works while the inbox is closed."""

from datetime import UTC, datetime, timedelta
from typing import Literal

import click

from wabiz_tui.cli.commands import is_alone, json_option, passphrase_option
from wabiz_tui.cli.output import print_json, say
from wabiz_tui.cli.remote import ask_hub
from wabiz_tui.model.errors import UsageError
from wabiz_tui.model.shift import ShiftChange, ShiftOverride, ShiftStanding

_UNTIL = "An instant (2026-11-23T17:30Z), a time of today or tomorrow (17:30), or a while from now (45m, 2h)."


@click.group(invoke_without_command=True)
@json_option
@passphrase_option
@click.pass_context
def shift(ctx: click.Context, *, as_json: bool, passphrase_fd: int | None) -> None:
    """Say how your shift stands; begin a break, end it, or go on."""
    if is_alone(ctx, as_json, passphrase_fd):
        _tell(ask_hub(passphrase_fd, "GET", "/v1/shift", None, ShiftStanding), as_json=as_json)


@shift.command()
@json_option
@passphrase_option
def start(*, as_json: bool, passphrase_fd: int | None) -> None:
    """Go on after a break or an early end."""
    _change("start", as_json=as_json, passphrase_fd=passphrase_fd)


@shift.command("break")
@click.option("--until", default=None, help=_UNTIL)
@click.option("--reason", default="", help="Kept for you; your conversations do not show it.")
@json_option
@passphrase_option
def take_break(*, until: str | None, reason: str, as_json: bool, passphrase_fd: int | None) -> None:
    """Begin a break: nothing of your work reaches you until you go on."""
    _change("break", until=until, reason=reason, as_json=as_json, passphrase_fd=passphrase_fd)


@shift.command()
@click.option("--reason", default="", help="Kept for you; your conversations do not show it.")
@json_option
@passphrase_option
def end(*, reason: str, as_json: bool, passphrase_fd: int | None) -> None:
    """End your shift before its time, until the next one starts."""
    _change("end", reason=reason, as_json=as_json, passphrase_fd=passphrase_fd)


@click.command()
@click.argument("person")
@click.option("--until", required=True, help=_UNTIL)
@click.option("--reason", required=True, help="Told to the person, and kept in the audit log.")
@json_option
@passphrase_option
def override(person: str, *, until: str, reason: str, as_json: bool, passphrase_fd: int | None) -> None:
    """Let PERSON (an id) work outside the hours until an instant."""
    wanted = ShiftOverride(until=read_until(until, _now()), reason=reason)
    path = f"/v1/people/{person.strip().lower()}/override"
    _tell(ask_hub(passphrase_fd, "POST", path, wanted, ShiftStanding), as_json=as_json)


def read_until(text: str, now: datetime) -> datetime:
    """The instant (UTC) that `text` names, seen from `now` with its zone. Raises UsageError."""
    from wabiz_tui.policy.durations import parse_timedelta

    try:
        if "T" in text or " " in text.strip():
            at = datetime.fromisoformat(text.strip())
            return (at if at.tzinfo is not None else at.replace(tzinfo=now.tzinfo)).astimezone(UTC)
        hours, colon, minutes = text.partition(":")
        if colon:
            at = now.replace(hour=int(hours), minute=int(minutes), second=0, microsecond=0)
            return (at if at > now else at + timedelta(days=1)).astimezone(UTC)
        return (now + parse_timedelta(text)).astimezone(UTC)
    except ValueError as error:
        raise UsageError(f"'{text}' is no time. {_UNTIL}") from error


def _now() -> datetime:
    from wabiz_tui.model.clock import clock_from_environment

    return clock_from_environment().now().astimezone()


def _change(
    state: Literal["start", "break", "end"], *, until: str | None = None, reason: str = "", as_json: bool, passphrase_fd: int | None
) -> None:
    ends = None if until is None else read_until(until, _now())
    wanted = ShiftChange(state=state, until=ends, reason=reason)
    _tell(ask_hub(passphrase_fd, "POST", "/v1/shift", wanted, ShiftStanding), as_json=as_json)


def _tell(stands: ShiftStanding, *, as_json: bool) -> None:
    if as_json:
        print_json([stands])
        return
    words = {"working": "Working", "break": "On a break", "off": "Off shift"}
    ends = "" if stands.until is None else f" until {stands.until.astimezone():%a %d %b %H:%M}"
    by = f", let by {stands.by}: {stands.reason}" if stands.by else ""
    closed = "; the inbox is closed" if stands.is_closed else ""
    say(f"{words[stands.state]}{ends}{closed}{by}.")
