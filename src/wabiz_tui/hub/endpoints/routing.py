"""The routes of /v1: who asks, whether they may, whether not too often; then the endpoint's own handler; errors as code and sentence."""

import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wabiz_tui.hub.archive.beginning import beginning_with
from wabiz_tui.hub.endpoints.endpoint import Endpoint
from wabiz_tui.hub.endpoints.table import ENDPOINTS
from wabiz_tui.hub.parts import Hub
from wabiz_tui.hub.people.access import Caller, authenticate, check_still, require
from wabiz_tui.hub.people.guessing import wrong_tokens_counted
from wabiz_tui.hub.requests import error_answer, hold_body, report
from wabiz_tui.model.errors import BadInput, StoreError, WabizError
from wabiz_tui.model.wire import TIME_HEADER
from wabiz_tui.policy.standing import FLOWING

NOBODYS = "0" * 32
"""An id that nothing has: new ids begin with their time."""
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


def routes(hub: Hub) -> list[Route]:
    """One route an endpoint."""
    return [_route(hub, endpoint) for endpoint in ENDPOINTS if endpoint.handler is not None]


def _route(hub: Hub, endpoint: Endpoint) -> Route:
    async def handle(request: Request) -> Response:
        try:
            response = await _answer(hub, endpoint, request)
        except WabizError as error:
            if isinstance(error, StoreError):
                hub.metrics.store_errors.labels(error.code).inc()
            response = error_answer(error)
        except Exception as error:  # noqa: BLE001 the hub's outer edge: told to the log without its words, to the caller as one sentence
            report(error, endpoint.path)
            response = error_answer(WabizError("The hub met an error of its own; its log says where."))
        response.headers[TIME_HEADER] = hub.clock.now().isoformat()
        return response

    return Route(endpoint.path, handle, methods=[endpoint.method])


async def _answer(hub: Hub, endpoint: Endpoint, request: Request) -> Response:
    if not endpoint.permission:
        return await endpoint.handler(hub, request)
    caller = await _caller(hub, request)
    hub.rates.devices.take(caller.device.id)
    require(caller, endpoint.permission)
    flows = endpoint.permission in FLOWING
    if not flows:
        hub.shifts.check(caller.person)
    check_names(request)
    if endpoint.method != "GET":
        # A body takes as long as its sender likes: they may have been revoked since, or be off shift.
        await hold_body(request)
        caller = await _caller(hub, request)
        require(caller, endpoint.permission)
        if not flows:
            hub.shifts.check(caller.person)
    with beginning_with(lambda writing: check_still(writing, caller, endpoint.permission)):
        response = await endpoint.handler(hub, caller, request)
    if not flows and endpoint.method == "GET":
        # The shift may have ended while the answer was made; what was done by a POST is done, and is answered.
        hub.shifts.check(caller.person)
    return response


async def _caller(hub: Hub, request: Request) -> Caller:
    with wrong_tokens_counted(hub, request):
        return await authenticate(hub.archive, request.headers.get("authorization"))


def check_names(request: Request) -> None:
    """Ids in the path that none can be (too long, control characters, other scripts) become one that nothing has, so that the
    handler answers them exactly as any unknown id. Raises BadInput for a query that no archive can be asked."""
    for name, value in request.path_params.items():
        if not _ID.fullmatch(str(value)):
            request.path_params[name] = NOBODYS
    if any("\0" in value or len(value) > 512 for value in request.query_params.values()):
        raise BadInput("A parameter of the query is longer than 512 characters or holds a NUL.")
