"""Canned responses and macros."""

from starlette.requests import Request
from starlette.responses import Response

from wabiz_tui.hub.endpoints.endpoint import Endpoint
from wabiz_tui.hub.parts import Hub
from wabiz_tui.hub.people.access import Caller
from wabiz_tui.hub.requests import json_answer, read_json
from wabiz_tui.hub.routines import canned, macros
from wabiz_tui.hub.routines.canned import Author
from wabiz_tui.hub.routines.running import run_macro
from wabiz_tui.model.work import Canned, Macro, MacroOutcome, NewCanned, NewMacro, RunMacro


async def list_canned(hub: Hub, caller: Caller, _request: Request) -> Response:
    return json_answer(await hub.archive.read(lambda reading: canned.visible_canned(reading, caller.viewer)))


async def add_canned(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted, by = await read_json(request, NewCanned), _author(caller)
    return json_answer(await hub.archive.write(lambda writing: canned.add_canned(writing, wanted, by)), 201)


async def change_canned(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted, by, identifier = await read_json(request, NewCanned), _author(caller), request.path_params["canned"]
    return json_answer(await hub.archive.write(lambda writing: canned.change_canned(writing, identifier, wanted, by)))


async def remove_canned(hub: Hub, caller: Caller, request: Request) -> Response:
    by, identifier = _author(caller), request.path_params["canned"]
    await hub.archive.write(lambda writing: canned.remove_canned(writing, identifier, by))
    return json_answer({"canned": identifier, "state": "removed"})


async def list_macros(hub: Hub, caller: Caller, _request: Request) -> Response:
    return json_answer(await hub.archive.read(lambda reading: macros.visible_macros(reading, caller.viewer)))


async def add_macro(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted, by = await read_json(request, NewMacro), _author(caller)
    return json_answer(await hub.archive.write(lambda writing: macros.add_macro(writing, wanted, by)), 201)


async def change_macro(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted, by, identifier = await read_json(request, NewMacro), _author(caller), request.path_params["macro"]
    return json_answer(await hub.archive.write(lambda writing: macros.change_macro(writing, identifier, wanted, by)))


async def remove_macro(hub: Hub, caller: Caller, request: Request) -> Response:
    by, identifier = _author(caller), request.path_params["macro"]
    await hub.archive.write(lambda writing: macros.remove_macro(writing, identifier, by))
    return json_answer({"macro": identifier, "state": "removed"})


async def run(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted, conversation, macro = await read_json(request, RunMacro), request.path_params["conversation"], request.path_params["macro"]
    business = hub.settings.hub.business
    return json_answer(await run_macro(hub.archive, hub.gateway, caller, conversation, macro, key=wanted.key, business=business))


def _author(caller: Caller) -> Author:
    return Author(caller.person.id, caller.device.id)


_RUN = "/v1/conversations/{conversation}/macros/{macro}"
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/v1/canned", "canned.read", "The canned responses you may use.", list_canned, None, list[Canned]),
    Endpoint("POST", "/v1/canned", "canned.write", "Keep a canned response.", add_canned, NewCanned, Canned),
    Endpoint("PUT", "/v1/canned/{canned}", "canned.write", "Change a canned response.", change_canned, NewCanned, Canned),
    Endpoint("DELETE", "/v1/canned/{canned}", "canned.write", "Remove a canned response.", remove_canned),
    Endpoint("GET", "/v1/macros", "macro.read", "The macros you may use.", list_macros, None, list[Macro]),
    Endpoint("POST", "/v1/macros", "macro.write", "Keep a macro.", add_macro, NewMacro, Macro),
    Endpoint("PUT", "/v1/macros/{macro}", "macro.write", "Change a macro.", change_macro, NewMacro, Macro),
    Endpoint("DELETE", "/v1/macros/{macro}", "macro.write", "Remove a macro.", remove_macro),
    Endpoint("POST", _RUN, "macro.run", "Take all steps of a macro.", run, RunMacro, MacroOutcome),
)
