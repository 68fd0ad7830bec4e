"""The feed by request; its stream is bare ASGI (app.py)."""

from starlette.requests import Request
from starlette.responses import Response

from wabiz_tui.hub.endpoints.endpoint import Endpoint
from wabiz_tui.hub.feed.pages import MOST_CHANGES
from wabiz_tui.hub.parts import Hub
from wabiz_tui.hub.people.access import Caller
from wabiz_tui.hub.requests import json_answer, whole_number


async def changes(hub: Hub, caller: Caller, request: Request) -> Response:
    since, limit = whole_number(request, "since", 0), whole_number(request, "limit", MOST_CHANGES)
    await hub.intake.caught_up()
    return json_answer(await hub.feed.page(caller.viewer, since=since, limit=limit))


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/v1/changes", "feed.read", "A page of changes after ?since=N.", changes),
    Endpoint("GET", "/v1/changes/stream", "feed.read", "Changes as they come (server-sent events).", None),
)
