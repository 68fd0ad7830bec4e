"""Sends through the gateway: check who asks and whether they may, archive, send with the hub's token, record what came of it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from wabiz_tui.cloud.client import CloudClient
from wabiz_tui.cloud.pacing import PACED
from wabiz_tui.cloud.patience import PAIR_RATE
from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.limits import check as check_limits
from wabiz_tui.graph.requests import ReadRequest, SendRequest, parse_request
from wabiz_tui.graph.responses import Accepted
from wabiz_tui.hub.archive.conversations import load_conversation
from wabiz_tui.hub.archive.messages import find_by_wamid, last_incoming, load_message
from wabiz_tui.hub.archive.sends import NOBODY, answer_of, digest, is_leaving, let_leave
from wabiz_tui.hub.archive.store import Archive, Reading, Writing
from wabiz_tui.hub.gateway.addressing import known_conversation
from wabiz_tui.hub.gateway.answers import Answered, refused, uncertain
from wabiz_tui.hub.gateway.departing import Departures, too_fast
from wabiz_tui.hub.gateway.preparing import Asked, Outgoing, UnderWay, prepare, repeated, resume
from wabiz_tui.hub.gateway.recording import record_accepted, record_failure, record_not_sent
from wabiz_tui.hub.gateway.refusals import refuse
from wabiz_tui.hub.gateway.sender import Sender, check_number, require
from wabiz_tui.hub.gateway.templates import TemplateShelf
from wabiz_tui.hub.operations.metrics import Metrics
from wabiz_tui.hub.policy import InForce
from wabiz_tui.hub.processes.waiting import until
from wabiz_tui.model.codec import encode
from wabiz_tui.model.errors import BadInput, CloudError, StoreError, WabizError
from wabiz_tui.model.values import Direction, Message
from wabiz_tui.model.wire import addressed_conversation

LARGEST_BODY = 1024 * 1024
_LONGEST_KEY = 200
_BETWEEN_RECORDINGS = (0.1, 1.0)
_LONGEST_ELSEWHERE = 30.0
"""Seconds that a caller waits here for the answer to a message that another hub process sends."""

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
        self._departures = Departures(client, archive.clock)
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

    def set_rate(self, number: str, per_second: int) -> None:
        """What Meta lets a business number send in a second; 80 unless she says otherwise (cloud-api §11)."""
        self._departures.set_rate(number, per_second)

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
            check_number(reading, sender, number)
            found = find_by_wamid(reading, request.message_id)
            message = load_message(reading, found) if found is not None else None
            stored = load_conversation(reading, message.conversation) if message is not None else None
            if stored is None or not sender.can_see(stored) or stored.value.number != number:
                raise refuse("unknown_message", "message_id names no message that you can see on this number")

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
        known, conversation = await self._archive.read(lambda reading: _look(reading, asked))
        if known is None:
            has_to_wait = self._departures.check(number, conversation)
            prepared = await self._archive.write(lambda writing: prepare(writing, asked, has_to_wait=has_to_wait))
        else:
            prepared = known
        if isinstance(prepared, UnderWay):
            return await self._await_other(asked, prepared)
        return prepared if isinstance(prepared, Answered) else await self._start(prepared)

    async def _start(self, outgoing: Outgoing) -> Answered:
        message = outgoing.message.id
        task = asyncio.ensure_future(self._deliver(outgoing))
        self._under_way[message] = task
        task.add_done_callback(lambda _: self._under_way.pop(message, None))
        # The caller may leave: what is on its way is seen to its end all the same.
        return await asyncio.shield(task)

    async def _await_other(self, asked: Asked, earlier: UnderWay) -> Answered:
        """The same key came while its first request is still under way, or after a hub ended before that one left."""
        task = self._under_way.get(earlier.message)
        if task is not None:
            return await asyncio.shield(task)
        # Whoever archived or settled it a moment ago had the writer first, so is here by the time that the writer comes to this.
        known = await self._archive.write(lambda writing: repeated(writing, asked))
        if isinstance(known, Answered):
            return known
        task = self._under_way.get(earlier.message)
        if task is not None:
            return await asyncio.shield(task)
        # What is queued and has no task here never left: its hub ended, or this one could not tell the archive that it leaves.
        owner = earlier.owner if known is None else known.owner
        if owner in (NOBODY, self._archive.place.process):
            outgoing = await self._archive.write(lambda writing: resume(writing, asked, earlier.message, owner=owner))
            if outgoing is not None:
                return await self._start(outgoing)
        task = self._under_way.get(earlier.message)
        if task is not None:
            return await asyncio.shield(task)
        if owner != self._archive.place.process:
            return await self._await_answer(earlier.message)
        settled = await self._archive.read(lambda reading: answer_of(reading, earlier.message))
        return uncertain(earlier.message) if settled is None else Answered(*settled, earlier.message)

    async def _await_answer(self, message: str) -> Answered:
        """Another hub process has it: what came of it there, or that nobody knows, when that process ended or takes too long."""
        settled = await until(self._archive, lambda reading: answer_of(reading, message), within=_LONGEST_ELSEWHERE)
        return uncertain(message) if settled is None else Answered(*settled, message)

    async def _deliver(self, outgoing: Outgoing) -> Answered:
        message = outgoing.message.id
        try:
            accepted = await self._departures.send(outgoing, self._let_leave, self._may_leave)
        except _TakenOver:
            return await self._await_answer(message)
        except CloudError as error:
            if error.code == PACED:
                return await self._give_back(message, error)
            failure = error
            answer = refused(failure)._replace(message=message) if not failure.is_uncertain else uncertain(message)
            outcome = "uncertain" if failure.is_uncertain else "failed"
            await self._keep(message, lambda writing: record_failure(writing, message, failure, answer))
            log.warning("send_not_accepted", outcome=outcome, message=message, code=failure.graph_code, http=failure.http_status)
        else:
            answer, outcome = accepted_answer(outgoing, accepted), "accepted"
            await self._keep(message, lambda writing: record_accepted(writing, message, accepted, answer))
            self.in_background(self._read_on_reply(outgoing))
        self._metrics.sends.labels(outcome).inc()
        return answer

    async def _give_back(self, message: str, error: CloudError) -> Answered:
        refusal = too_fast(for_person=error.graph_code == PAIR_RATE, wait=error.retry_after)
        await self._keep(message, lambda writing: record_not_sent(writing, message, refusal))
        self._metrics.sends.labels("failed").inc()
        return refused(refusal)._replace(message=message)

    async def _keep(self, message: str, work: Callable[[Writing], None]) -> None:
        """Record what Meta answered. Her answer is the caller's also where it cannot be kept: told to come again, it would send twice."""
        for pause in (*_BETWEEN_RECORDINGS, None):
            try:
                await self._archive.write(work)
            except StoreError as error:
                log.warning("outcome_not_recorded", message=message, code=error.code, again=pause is not None)
            else:
                return
            if pause is not None:
                await asyncio.sleep(pause)

    async def _let_leave(self, message: str) -> None:
        if not await self._archive.write(lambda writing: let_leave(writing, message, owner=self._archive.place.process)):
            raise _TakenOver

    async def _may_leave(self, message: str) -> bool:
        """Whether it may be tried again; not where nobody can tell."""
        try:
            return await self._archive.read(lambda reading: is_leaving(reading, message, owner=self._archive.place.process))
        except StoreError:
            return False

    async def _read_on_reply(self, outgoing: Outgoing) -> None:
        # What the hub says by itself is no sign that anybody read.
        if self._in_force().policy.privacy.read_receipts != "on_reply" or outgoing.message.author is None:
            return

        def newest(reading: Reading) -> Message | None:
            found = last_incoming(reading, outgoing.message.conversation)
            return None if found is None else load_message(reading, found)

        await self.tell_read(await self._archive.read(newest), outgoing.number)


class _TakenOver(Exception):
    """The message is not this process's to send any more: it was out of the others' sight for a while, and taken for dead."""


def _look(reading: Reading, asked: Asked) -> tuple[Answered | UnderWay | None, str | None]:
    """What became of an earlier request under this key; else the conversation it goes to, where there is one."""
    known = repeated(reading, asked)
    return known, None if known is not None else known_conversation(reading, asked.number, asked.request)


def accepted_answer(outgoing: Outgoing, accepted: Accepted) -> Answered:
    if addressed_conversation(outgoing.told) is None:
        return Answered(200, encode(accepted.original), outgoing.message.id)
    body = {"messaging_product": "whatsapp", "contacts": [{"input": outgoing.told}], "messages": [{"id": accepted.wamid}]}
    return Answered(200, encode(body), outgoing.message.id)
