"""The way into the pretend Graph API: version, token, permission, object, then the endpoint; every refusal as Graph words it."""

import re
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.reading import Json, word
from wabiz_tui.model.codec import encode
from wabiz_tui.model.errors import BadInput, CloudError
from wabiz_tui.simulator.endpoints.call import Call, read_parameters
from wabiz_tui.simulator.endpoints.tokens import APP_TOKEN, admit
from wabiz_tui.simulator.refusals import bad_method, error_body, no_field, no_object, unknown_path
from wabiz_tui.simulator.world import World

NEWEST, OLDEST = 26, 21
"""v20.0 ended on 24 September 2026; a call to an ended version is served by the oldest living one (cloud-api §1)."""
METHODS = ("GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS")
MESSAGING_EDGES = ("messages", "marketing_messages", "media")
_VERSION = re.compile(r"v([0-9]{1,2})\.([0-9])")
_LIKE_A_VERSION = re.compile(r"v[0-9.]+")
_JSON = "application/json; charset=UTF-8"

Answer = Json | Response
Handler = Callable[[Call], Awaitable[Answer]]
Edges = Mapping[str, Mapping[str, Handler]]
"""Edge ("" is the object itself, `name/` an item of the edge) → method → handler."""


class Cut(Exception):
    """End the connection without an answer."""


class Node:
    """A kind of object: what Graph calls it, how to know its ids, and what can be asked of it."""

    def __init__(self, name: str, knows: Callable[[World, str], bool], edges: Edges) -> None:
        self.name, self.knows, self.edges = name, knows, edges


def graph_route(world: World, nodes: tuple[Node, ...], free: Mapping[str, Handler]) -> Route:
    """Everything that is no other route's: Graph has one space of objects. `free` are paths that name no object."""

    async def answered(request: Request) -> Response:
        version = NEWEST
        try:
            version, parts = _path(request.url.path)
            call = await _call(world, request, version, parts)
            handler = _handler(world, call, parts, nodes, free)
            _check_permission(world, call, parts)
            if not _is_messaging(parts):
                world.account.quota.take(world.now())
            answer = await handler(call)
        except CloudError as error:
            answer = refusal(world, error)
        except BadInput as error:
            answer = refusal(world, graph_error(100, error.sentence))
        if not isinstance(answer, Response):
            answer = json_response(answer)
        answer.headers["facebook-api-version"] = f"v{version}.0"
        answer.headers["x-business-use-case-usage"] = _usage(world)
        return answer

    return Route("/{path:path}", answered, methods=METHODS)


def json_response(body: Json, status: int = 200) -> Response:
    return JSONResponse(body, status, media_type=_JSON)


def refusal(world: World, error: CloudError) -> Response:
    trace = world.trace()
    body, status = error_body(error, trace)
    response = json_response(body, status)
    response.headers["x-fb-trace-id"] = trace
    if status == 401:
        response.headers["WWW-Authenticate"] = 'OAuth "Facebook Platform" "invalid_token"'
    return response


def _path(path: str) -> tuple[int, list[str]]:
    """The version a path is served with, and its parts behind it. A path without one gets the newest: the app's default."""
    parts = [part for part in path.split("/") if part]
    if not parts or _LIKE_A_VERSION.fullmatch(parts[0]) is None:
        return NEWEST, parts
    told = _VERSION.fullmatch(parts[0])
    if told is None or int(told.group(1)) > NEWEST or int(told.group(1)) < 1 or (told.group(2) != "0" and int(told.group(1)) > 2):
        raise unknown_path(path)
    return max(OLDEST, int(told.group(1))), parts[1:]


async def _call(world: World, request: Request, version: int, parts: list[str]) -> Call:
    parameters = await read_parameters(request)
    given = parameters.given
    # Who asks for the app's token has none yet: the app secret is the proof.
    is_app = parts != APP_TOKEN.split("/") and admit(world, request, given)
    method = word(given.pop("method", "")).upper() or request.method
    return Call(
        world=world,
        request=request,
        method=method,
        version=version,
        node=parts[0] if parts else "",
        item=parts[2] if len(parts) > 2 else "",
        given=given,
        file=parameters.file,
        is_app=is_app,
    )


def _handler(world: World, call: Call, parts: list[str], nodes: tuple[Node, ...], free: Mapping[str, Handler]) -> Handler:
    if call.method not in ("GET", "POST", "DELETE"):
        raise bad_method(call.method)
    if "/".join(parts) in free:
        return free["/".join(parts)]
    if not 1 <= len(parts) <= 3:
        raise unknown_path(call.request.url.path)
    node = next((one for one in nodes if one.knows(world, call.node)), None)
    if node is None:
        raise no_object(call.node, call.method)
    edge = parts[1] if len(parts) > 1 else ""
    handler = node.edges.get(edge + "/" if call.item else edge, {}).get(call.method)
    if handler is not None:
        return handler
    if call.method == "GET" and edge:
        raise no_field(edge, node.name)
    raise no_object(call.node, call.method)


def _check_permission(world: World, call: Call, parts: list[str]) -> None:
    """The fault `permission_lost`, for one scope where it names one; 10 unless it names another code (200 to 299)."""
    if not parts or parts[0] == "debug_token":
        return
    fault = world.faults.find("permission_lost", world.now())
    if fault is None:
        return
    scope = fault.word("scope")
    if scope and scope != ("whatsapp_business_messaging" if _is_messaging(parts) else "whatsapp_business_management"):
        return
    world.faults.take("permission_lost", world.now())
    code = int(fault.number("code", 10))
    raise graph_error(code, fault.word("details") or "Application does not have permission for this action")


def _is_messaging(parts: list[str]) -> bool:
    """Sends and files are not counted as management of the account."""
    return len(parts) > 1 and parts[1] in MESSAGING_EDGES


def _usage(world: World) -> str:
    """How much of the account's calls is used, in percent. That Meta tells it for these calls is not confirmed (cloud-api §1)."""
    row = {"type": "whatsapp", "call_count": world.account.quota.percent(), "total_cputime": 0, "total_time": 0}
    return encode({world.options.waba_id: [{**row, "estimated_time_to_regain_access": 0}]}).decode()
