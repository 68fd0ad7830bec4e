"""Before a message leaves: whom it is for, whether it may go, and its row in the archive, in one transaction."""

from typing import Any, NamedTuple

from wabiz_tui.graph.delivery import fold
from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.parsed import Identity
from wabiz_tui.graph.requests import SendRequest
from wabiz_tui.hub.archive.contacts import contact_of, load_contacts
from wabiz_tui.hub.archive.conversations import StoredConversation, conversation_of, note_message
from wabiz_tui.hub.archive.events import load_numbers
from wabiz_tui.hub.archive.messages import add_message
from wabiz_tui.hub.archive.sends import add_send, find_send
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.folding import CALLBACK_PREFIX
from wabiz_tui.hub.gateway.answers import Answered, refused
from wabiz_tui.hub.gateway.refusals import refuse
from wabiz_tui.hub.gateway.sender import Sender, visible
from wabiz_tui.model.values import DeliveryState, Direction, Message
from wabiz_tui.model.wire import addressed_conversation
from wabiz_tui.policy.window import is_open


class Outgoing(NamedTuple):
    message: Message
    body: dict[str, Any]
    number: str
    told: str
    """What the caller wrote as the recipient: the answer repeats it, and nothing the caller may see only masked."""


def prepare(
    writing: Writing, sender: Sender, number: str, request: SendRequest, *, body_hash: bytes, key: str
) -> Outgoing | Answered | str:
    """Archive the message as queued under its key, in one transaction. For a repeat: its answer, or the id of what is under way."""
    known = find_send(writing, sender.caller, key)
    if known is not None:
        if known.body_hash != body_hash:
            return refused(refuse("key_reused", "This Idempotency-Key was used for another request"))
        if known.answer is None or known.http_status is None:
            return known.message
        return Answered(known.http_status, known.answer, known.message)
    conversation = _conversation(writing, sender, number, request)
    if request.type != "template" and not is_open(conversation.value.window_until, writing.now):
        raise refuse("window_closed", "More than 24 hours have passed since the customer last wrote; use a template")
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
        key=key,
        origin=sender.origin,
        extra=None if request.callback_data is None else {"biz_opaque_callback_data": request.callback_data},
    )
    add_message(writing, message)
    note_message(writing, message)
    add_send(writing, sender.caller, key, body_hash, message.id)
    body = _body_for_meta(writing, request, conversation, message.id)
    return Outgoing(message, body, number, request.recipient or request.to or "")


def _conversation(writing: Writing, sender: Sender, number: str, request: SendRequest) -> StoredConversation:
    addressed = addressed_conversation(request.recipient) if request.to is None else None
    if addressed is not None:
        stored = visible(writing, sender, addressed)
        if stored.value.number != number:
            raise graph_error(131009, "recipient names a conversation of another business number")
        return stored
    if not sender.has_number(number) or not load_numbers(writing, [number]):
        raise refuse("unknown_number", "This hub has no such business number")
    contact = contact_of(writing, _identity(request), at=writing.now)
    return visible(writing, sender, conversation_of(writing, number, contact))


def _identity(request: SendRequest) -> Identity:
    if request.is_group:
        return Identity(group_id=request.to)
    if request.to is not None:
        digits = "".join(character for character in request.to if character.isascii() and character.isdigit())
        if not digits:
            raise graph_error(131009, "The parameter to is no phone number")
        return Identity(wa_id=digits)
    return Identity(user_id=request.recipient)


def _body_for_meta(reading: Reading, request: SendRequest, conversation: StoredConversation, message: str) -> dict[str, Any]:
    body = {**request.original, "biz_opaque_callback_data": CALLBACK_PREFIX + message}
    if addressed_conversation(request.recipient) is None or request.to is not None:
        return body
    # Meta advises the phone where we hold one: it keeps the phone visible (cloud-api §14 rule 6).
    record = load_contacts(reading, [conversation.value.contact])[conversation.value.contact].record
    phone, user, group = record.alias("wa_id"), record.alias("bsuid") or record.alias("parent_bsuid"), record.alias("group")
    del body["recipient"]
    if group is not None:
        return body | {"recipient_type": "group", "to": group}
    if phone is not None:
        return body | {"to": f"+{phone}"}
    if user is not None:
        return body | {"recipient": user}
    raise graph_error(131026, "Nothing is known by which this person could be reached")
