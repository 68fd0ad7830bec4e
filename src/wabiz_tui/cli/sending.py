"""Send to a conversation; see what waits, send again what failed, give it up."""

from pathlib import Path
from typing import Any

import click

from wabiz_tui.cli.commands import is_alone, json_option, passphrase_option
from wabiz_tui.cli.output import message_record, print_json, print_table, say
from wabiz_tui.cli.reading import conversation_id
from wabiz_tui.cli.session import with_desk
from wabiz_tui.cli.streams import words_given
from wabiz_tui.model.content import plain_text
from wabiz_tui.model.desk import Desk, OutboxLetter
from wabiz_tui.model.errors import Conflict, Unreachable, UsageError
from wabiz_tui.model.values import DeliveryState, Message

_WAIT_SECONDS, _WAIT_FOR_FILE = 30.0, 900.0
_LONGEST_TEXT = 4096
_MOST_BYTES = 8 * _LONGEST_TEXT


# A text may begin with a dash; a mistyped option then is one argument too many, and still a usage error.
@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("conversation")
@click.argument("text", required=False)
@click.option("--file", "file", type=click.Path(path_type=Path), default=None, help="Send this file; TEXT or --caption stands below it.")
@click.option("--caption", default=None, help="The words below a file.")
@click.option("--template", default=None, metavar="NAME", help="Send this template, which needs no open window.")
@click.option("--language", default="en", show_default=True, help="The template's language, such as en or pt_BR.")
@click.option("--param", "params", multiple=True, metavar="KEY=VALUE", help="A value of the template, such as body.1=Ana; repeatable.")
@click.option("--key", default=None, help="Idempotency key: the same key sends the same message once, however often it is called.")
@click.option("--queue", is_flag=True, help="When the hub cannot be reached, leave the message in the outbox and succeed.")
@json_option
@passphrase_option
def send(
    conversation: str, text: str | None, *, key: str | None, queue: bool, as_json: bool, passphrase_fd: int | None, **what: Any
) -> int:
    """Send TEXT to CONVERSATION, or a file or a template, and wait until it is accepted. TEXT may be - for standard input.

    Exit codes: 0 accepted (or queued with --queue), 1 refused by WhatsApp, 3 refused by policy, 4 the hub cannot be reached.
    """
    wanted = conversation_id(conversation)
    file, template = what["file"], what["template"]
    if file is not None and template is not None:
        raise UsageError("Send a file or a template, not both.")
    if what["caption"] is not None and (file is None or text is not None):
        raise UsageError("--caption goes with --file, in place of a text.")
    if template is not None and text is not None:
        raise UsageError("A template has words of its own; give its values with --param.")
    if what["params"] and template is None:
        raise UsageError("--param goes with --template.")
    words = _words(what["caption"] if text is None else text, is_needed=file is None and template is None)
    values = _values(what["params"])

    async def act(desk: Desk) -> Message:
        if file is not None:
            path = str(file.expanduser().absolute())
            written = await desk.send_file(wanted, path, caption=words, key=key)
            return await desk.await_sent(written.id, queue=queue, timeout=_WAIT_FOR_FILE)
        if template is not None:
            written = await desk.send_template(wanted, template, what["language"], values=values, key=key)
            return await desk.await_sent(written.id, queue=queue, timeout=_WAIT_SECONDS)
        return await desk.send_now(wanted, words, key=key, queue=queue, timeout=_WAIT_SECONDS)

    message = with_desk(passphrase_fd, lambda desk: _telling_if_ended(act(desk), key))
    if as_json:
        print_json([message_record(message)])
    else:
        say(f"{message.id} {message.delivery.state if message.delivery else ''}")
    return 1 if message.delivery and message.delivery.state in {DeliveryState.FAILED, DeliveryState.UNCERTAIN} else 0


@click.group(invoke_without_command=True)
@json_option
@passphrase_option
@click.pass_context
def outbox(ctx: click.Context, *, as_json: bool, passphrase_fd: int | None) -> None:
    """What waits to be sent on this machine, and what failed; without a command, the list of it."""
    if is_alone(ctx, as_json, passphrase_fd):
        _list(as_json=as_json, passphrase_fd=passphrase_fd)


@outbox.command("list")
@json_option
@passphrase_option
def list_(*, as_json: bool, passphrase_fd: int | None) -> None:
    """List what was written here and is not with the hub yet, or failed."""
    _list(as_json=as_json, passphrase_fd=passphrase_fd)


def _list(*, as_json: bool, passphrase_fd: int | None) -> None:
    letters = with_desk(passphrase_fd, lambda desk: desk.outbox())
    if as_json:
        print_json(_letter_record(letter) for letter in letters)
        return
    rows = [(one.message.id, one.message.conversation, one.state, plain_text(one.message.content), _why(one.message)) for one in letters]
    print_table(("id", "conversation", "state", "text", "why"), rows, empty="Nothing waits.", minor=("conversation",))


@outbox.command("retry")
@click.argument("message")
@json_option
@passphrase_option
def retry(message: str, *, as_json: bool, passphrase_fd: int | None) -> int:
    """Send MESSAGE again, which failed, or which you found to be unsent: a new message with a key of its own."""

    async def act(desk: Desk) -> Message:
        again = await desk.retry(message)
        return await desk.await_accepted(again.id, timeout=_WAIT_SECONDS)

    sent = with_desk(passphrase_fd, act)
    if as_json:
        print_json([message_record(sent)])
    else:
        say(f"{sent.id} {sent.delivery.state if sent.delivery else ''}")
    return 1 if sent.delivery and sent.delivery.state in {DeliveryState.FAILED, DeliveryState.UNCERTAIN} else 0


@outbox.command("discard")
@click.argument("message")
@json_option
@passphrase_option
def discard(message: str, *, as_json: bool, passphrase_fd: int | None) -> int:
    """Give up MESSAGE: its words and its file are destroyed on this machine."""
    if not with_desk(passphrase_fd, lambda desk: desk.discard(message)):
        raise Conflict("It is on its way, or with the hub already; nothing was discarded.")
    if as_json:
        print_json([{"id": message, "discarded": True}])
    else:
        say("Discarded.")
    return 0


async def _telling_if_ended(sending: Any, key: str | None) -> Message:
    from wabiz_tui.desk.process.connection import ENDED

    try:
        return await sending
    except Unreachable as error:
        if error.code != ENDED:
            raise
        again = "repeat it with the same --key" if key else "look first, or send with a --key, which makes a repeat safe"
        raise Unreachable(f"The desk ended meanwhile: the message may have been sent, or waits in the outbox; {again}.") from error


def _words(text: str | None, *, is_needed: bool) -> str:
    words = words_given(text or "", most_bytes=_MOST_BYTES)
    if is_needed and not words.strip():
        raise UsageError("An empty message cannot be sent.")
    if len(words) > _LONGEST_TEXT:
        raise UsageError(f"WhatsApp takes at most {_LONGEST_TEXT} characters in a text; this one has {len(words)}.")
    return words


def _values(params: tuple[str, ...]) -> dict[str, str]:
    pairs = [param.partition("=") for param in params]
    if not all(key and equals for key, equals, _ in pairs):
        raise UsageError("--param takes KEY=VALUE, such as body.1=Ana.")
    values = {key: value for key, _, value in pairs}
    if len(values) < len(pairs):
        raise UsageError("--param names a value twice.")
    return values


def _letter_record(letter: OutboxLetter) -> dict[str, Any]:
    about = {"state": letter.state, "not_before": letter.not_before, "may_have_left": letter.may_have_left}
    return message_record(letter.message) | about


def _why(message: Message) -> str:
    return "" if message.delivery is None else message.delivery.sentence
