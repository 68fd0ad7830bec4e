"""Content by request: earlier messages and files."""

from starlette.requests import Request
from starlette.responses import Response

from wabiz_tui.hub.endpoints.endpoint import Endpoint
from wabiz_tui.hub.feed.history import read_history
from wabiz_tui.hub.ingest.delivery import deliver, not_there, stored_file
from wabiz_tui.hub.parts import Hub
from wabiz_tui.hub.people.access import Caller
from wabiz_tui.hub.requests import json_answer, whole_number


async def history(hub: Hub, caller: Caller, request: Request) -> Response:
    conversation, before = request.path_params["conversation"], request.query_params.get("before")
    limit, current = whole_number(request, "limit", 100), hub.policy.policy
    page = await hub.archive.write(
        lambda writing: read_history(writing, caller.viewer, conversation, before=before, limit=limit, policy=current)
    )
    return json_answer(page)


async def media(hub: Hub, caller: Caller, request: Request) -> Response:
    message = request.path_params["message"]
    stored = await hub.archive.read(lambda reading: stored_file(reading, caller.viewer, message))
    # Never a type the customer named: nobody's browser shall run it.
    answer = await deliver(hub.archive, stored, request.headers, media_type="application/octet-stream")
    if answer is None:
        raise not_there("stored")
    return answer


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/v1/conversations/{conversation}/messages", "message.read", "Its messages from the archive, audited.", history),
    Endpoint("GET", "/v1/media/{message}", "media.read", "The file of a message.", media),
)
