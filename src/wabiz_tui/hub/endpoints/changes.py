"""The feed by request; its stream is bare ASGI (app.py)."""

import asyncio
import gzip

from starlette.requests import Request
from starlette.responses import Response

from wabiz_tui.hub.endpoints.endpoint import Endpoint
from wabiz_tui.hub.feed.pages import USUAL_CHANGES
from wabiz_tui.hub.parts import Hub
from wabiz_tui.hub.people.access import Caller
from wabiz_tui.hub.requests import whole_number

_LEVEL = 1
"""As measured in docs/decisions/feed-pages.md."""
_WORTH_IT = 1024


async def changes(hub: Hub, caller: Caller, request: Request) -> Response:
    since, limit = whole_number(request, "since", 0), whole_number(request, "limit", USUAL_CHANGES)
    await hub.intake.caught_up()
    page = await hub.feed.page(caller.viewer, since=since, limit=limit)
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Encoding"}
    raw = page.raw
    if len(raw) >= _WORTH_IT and takes_gzip(request.headers.get("accept-encoding", "")):
        raw = await asyncio.get_running_loop().run_in_executor(None, lambda: gzip.compress(page.raw, _LEVEL, mtime=0))
        headers["Content-Encoding"] = "gzip"
    return Response(raw, media_type="application/json", headers=headers)


def takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header (RFC 9110 §12.5.3) takes gzip, named or by `*`, with a weight that is not 0."""
    weights: dict[str, float] = {}
    for part in accepted.lower().split(","):
        coding, _, parameter = part.partition(";")
        name, _, weight = parameter.strip().partition("=")
        try:
            weights[coding.strip()] = float(weight) if name.strip() == "q" else 1.0
        except ValueError:
            weights[coding.strip()] = 0.0
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/v1/changes", "feed.read", "A page of changes after ?since=N.", changes),
    Endpoint("GET", "/v1/changes/stream", "feed.read", "Changes as they come (server-sent events).", None),
)
