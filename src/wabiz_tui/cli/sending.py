"""Send to a conversation."""

import click

from wabiz_tui.cli.commands import json_option, passphrase_option
from wabiz_tui.cli.output import message_record, print_json, say
from wabiz_tui.cli.reading import conversation_id
from wabiz_tui.cli.session import with_desk
from wabiz_tui.model.desk import Desk
from wabiz_tui.model.errors import Unreachable, UsageError
from wabiz_tui.model.values import DeliveryState, Message

_WAIT_SECONDS = 30.0
_LONGEST_TEXT = 4096


# A text may begin with a dash; a mistyped option then is one argument too many, and still a usage error.
@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("conversation")
@click.argument("text")
@click.option("--key", default=None, help="Idempotency key: the same key sends the same message once, however often it is called.")
@click.option("--queue", is_flag=True, help="When the hub cannot be reached, leave the message in the outbox and succeed.")
@json_option
@passphrase_option
def send(conversation: str, text: str, *, key: str | None, queue: bool, as_json: bool, passphrase_fd: int | None) -> int:
    """Send TEXT to CONVERSATION and wait until it is accepted.

    Exit codes: 0 accepted (or queued with --queue), 1 refused by WhatsApp, 3 refused by policy, 4 the hub cannot be reached.
    """
    from wabiz_tui.desk.process.connection import ENDED

    wanted = conversation_id(conversation)
    if not text.strip():
        raise UsageError("An empty message cannot be sent.")
    if len(text) > _LONGEST_TEXT:
        raise UsageError(f"WhatsApp takes at most {_LONGEST_TEXT} characters in a text; this one has {len(text)}.")

    async def act(desk: Desk) -> Message:
        try:
            return await desk.send_now(wanted, text, key=key, queue=queue, timeout=_WAIT_SECONDS)
        except Unreachable as error:
            if error.code != ENDED:
                raise
            again = "repeat it with the same --key" if key else "look first, or send with a --key, which makes a repeat safe"
            raise Unreachable(f"The desk ended meanwhile: the message may have been sent, or waits in the outbox; {again}.") from error

    message = with_desk(passphrase_fd, act)
    if as_json:
        print_json([message_record(message)])
    else:
        say(f"{message.id} {message.delivery.state if message.delivery else ''}")
    return 1 if message.delivery and message.delivery.state in {DeliveryState.FAILED, DeliveryState.UNCERTAIN} else 0
