"""Meta's door: handshake, bounds, signature over the raw bytes, durable journal, 200. In that order and nothing else.

Bare ASGI, as this is the one route that must keep up with four thousand requests a second (limits.md decision 5).
"""

import asyncio
import hmac
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any
from urllib.parse import parse_qs

import structlog

from wabiz_tui.graph.signature import is_signed
from wabiz_tui.hub.archive.journal import Journal
from wabiz_tui.hub.ingest.intake import Intake
from wabiz_tui.hub.operations.metrics import Metrics
from wabiz_tui.model.clock import Clock
from wabiz_tui.model.errors import StoreError
from wabiz_tui.model.secret import Secret

LARGEST_BODY = 4 * 1024 * 1024  # Meta's largest is 3 MB (cloud-api §6)
BODY_TIMEOUT = 20.0
_MAX_CHALLENGE = 1024
_BETWEEN_LINES = 1.0
_DISCARD_BYTES, _DISCARD_SECONDS = 32 * 1024 * 1024, 5.0

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

log = structlog.get_logger("hub.webhooks")


class Refusal(Exception):
    """An answer other than 200: its status and the reason code for the log."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


class WebhookDoor:
    def __init__(
        self, journal: Journal, intake: Intake, metrics: Metrics, *, app_secrets: Sequence[Secret], verify_token: Secret, clock: Clock
    ) -> None:
        self._journal, self._intake, self._metrics, self._clock = journal, intake, metrics, clock
        self._accepted = metrics.webhooks.labels("accepted")
        self._app_secrets, self._verify_token = app_secrets, verify_token
        self._logged_at: dict[str, float] = {}
        self._unlogged: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        if method == "GET":
            await self._handshake(scope, send)
        elif method == "POST":
            await self._post(scope, receive, send)
        else:
            await answer(send, 405, b"", extra=[(b"allow", b"GET, POST")])

    async def _handshake(self, scope: Scope, send: Send) -> None:
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True, max_num_fields=20)
        token = query.get("hub.verify_token", [""])[0].encode("utf-8", "replace")
        challenge = query.get("hub.challenge", [""])[0]
        is_right = hmac.compare_digest(token, self._verify_token.reveal()) and bool(self._verify_token)
        if query.get("hub.mode") != ["subscribe"] or not is_right or not challenge or len(challenge) > _MAX_CHALLENGE:
            self._refused("handshake_refused")
            await answer(send, 403, b"")
            return
        await answer(
            send, 200, challenge.encode(), content_type=b"text/plain; charset=utf-8", extra=[(b"x-content-type-options", b"nosniff")]
        )

    async def _post(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = self._clock.monotonic()
        try:
            headers = _once(scope["headers"])
            raw = await _read(headers, receive)
            self._check_signature(raw, headers)
            await self._journal.append(raw)
        except Refusal as refusal:
            self._refused(refusal.reason)
            # A wrong signature is found after the whole body was read: there is nothing to wait for then.
            is_unread = refusal.status != 401
            if is_unread:
                await _discard(receive)
            close = [(b"connection", b"close")] if is_unread else []
            await answer(send, refusal.status, b"", extra=close)
            return
        except StoreError as error:
            # Not 200: Meta sends it again, for days.
            self._refused(error.code)
            self._metrics.store_errors.labels(error.code).inc()
            await answer(send, 503, b"", extra=[(b"retry-after", b"1")])
            return
        self._intake.wake()
        self._accepted.inc()
        self._metrics.journal_seconds.observe(self._clock.monotonic() - started)
        await answer(send, 200, b"")

    def _check_signature(self, raw: bytes, headers: Mapping[bytes, bytes]) -> None:
        if not is_signed(raw, headers.get(b"x-hub-signature-256", b"").decode("latin-1"), self._app_secrets):
            raise Refusal(401, "bad_signature")

    def _refused(self, reason: str) -> None:
        """Count it, and log each reason at most once a second: anybody can send forged webhooks, and they shall not fill the disk."""
        self._metrics.webhooks.labels(reason).inc()
        now = self._clock.monotonic()
        if now - self._logged_at.get(reason, -_BETWEEN_LINES) < _BETWEEN_LINES:
            self._unlogged[reason] += 1
            return
        self._logged_at[reason] = now
        log.warning("webhook_refused", reason=reason, unlogged=self._unlogged.pop(reason, 0))


async def _read(headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
    if headers.get(b"content-encoding", b"identity") != b"identity":
        raise Refusal(415, "encoded_body")  # the signature is over the bytes as sent; unpacking first invites bombs
    declared = headers.get(b"content-length", b"0")
    if not declared.isdigit() or int(declared) > LARGEST_BODY:
        raise Refusal(413, "too_large")
    first = _at_hand(receive)
    if first is not None and not first.get("more_body", False):
        return _chunk(first, 0)
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            return await _read_on(first, receive)
    except TimeoutError as error:
        raise Refusal(408, "too_slow") from error


async def _read_on(event: Event | None, receive: Receive) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        event = await receive() if event is None else event
        chunks.append(_chunk(event, size))
        size += len(chunks[-1])
        if not event.get("more_body", False):
            return b"".join(chunks)
        event = None


def _at_hand(receive: Receive) -> Event | None:
    """What can be had without waiting: most bodies come with their headers, and a timer would be a tenth of what they cost."""
    step = receive().__await__()
    try:
        next(step)
    except StopIteration as came:
        return came.value
    close = getattr(step, "close", None)
    if close is not None:
        close()
    return None


def _chunk(event: Event, before: int) -> bytes:
    if event["type"] == "http.disconnect":
        raise Refusal(400, "cut_off")
    chunk: bytes = event.get("body", b"")
    if before + len(chunk) > LARGEST_BODY:
        raise Refusal(413, "too_large")
    return chunk


async def _discard(receive: Receive) -> None:
    """Read on a little without keeping: who is still sending when the line closes never sees the answer."""
    size = 0
    try:
        async with asyncio.timeout(_DISCARD_SECONDS):
            while size < _DISCARD_BYTES:
                event = await receive()
                size += len(event.get("body", b""))
                if event["type"] == "http.disconnect" or not event.get("more_body", False):
                    return
    except TimeoutError:
        return


async def answer(
    send: Send, status: int, body: bytes, *, content_type: bytes = b"text/plain", extra: Sequence[tuple[bytes, bytes]] = ()
) -> None:
    """A whole answer over bare ASGI."""
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode()), *extra]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _once(headers: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The headers by name, without those that are there more than once."""
    found = dict(headers)
    if len(found) == len(headers):
        return found
    times = Counter(name for name, _ in headers)
    return {name: value for name, value in found.items() if times[name] == 1}
