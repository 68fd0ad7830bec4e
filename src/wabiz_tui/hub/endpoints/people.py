"""People, devices and integrations, as administrators see them."""

from starlette.requests import Request
from starlette.responses import Response

from wabiz_tui.hub.archive import people as rows
from wabiz_tui.hub.endpoints.endpoint import Endpoint
from wabiz_tui.hub.gateway import keys
from wabiz_tui.hub.parts import Hub
from wabiz_tui.hub.people import devices, enrolment, staff
from wabiz_tui.hub.people.access import Caller
from wabiz_tui.hub.requests import json_answer, read_json
from wabiz_tui.model.staff import CodeInfo, Outcome, PersonChange, PersonRevoked
from wabiz_tui.model.values import Device, Person
from wabiz_tui.model.wire import EnrolmentCode, IntegrationInfo, IntegrationKey, NewIntegration, NewPerson


async def list_people(hub: Hub, _caller: Caller, _request: Request) -> Response:
    found = await hub.archive.read(rows.load_people)
    return json_answer(list(found.values()))


async def add_person(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted = await read_json(request, NewPerson)
    by, device, key = caller.person.id, caller.device.id, hub.secrets.policy_key
    return json_answer(
        await hub.archive.write(lambda writing: enrolment.invite(writing, wanted, by=by, device=device, policy_key=key)), 201
    )


async def change_person(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted, person = await read_json(request, PersonChange), request.path_params["person"]
    return json_answer(await hub.archive.write(lambda writing: staff.change(writing, person, wanted, by=caller.viewer)))


async def revoke_person(hub: Hub, caller: Caller, request: Request) -> Response:
    person = request.path_params["person"]
    outcome, ended = await hub.archive.write(lambda writing: staff.revoke(writing, person, by=caller.viewer))
    for device in ended:
        hub.feed.revoke(device)
    return json_answer(outcome)


async def further_code(hub: Hub, caller: Caller, request: Request) -> Response:
    person, by, device, key = request.path_params["person"], caller.person.id, caller.device.id, hub.secrets.policy_key
    return json_answer(
        await hub.archive.write(lambda writing: enrolment.further_code(writing, person, by=by, device=device, policy_key=key)), 201
    )


async def list_codes(hub: Hub, _caller: Caller, _request: Request) -> Response:
    return json_answer(await hub.archive.read(rows.living_codes))


async def withdraw_code(hub: Hub, caller: Caller, request: Request) -> Response:
    code, by, device = request.path_params["code"], caller.person.id, caller.device.id
    await hub.archive.write(lambda writing: enrolment.withdraw(writing, code, by=by, device=device))
    return json_answer(Outcome(code, "withdrawn"))


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
    Endpoint("GET", "/v1/people", "people.read", "The people, those who left among them.", list_people, answer=list[Person]),
    Endpoint(
        "POST", "/v1/people", "people.add", "Add a person; the answer holds their one-time code.", add_person, NewPerson, EnrolmentCode
    ),
    Endpoint("POST", "/v1/people/{person}", "people.write", "Change name, role, teams or buddy.", change_person, PersonChange, Person),
    Endpoint(
        "POST", "/v1/people/{person}/revoke", "people.revoke", "End a person's access; their work is handed on.", revoke_person,
        answer=PersonRevoked,
    ),
    Endpoint(
        "POST", "/v1/people/{person}/code", "people.add", "A one-time code for one more device.", further_code, answer=EnrolmentCode
    ),
    Endpoint("GET", "/v1/codes", "people.add", "Enrolment codes that could still be used.", list_codes, answer=list[CodeInfo]),
    Endpoint("DELETE", "/v1/codes/{code}", "people.add", "Withdraw an enrolment code.", withdraw_code, answer=Outcome),
    Endpoint("GET", "/v1/devices", "devices.read", "The devices.", list_devices, answer=list[Device]),
    Endpoint("POST", "/v1/devices/{device}/revoke", "devices.revoke", "Revoke a device and destroy its shares.", revoke_device),
    Endpoint(
        "GET", "/v1/integrations", "integrations.read", "The programs that may send through the gateway.", list_integrations,
        answer=list[IntegrationInfo],
    ),
    Endpoint(
        "POST", "/v1/integrations", "integrations.add", "Add a program; the answer holds its key, once.", add_integration,
        NewIntegration, IntegrationKey,
    ),
    Endpoint("POST", "/v1/integrations/{integration}/revoke", "integrations.revoke", "End a program's key.", revoke_integration),
)  # fmt: skip
