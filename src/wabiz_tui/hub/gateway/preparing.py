"""Before a message leaves: whom it is for, whether it may go, and its row in the archive, in one transaction."""

from typing import Any, NamedTuple

from wabiz_tui.graph.delivery import fold
from wabiz_tui.graph.requests import SendRequest
from wabiz_tui.hub.archive.conversations import note_message
from wabiz_tui.hub.archive.messages import add_message
from wabiz_tui.hub.archive.sends import add_send, find_send
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.gateway.addressing import body_for_meta, conversation_for
from wabiz_tui.hub.gateway.answers import Answered, refused
from wabiz_tui.hub.gateway.checks import TemplateFacts, check_customer, check_hours
from wabiz_tui.hub.gateway.refusals import refuse
from wabiz_tui.hub.gateway.sender import Sender
from wabiz_tui.model.values import DeliveryState, Direction, Message
from wabiz_tui.policy.document import Policy


class Asked(NamedTuple):
    """A send as it was asked for, with what is needed to judge it."""

    sender: Sender
    number: str
    request: SendRequest
    body_hash: bytes
    key: str
    policy: Policy
    template: TemplateFacts | None = None


class Outgoing(NamedTuple):
    message: Message
    body: dict[str, Any]
    number: str
    told: str
    """What the caller wrote as the recipient: the answer repeats it, and nothing the caller may see only masked."""


def prepare(writing: Writing, asked: Asked) -> Outgoing | Answered | str:
    """Archive the message as queued under its key, in one transaction. For a repeat: its answer, or the id of what is under way."""
    known = repeated(writing, asked)
    if known is not None:
        return known
    sender, request = asked.sender, asked.request
    check_hours(sender, asked.policy, writing.now)
    conversation = conversation_for(writing, sender, asked.number, request)
    check_customer(conversation, request, writing.now, asked.template)
    message = Message(
        id=writing.new_id(),
        conversation=conversation.value.id,
        direction=Direction.OUTGOING,
        content=request.content,
        sent_at=writing.now,
        delivery=fold(None, DeliveryState.QUEUED, writing.now),
        author=sender.id,
        author_name=sender.name,
        reply_to=request.reply_to,
        key=asked.key,
        origin=sender.origin,
        extra=None if request.callback_data is None else {"biz_opaque_callback_data": request.callback_data},
    )
    add_message(writing, message)
    note_message(writing, message)
    add_send(writing, sender.caller, asked.key, asked.body_hash, message.id)
    body = body_for_meta(writing, request, conversation, message.id)
    return Outgoing(message, body, asked.number, request.recipient or request.to or "")


def repeated(reading: Reading, asked: Asked) -> Answered | str | None:
    """For a key that was used before: its answer, the id of what is under way, or the refusal of another request."""
    known = find_send(reading, asked.sender.caller, asked.key)
    if known is None:
        return None
    if known.body_hash != asked.body_hash:
        return refused(refuse("key_reused", "This Idempotency-Key was used for another request"))
    if known.answer is None or known.http_status is None:
        return known.message
    return Answered(known.http_status, known.answer, known.message)
