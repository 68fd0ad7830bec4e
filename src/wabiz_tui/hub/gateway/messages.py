"""Sends through the gateway: check who asks and whether they may, archive, send with the hub's token, record what came of it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from wabiz_tui.cloud.client import CloudClient
from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.limits import check as check_limits
from wabiz_tui.graph.requests import ReadRequest, SendRequest, parse_request
from wabiz_tui.graph.responses import Accepted
from wabiz_tui.hub.archive.messages import find_by_wamid, last_incoming, load_message
from wabiz_tui.hub.archive.sends import digest
from wabiz_tui.hub.archive.store import Archive, Reading
from wabiz_tui.hub.gateway.answers import Answered, refused, uncertain
from wabiz_tui.hub.gateway.preparing import Asked, Outgoing, prepare
from wabiz_tui.hub.gateway.recording import record_accepted, record_failure
from wabiz_tui.hub.gateway.refusals import refuse
from wabiz_tui.hub.gateway.sender import Sender, require, visible
from wabiz_tui.hub.gateway.templates import TemplateShelf
from wabiz_tui.hub.metrics import Metrics
from wabiz_tui.hub.policy import InForce
from wabiz_tui.model.codec import encode
from wabiz_tui.model.errors import BadInput, CloudError, WabizError
from wabiz_tui.model.values import Direction, Message
from wabiz_tui.model.wire import addressed_conversation

LARGEST_BODY = 1024 * 1024
_LONGEST_KEY = 200
_TRIES = 3
_FIRST_PAUSE = 1.0

log = structlog.get_logger("hub.gateway")


class Gateway:
    def __init__(
        self,
        archive: Archive,
        client: CloudClient,
        in_force: Callable[[], InForce],
        metrics: Metrics,
        *,
        templates: TemplateShelf,
        caught_up: Callable[[], Awaitable[bool]],
    ) -> None:
        self._archive, self._client, self._in_force, self._metrics = archive, client, in_force, metrics
        self._templates, self._caught_up = templates, caught_up
        self._under_way: dict[str, asyncio.Task[Answered]] = {}
        self._background: set[asyncio.Task[None]] = set()

    async def messages(self, sender: Sender, number: str, raw: bytes, *, key: str | None) -> Answered:
        """`POST /{version}/{number}/messages`. Errors are answers, in Graph's shape."""
        try:
            if len(raw) > LARGEST_BODY:
                raise graph_error(100, "The request is larger than 1 MiB")
            request = parse_request(raw)
            try:
                return await self._answer(sender, number, request, raw, key=key)
            except CloudError as error:
                # Who heard of a message may answer before it is folded: the two steps of ingest are not seen from outside.
                if error.code not in ("window_closed", "unknown_message") or not await self._caught_up():
                    raise
            return await self._answer(sender, number, request, raw, key=key)
        except CloudError as error:
            return refused(error)
        except BadInput as error:
            return refused(graph_error(100, error.sentence))

    async def _answer(self, sender: Sender, number: str, request: SendRequest | ReadRequest, raw: bytes, *, key: str | None) -> Answered:
        if isinstance(request, ReadRequest):
            return await self._mark_read(sender, number, request)
        return await self._send(sender, number, request, raw, key=key)

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
        require(sender, "message.mark_read")

        def check(reading: Reading) -> None:
            found = find_by_wamid(reading, request.message_id)
            message = load_message(reading, found) if found is not None else None
            if message is None:
                raise refuse("unknown_message", "message_id names no message of this business")
            visible(reading, sender, message.conversation)

        await self._archive.read(check)
        await self._client.mark_read(number, request.message_id, typing=request.typing)
        return Answered(200, b'{"success":true}')

    async def _send(self, sender: Sender, number: str, request: SendRequest, raw: bytes, *, key: str | None) -> Answered:
        require(sender, "message.send")
        if key is not None and not (0 < len(key) <= _LONGEST_KEY and key.isprintable()):
            raise graph_error(100, f"Idempotency-Key must be 1 to {_LONGEST_KEY} printable characters")
        check_limits(request)
        made_key = key if key is not None else self._archive.random_bytes(16).hex()
        facts = await self._templates.about(request) if request.type == "template" else None
        asked = Asked(sender, number, request, digest(raw), made_key, self._in_force().policy, facts)
        prepared = await self._archive.write(lambda writing: prepare(writing, asked))
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
            return uncertain(message)
        return await asyncio.shield(task)

    async def _deliver(self, outgoing: Outgoing) -> Answered:
        message = outgoing.message.id
        try:
            accepted = await self._send_with_patience(outgoing)
        except CloudError as error:
            failure = error
            answer = refused(failure)._replace(message=message) if not failure.is_uncertain else uncertain(message)
            outcome = "uncertain" if failure.is_uncertain else "failed"
            await self._archive.write(lambda writing: record_failure(writing, message, failure, answer))
            log.warning("send_not_accepted", outcome=outcome, message=message, code=failure.graph_code, http=failure.http_status)
        else:
            answer, outcome = accepted_answer(outgoing, accepted), "accepted"
            await self._archive.write(lambda writing: record_accepted(writing, message, accepted, answer))
            self.in_background(self._read_on_reply(outgoing))
        self._metrics.sends.labels(outcome).inc()
        return answer

    async def _send_with_patience(self, outgoing: Outgoing) -> Accepted:
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

    async def _read_on_reply(self, outgoing: Outgoing) -> None:
        if self._in_force().policy.privacy.read_receipts != "on_reply":
            return

        def newest(reading: Reading) -> Message | None:
            found = last_incoming(reading, outgoing.message.conversation)
            return None if found is None else load_message(reading, found)

        await self.tell_read(await self._archive.read(newest), outgoing.number)


def accepted_answer(outgoing: Outgoing, accepted: Accepted) -> Answered:
    if addressed_conversation(outgoing.told) is None:
        return Answered(200, encode(accepted.original), outgoing.message.id)
    body = {"messaging_product": "whatsapp", "contacts": [{"input": outgoing.told}], "messages": [{"id": accepted.wamid}]}
    return Answered(200, encode(body), outgoing.message.id)
