"""Before a message leaves: whom it is for, whether it may go, and its row in the archive, in one transaction."""

from datetime import timedelta
from typing import Any, NamedTuple

import msgspec

from wabiz_tui.graph.delivery import fold
from wabiz_tui.graph.requests import SendRequest
from wabiz_tui.hub.archive.conversations import StoredConversation, note_message, touch_preview_of
from wabiz_tui.hub.archive.files import add_media
from wabiz_tui.hub.archive.messages import add_message, load_message, set_delivery
from wabiz_tui.hub.archive.sealing import media_unit, month_of
from wabiz_tui.hub.archive.sends import NOBODY, add_send, find_send, let_leave
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.archive.uploads import find_upload, note_media_use
from wabiz_tui.hub.gateway.addressing import body_for_meta, conversation_for
from wabiz_tui.hub.gateway.answers import Answered, refused
from wabiz_tui.hub.gateway.checks import TemplateFacts, check_blocked, check_customer, check_hours
from wabiz_tui.hub.gateway.refusals import refuse
from wabiz_tui.hub.gateway.sender import Sender, check_file
from wabiz_tui.model.content import Content, Media
from wabiz_tui.model.values import DeliveryState, Direction, Message
from wabiz_tui.policy.document import Policy

_UPLOADED_LIFE = timedelta(days=30)  # so long Meta keeps what was uploaded (cloud-api §2)


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
    is_group: bool
    is_queued: bool
    """Whether the archive has yet to be told that it leaves."""


class UnderWay(NamedTuple):
    """A message that was asked for before under the same key and has no answer yet."""

    message: str
    owner: str
    """The hub process that sends it; NOBODY where that one ended before it left."""


def prepare(writing: Writing, asked: Asked, *, has_to_wait: bool) -> Outgoing | Answered | UnderWay:
    """Archive the message as queued under its key, in one transaction. For a repeat: its answer, or what is under way."""
    known = repeated(writing, asked)
    if known is not None:
        return known
    sender, request = asked.sender, asked.request
    conversation = _judged(writing, asked)
    message = Message(
        id=writing.new_id(),
        conversation=conversation.value.id,
        direction=Direction.OUTGOING,
        content=_with_facts(writing, request.content),
        sent_at=writing.now,
        delivery=fold(None, DeliveryState.QUEUED, writing.now),
        author=sender.id or None,
        author_name=sender.name,
        reply_to=request.reply_to,
        key=asked.key,
        origin=sender.origin,
        extra=None if request.callback_data is None else {"biz_opaque_callback_data": request.callback_data},
    )
    add_message(writing, message)
    note_message(writing, message)
    _await_file(writing, message)
    add_send(writing, sender.caller, asked.key, asked.body_hash, message.id, has_to_wait=has_to_wait)
    return _outgoing(writing, asked, conversation, message, has_to_wait=has_to_wait)


def resume(writing: Writing, asked: Asked, message_id: str, *, owner: str = NOBODY) -> Outgoing | None:
    """What was queued by `owner` and is sent by nobody goes now, as the message it is. None when it is no longer there to be sent, or
    somebody else sends it."""
    message = load_message(writing, message_id)
    if message is None or not let_leave(writing, message_id, owner=owner):
        return None
    conversation = _judged(writing, asked)
    set_delivery(writing, message_id, fold(None, DeliveryState.QUEUED, writing.now))
    touch_preview_of(writing, message)
    return _outgoing(writing, asked, conversation, message, has_to_wait=False)


def repeated(reading: Reading, asked: Asked) -> Answered | UnderWay | None:
    """For a key that was used before: its answer, what is under way, or the refusal of another request."""
    known = find_send(reading, asked.sender.caller, asked.key)
    if known is None:
        return None
    if known.body_hash != asked.body_hash:
        return refused(refuse("key_reused", "This Idempotency-Key was used for another request"))
    if known.answer is None or known.http_status is None:
        return UnderWay(known.message, known.owner)
    return Answered(known.http_status, known.answer, known.message)


def _judged(writing: Writing, asked: Asked) -> StoredConversation:
    """The conversation the message goes into. Raises CloudError where it may not."""
    check_hours(asked.sender, asked.policy, writing.now)
    conversation = conversation_for(writing, asked.sender, asked.number, asked.request)
    check_blocked(writing, conversation)
    check_customer(conversation, asked.request, writing.now, asked.template)
    if isinstance(asked.request.content, Media):
        check_file(writing, asked.sender, asked.request.content.id)
    return conversation


def _outgoing(reading: Reading, asked: Asked, conversation: StoredConversation, message: Message, *, has_to_wait: bool) -> Outgoing:
    body = body_for_meta(reading, asked.request, conversation, message.id)
    return Outgoing(message, body, asked.number, asked.request.recipient or asked.request.to or "", asked.request.is_group, has_to_wait)


def _with_facts(reading: Reading, content: Content) -> Content:
    """A file that was uploaded through the gateway is archived with what was seen of it then."""
    if not isinstance(content, Media) or not content.id:
        return content
    upload = find_upload(reading, content.id)
    if upload is None or upload.facts is None:
        return content
    facts = upload.facts
    return msgspec.structs.replace(content, mime_type=facts.mime_type, sha256=facts.sha256, size=facts.size)


def _await_file(writing: Writing, message: Message) -> None:
    """The archive fetches the file that goes with the message from Meta, as it does those of customers."""
    if isinstance(message.content, Media) and message.content.id:
        unit = media_unit(message.conversation, month_of(message.sent_at))
        add_media(writing, message.id, unit, expires_at=message.sent_at + _UPLOADED_LIFE)
        note_media_use(writing, message.content.id, message.id)
