"""The Graph-shaped gateway: checks who asks and whether they may, archives, sends with the hub's token, and records what came of it."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

import structlog

from wabiz_tui.cloud.client import CloudClient
from wabiz_tui.graph.delivery import fold
from wabiz_tui.graph.errors import build_error, graph_error
from wabiz_tui.graph.identity import Alias
from wabiz_tui.graph.parsed import Identity
from wabiz_tui.graph.requests import ReadRequest, SendRequest, parse_request
from wabiz_tui.graph.responses import Accepted
from wabiz_tui.hub.archive.contacts import attach_alias, contact_of, load_contacts
from wabiz_tui.hub.archive.conversations import StoredConversation, conversation_of, load_conversation, note_answered, note_message
from wabiz_tui.hub.archive.conversations import touch_preview_of as touch_preview
from wabiz_tui.hub.archive.events import load_numbers
from wabiz_tui.hub.archive.messages import add_message, find_by_wamid, last_incoming, load_message, set_delivery, set_wamid
from wabiz_tui.hub.archive.sends import add_send, digest, find_send, settle_send, unsettled_sends
from wabiz_tui.hub.archive.store import Archive, Reading, Writing
from wabiz_tui.hub.feed import Viewer
from wabiz_tui.hub.folding import CALLBACK_PREFIX, apply_to_target, join_waiting_statuses
from wabiz_tui.hub.metrics import Metrics
from wabiz_tui.hub.policy import InForce
from wabiz_tui.model.codec import encode
from wabiz_tui.model.content import MetaError
from wabiz_tui.model.errors import BadInput, CloudError, WabizError
from wabiz_tui.model.values import DeliveryState, Direction, Message, Person
from wabiz_tui.model.wire import addressed_conversation
from wabiz_tui.policy.permissions import can
from wabiz_tui.policy.window import is_open

LARGEST_BODY = 1024 * 1024
_LONGEST_KEY = 200
_TRIES = 3
_FIRST_PAUSE = 1.0

log = structlog.get_logger("hub.gateway")


class Sender(NamedTuple):
    """Who asks: a person at a device."""

    person: Person
    viewer: Viewer


class Answered(NamedTuple):
    """An answer in Graph's shape; `message` is our id of what was sent."""

    status: int
    body: bytes
    message: str = ""


class _Outgoing(NamedTuple):
    message: Message
    body: dict[str, Any]
    number: str
    told: str
    """What the caller wrote as the recipient: the answer repeats it, and nothing the caller may see only masked."""


class Gateway:
    def __init__(self, archive: Archive, client: CloudClient, in_force: Callable[[], InForce], metrics: Metrics) -> None:
        self._archive, self._client, self._in_force, self._metrics = archive, client, in_force, metrics
        self._under_way: dict[str, asyncio.Task[Answered]] = {}
        self._background: set[asyncio.Task[None]] = set()

    async def messages(self, sender: Sender, number: str, raw: bytes, *, key: str | None) -> Answered:
        """`POST /{version}/{number}/messages`. Errors are answers, in Graph's shape."""
        try:
            if len(raw) > LARGEST_BODY:
                raise graph_error(100, "The request is larger than 1 MiB")
            request = parse_request(raw)
            if isinstance(request, ReadRequest):
                return await self._mark_read(sender, number, request)
            return await self._send(sender, number, request, raw, key=key)
        except CloudError as error:
            return refused(error)
        except BadInput as error:
            return refused(graph_error(100, error.sentence))

    async def tell_read(self, message: Message | None, number: str) -> None:
        """Mark an incoming message read at Meta, as well as can be: a read receipt is worth no retry and no error."""
        if message is None or message.wamid is None or message.direction is not Direction.INCOMING:
            return
        with contextlib.suppress(WabizError):
            await self._client.mark_read(number, message.wamid)

    def in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def finish(self, timeout: float) -> None:
        """Wait for what is on its way to Meta."""
        pending = [*self._under_way.values(), *self._background]
        if pending:
            await asyncio.wait(pending, timeout=timeout)

    async def _mark_read(self, sender: Sender, number: str, request: ReadRequest) -> Answered:
        _require(sender, "message.mark_read")

        def check(reading: Reading) -> None:
            found = find_by_wamid(reading, request.message_id)
            message = load_message(reading, found) if found is not None else None
            if message is None:
                raise graph_error(131009, "message_id names no message of this business")
            _visible(reading, sender, message.conversation)

        await self._archive.read(check)
        await self._client.mark_read(number, request.message_id, typing=request.typing)
        return Answered(200, b'{"success":true}')

    async def _send(self, sender: Sender, number: str, request: SendRequest, raw: bytes, *, key: str | None) -> Answered:
        _require(sender, "message.send")
        if key is not None and not (0 < len(key) <= _LONGEST_KEY and key.isprintable()):
            raise graph_error(100, f"Idempotency-Key must be 1 to {_LONGEST_KEY} printable characters")
        made_key = key if key is not None else self._archive.random_bytes(16).hex()
        prepared = await self._archive.write(
            lambda writing: _prepare(writing, sender, number, request, body_hash=digest(raw), key=made_key)
        )
        if isinstance(prepared, Answered):
            return prepared
        if isinstance(prepared, str):
            return await self._await_other(prepared)
        task = asyncio.ensure_future(self._deliver(prepared))
        self._under_way[prepared.message.id] = task
        task.add_done_callback(lambda _: self._under_way.pop(prepared.message.id, None))
        # The caller may leave: what is on its way is seen to its end all the same.
        return await asyncio.shield(task)

    async def _await_other(self, message: str) -> Answered:
        """The same key came while its first request is still under way."""
        task = self._under_way.get(message)
        if task is None:
            return _uncertain(message)
        return await asyncio.shield(task)

    async def _deliver(self, outgoing: _Outgoing) -> Answered:
        message = outgoing.message.id
        try:
            accepted = await self._send_with_patience(outgoing)
        except CloudError as error:
            failure = error
            answer = refused(failure)._replace(message=message) if not failure.is_uncertain else _uncertain(message)
            outcome = "uncertain" if failure.is_uncertain else "failed"
            await self._archive.write(lambda writing: _record_failure(writing, message, failure, answer))
            log.warning("send_not_accepted", outcome=outcome, message=message, code=failure.graph_code, http=failure.http_status)
        else:
            answer, outcome = _accepted(outgoing, accepted), "accepted"
            await self._archive.write(lambda writing: _record_accepted(writing, message, accepted, answer))
            self.in_background(self._read_on_reply(outgoing))
        self._metrics.sends.labels(outcome).inc()
        return answer

    async def _send_with_patience(self, outgoing: _Outgoing) -> Accepted:
        """Again after a pause, thrice at most, and only where Meta surely did not take it."""
        import stamina

        retrying = stamina.retry_context(
            on=lambda error: isinstance(error, CloudError) and error.is_transient and not error.is_uncertain,
            attempts=_TRIES,
            timeout=None,
            wait_initial=_FIRST_PAUSE,
        )
        async for attempt in retrying:
            with attempt:
                return await self._client.send(outgoing.number, outgoing.body)
        raise AssertionError("the last attempt returns or raises")

    async def _read_on_reply(self, outgoing: _Outgoing) -> None:
        if self._in_force().policy.privacy.read_receipts != "on_reply":
            return

        def newest(reading: Reading) -> Message | None:
            found = last_incoming(reading, outgoing.message.conversation)
            return None if found is None else load_message(reading, found)

        await self.tell_read(await self._archive.read(newest), outgoing.number)


def settle_interrupted(writing: Writing) -> int:
    """What was leaving when the hub ended: nobody knows whether it arrived. Its status webhook settles it, or a person."""
    interrupted = unsettled_sends(writing)
    for message_id in interrupted:
        _mark(writing, message_id, "uncertain")
        answer = _uncertain(message_id)
        settle_send(writing, message_id, http_status=answer.status, answer=answer.body)
    return len(interrupted)


def refused(error: CloudError) -> Answered:
    """The error in Graph's shape."""
    code = error.graph_code if error.graph_code is not None else 2 if error.is_transient else 131000
    body = build_error(code, error.details or error.sentence, error.trace or "wabiz")
    status = error.http_status if error.http_status is not None and error.http_status >= 400 else 503 if error.is_transient else 500
    return Answered(status, encode(body))


def _uncertain(message: str) -> Answered:
    details = "It is not known whether the message was sent; its status will tell, or ask the customer. Do not send it again by machine."
    return Answered(500, encode(build_error(131000, details, "wabiz")), message)


def _accepted(outgoing: _Outgoing, accepted: Accepted) -> Answered:
    if addressed_conversation(outgoing.told) is None:
        return Answered(200, encode(accepted.original), outgoing.message.id)
    body = {"messaging_product": "whatsapp", "contacts": [{"input": outgoing.told}], "messages": [{"id": accepted.wamid}]}
    return Answered(200, encode(body), outgoing.message.id)


def _require(sender: Sender, action: str) -> None:
    if not can(sender.person.role, action):
        raise graph_error(10, f"The role {sender.person.role} may not do this")


def _visible(reading: Reading, sender: Sender, conversation: str) -> StoredConversation:
    stored = load_conversation(reading, conversation)
    if stored is None or not sender.viewer.can_see_conversation(stored.value.assignee):
        raise graph_error(131009, "recipient names no conversation you can see")
    return stored


def _prepare(
    writing: Writing, sender: Sender, number: str, request: SendRequest, *, body_hash: bytes, key: str
) -> _Outgoing | Answered | str:
    """Archive the message as queued under its key, in one transaction. For a repeat: its answer, or the id of what is under way."""
    caller = sender.viewer.device
    known = find_send(writing, caller, key)
    if known is not None:
        if known.body_hash != body_hash:
            error = graph_error(100, "This Idempotency-Key was used for another request")
            return refused(error)._replace(status=409)
        if known.answer is None or known.http_status is None:
            return known.message
        return Answered(known.http_status, known.answer, known.message)
    conversation = _conversation(writing, sender, number, request)
    if request.type != "template" and not is_open(conversation.value.window_until, writing.now):
        raise graph_error(131047, "More than 24 hours have passed since the customer last wrote; use a template")
    message = Message(
        id=writing.new_id(),
        conversation=conversation.value.id,
        direction=Direction.OUTGOING,
        content=request.content,
        sent_at=writing.now,
        delivery=fold(None, DeliveryState.QUEUED, writing.now),
        author=sender.person.id,
        author_name=sender.person.name,
        reply_to=request.reply_to,
        key=key,
        origin="wabiz",
        extra=None if request.callback_data is None else {"biz_opaque_callback_data": request.callback_data},
    )
    add_message(writing, message)
    note_message(writing, message)
    add_send(writing, caller, key, body_hash, message.id)
    body = _body_for_meta(writing, request, conversation, message.id)
    return _Outgoing(message, body, number, request.recipient or request.to or "")


def _conversation(writing: Writing, sender: Sender, number: str, request: SendRequest) -> StoredConversation:
    addressed = addressed_conversation(request.recipient) if request.to is None else None
    if addressed is not None:
        stored = _visible(writing, sender, addressed)
        if stored.value.number != number:
            raise graph_error(131009, "recipient names a conversation of another business number")
        return stored
    if not load_numbers(writing, [number]):
        raise graph_error(33, "This hub has no such business number")
    contact = contact_of(writing, _identity(request), at=writing.now)
    return _visible(writing, sender, conversation_of(writing, number, contact))


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


def _record_accepted(writing: Writing, message_id: str, accepted: Accepted, answer: Answered) -> None:
    message = _mark(writing, message_id, DeliveryState.ACCEPTED)
    settle_send(writing, message_id, http_status=answer.status, answer=answer.body)
    if message is None:
        return
    if message.wamid is None:
        message = set_wamid(writing, message, accepted.wamid)
    note_answered(writing, message.conversation)
    join_waiting_statuses(writing, message, accepted.wamid)
    apply_to_target(writing, message)
    stored = load_conversation(writing, message.conversation)
    if stored is not None and accepted.wa_id:
        attach_alias(writing, stored.value.contact, Alias("wa_id", accepted.wa_id), at=writing.now)


def _record_failure(writing: Writing, message_id: str, error: CloudError, answer: Answered) -> None:
    settle_send(writing, message_id, http_status=answer.status, answer=answer.body)
    if error.is_uncertain:
        _mark(writing, message_id, DeliveryState.UNCERTAIN)
        return
    told = MetaError(code=error.graph_code or 0, title=error.sentence, details=error.details)
    _mark(writing, message_id, DeliveryState.FAILED, told)


def _mark(writing: Writing, message_id: str, state: str, error: MetaError | None = None) -> Message | None:
    """Fold one more state into a message of ours; a status webhook may have been quicker."""
    message = load_message(writing, message_id)
    if message is None:
        return None
    delivery = fold(message.delivery, state, writing.now, error)
    set_delivery(writing, message_id, delivery)
    touch_preview(writing, message)
    return load_message(writing, message_id)
