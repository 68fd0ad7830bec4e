"""A hub that keeps everything in memory and speaks the wire exactly: real HTTP on a free port, faults on demand."""

import asyncio
import base64
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tests.support.prompt_server import served_in_thread
from wabiz_tui.graph.errors import build_error
from wabiz_tui.graph.requests import parse_send
from wabiz_tui.graph.responses import build_accepted
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.errors import WabizError
from wabiz_tui.model.feed import Change, ChangesPage
from wabiz_tui.model.identifiers import new_id
from wabiz_tui.model.values import Contact, Conversation, Delivery, DeliveryState, Direction, Event, Message, Number, Person
from wabiz_tui.model.wire import (
    TIME_HEADER,
    Assignment,
    EnrollReply,
    EnrollRequest,
    ErrorBody,
    HistoryPage,
    NewUpload,
    PolicyVersion,
    ReadMark,
    Receipt,
    ReceiptReply,
    ShareReply,
    SignedPolicy,
    SignedReceipt,
    StatusChange,
    TokenReply,
    TokenRequest,
    UploadStanding,
    WhoAmI,
    addressed_conversation,
)
from wabiz_tui.proof import assertions, enrolment, policies, receipts, signing
from wabiz_tui.proof.armour import to_base64

POLICY = 'name = "Test"\n[cache]\nwindow = "14d"\nafter_resolve = "24h"\nlease = "8h"\n'
TENANT = "102290129340398"
NUMBER = "106540352242922"
Value = Conversation | Contact | Message | Number | Event | Person
_ENTITIES: dict[type, str] = {
    Conversation: "conversation",
    Contact: "contact",
    Message: "message",
    Number: "number",
    Event: "event",
    Person: "person",
}


class Refused(Exception):
    """An answer that is not 2xx, with the body of /v1 or, for the gateway, one in Graph's shape."""

    def __init__(self, status: int, code: str, sentence: str = "No.", *, body: bytes | None = None) -> None:
        super().__init__(sentence)
        self.status, self.code = status, code
        self.body = encode(ErrorBody(code, sentence)) if body is None else body


def meta_refusal(code: int, details: str, status: int = 400) -> Refused:
    return Refused(status, "cloud", details, body=encode(build_error(code, details, "trace")))


class _HangUp(Response):
    """Begins to answer and cuts the line: the caller cannot know what happened."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
        await send({"type": "http.response.body", "body": b"{", "more_body": False})


class FakeDevice:
    def __init__(self, public: bytes, person: str) -> None:
        self.id = new_id(datetime.now(UTC), os.urandom)
        self.public, self.person = public, person
        self.cache_id = os.urandom(16).hex()
        self.epoch = 1
        self.shares: dict[int, bytes] = {1: os.urandom(32)}
        self.outbox_share = os.urandom(32)
        self.is_revoked = False
        self.is_reset = False
        self.receipts: list[SignedReceipt] = []


class FakeHub:
    """State is open to the tests; whatever they change through its methods goes into the feed and wakes the streams."""

    def __init__(self) -> None:
        self.seed = signing.generate(os.urandom)
        self.ahead = timedelta()
        self.lease = 8 * 3600
        self.person = new_id(datetime.now(UTC), os.urandom)
        self.codes: set[str] = set()
        self.devices: dict[str, FakeDevice] = {}
        self.tokens: dict[str, str] = {}
        self.rows: dict[tuple[str, str], Change] = {}
        self.values: dict[str, Any] = {}
        self.head = 0
        self.version = 0
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.refuse_send: Callable[[str], Exception | None] = lambda _: None
        self.hang_up_after_send = 0
        self.files: dict[str, bytes] = {}
        self.media_asked: list[str] = []
        self.pages_asked: list[int] = []
        self.cut_media_after, self.media_cuts = 0, 0
        self.greeting = b""
        self.uploads: dict[str, tuple[NewUpload, bytearray]] = {}
        self.brought: dict[str, bytes] = {}
        self.url = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._moved = asyncio.Event()
        self.signed: SignedPolicy
        self.set_policy(POLICY)

    # What tests do to it

    def code(self) -> str:
        code = enrolment.build_code(os.urandom(16).hex(), signing.public_key(self.seed))
        self.codes.add(code)
        return code

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def put(self, *values: Value) -> None:
        for value in values:
            self.values[value.id] = value
            self._change(_ENTITIES[type(value)], value.id, encode(value))

    def remove(self, value: Value) -> None:
        self._change(_ENTITIES[type(value)], value.id, None)

    def set_policy(self, text: str) -> None:
        self.version += 1
        self.tell_policy(policies.sign_policy(PolicyVersion(self.version, text, self.now(), TENANT, "Ada"), self.seed))

    def tell_policy(self, signed: SignedPolicy) -> None:
        self.signed = signed
        self._change("policy", "policy", encode(signed))

    def revoke(self, device: str) -> None:
        self.devices[device].is_revoked = True
        self.devices[device].shares.clear()
        self._wake()

    def _change(self, entity: str, identifier: str, raw: bytes | None) -> None:
        self.head += 1
        self.rows.pop((entity, identifier), None)
        value = None if raw is None else msgspec.Raw(raw)
        self.rows[entity, identifier] = Change(self.head, entity, identifier, value)  # pyright: ignore[reportArgumentType] one of the entities
        self._wake()

    def _end(self) -> None:
        self._wake()
        self._loop = None

    def _wake(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._moved.set)

    # What devices ask of it

    def _device(self, request: Request) -> FakeDevice:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.tokens:
            raise Refused(401, "invalid_token")
        device = self.devices[self.tokens[token]]
        if device.is_revoked:
            raise Refused(401, "revoked", "This device was revoked.")
        return device

    async def enroll(self, request: Request) -> object:
        asked = decode(await request.body(), EnrollRequest)
        public = enrolment.check_request(asked)
        if asked.code not in self.codes:
            raise Refused(403, "denied", "That code is spent.")
        self.codes.discard(asked.code)
        device = FakeDevice(public, self.person)
        self.devices[device.id] = device
        key = to_base64(signing.public_key(self.seed))
        return EnrollReply(device.id, device.cache_id, self.person, "Kim", "agent", TENANT, "Test Ltd", key, key)

    async def token(self, request: Request) -> object:
        asked = decode(await request.body(), TokenRequest)
        device = self.devices[assertions.claimed_device(asked.client_assertion)]
        try:
            assertions.check_assertion(asked.client_assertion, device.public, device.id, TENANT, self.now())
        except WabizError as error:
            raise Refused(401, error.code, error.sentence) from error
        if device.is_revoked:
            raise Refused(401, "revoked", "This device was revoked.")
        token = os.urandom(16).hex()
        self.tokens[token] = device.id
        return TokenReply(token, 600)

    async def me(self, request: Request) -> object:
        device = self._device(request)
        return WhoAmI(device.id, device.person, "Kim", "agent", TENANT, self.head, self.version, self.now())

    async def share(self, request: Request) -> object:
        device = self._device(request)
        epoch = int(request.query_params.get("epoch", device.epoch))
        if epoch not in device.shares:
            raise Refused(404, "not_found", "That share is destroyed.")
        return self._share(device, epoch)

    def _share(self, device: FakeDevice, epoch: int) -> ShareReply:
        share, outbox = (base64.b64encode(half).decode() for half in (device.shares[epoch], device.outbox_share))
        return ShareReply(epoch, share, outbox, self.lease, self.now(), device.is_reset)

    async def epochs(self, request: Request) -> object:
        device = self._device(request)
        after = decode(await request.body(), dict[str, int])["after"]
        if after == device.epoch:
            device.epoch += 1
            device.shares[device.epoch] = os.urandom(32)
        return self._share(device, after + 1)

    async def receipt(self, request: Request) -> object:
        device = self._device(request)
        signed = decode(await request.body(), SignedReceipt)
        if signed not in device.receipts:
            receipts.verify_next(signed, device.public, previous=device.receipts[-1] if device.receipts else None)
            device.receipts.append(signed)
        made = decode(signed.receipt, Receipt)
        device.shares.pop(made.epoch, None)
        return ReceiptReply(made.number, True, "")

    async def list_receipts(self, request: Request) -> object:
        return self._device(request).receipts

    async def changes(self, request: Request) -> object:
        self._device(request)
        self.pages_asked.append(int(request.query_params["since"]))
        return self._page(self.pages_asked[-1], int(request.query_params.get("limit", 1000)))

    def _page(self, since: int, limit: int) -> ChangesPage:
        newer = sorted((row for row in self.rows.values() if row.seq > since), key=lambda row: row.seq)
        page = newer[:limit]
        next_ = page[-1].seq if len(newer) > limit else self.head
        return ChangesPage(page, next_, self.head, len(newer) > limit, self.now())

    async def stream(self, request: Request) -> Response:
        device = self._device(request)

        async def events() -> AsyncIterator[bytes]:
            since = int(request.query_params["since"])
            yield b": hello\n\n" + self.greeting
            while not device.is_revoked:
                self._moved.clear()
                page = self._page(since, 100)
                if page.changes:
                    since = page.next
                    yield b"event: changes\nid: %d\ndata: %s\n\n" % (page.next, encode(page))
                    continue
                await self._moved.wait()
            yield b"event: revoked\ndata: {}\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    async def policy(self, request: Request) -> object:
        self._device(request)
        return self.signed

    async def act(self, request: Request) -> object:
        self._device(request)
        held: Conversation = self.values[request.path_params["id"]]
        raw = await request.body()
        match request.path_params["verb"]:
            case "status":
                change = decode(raw, StatusChange)
                resolved = self.now() if change.status == "resolved" else None
                self.put(msgspec.structs.replace(held, status=change.status, resolved_at=resolved, snoozed_until=change.until))
            case "assignee":
                wanted = decode(raw, Assignment)
                if wanted.expected is not None and held.assignee != wanted.expected:
                    raise Refused(409, "conflict", "Somebody else was first.")
                self.put(msgspec.structs.replace(held, assignee=wanted.person))
            case _:
                self.put(msgspec.structs.replace(held, unread=1 if decode(raw, ReadMark).unread else 0))
        return self.values[held.id]

    async def history(self, request: Request) -> object:
        """What this hub keeps of a conversation, for ever; the newest page, or the one before a message."""
        self._device(request)
        held = [self.values[identifier] for (entity, identifier), row in self.rows.items() if entity == "message" and row.value is not None]
        of_it = sorted((row for row in held if row.conversation == request.path_params["id"]), key=lambda row: (row.sent_at, row.id))
        before = request.query_params.get("before")
        places = [place for place, row in enumerate(of_it) if row.id == before]
        earlier = of_it[: places[0]] if places else of_it
        limit = int(request.query_params.get("limit", "50"))
        return HistoryPage(messages=earlier[-limit:], has_earlier=len(earlier) > limit)

    async def media(self, request: Request) -> Response:
        """The file of a message, or the rest of it; with `cut_media_after` the line breaks in the middle, as often as it says."""
        self._device(request)
        self.media_asked.append(request.headers.get("range", ""))
        file = self.files.get(request.path_params["id"], b"\x89PNG")
        start = int(request.headers.get("range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        length = len(file) - start
        if self.cut_media_after and self.media_cuts > 0:
            self.media_cuts -= 1
            length = min(length, self.cut_media_after)

        async def pieces() -> AsyncIterator[bytes]:
            for place in range(start, start + length, 65536):
                yield file[place : min(place + 65536, start + length)]

        headers = {"content-length": str(len(file) - start)}
        if start:
            headers["content-range"] = f"bytes {start}-{len(file) - 1}/{len(file)}"
        return StreamingResponse(pieces(), 206 if start else 200, headers, media_type="application/octet-stream")

    async def begin_upload(self, request: Request) -> object:
        self._device(request)
        wanted = decode(await request.body(), NewUpload)
        self.uploads.setdefault(wanted.id, (wanted, bytearray()))
        return self._upload(wanted.id)

    async def bring_piece(self, request: Request) -> object:
        self._device(request)
        _, came = self.uploads[request.path_params["upload"]]
        if int(request.path_params["offset"]) == len(came):
            came += await request.body()
        return self._upload(request.path_params["upload"])

    async def forget_upload(self, request: Request) -> Response:
        self._device(request)
        if self.uploads.pop(request.path_params["upload"], None) is None:
            raise Refused(404, "not_found", "There is no such upload.")
        return Response(status_code=204)

    def _upload(self, upload: str) -> UploadStanding:
        wanted, came = self.uploads[upload]
        return UploadStanding(wanted.id, wanted.size, len(came), 64 * 1024, wanted.id if upload in self.brought else "")

    async def pass_on(self, request: Request) -> object:
        self._device(request)
        upload = str(decode(await request.body(), dict[str, Any])["upload"])
        wanted, came = self.uploads[upload]
        assert hashlib.sha256(came).hexdigest() == wanted.sha256
        self.brought[upload] = bytes(came)
        return {"id": upload}

    async def send(self, request: Request) -> Response:
        device = self._device(request)
        key = request.headers["idempotency-key"]
        self.asked.append(key)
        if key not in self.answers:
            refused = self.refuse_send(key)
            if refused is not None:
                raise refused
            self.answers[key] = self._accept(device, request.path_params["number"], key, await request.body())
        if self.hang_up_after_send:
            self.hang_up_after_send -= 1
            return _HangUp()
        body = self.answers[key]
        return Response(body, media_type="application/json", headers={"Wabiz-Message": self.message_ids[key]})

    message_ids: dict[str, str] = {}  # noqa: RUF012 keys are random, so one table for all hubs does

    def _accept(self, device: FakeDevice, number: str, key: str, raw: bytes) -> bytes:
        asked = parse_send(raw)
        conversation = addressed_conversation(asked.recipient)
        assert conversation is not None
        self.sent.append((key, asked.original))
        identifier = new_id(self.now(), os.urandom)
        self.message_ids[key] = identifier
        wamid = "wamid." + base64.b64encode(os.urandom(20)).decode()
        delivery = Delivery(DeliveryState.ACCEPTED, {"accepted": self.now()})
        self.put(
            Message(
                identifier,
                conversation,
                Direction.OUTGOING,
                asked.content,
                self.now(),
                wamid,
                delivery,
                device.person,
                "Kim",
                key=key,
                origin="wabiz",
            )
        )
        return encode(build_accepted(wamid=wamid, input=asked.recipient or ""))

    # How it is served

    def app(self) -> Starlette:
        routes = [
            ("POST", "/v1/enroll", self.enroll), ("POST", "/v1/token", self.token), ("GET", "/v1/me", self.me),
            ("GET", "/v1/device/share", self.share), ("POST", "/v1/device/epochs", self.epochs), ("POST", "/v1/receipts", self.receipt),
            ("GET", "/v1/receipts", self.list_receipts),
            ("GET", "/v1/changes", self.changes), ("GET", "/v1/changes/stream", self.stream), ("GET", "/v1/policy", self.policy),
            ("POST", "/v1/conversations/{id}/{verb}", self.act), ("GET", "/v1/media/{id}", self.media),
            ("GET", "/v1/conversations/{id}/messages", self.history),
            ("POST", "/{version}/{number}/messages", self.send), ("POST", "/v1/uploads", self.begin_upload),
            ("PUT", "/v1/uploads/{upload}/{offset}", self.bring_piece), ("POST", "/{version}/{number}/media", self.pass_on),
            ("DELETE", "/v1/uploads/{upload}", self.forget_upload),
        ]  # fmt: skip
        return Starlette(routes=[Route(path, self._answering(handler), methods=[method]) for method, path, handler in routes])

    def _answering(self, handler: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            headers = {TIME_HEADER: self.now().isoformat()}
            try:
                told: object = await handler(request)
            except Refused as error:
                return Response(error.body, error.status, headers, "application/json")
            if isinstance(told, Response):
                return told
            return Response(encode(told), 200, headers, "application/json")

        return answer

    @contextmanager
    def serve(self, port: int = 0) -> Iterator["FakeHub"]:
        """Listen on 127.0.0.1 until the block ends; the same hub may be served again, on the same port."""

        def begin() -> None:
            self._loop = asyncio.get_running_loop()
            self._moved = asyncio.Event()

        config = uvicorn.Config(self.app(), log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
        with served_in_thread(config, port=port, in_loop=begin, ends=self._end) as self.url:
            yield self
