"""The work on conversations: who has them, how they stand, what they are about."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wabiz_tui.hub.archive.conversations import StoredConversation
from wabiz_tui.hub.archive.episodes import episodes_of
from wabiz_tui.hub.archive.people import names_of_people
from wabiz_tui.hub.archive.store import Reading
from wabiz_tui.hub.archive.teams import names_of_teams
from wabiz_tui.hub.endpoints.endpoint import Endpoint
from wabiz_tui.hub.feed.seen import seen_conversation
from wabiz_tui.hub.parts import Hub
from wabiz_tui.hub.people.access import Caller, require
from wabiz_tui.hub.requests import json_answer, read_json
from wabiz_tui.hub.work import assignment
from wabiz_tui.hub.work.handover import hand_over
from wabiz_tui.hub.work.labels import change_labels, change_priority
from wabiz_tui.hub.work.marks import mark
from wabiz_tui.hub.work.sight import visible_conversation
from wabiz_tui.hub.work.status import change_status
from wabiz_tui.model.values import Conversation
from wabiz_tui.model.wire import Assignment, ReadMark, StatusChange
from wabiz_tui.model.work import Episode, Handover, HandoverOutcome, LabelChange, PriorityChange, TeamAssignment


async def set_status(hub: Hub, caller: Caller, request: Request) -> Response:
    change, conversation = await read_json(request, StatusChange), request.path_params["conversation"]
    stored = await hub.archive.write(lambda writing: change_status(writing, caller.viewer, caller.person, conversation, change))
    return _seen(hub, caller, stored)


async def assign(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted, conversation = await read_json(request, Assignment), request.path_params["conversation"]
    stored = await hub.archive.write(lambda writing: assignment.assign(writing, caller.viewer, caller.person, conversation, wanted))
    return _seen(hub, caller, stored)


async def assign_team(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted, conversation = await read_json(request, TeamAssignment), request.path_params["conversation"]
    stored = await hub.archive.write(lambda writing: assignment.assign_team(writing, caller.viewer, caller.person, conversation, wanted))
    return _seen(hub, caller, stored)


async def set_labels(hub: Hub, caller: Caller, request: Request) -> Response:
    change, conversation = await read_json(request, LabelChange), request.path_params["conversation"]
    stored = await hub.archive.write(lambda writing: change_labels(writing, caller.viewer, caller.person, conversation, change))
    return _seen(hub, caller, stored)


async def set_priority(hub: Hub, caller: Caller, request: Request) -> Response:
    change, conversation = await read_json(request, PriorityChange), request.path_params["conversation"]
    stored = await hub.archive.write(lambda writing: change_priority(writing, caller.viewer, caller.person, conversation, change))
    return _seen(hub, caller, stored)


async def mark_read(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted, conversation = await read_json(request, ReadMark), request.path_params["conversation"]
    newest = await hub.archive.write(lambda writing: mark(writing, caller.viewer, conversation, wanted))
    stored = await hub.archive.read(lambda reading: visible_conversation(reading, caller.viewer, conversation))
    if newest is not None and hub.policy.policy.privacy.read_receipts == "on_view":
        hub.gateway.in_background(hub.gateway.tell_read(newest, stored.value.number))
    return _seen(hub, caller, stored)


async def episodes(hub: Hub, caller: Caller, request: Request) -> Response:
    conversation = request.path_params["conversation"]

    def read(reading: Reading) -> list[Episode]:
        visible_conversation(reading, caller.viewer, conversation)
        people, teams = names_of_people(reading), names_of_teams(reading)
        return [
            msgspec.structs.replace(one, assignee_name=people.get(one.assignee or "", ""), team_name=teams.get(one.team or "", ""))
            for one in episodes_of(reading, conversation)
        ]

    return json_answer(await hub.archive.read(read))


async def handover(hub: Hub, caller: Caller, request: Request) -> Response:
    """In batches, each a transaction of its own: asked again after a break it goes on with what is left."""
    wanted, person = await read_json(request, Handover), request.path_params["person"]
    if person != caller.person.id:
        require(caller, "work.hand_over_others")
    given = queued = 0
    while True:
        moved = await hub.archive.write(
            lambda writing: hand_over(writing, person, to=wanted.to, reason=wanted.reason, by=caller.person, device=caller.device.id)
        )
        given, queued = given + moved.given, queued + moved.queued
        if not moved.has_more:
            taker = moved.taker
            name = "" if taker is None else taker.name
            return json_answer(HandoverOutcome(person, None if taker is None else taker.id, name, given, queued))


def _seen(hub: Hub, caller: Caller, stored: StoredConversation | None) -> Response:
    """The conversation as the caller sees it; null where the act took it out of their sight."""
    return json_answer(None if stored is None else seen_conversation(stored, hub.policy.policy, caller.person.role))


_A = "/v1/conversations/{conversation}"
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", f"{_A}/status", "conversation.status", "Resolve, reopen, snooze.", set_status, StatusChange, Conversation | None),
    Endpoint("POST", f"{_A}/assignee", "conversation.assign", "Take, give or let go.", assign, Assignment, Conversation | None),
    Endpoint("POST", f"{_A}/team", "conversation.assign", "Move to a team.", assign_team, TeamAssignment, Conversation | None),
    Endpoint("POST", f"{_A}/labels", "conversation.label", "Add and remove labels.", set_labels, LabelChange, Conversation),
    Endpoint("POST", f"{_A}/priority", "conversation.priority", "Set the priority.", set_priority, PriorityChange, Conversation),
    Endpoint("POST", f"{_A}/read", "conversation.mark_read", "Mark read or unread.", mark_read, ReadMark, Conversation),
    Endpoint("GET", f"{_A}/episodes", "conversation.read", "Its episodes, the first first.", episodes, None, list[Episode]),
    Endpoint("POST", "/v1/people/{person}/handover", "work.hand_over", "Hand open work over.", handover, Handover, HandoverOutcome),
)
