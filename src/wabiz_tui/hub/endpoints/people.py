"""People, devices and integrations, as administrators see them."""

from starlette.requests import Request
from starlette.responses import Response

from wabiz_tui.hub.archive import people as rows
from wabiz_tui.hub.endpoints.endpoint import Endpoint
from wabiz_tui.hub.gateway import keys
from wabiz_tui.hub.parts import Hub
from wabiz_tui.hub.people import devices, enrolment
from wabiz_tui.hub.people.access import Caller
from wabiz_tui.hub.requests import json_answer, read_json
from wabiz_tui.model.wire import NewIntegration, NewPerson


async def list_people(hub: Hub, _caller: Caller, _request: Request) -> Response:
    found = await hub.archive.read(rows.load_people)
    return json_answer(list(found.values()))


async def add_person(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted = await read_json(request, NewPerson)
    by, key = caller.person.id, hub.secrets.policy_key
    return json_answer(await hub.archive.write(lambda writing: enrolment.invite(writing, wanted, by=by, policy_key=key)), 201)


async def list_devices(hub: Hub, _caller: Caller, _request: Request) -> Response:
    return json_answer(await hub.archive.read(rows.list_devices))


async def revoke_device(hub: Hub, caller: Caller, request: Request) -> Response:
    device = request.path_params["device"]
    await hub.archive.write(lambda writing: devices.revoke(writing, device, by=caller.person.id))
    hub.feed.revoke(device)
    return json_answer({"device": device, "state": "revoked"})


async def list_integrations(hub: Hub, _caller: Caller, _request: Request) -> Response:
    return json_answer(await hub.archive.read(keys.integrations))


async def add_integration(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted = await read_json(request, NewIntegration)
    by, device = caller.person.id, caller.device.id
    return json_answer(await hub.archive.write(lambda writing: keys.make_integration(writing, wanted, by=by, device=device)), 201)


async def revoke_integration(hub: Hub, caller: Caller, request: Request) -> Response:
    integration, by, device = request.path_params["integration"], caller.person.id, caller.device.id
    await hub.archive.write(lambda writing: keys.revoke(writing, integration, by=by, device=device))
    return json_answer({"integration": integration, "state": "revoked"})


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/v1/people", "people.read", "The people.", list_people),
    Endpoint("POST", "/v1/people", "people.add", "Add a person; the answer holds their one-time code.", add_person),
    Endpoint("GET", "/v1/devices", "devices.read", "The devices.", list_devices),
    Endpoint("POST", "/v1/devices/{device}/revoke", "devices.revoke", "Revoke a device and destroy its shares.", revoke_device),
    Endpoint("GET", "/v1/integrations", "integrations.read", "The programs that may send through the gateway.", list_integrations),
    Endpoint("POST", "/v1/integrations", "integrations.add", "Add a program; the answer holds its key, once.", add_integration),
    Endpoint("POST", "/v1/integrations/{integration}/revoke", "integrations.revoke", "End a program's key.", revoke_integration),
)
