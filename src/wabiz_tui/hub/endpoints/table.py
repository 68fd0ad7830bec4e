"""All endpoints of /v1: the table that routes, checks and describes them."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from wabiz_tui.hub.endpoints import audit, changes, enrolment, people, policy, reading, work
from wabiz_tui.hub.endpoints.endpoint import Endpoint
from wabiz_tui.hub.gateway.door import CALLS
from wabiz_tui.hub.parts import Hub
from wabiz_tui.hub.requests import json_answer


async def openapi(_hub: Hub, _request: Request) -> Response:
    return json_answer(describe())


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/v1/openapi.json", "", "This description.", openapi),
    *enrolment.ENDPOINTS,
    *changes.ENDPOINTS,
    *policy.ENDPOINTS,
    *people.ENDPOINTS,
    *work.ENDPOINTS,
    *reading.ENDPOINTS,
    *audit.ENDPOINTS,
)

OTHERS: tuple[tuple[str, str, str, str], ...] = (
    ("GET", "/webhooks/whatsapp", "", "Meta's handshake; needs the verify token."),
    ("POST", "/webhooks/whatsapp", "", "Meta's webhooks; each signed with the app secret."),
    *((method, "/{version}" + path, permission, "As Meta's Cloud API; see docs/gateway.md.") for method, path, _, permission in CALLS),
    ("GET", "/healthz", "", "The process lives."),
    ("GET", "/readyz", "", "The archive answers."),
    ("GET", "/metrics", "", "Counts for Prometheus, to loopback only."),
)


def describe() -> dict[str, Any]:
    """The OpenAPI document: every endpoint with the permission it needs (`x-permission`)."""
    paths: dict[str, dict[str, Any]] = {}
    described = [(one.method, one.path, one.permission, one.summary) for one in ENDPOINTS]
    for method, path, permission, summary in (*described, *OTHERS):
        names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        operation: dict[str, Any] = {
            "summary": summary,
            "x-permission": permission or None,
            "security": [{"device": []}] if permission else [],
            "parameters": [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names],
            "responses": {"default": {"description": "An answer, or a code and a sentence."}},
        }
        paths.setdefault(path, {})[method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "wabiz hub", "version": "1"},
        "paths": paths,
        "components": {"securitySchemes": {"device": {"type": "http", "scheme": "bearer"}}},
    }
