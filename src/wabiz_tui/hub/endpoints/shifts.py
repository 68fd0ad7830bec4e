"""One's own shift, and leave to work outside the hours."""

from starlette.requests import Request
from starlette.responses import Response

from wabiz_tui.hub.endpoints.endpoint import Endpoint
from wabiz_tui.hub.parts import Hub
from wabiz_tui.hub.people.access import Caller
from wabiz_tui.hub.requests import json_answer, read_json
from wabiz_tui.hub.shifts.changing import override, say
from wabiz_tui.model.shift import ShiftChange, ShiftOverride, ShiftStanding


async def shift(hub: Hub, caller: Caller, _request: Request) -> Response:
    return json_answer(hub.shifts.standing(caller.person.id, caller.person.role))


async def change_shift(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted, current = await read_json(request, ShiftChange), hub.policy.policy
    return json_answer(await hub.archive.write(lambda writing: say(writing, caller.person, wanted, current, device=caller.device.id)))


async def override_shift(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted, person, current = await read_json(request, ShiftOverride), request.path_params["person"], hub.policy.policy
    by, device = caller.person, caller.device.id
    return json_answer(await hub.archive.write(lambda writing: override(writing, person, wanted, current, by=by, device=device)))


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/v1/shift", "shift.read", "How the caller's shift stands.", shift, None, ShiftStanding),
    Endpoint("POST", "/v1/shift", "shift.own", "Begin a break, end the shift, or go on.", change_shift, ShiftChange, ShiftStanding),
    Endpoint(
        "POST", "/v1/people/{person}/override", "hours.override", "Let somebody work outside the hours.", override_shift,
        ShiftOverride, ShiftStanding,
    ),
)  # fmt: skip
