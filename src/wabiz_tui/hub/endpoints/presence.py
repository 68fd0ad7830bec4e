"""Who looks at a conversation, and who types."""

from starlette.requests import Request
from starlette.responses import Response

from wabiz_tui.hub.endpoints.endpoint import Endpoint
from wabiz_tui.hub.parts import Hub
from wabiz_tui.hub.people.access import Caller
from wabiz_tui.hub.requests import read_json
from wabiz_tui.hub.work.sight import visible_conversation
from wabiz_tui.model.work import PresenceMark


async def mark(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted, conversation = await read_json(request, PresenceMark), request.path_params["conversation"]
    await hub.archive.read(lambda reading: visible_conversation(reading, caller.viewer, conversation))
    hub.feed.presence.say(caller.person, conversation, wanted.doing)
    return Response(status_code=204)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "POST", "/v1/conversations/{conversation}/presence", "presence.send",
        "Say that one looks at it, types, or left; told to others, never stored.", mark, PresenceMark,
    ),
)  # fmt: skip
