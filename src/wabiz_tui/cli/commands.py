"""The tree of commands; each is imported only when it is called, so that no command pays for another's imports."""

import importlib
import sys
from collections.abc import Callable
from typing import Any

import click

from wabiz_tui import __version__
from wabiz_tui.model.errors import UsageError, WabizError

Command = tuple[str, str, str]
"""Module, name of the command object in it, and the one-line help of the overview."""

COMMANDS: dict[str, Command] = {
    "inbox": ("inbox", "inbox", "Open the inbox (what `wabiz` alone does)."),
    "conversations": ("reading", "conversations", "List the conversations this machine holds."),
    "messages": ("reading", "messages", "Print one conversation's messages."),
    "events": ("reading", "events", "List webhooks that are neither messages nor statuses."),
    "media": ("media", "media", "Fetch, open or save the file of a message."),
    "search": ("reading", "search", "Find words in the messages this machine holds."),
    "send": ("sending", "send", "Send a text, a file or a template and wait until it is accepted."),
    "outbox": ("sending", "outbox", "What waits to be sent: list it, send it again, give it up."),
    "assign": ("work", "assign", "Give a conversation to somebody, or to a team."),
    "resolve": ("work", "resolve", "Resolve a conversation."),
    "reopen": ("work", "reopen", "Open a resolved or snoozed conversation again."),
    "snooze": ("work", "snooze", "Put a conversation aside until a time or a reply."),
    "pending": ("work", "pending", "Set a conversation pending."),
    "label": ("work", "label", "Add and remove labels."),
    "priority": ("work", "priority", "Set a conversation's priority."),
    "note": ("work", "note", "Write a private note."),
    "block": ("work", "block", "Block a contact."),
    "unblock": ("work", "unblock", "Lift a contact's block."),
    "handover": ("work", "handover", "Hand open work over."),
    "enroll": ("device", "enroll", "Make this machine a device of the hub."),
    "sync": ("device", "sync", "Catch up with the hub and return."),
    "status": ("device", "status", "Say how this machine stands."),
    "purge": ("device", "purge", "Rebuild the cache without what the policy no longer allows."),
    "lock": ("device", "lock", "Close the cache and drop its keys."),
    "unlock": ("device", "unlock", "Open the cache again."),
    "rekey": ("rekey", "rekey", "Change the keys of this machine, its passphrase, or where they are kept."),
    "wipe": ("device", "wipe", "Remove everything wabiz keeps on this machine."),
    "shift": ("shift", "shift", "Say how your shift stands; begin a break, end it, go on."),
    "receipts": ("receipts", "receipts", "List and verify purge receipts."),
    "doctor": ("device", "doctor", "Say which key store is used, and why not the others."),
    "keys": ("keys", "keys", "Name the keys you press; print the keymap."),
    "people": ("people", "people", "Add, change, revoke and list people; codes for their devices."),
    "teams": ("teams", "teams", "List, add, rename and remove teams."),
    "devices": ("people", "devices", "List devices and revoke them."),
    "reveal": ("reveal", "reveal", "Show who a masked contact is, for a moment, with a reason."),
    "integrations": ("integrations", "integrations", "Add programs that send through the gateway; list and revoke them."),
    "policy": ("policy", "policy", "Show, check, compare and apply the policy."),
    "canned": ("routines", "canned", "Canned responses: list, add, edit and remove them."),
    "macro": ("routines", "macro", "Macros: list, add and run them."),
    "audit": ("audit", "audit", "List the audit log and keep its signed checkpoints."),
    "hub": ("hub", "hub", "Set up and run the hub."),
    "simulator": ("simulator", "simulator", "Run a pretend Meta."),
    "demo": ("demo", "demo", "Try wabiz with a pretend business."),
}


class Tree(click.Group):
    """A group whose commands are imported on demand; unknown names are answered with the nearest one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name, _ = COMMANDS[cmd_name]
        command: Any = getattr(importlib.import_module(f"wabiz_tui.cli.{module}"), name)
        assert isinstance(command, click.Command)  # noqa: S101 a wrong table is a programming error, found by the tests
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else " `wabiz --help` lists them."
            raise UsageError(f"There is no command '{args[0]}'.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # The overview must not import every command just to print one line of each.
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])


@click.command(cls=Tree, context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.version_option(__version__, prog_name="wabiz")
@click.pass_context
def wabiz(ctx: click.Context) -> None:
    """The compliant WhatsApp Business inbox for the terminal. Without a command: the inbox."""
    if ctx.invoked_subcommand is None:
        from wabiz_tui.cli.opening import open_inbox

        ctx.exit(open_inbox(passphrase_fd=None))


def invoke(arguments: list[str]) -> int:
    """Run the command that `arguments` name; its exit code. Errors of ours pass through."""
    try:
        outcome: Any = wabiz.main(arguments, prog_name="wabiz", standalone_mode=False)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.exceptions.Abort:
        return 130
    except click.exceptions.NoArgsIsHelpError as error:
        error.show(sys.stderr)
        return 2
    except click.UsageError as error:
        raise UsageError(_one_sentence(error)) from error
    except click.ClickException as error:
        raise WabizError(error.format_message()) from error
    return outcome if isinstance(outcome, int) else 0


def _one_sentence(error: click.UsageError) -> str:
    """click's own words in one line, and where the rest is told."""
    words = " ".join(error.format_message().split()).rstrip(".")
    command = error.ctx.command_path if error.ctx is not None else "wabiz"
    return f"{words}; `{command} --help` tells how it is called."


Callback = Callable[..., Any]


def is_alone(ctx: click.Context, *given: object) -> bool:
    """Whether a group was called without one of its commands, and does what it does then. Raises UsageError for options `given` before
    a command, which would not reach it."""
    if ctx.invoked_subcommand is None:
        return True
    if any(value is not None and value is not False for value in given):
        raise UsageError(f"Options come last: `{ctx.command_path} {ctx.invoked_subcommand} … --json`.")
    return False


def passphrase_option(command: Callback) -> Callback:
    """`--passphrase-fd N`, on every command that opens the cache."""
    return click.option(
        "--passphrase-fd",
        type=click.IntRange(0),
        default=None,
        help="Read the passphrase from this open file descriptor, up to the first line end.",
    )(command)


def json_option(command: Callback) -> Callback:
    """`--json`, on every command that shows something."""
    return click.option("--json", "as_json", is_flag=True, help="JSON Lines for programs: times RFC 3339 UTC, ids 32 hex.")(command)
