"""The policy: served, checked, applied, approved."""

import asyncio

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wabiz_tui.hub import policy
from wabiz_tui.hub.endpoints.endpoint import Endpoint
from wabiz_tui.hub.parts import Hub
from wabiz_tui.hub.people.access import Caller
from wabiz_tui.hub.requests import json_answer, read_json
from wabiz_tui.model.wire import PolicyText
from wabiz_tui.policy.document import Policy, parse_policy


class _Version(msgspec.Struct, frozen=True):
    version: int


async def current_policy(hub: Hub, _caller: Caller, _request: Request) -> Response:
    return json_answer(hub.policy.signed)


async def policy_versions(hub: Hub, _caller: Caller, _request: Request) -> Response:
    return json_answer(await hub.archive.read(policy.standings))


async def apply_policy(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted = await read_json(request, PolicyText)
    new, by, device, key = await _parsed(wanted), caller.person.id, caller.device.id, hub.secrets.policy_key
    outcome = await hub.archive.write(
        lambda writing: policy.apply(writing, new, wanted.text, key, by=by, device=device, afterwards=hub.policies.refresh)
    )
    return json_answer(outcome, 202 if outcome.state == "waiting" else 200)


async def check_policy(_hub: Hub, _caller: Caller, request: Request) -> Response:
    parsed = await _parsed(await read_json(request, PolicyText))
    return json_answer({"valid": True, "name": parsed.name})


async def diff_policy(hub: Hub, _caller: Caller, request: Request) -> Response:
    new = await _parsed(await read_json(request, PolicyText))
    return json_answer(await hub.archive.read(lambda reading: policy.difference(reading, new)))


async def approve_policy(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted = await read_json(request, _Version)
    by, device = caller.person.id, caller.device.id
    outcome = await hub.archive.write(
        lambda writing: policy.approve(writing, wanted.version, by=by, device=device, afterwards=hub.policies.refresh)
    )
    return json_answer(outcome, 202 if outcome.state == "waiting" else 200)


async def _parsed(document: PolicyText) -> Policy:
    """In a thread of its own: neither the loop nor the archive's one writer waits for it. Raises DocumentError."""
    return await asyncio.to_thread(parse_policy, document.text, file=document.file)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/v1/policy", "policy.read", "The signed policy in force.", current_policy),
    Endpoint("GET", "/v1/policy/versions", "policy.read", "How every version of the policy stands, newest first.", policy_versions),
    Endpoint("POST", "/v1/policy", "policy.apply", "Apply a policy; 202 when it waits for a second person.", apply_policy),
    Endpoint("POST", "/v1/policy/check", "policy.check", "Check a policy document.", check_policy),
    Endpoint("POST", "/v1/policy/diff", "policy.diff", "What a policy document would change.", diff_policy),
    Endpoint("POST", "/v1/policy/approve", "policy.approve", "Approve a waiting version as the second person.", approve_policy),
)
