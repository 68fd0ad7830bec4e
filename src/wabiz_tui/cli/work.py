"""Commands of the work on conversations: who has them, how they stand, what they are about; notes, blocks, hand-over."""

import re
from datetime import datetime, timedelta

import click
from msgspec import UNSET

from wabiz_tui.cli.commands import json_option, passphrase_option
from wabiz_tui.cli.output import conversation_record, message_record, print_json, say
from wabiz_tui.cli.reading import conversation_id
from wabiz_tui.cli.session import with_desk
from wabiz_tui.cli.streams import words_given
from wabiz_tui.model import acts
from wabiz_tui.model.desk import Desk
from wabiz_tui.model.errors import NotFound, UsageError
from wabiz_tui.model.identifiers import is_id
from wabiz_tui.model.wire import Assignment, StatusChange
from wabiz_tui.model.work import LONGEST_NOTE, Block, BlockOutcome, Handover, LabelChange, NewNote, PriorityChange, TeamAssignment

_NOBODY = "nobody"
_MOST_BYTES = 4 * LONGEST_NOTE
_SPAN = re.compile(r"([1-9][0-9]{0,3})([mhdw])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
# Words that begin with a dash are labels or texts; short help would take them for itself.
_WORDS = {"ignore_unknown_options": True, "help_option_names": ["--help"]}
_reason = click.option("--reason", default="", help="Why; shown in the conversation.")
_PRIORITIES = click.Choice(["urgent", "high", "medium", "low", "none"])


@click.command()
@click.argument("conversation")
@click.argument("person", required=False)
@click.option("--team", default=None, help="A team by name or id, or `none`: moves the conversation to it.")
@_reason
@json_option
@passphrase_option
def assign(conversation: str, person: str | None, *, team: str | None, reason: str, as_json: bool, passphrase_fd: int | None) -> None:
    """Give CONVERSATION to PERSON (a name, an id, `me` or `nobody`), or move it to a team, or both.

    Exit codes: 1 when somebody else was first, 3 when you may not, 4 when the hub cannot be reached.
    """
    wanted = conversation_id(conversation)
    if person is None and team is None:
        raise UsageError("Say whom to give it to (a name, an id, `me` or `nobody`), or a --team.")
    moved = None if team == "none" else team

    async def act(desk: Desk) -> acts.WorkDone:
        if person is None:
            return await desk.work(acts.MoveToTeam(wanted, TeamAssignment(moved, reason=reason)))
        try:
            expected = (await desk.conversation(wanted)).assignee
        except NotFound:
            # It has left this machine: the hub says who was first, or that it is not there.
            expected = None
        to = None if person == _NOBODY else person
        change = Assignment(to, expected=expected, team=UNSET if team is None else moved, reason=reason)
        return await desk.work(acts.Assign(wanted, change))

    _show(wanted, with_desk(passphrase_fd, act), as_json=as_json)


@click.command()
@click.argument("conversation")
@_reason
@json_option
@passphrase_option
def resolve(conversation: str, *, reason: str, as_json: bool, passphrase_fd: int | None) -> None:
    """Resolve CONVERSATION."""
    _set_status(conversation, StatusChange("resolved", reason=reason), passphrase_fd, as_json=as_json)


@click.command()
@click.argument("conversation")
@_reason
@json_option
@passphrase_option
def reopen(conversation: str, *, reason: str, as_json: bool, passphrase_fd: int | None) -> None:
    """Open CONVERSATION again; what was resolved goes on as a new episode."""
    _set_status(conversation, StatusChange("open", reason=reason), passphrase_fd, as_json=as_json)


@click.command()
@click.argument("conversation")
@_reason
@json_option
@passphrase_option
def pending(conversation: str, *, reason: str, as_json: bool, passphrase_fd: int | None) -> None:
    """Set CONVERSATION pending: it waits for somebody else."""
    _set_status(conversation, StatusChange("pending", reason=reason), passphrase_fd, as_json=as_json)


@click.command()
@click.argument("conversation")
@click.option("--until", default=None, help="An instant with its zone, as 2026-11-23T08:00+00:00.")
@click.option("--for", "span", default=None, help="A span from now: 30m, 4h, 2d, 1w.")
@_reason
@json_option
@passphrase_option
def snooze(conversation: str, *, until: str | None, span: str | None, reason: str, as_json: bool, passphrase_fd: int | None) -> None:
    """Snooze CONVERSATION until an instant, for a span, or, with neither, until the customer writes."""
    if until is not None and span is not None:
        raise UsageError("Give --until or --for, not both.")
    ends = _instant(until) if until is not None else _after(span) if span is not None else None
    _set_status(conversation, StatusChange("snoozed", until=ends, reason=reason), passphrase_fd, as_json=as_json)


@click.command(context_settings=_WORDS)
@click.argument("conversation")
@click.argument("labels", nargs=-1, required=True)
@json_option
@passphrase_option
def label(conversation: str, labels: tuple[str, ...], *, as_json: bool, passphrase_fd: int | None) -> None:
    """Add and remove LABELS of CONVERSATION: `+vip` adds, `-late` removes."""
    wanted = conversation_id(conversation)
    if any(one[:1] not in "+-" or len(one) < 2 for one in labels):
        raise UsageError("Write +LABEL to add a label and -LABEL to remove one.")
    change = LabelChange(add=tuple(one[1:] for one in labels if one[0] == "+"), remove=tuple(one[1:] for one in labels if one[0] == "-"))
    _show(wanted, with_desk(passphrase_fd, lambda desk: desk.work(acts.ChangeLabels(wanted, change))), as_json=as_json)


@click.command()
@click.argument("conversation")
@click.argument("level", type=_PRIORITIES)
@json_option
@passphrase_option
def priority(conversation: str, level: str, *, as_json: bool, passphrase_fd: int | None) -> None:
    """Set the priority of CONVERSATION."""
    wanted, change = conversation_id(conversation), PriorityChange(level)  # pyright: ignore[reportArgumentType] click checked it
    _show(wanted, with_desk(passphrase_fd, lambda desk: desk.work(acts.SetPriority(wanted, change))), as_json=as_json)


@click.command(context_settings=_WORDS)
@click.argument("conversation")
@click.argument("text")
@click.option("--mention", "mentions", multiple=True, help="Somebody the note is for, by name or id; may be given several times.")
@click.option("--reply-to", default=None, help="The message it is about, by id or wamid.")
@click.option("--key", default=None, help="Idempotency key: the same key writes the same note once.")
@json_option
@passphrase_option
def note(
    conversation: str,
    text: str,
    *,
    mentions: tuple[str, ...],
    reply_to: str | None,
    key: str | None,
    as_json: bool,
    passphrase_fd: int | None,
) -> None:
    """Write a private note into CONVERSATION; the customer never sees it. TEXT may be - for standard input, which no other user of
    the machine can read."""
    text = words_given(text, most_bytes=_MOST_BYTES)
    wanted, change = conversation_id(conversation), NewNote(text, mentions=mentions, reply_to=reply_to, key=key)
    done = with_desk(passphrase_fd, lambda desk: desk.work(acts.WriteNote(wanted, change)))
    if as_json:
        print_json([message_record(done.note)] if done.note is not None else [])
    elif done.note is not None:
        say(f"{done.note.id} noted")


@click.command()
@click.argument("contact")
@_reason
@json_option
@passphrase_option
def block(contact: str, *, reason: str, as_json: bool, passphrase_fd: int | None) -> int:
    """Block CONTACT at the hub and at WhatsApp.

    Exit code 1 when WhatsApp did not do it (yet) on every number; the hub's block stands all the same.
    """
    act = acts.BlockContact(_contact_id(contact), Block(reason))
    return _show_block(with_desk(passphrase_fd, lambda desk: desk.work(act)).block, as_json=as_json)


@click.command()
@click.argument("contact")
@_reason
@json_option
@passphrase_option
def unblock(contact: str, *, reason: str, as_json: bool, passphrase_fd: int | None) -> int:
    """Lift the block of CONTACT.

    Exit code 1 when WhatsApp did not lift it (yet) on every number: the contact stays blocked there.
    """
    act = acts.UnblockContact(_contact_id(contact), Block(reason))
    return _show_block(with_desk(passphrase_fd, lambda desk: desk.work(act)).block, as_json=as_json)


@click.command()
@click.argument("person", default="me")
@click.option("--to", default=None, help="Who takes it, by name or id; without it the buddy, or else the queues.")
@_reason
@json_option
@passphrase_option
def handover(person: str, *, to: str | None, reason: str, as_json: bool, passphrase_fd: int | None) -> None:
    """Hand over the open work of PERSON (your own without one)."""
    act = acts.HandOver(person, Handover(to, reason))
    done = with_desk(passphrase_fd, lambda desk: desk.work(act)).handover
    if done is None:
        return
    if as_json:
        print_json([done])
    else:
        say(f"{done.given} to {done.to_name or 'nobody'}, {done.queued} to the queues")


def _set_status(conversation: str, change: StatusChange, passphrase_fd: int | None, *, as_json: bool) -> None:
    wanted = conversation_id(conversation)
    _show(wanted, with_desk(passphrase_fd, lambda desk: desk.work(acts.SetStatus(wanted, change))), as_json=as_json)


def _show(wanted: str, done: acts.WorkDone, *, as_json: bool) -> None:
    """The conversation afterwards; when the act took it out of sight, that."""
    row = done.conversation
    if row is None and as_json:
        print_json([{"id": wanted, "in_sight": False}])
    elif row is None:
        say(f"{wanted} is out of your sight now")
    elif as_json:
        print_json([conversation_record(row)])
    else:
        say(f"{row.id} {row.status}" + (f", with {row.assignee_name}" if row.assignee else ""))


def _show_block(outcome: BlockOutcome | None, *, as_json: bool) -> int:
    if outcome is None:
        return 1
    if as_json:
        print_json([outcome])
    else:
        say(f"{outcome.contact} {'blocked' if outcome.blocked else 'free'}" + (f"; {outcome.sentence}" if outcome.sentence else ""))
    return 1 if outcome.sentence else 0


def _contact_id(text: str) -> str:
    wanted = text.strip().lower()
    if not is_id(wanted):
        raise UsageError("A contact is named by its 32 hexadecimal digits; `wabiz conversations --json` shows them as `contact`.")
    return wanted


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise UsageError("--until takes an instant with its zone, such as 2026-11-23T08:00+00:00.")
    return at


def _after(span: str) -> datetime:
    from wabiz_tui.model.clock import clock_from_environment

    found = _SPAN.fullmatch(span)
    if found is None:
        raise UsageError("--for takes a span such as 30m, 4h, 2d or 1w.")
    return clock_from_environment().now() + int(found[1]) * _UNITS[found[2]]
