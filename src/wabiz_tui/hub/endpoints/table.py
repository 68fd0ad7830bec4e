"""All endpoints of /v1: the table that routes, checks and describes them."""

from functools import cache
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wabiz_tui.hub.endpoints import (
    audit,
    changes,
    contacts,
    enrolment,
    identities,
    notes,
    people,
    policy,
    presence,
    reading,
    routines,
    shifts,
    teams,
    uploads,
    work,
)
from wabiz_tui.hub.endpoints.endpoint import Endpoint
from wabiz_tui.hub.gateway.door import CALLS
from wabiz_tui.hub.parts import Hub
from wabiz_tui.hub.requests import json_answer
from wabiz_tui.model.codec import encode
from wabiz_tui.model.wire import ErrorBody


async def openapi(_hub: Hub, _request: Request) -> Response:
    return json_answer(_described())


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/v1/openapi.json", "", "This description.", openapi),
    *enrolment.ENDPOINTS,
    *changes.ENDPOINTS,
    *policy.ENDPOINTS,
    *people.ENDPOINTS,
    *teams.ENDPOINTS,
    *identities.ENDPOINTS,
    *work.ENDPOINTS,
    *notes.ENDPOINTS,
    *contacts.ENDPOINTS,
    *reading.ENDPOINTS,
    *presence.ENDPOINTS,
    *routines.ENDPOINTS,
    *shifts.ENDPOINTS,
    *uploads.ENDPOINTS,
    *audit.ENDPOINTS,
)

OTHERS: tuple[tuple[str, str, str, str], ...] = (
    ("GET", "/webhooks/whatsapp", "", "Meta's handshake; needs the verify token."),
    ("POST", "/webhooks/whatsapp", "", "Meta's webhooks; each signed with the app secret."),
    *((method, "/{version}" + path, permission, "As Meta's Cloud API; see docs/gateway.md.") for method, path, _, permission in CALLS),
    ("GET", "/healthz", "", "The process lives."),
    ("GET", "/readyz", "", "The archive answers."),
    ("GET", "/metrics", "", "Counts for Prometheus: to this machine, trusted proxies and the metrics token."),
)


@cache
def _described() -> msgspec.Raw:
    """Encoded once: whoever has no token asks for it as often as they like."""
    return msgspec.Raw(encode(describe()))


def describe() -> dict[str, Any]:
    """The OpenAPI document: every endpoint with the permission it needs (`x-permission`), what it takes and what it answers."""
    types = [kind for one in ENDPOINTS for kind in (one.body, one.answer) if kind is not None]
    shapes, components = msgspec.json.schema_components([*types, ErrorBody], ref_template="#/components/schemas/{name}")
    schema_of = dict(zip(types, shapes, strict=False))
    paths: dict[str, dict[str, Any]] = {}
    for one in ENDPOINTS:
        operation = _operation(one.path, one.permission, one.summary, one.parameters)
        if one.body is not None:
            operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema_of[one.body]}}}
        if one.answer is not None:
            operation["responses"]["200"] = {"description": "Done.", "content": {"application/json": {"schema": schema_of[one.answer]}}}
        refusal = {"description": "A code and a sentence.", "content": {"application/json": {"schema": shapes[-1]}}}
        operation["responses"]["default"] = refusal
        paths.setdefault(one.path, {})[one.method.lower()] = operation
    for method, path, permission, summary in OTHERS:
        paths.setdefault(path, {})[method.lower()] = _operation(path, permission, summary, ())
    return {
        "openapi": "3.1.0",
        "info": {"title": "wabiz hub", "version": "1"},
        "paths": paths,
        "components": {"securitySchemes": {"device": {"type": "http", "scheme": "bearer"}}, "schemas": components},
    }


def _operation(path: str, permission: str, summary: str, query: tuple[str, ...]) -> dict[str, Any]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    parameters = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
    parameters += [{"name": name, "in": "query", "required": False, "schema": {"type": "string"}} for name in query]
    return {
        "summary": summary,
        "x-permission": permission or None,
        "security": [{"device": []}] if permission else [],
        "parameters": parameters,
        "responses": {"default": {"description": "An answer, or an error."}},
    }
