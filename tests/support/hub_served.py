"""A hub served over real HTTP in the test's own loop, with a pretend Meta beside it, and devices that speak to it."""

import asyncio
import base64
import contextlib
import hashlib
import json
import ssl
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.hub_archive import NUMBER, TENANT, HandClock, seeded
from tests.support.prompt_server import served
from wabiz_tui.graph.signature import sign
from wabiz_tui.hub.app import create_app, join
from wabiz_tui.hub.archive.events import fold_position
from wabiz_tui.hub.front.guard import Guard
from wabiz_tui.hub.front.protocol import GuardedConfig, GuardedProtocol
from wabiz_tui.hub.gateway.room import free_on_disk
from wabiz_tui.hub.operations.secrets import load_secrets
from wabiz_tui.hub.operations.settings import initialise, load_settings
from wabiz_tui.hub.parts import Hub
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.feed import Change, ChangesPage
from wabiz_tui.model.paths import paths_under
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.wire import EnrollReply, EnrolmentCode, Receipt, ReceiptCounts, ShareReply, SignedReceipt, TokenReply, TokenRequest
from wabiz_tui.proof.assertions import make_assertion
from wabiz_tui.proof.enrolment import build_request
from wabiz_tui.proof.receipts import chain_hash, sign_receipt
from wabiz_tui.proof.signing import generate

APP_SECRET, VERIFY_TOKEN, GRAPH_TOKEN = "an-app-secret", "a-verify-token", "EAAcanary-graph-token"
ENVIRONMENT = {"T_GRAPH": GRAPH_TOKEN, "T_APP": APP_SECRET, "T_VERIFY": VERIFY_TOKEN}


class Meta:
    """A pretend Graph API: takes sends as told by `mode`, and hands out media."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.reads: list[dict[str, Any]] = []
        self.mode = "accept"
        self.files: dict[str, bytes] = {}
        self.templates: list[dict[str, Any]] | None = None
        self.asked: list[dict[str, str]] = []
        self.hold: asyncio.Event | None = None
        self.arrived = asyncio.Event()
        self.blocking = "accept"
        self.blocks: list[tuple[str, str]] = []
        self.url = ""
        self.trouble = ""
        """With files: `down`, `token` (Meta refuses ours), `cut` (a line that breaks) or `wrong` (other bytes)."""

    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/{version}/{number}/messages", self._messages, methods=["POST"]),
                Route("/{version}/{waba}/message_templates", self._message_templates),
                Route("/{version}/{number}/media", self._upload, methods=["POST"]),
                Route("/{version}/{number}/block_users", self._block_users, methods=["POST", "DELETE"]),
                Route("/bytes/{media}", self._bytes),
                Route("/{version}/{media}", self._media, methods=["GET", "DELETE"]),
            ]
        )

    async def _messages(self, request: Request) -> Response:
        assert request.headers["authorization"] == f"Bearer {GRAPH_TOKEN}"
        body = await request.json()
        if body.get("status") == "read":
            self.reads.append(body)
            return JSONResponse({"success": True})
        self.sent.append(body)
        self.arrived.set()
        if self.hold is not None:
            await self.hold.wait()
        if self.mode == "refuse":
            error = {"message": "(#131026) Message undeliverable", "code": 131026, "error_data": {"details": "gone"}, "fbtrace_id": "t"}
            return JSONResponse({"error": error}, 400)
        if self.mode == "break":
            return Response(b"", 502)
        to = body.get("to", "")
        contact = {"input": to, "wa_id": to.removeprefix("+")} if to else {"input": body.get("recipient"), "user_id": body.get("recipient")}
        wamid = f"wamid.SENT{len(self.sent)}"
        return JSONResponse({"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": wamid}]})

    async def _message_templates(self, request: Request) -> Response:
        self.asked.append(dict(request.query_params))
        if self.templates is None:
            return Response(b"", 503)
        return JSONResponse({"data": self.templates, "paging": {"cursors": {}}})

    async def _upload(self, request: Request) -> Response:
        async with request.form() as form:
            file = form["file"]
            assert not isinstance(file, str)
            media = str(9000 + len(self.files))
            self.files[media] = await file.read()
        return JSONResponse({"id": media})

    async def _block_users(self, request: Request) -> Response:
        asked = [one.get("user") or one["user_id"] for one in (await request.json()).get("block_users", [])]
        self.blocks += [(request.method, one) for one in asked]
        if self.blocking == "break":
            return Response(b"", 502)
        users = [{"input": one, **({} if "." in one else {"wa_id": one})} for one in asked]
        if self.blocking == "refuse":
            reason = {"code": 131047, "message": "Re-engagement message", "error_data": {"details": "more than 24 hours"}}
            lists = {"added_users": [], "failed_users": [{**user, "errors": [reason]} for user in users]}
            error = {"message": "(#139100) Failed", "code": 139100, "fbtrace_id": "t"}
            return JSONResponse({"messaging_product": "whatsapp", "block_users": lists, "error": error}, 400)
        return JSONResponse({"messaging_product": "whatsapp", "block_users": {"added_users": users}})

    async def _media(self, request: Request) -> Response:
        media = request.path_params["media"]
        if self.trouble == "down":
            return Response(b"", 503)
        if self.trouble == "token":
            return JSONResponse({"error": {"message": "Error validating access token", "type": "OAuthException", "code": 190}}, 401)
        if media not in self.files:
            return JSONResponse({"error": {"message": "(#100) gone", "code": 100}}, 400)
        if request.method == "DELETE":
            del self.files[media]
            return JSONResponse({"success": True})
        content = self.files[media]
        url = f"{self.url}/bytes/{media}"
        return JSONResponse({"url": url, "mime_type": "image/jpeg", "sha256": hashlib.sha256(content).hexdigest(), "id": media})

    async def _bytes(self, request: Request) -> Response:
        content = self.files[request.path_params["media"]]
        if self.trouble == "cut":
            return Response(content[:100], headers={"Content-Length": str(len(content))})
        return Response(content if self.trouble != "wrong" else content[::-1])


class TestDevice:
    """A device as far as the hub can tell."""

    __test__ = False

    def __init__(self, served: "Served", seed: Secret, reply: EnrollReply) -> None:
        self.served, self.seed, self.reply = served, seed, reply
        self.token = ""
        self.receipts: list[SignedReceipt] = []

    async def log_in(self) -> "TestDevice":
        response = await self.ask_token()
        assert response.status_code == 200, response.text
        self.token = decode(response.content, TokenReply).access_token
        return self

    async def ask_token(self, assertion: str = "") -> httpx.Response:
        made = assertion or self.assertion()
        return await self.served.http.post("/v1/token", content=encode(TokenRequest(made)))

    def assertion(self) -> str:
        return make_assertion(self.reply.device, self.reply.tenant, self.seed, self.served.clock.now(), self.served.random)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def get(self, path: str) -> httpx.Response:
        return await self.served.http.get(path, headers=self.headers)

    async def post(self, path: str, body: object) -> httpx.Response:
        return await self.served.http.post(path, content=encode(body), headers=self.headers)

    async def send(self, body: dict[str, Any], *, key: str | None = "key-1", number: str = NUMBER) -> httpx.Response:
        headers = self.headers | ({"Idempotency-Key": key} if key is not None else {})
        return await self.served.http.post(f"/v26.0/{number}/messages", content=encode(body), headers=headers)

    async def page(self, since: int = 0, limit: int = 1000) -> ChangesPage:
        response = await self.get(f"/v1/changes?since={since}&limit={limit}")
        assert response.status_code == 200, response.text
        return decode(response.content, ChangesPage)

    async def seen(self, entity: str) -> dict[str, dict[str, Any]]:
        """The values of all entities of a kind as the feed shows them now, by id."""
        changes: list[Change] = []
        since, more = 0, True
        while more:
            page = await self.page(since)
            changes += page.changes
            since, more = page.next, page.more
        return {change.id: json.loads(bytes(change.value)) for change in changes if change.entity == entity and change.value is not None}

    async def share(self) -> ShareReply:
        response = await self.get("/v1/device/share")
        assert response.status_code == 200, response.text
        return decode(response.content, ShareReply)

    def receipt(self, *, epoch: int, next_epoch: int, number: int | None = None) -> SignedReceipt:
        now = self.served.clock.now()
        receipt = Receipt(
            number=number or len(self.receipts) + 1,
            device=self.reply.device,
            tenant=self.reply.tenant,
            epoch=epoch,
            next_epoch=next_epoch,
            policy=1,
            reason="due",
            started_at=now,
            finished_at=now,
            removed=ReceiptCounts(messages=3),
            kept=ReceiptCounts(),
            ids_hash="00" * 32,
            stores=("cache",),
            method="rebuild",
            file_destroyed=True,
            key_destroyed=True,
            previous=chain_hash(self.receipts[-1] if self.receipts else None),
        )
        signed = sign_receipt(receipt, self.seed)
        self.receipts.append(signed)
        return signed


class Served:
    def __init__(self, hub: Hub, http: httpx.AsyncClient, clock: HandClock, code: EnrolmentCode, meta: Meta) -> None:
        self.hub, self.http, self.clock, self.code, self.meta = hub, http, clock, code, meta
        self.random = seeded(99)

    async def post_webhook(self, raw: bytes, *, signature: str | None = None, **headers: str) -> httpx.Response:
        signed = sign(raw, Secret(APP_SECRET)) if signature is None else signature
        given = {"X-Hub-Signature-256": signed, "Content-Type": "application/json", **headers} if signed else headers
        return await self.http.post("/webhooks/whatsapp", content=raw, headers=given)

    async def webhook(self, value: dict[str, Any], *, field: str = "messages") -> None:
        """Tell the hub one change, and wait until it is folded."""
        response = await self.post_webhook(body_of(value, field=field))
        assert response.status_code == 200
        await self.folded()

    async def incoming(
        self, text: str = "Hello", *, wamid: str = "wamid.A", sender: str = "447700900123", at: datetime | None = None
    ) -> None:
        await self.webhook(text_value(text, wamid=wamid, sender=sender, at=at or self.clock.now()))

    async def folded(self) -> None:
        """Wait until everything acknowledged is in the archive."""
        last = self.hub.journal.last()
        async with asyncio.timeout(60):
            while await self.hub.archive.read(fold_position) < last:  # noqa: ASYNC110 the archive tells nobody how far it folded
                await asyncio.sleep(0.005)

    async def enroll(self, code: str, seed_number: int = 5) -> TestDevice:
        seed = generate(seeded(seed_number))
        response = await self.http.post("/v1/enroll", content=encode(build_request(code, seed, device_name="laptop")))
        assert response.status_code == 200, response.text
        return await TestDevice(self, seed, decode(response.content, EnrollReply)).log_in()

    async def admin(self) -> TestDevice:
        return await self.enroll(self.code.code)

    async def person(self, admin: TestDevice, name: str, role: str) -> TestDevice:
        response = await admin.post("/v1/people", {"name": name, "role": role})
        assert response.status_code == 201, response.text
        return await self.enroll(decode(response.content, EnrolmentCode).code, seed_number=hash((name, role)) % 10**6)


def text_value(text: str, *, wamid: str, sender: str, at: datetime) -> dict[str, Any]:
    message = {"from": sender, "id": wamid, "timestamp": str(int(at.timestamp())), "type": "text", "text": {"body": text}}
    return value_of(messages=[message], contacts=[{"profile": {"name": "Ada Lovelace"}, "wa_id": sender}])


def value_of(**parts: Any) -> dict[str, Any]:
    return {"messaging_product": "whatsapp", "metadata": {"display_phone_number": "15550783881", "phone_number_id": NUMBER}, **parts}


def status_value(wamid: str, status: str, at: datetime, **more: Any) -> dict[str, Any]:
    told = {"id": wamid, "status": status, "timestamp": str(int(at.timestamp())), "recipient_id": "447700900123", **more}
    return value_of(statuses=[told])


def body_of(value: dict[str, Any], *, field: str = "messages", waba: str = TENANT) -> bytes:
    return json.dumps(
        {"object": "whatsapp_business_account", "entry": [{"id": waba, "changes": [{"field": field, "value": value}]}]}
    ).encode()


def digest64(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


# Loading the authorities takes 40 ms, and nothing here is encrypted.
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@contextlib.asynccontextmanager
async def serving(application: Any, *, guard: Guard | None = None) -> AsyncGenerator[str]:
    """The application on a free port of this machine; with a `guard` on lines as the hub's own process has them."""
    settings: dict[str, Any] = {"log_config": None, "access_log": False, "lifespan": "on", "ws": "none", "timeout_graceful_shutdown": 3}
    config = (
        uvicorn.Config(application, **settings)
        if guard is None
        else GuardedConfig(application, guard=guard, http=GuardedProtocol, **settings)
    )
    async with served(config) as url:
        yield url


@contextlib.asynccontextmanager
async def served_hub(
    home: Path,
    *,
    archive: str = "",
    waba_id: str = TENANT,
    at: datetime = datetime(2026, 11, 22, 12, 0, tzinfo=UTC),
    graph_url: str = "",
    is_guarded: bool = False,
    more: str = "",
    disk_free: Callable[[Path], int] = free_on_disk,
) -> AsyncGenerator[Served]:
    """`graph_url` puts another Meta than the pretend one behind the hub; `is_guarded` serves it on the lines of its own process;
    `more` is written under what hub.toml holds; `disk_free` tells what its disk has."""
    clock, meta = HandClock(at), Meta()
    async with serving(meta.application()) as meta_url:
        meta.url = meta_url
        paths = paths_under(home)
        names = {"graph_token_env": "T_GRAPH", "app_secret_env": "T_APP", "verify_token_env": "T_VERIFY"}
        code = initialise(
            paths,
            archive=archive or str(home / "archive.db"),
            waba_id=waba_id,
            phone_number_ids=[NUMBER],
            graph_url=graph_url or meta_url,
            clock=clock,
            random_bytes=seeded(),
            environment=ENVIRONMENT,
            **names,
        )
        with (paths.config / "hub.toml").open("a", encoding="utf-8") as config:
            config.write(more)
        settings = load_settings(paths.config / "hub.toml")
        hub = join(settings, load_secrets(settings.secret_places, ENVIRONMENT), clock=clock, random_bytes=seeded(2), disk_free=disk_free)
        guard = hub.guard if is_guarded else None
        async with (
            serving(create_app(hub), guard=guard) as url,
            httpx.AsyncClient(base_url=url, timeout=60, trust_env=False, verify=_NO_TLS) as http,
        ):
            yield Served(hub, http, clock, code, meta)
            hub.feed.close()


HOUR = timedelta(hours=1)
