"""A simulator and a pretend hub on real loopback sockets, in the test's own loop."""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.support.prompt_server import served
from wabiz_tui.graph.signature import HEADER, is_signed
from wabiz_tui.model.secret import Secret
from wabiz_tui.simulator.app import create_app
from wabiz_tui.simulator.connection import CuttableProtocol
from wabiz_tui.simulator.options import SimulatorOptions
from wabiz_tui.simulator.world import World

WABA, NUMBER, TOKEN, APP_SECRET, VERIFY = "419561257915477", "106540352242922", "test_token", "test_app_secret", "test_verify"
CUSTOMER = "4915730000077"
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Plain loopback HTTP: reading the machine's certificates for each client costs more than the test."""
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass
class Hub:
    """Records what it is told; `answers` are used up one a POST, then 200."""

    answers: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    signatures: list[str | None] = field(default_factory=list)
    handshakes: list[dict[str, str]] = field(default_factory=list)
    refused_handshakes: int = 0
    told: asyncio.Event = field(default_factory=asyncio.Event)

    def app(self) -> Starlette:
        async def shake(request: Request) -> Response:
            self.handshakes.append(dict(request.query_params))
            if self.refused_handshakes > 0 or request.query_params.get("hub.verify_token") != VERIFY:
                self.refused_handshakes -= 1
                return Response(status_code=403)
            return PlainTextResponse(request.query_params["hub.challenge"])

        async def hear(request: Request) -> Response:
            self.bodies.append(await request.body())
            self.signatures.append(request.headers.get(HEADER))
            self.told.set()
            return Response(status_code=self.answers.pop(0) if self.answers else 200)

        return Starlette(routes=[Route("/webhooks/whatsapp", shake), Route("/webhooks/whatsapp", hear, methods=["POST"])])

    def signed(self) -> list[bool]:
        return [is_signed(body, header, [Secret(APP_SECRET)]) for body, header in zip(self.bodies, self.signatures, strict=True)]

    def values(self, key: str) -> list[dict[str, Any]]:
        """All `messages`, `statuses` … told so far."""
        changes = [change for body in self.bodies for entry in json.loads(body)["entry"] for change in entry["changes"]]
        return [item for change in changes for item in change["value"].get(key, [])]

    def told_of(self, field: str) -> list[dict[str, Any]]:
        """The values told under a webhook field so far."""
        changes = [change for body in self.bodies for entry in json.loads(body)["entry"] for change in entry["changes"]]
        return [change["value"] for change in changes if change["field"] == field]

    async def until(self, fact: Callable[[], Any]) -> Any:
        """Wait for a fact about what was told; a minute at most."""
        async with asyncio.timeout(60):
            while not (found := fact()):
                self.told.clear()
                await self.told.wait()
            return found


@dataclass
class Stage:
    hub: Hub
    http: httpx.AsyncClient
    url: str
    world: World

    async def control(self, endpoint: str, /, **body: Any) -> dict[str, Any]:
        answer = await self.http.post(f"/_control/{endpoint}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def ask(self, name: str) -> dict[str, Any]:
        return (await self.http.get(f"/_control/{name}")).json()

    async def graph(self, method: str, path: str, body: Any = None, /, *, expect: int = 200, **params: Any) -> dict[str, Any]:
        """A Graph call by the newest version; the answer, whose status must be the one named."""
        answer = await self.http.request(method, f"/v26.0/{path}", json=body, params=params, headers=self.bearer)
        assert answer.status_code == expect, answer.text
        return answer.json()

    async def refused(self, method: str, path: str, body: Any = None, /, *, expect: int = 400, **params: Any) -> dict[str, Any]:
        """The error a Graph call is refused with."""
        return (await self.graph(method, path, body, expect=expect, **params))["error"]

    async def send(self, text: str = "Hi", **parts: Any) -> httpx.Response:
        body = {"messaging_product": "whatsapp", "to": f"+{CUSTOMER}", "type": "text", "text": {"body": text}, **parts}
        return await self.http.post(f"/v26.0/{NUMBER}/messages", json=body, headers=self.bearer)

    async def write(self, text: str = "Hello", **parts: Any) -> dict[str, Any]:
        return await self.control("inbound", **{"from": CUSTOMER, "name": "Zoë", "text": text, **parts})

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {TOKEN}"}


@asynccontextmanager
async def serving(app: Starlette) -> AsyncGenerator[str, None]:
    """`app` on a free loopback port; its base URL."""
    async with served(uvicorn.Config(app, log_config=None, http=CuttableProtocol, ws="none", timeout_graceful_shutdown=1)) as url:
        yield url


@asynccontextmanager
async def staged(hub: Hub | None = None, *, pace: float = 0.0, **options: Any) -> AsyncGenerator[Stage, None]:
    """A hub and a simulator that is told of it."""
    hub = hub or Hub()
    async with serving(hub.app()) as hub_url:
        whole: dict[str, Any] = {
            "waba_id": WABA,
            "phone_number_ids": (NUMBER,),
            "hub_url": hub_url,
            "app_secret": Secret(APP_SECRET),
            "token": Secret(TOKEN),
            "verify_token": Secret(VERIFY),
            **options,
        }
        app = create_app(SimulatorOptions(**whole))
        app.state.world.settings.pace = pace
        async with serving(app) as url, httpx.AsyncClient(base_url=url, trust_env=False, timeout=60, verify=NO_CERTIFICATES) as http:
            yield Stage(hub, http, url, app.state.world)
