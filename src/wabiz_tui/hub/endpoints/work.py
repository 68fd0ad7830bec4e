"""The work on conversations."""

from starlette.requests import Request
from starlette.responses import Response

from wabiz_tui.hub.endpoints.endpoint import Endpoint
from wabiz_tui.hub.feed.seen import seen_conversation
from wabiz_tui.hub.parts import Hub
from wabiz_tui.hub.people.access import Caller
from wabiz_tui.hub.requests import json_answer, read_json
from wabiz_tui.hub.work.assignment import assign as give
from wabiz_tui.hub.work.marks import mark
from wabiz_tui.hub.work.sight import visible_conversation
from wabiz_tui.hub.work.status import change_status
from wabiz_tui.model.wire import Assignment, ReadMark, StatusChange


async def set_status(hub: Hub, caller: Caller, request: Request) -> Response:
    change, conversation = await read_json(request, StatusChange), request.path_params["conversation"]
    stored = await hub.archive.write(lambda writing: change_status(writing, caller.viewer, caller.person, conversation, change))
    return json_answer(seen_conversation(stored, hub.policy.policy, caller.person.role))


async def assign(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted, conversation = await read_json(request, Assignment), request.path_params["conversation"]
    current = hub.policy.policy
    stored = await hub.archive.write(lambda writing: give(writing, caller.viewer, caller.person, conversation, wanted, policy=current))
    return json_answer(None if stored is None else seen_conversation(stored, current, caller.person.role))


async def mark_read(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted, conversation = await read_json(request, ReadMark), request.path_params["conversation"]
    newest = await hub.archive.write(lambda writing: mark(writing, caller.viewer, conversation, wanted))
    stored = await hub.archive.read(lambda reading: visible_conversation(reading, caller.viewer, conversation))
    if newest is not None and hub.policy.policy.privacy.read_receipts == "on_view":
        hub.gateway.in_background(hub.gateway.tell_read(newest, stored.value.number))
    return json_answer(seen_conversation(stored, hub.policy.policy, caller.person.role))


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", "/v1/conversations/{conversation}/status", "conversation.status", "Resolve, reopen, snooze.", set_status),
    Endpoint("POST", "/v1/conversations/{conversation}/assignee", "conversation.assign", "Take, give or let go.", assign),
    Endpoint("POST", "/v1/conversations/{conversation}/read", "conversation.mark_read", "Mark read or unread.", mark_read),
)
