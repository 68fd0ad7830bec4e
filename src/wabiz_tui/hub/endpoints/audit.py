"""The audit log."""

from starlette.requests import Request
from starlette.responses import Response

from wabiz_tui.hub import audit
from wabiz_tui.hub.endpoints.endpoint import Endpoint
from wabiz_tui.hub.parts import Hub
from wabiz_tui.hub.people.access import Caller
from wabiz_tui.hub.requests import json_answer, whole_number


async def audit_checkpoint(hub: Hub, _caller: Caller, _request: Request) -> Response:
    key = hub.secrets.audit_key
    return json_answer({"checkpoint": await hub.archive.read(lambda reading: audit.checkpoint(reading, key))})


async def audit_entries(hub: Hub, _caller: Caller, request: Request) -> Response:
    start, limit = whole_number(request, "start", 0), whole_number(request, "limit", audit.MOST_ENTRIES)
    return json_answer({"entries": await hub.archive.read(lambda reading: audit.entries(reading, start, limit))})


async def audit_consistency(hub: Hub, _caller: Caller, request: Request) -> Response:
    old, new = whole_number(request, "old", 0), whole_number(request, "new", -1)
    return json_answer(await hub.archive.read(lambda reading: audit.consistency(reading, old, None if new < 0 else new)))


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/v1/audit/checkpoint", "audit.read", "The audit log's signed checkpoint.", audit_checkpoint),
    Endpoint("GET", "/v1/audit/entries", "audit.read", "Entries from ?start=N.", audit_entries),
    Endpoint("GET", "/v1/audit/consistency", "audit.read", "Proof that the log of ?new=M begins with that of ?old=N.", audit_consistency),
)
