"""What the business keeps of a contact, and whom it blocks."""

from starlette.requests import Request
from starlette.responses import Response

from wabiz_tui.cloud.client import CloudClient
from wabiz_tui.hub.endpoints.endpoint import Endpoint
from wabiz_tui.hub.feed.seen import names_of_contact, seen_contact
from wabiz_tui.hub.parts import Hub
from wabiz_tui.hub.people.access import Caller
from wabiz_tui.hub.requests import json_answer, read_json
from wabiz_tui.hub.work import blocking
from wabiz_tui.hub.work.fields import change_fields
from wabiz_tui.model.values import Contact
from wabiz_tui.model.work import Block, BlockOutcome, FieldsChange


async def set_fields(hub: Hub, caller: Caller, request: Request) -> Response:
    change, contact = await read_json(request, FieldsChange), request.path_params["contact"]
    stored = await hub.archive.write(lambda writing: change_fields(writing, caller.viewer, caller.person, contact, change))
    return json_answer(seen_contact(stored.value(), hub.policy.policy, caller.person.role, names_of_contact(stored)))


async def block(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted, contact = await read_json(request, Block), request.path_params["contact"]
    users = CloudClient(hub.transport, hub.settings.hub.graph_version).users
    return json_answer(await blocking.block(hub.archive, users, caller.viewer, caller.person, contact, reason=wanted.reason))


async def unblock(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted, contact = await read_json(request, Block), request.path_params["contact"]
    users = CloudClient(hub.transport, hub.settings.hub.graph_version).users
    return json_answer(await blocking.unblock(hub.archive, users, caller.viewer, caller.person, contact, reason=wanted.reason))


_A = "/v1/contacts/{contact}"
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", f"{_A}/fields", "contact.write", "Set and remove fields of a contact.", set_fields, FieldsChange, Contact),
    Endpoint("POST", f"{_A}/block", "contact.block", "Block a contact at the hub and at Meta.", block, Block, BlockOutcome),
    Endpoint("POST", f"{_A}/unblock", "contact.block", "Lift a block.", unblock, Block, BlockOutcome),
)
