"""The endpoints of /v1, each with the permission it needs: the table that routes, checks and describes them."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wabiz_tui.hub import audit, devices, people, policy, work
from wabiz_tui.hub.access import Caller
from wabiz_tui.hub.archive import people as rows
from wabiz_tui.hub.archive.epochs import list_receipts
from wabiz_tui.hub.archive.store import Writing, feed_head
from wabiz_tui.hub.feed import MOST_CHANGES, seen_conversation
from wabiz_tui.hub.gateway import keys
from wabiz_tui.hub.gateway.door import CALLS
from wabiz_tui.hub.history import read_history
from wabiz_tui.hub.media import stored_file
from wabiz_tui.hub.parts import Hub
from wabiz_tui.hub.requests import json_answer, read_json, whole_number
from wabiz_tui.model.errors import Denied
from wabiz_tui.model.wire import (
    Assignment,
    EnrollRequest,
    NewIntegration,
    NewPerson,
    PolicyText,
    ReadMark,
    SignedReceipt,
    StatusChange,
    TokenRequest,
    WhoAmI,
)
from wabiz_tui.policy.document import parse_policy
from wabiz_tui.policy.permissions import can

OpenHandler = Callable[[Hub, Request], Awaitable[Response]]
Handler = Callable[[Hub, Caller, Request], Awaitable[Response]]


class Endpoint(NamedTuple):
    """`permission` is an action of policy/permissions.py; it is empty for the few endpoints that need no token."""

    method: str
    path: str
    permission: str
    summary: str
    handler: Any


class _After(msgspec.Struct, frozen=True):
    after: int


class _Version(msgspec.Struct, frozen=True):
    version: int


async def enroll(hub: Hub, request: Request) -> Response:
    wanted = await read_json(request, EnrollRequest)
    keys = hub.secrets
    reply = await hub.archive.write(
        lambda writing: people.enrol(
            writing, wanted, business=hub.settings.hub.business, policy_key=keys.policy_key, audit_key=keys.audit_key
        )
    )
    return json_answer(reply)


async def token(hub: Hub, request: Request) -> Response:
    wanted = await read_json(request, TokenRequest)
    return json_answer(await hub.archive.write(lambda writing: people.issue_token(writing, wanted)))


async def me(hub: Hub, caller: Caller, _request: Request) -> Response:
    person = caller.person
    head = await hub.archive.read(feed_head)
    return json_answer(
        WhoAmI(
            device=caller.device.id,
            person=person.id,
            name=person.name,
            role=person.role,
            tenant=hub.archive.tenant,
            head=head,
            policy=hub.policy.version,
            at=hub.clock.now(),
        )
    )


async def share(hub: Hub, caller: Caller, request: Request) -> Response:
    epoch = whole_number(request, "epoch", -1)
    current = hub.policy

    def give(writing: Writing) -> object:
        reply = devices.share_of(writing, caller.device, current.policy, epoch=None if epoch < 0 else epoch)
        devices.note_lease(writing, caller.device, current.policy, policy_version=current.version)
        return reply

    return json_answer(await hub.archive.write(give))


async def epochs(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted = await read_json(request, _After)
    current = hub.policy.policy
    return json_answer(await hub.archive.write(lambda writing: devices.begin_next_epoch(writing, caller.device, wanted.after, current)))


async def send_receipt(hub: Hub, caller: Caller, request: Request) -> Response:
    signed = await read_json(request, SignedReceipt)
    key = hub.secrets.audit_key
    return json_answer(await hub.archive.write(lambda writing: devices.accept_receipt(writing, caller.device, signed, audit_key=key)))


async def receipts(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted = request.query_params.get("device") or None
    if wanted is None and not can(caller.person.role, "receipts.read"):
        wanted = caller.device.id
    if wanted != caller.device.id and not can(caller.person.role, "receipts.read"):
        raise Denied("You may see the receipts of your own device only.", code="forbidden")
    return json_answer(await hub.archive.read(lambda reading: list_receipts(reading, wanted)))


async def changes(hub: Hub, caller: Caller, request: Request) -> Response:
    since, limit = whole_number(request, "since", 0), whole_number(request, "limit", MOST_CHANGES)
    await hub.intake.caught_up()
    return json_answer(await hub.feed.page(caller.viewer, since=since, limit=limit))


async def current_policy(hub: Hub, _caller: Caller, _request: Request) -> Response:
    return json_answer(hub.policy.signed)


async def policy_versions(hub: Hub, _caller: Caller, _request: Request) -> Response:
    return json_answer(await hub.archive.read(policy.standings))


async def apply_policy(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted = await read_json(request, PolicyText)
    by, device, key = caller.person.id, caller.device.id, hub.secrets.policy_key
    outcome = await hub.archive.write(
        lambda writing: policy.apply(writing, wanted, key, by=by, device=device, afterwards=hub.policies.refresh)
    )
    return json_answer(outcome, 202 if outcome.state == "waiting" else 200)


async def check_policy(_hub: Hub, _caller: Caller, request: Request) -> Response:
    wanted = await read_json(request, PolicyText)
    return json_answer({"valid": True, "name": parse_policy(wanted.text, file=wanted.file).name})


async def diff_policy(hub: Hub, _caller: Caller, request: Request) -> Response:
    wanted = await read_json(request, PolicyText)
    return json_answer(await hub.archive.read(lambda reading: policy.difference(reading, wanted)))


async def approve_policy(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted = await read_json(request, _Version)
    by, device = caller.person.id, caller.device.id
    outcome = await hub.archive.write(
        lambda writing: policy.approve(writing, wanted.version, by=by, device=device, afterwards=hub.policies.refresh)
    )
    return json_answer(outcome, 202 if outcome.state == "waiting" else 200)


async def list_people(hub: Hub, _caller: Caller, _request: Request) -> Response:
    found = await hub.archive.read(rows.load_people)
    return json_answer(list(found.values()))


async def add_person(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted = await read_json(request, NewPerson)
    by, key = caller.person.id, hub.secrets.policy_key
    return json_answer(await hub.archive.write(lambda writing: people.invite(writing, wanted, by=by, policy_key=key)), 201)


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


async def set_status(hub: Hub, caller: Caller, request: Request) -> Response:
    change, conversation = await read_json(request, StatusChange), request.path_params["conversation"]
    stored = await hub.archive.write(lambda writing: work.change_status(writing, caller.viewer, caller.person, conversation, change))
    return json_answer(seen_conversation(stored, hub.policy.policy, caller.person.role))


async def assign(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted, conversation = await read_json(request, Assignment), request.path_params["conversation"]
    current = hub.policy.policy
    stored = await hub.archive.write(
        lambda writing: work.assign(writing, caller.viewer, caller.person, conversation, wanted, policy=current)
    )
    return json_answer(None if stored is None else seen_conversation(stored, current, caller.person.role))


async def mark_read(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted, conversation = await read_json(request, ReadMark), request.path_params["conversation"]
    newest = await hub.archive.write(lambda writing: work.mark(writing, caller.viewer, conversation, wanted))
    stored = await hub.archive.read(lambda reading: work.visible_conversation(reading, caller.viewer, conversation))
    if newest is not None and hub.policy.policy.privacy.read_receipts == "on_view":
        hub.gateway.in_background(hub.gateway.tell_read(newest, stored.value.number))
    return json_answer(seen_conversation(stored, hub.policy.policy, caller.person.role))


async def history(hub: Hub, caller: Caller, request: Request) -> Response:
    conversation, before = request.path_params["conversation"], request.query_params.get("before")
    limit, current = whole_number(request, "limit", 100), hub.policy.policy
    page = await hub.archive.write(
        lambda writing: read_history(writing, caller.viewer, conversation, before=before, limit=limit, policy=current)
    )
    return json_answer(page)


async def media(hub: Hub, caller: Caller, request: Request) -> Response:
    message = request.path_params["message"]
    content = await hub.archive.read(lambda reading: stored_file(reading, caller.viewer, message))
    # Never a type the customer named: nobody's browser shall run it.
    headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    return Response(content, media_type="application/octet-stream", headers=headers)


async def audit_checkpoint(hub: Hub, _caller: Caller, _request: Request) -> Response:
    key = hub.secrets.audit_key
    return json_answer({"checkpoint": await hub.archive.read(lambda reading: audit.checkpoint(reading, key))})


async def audit_entries(hub: Hub, _caller: Caller, request: Request) -> Response:
    start, limit = whole_number(request, "start", 0), whole_number(request, "limit", audit.MOST_ENTRIES)
    return json_answer({"entries": await hub.archive.read(lambda reading: audit.entries(reading, start, limit))})


async def audit_consistency(hub: Hub, _caller: Caller, request: Request) -> Response:
    old, new = whole_number(request, "old", 0), whole_number(request, "new", -1)
    return json_answer(await hub.archive.read(lambda reading: audit.consistency(reading, old, None if new < 0 else new)))


async def openapi(_hub: Hub, _request: Request) -> Response:
    return json_answer(describe())


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", "/v1/enroll", "", "Make a device of whoever holds a one-time code and a key.", enroll),
    Endpoint("POST", "/v1/token", "", "A short-lived bearer token for a device that proves its key.", token),
    Endpoint("GET", "/v1/openapi.json", "", "This description.", openapi),
    Endpoint("GET", "/v1/me", "me.read", "The calling device, its person and the feed's head.", me),
    Endpoint("GET", "/v1/device/share", "share.read", "The key share of the current epoch, or of ?epoch=N while it lives.", share),
    Endpoint("POST", "/v1/device/epochs", "share.begin_epoch", "Begin the next purge epoch.", epochs),
    Endpoint("POST", "/v1/receipts", "receipts.send", "Record a purge receipt and destroy its epoch's share.", send_receipt),
    Endpoint("GET", "/v1/receipts", "receipts.read_own", "Receipts of a device; of others with receipts.read.", receipts),
    Endpoint("GET", "/v1/changes", "feed.read", "A page of changes after ?since=N.", changes),
    Endpoint("GET", "/v1/changes/stream", "feed.read", "Changes as they come (server-sent events).", None),
    Endpoint("GET", "/v1/policy", "policy.read", "The signed policy in force.", current_policy),
    Endpoint("GET", "/v1/policy/versions", "policy.read", "How every version of the policy stands, newest first.", policy_versions),
    Endpoint("POST", "/v1/policy", "policy.apply", "Apply a policy; 202 when it waits for a second person.", apply_policy),
    Endpoint("POST", "/v1/policy/check", "policy.check", "Check a policy document.", check_policy),
    Endpoint("POST", "/v1/policy/diff", "policy.diff", "What a policy document would change.", diff_policy),
    Endpoint("POST", "/v1/policy/approve", "policy.approve", "Approve a waiting version as the second person.", approve_policy),
    Endpoint("GET", "/v1/people", "people.read", "The people.", list_people),
    Endpoint("POST", "/v1/people", "people.add", "Add a person; the answer holds their one-time code.", add_person),
    Endpoint("GET", "/v1/devices", "devices.read", "The devices.", list_devices),
    Endpoint("POST", "/v1/devices/{device}/revoke", "devices.revoke", "Revoke a device and destroy its shares.", revoke_device),
    Endpoint("GET", "/v1/integrations", "integrations.read", "The programs that may send through the gateway.", list_integrations),
    Endpoint("POST", "/v1/integrations", "integrations.add", "Add a program; the answer holds its key, once.", add_integration),
    Endpoint("POST", "/v1/integrations/{integration}/revoke", "integrations.revoke", "End a program's key.", revoke_integration),
    Endpoint("POST", "/v1/conversations/{conversation}/status", "conversation.status", "Resolve, reopen, snooze.", set_status),
    Endpoint("POST", "/v1/conversations/{conversation}/assignee", "conversation.assign", "Take, give or let go.", assign),
    Endpoint("POST", "/v1/conversations/{conversation}/read", "conversation.mark_read", "Mark read or unread.", mark_read),
    Endpoint("GET", "/v1/conversations/{conversation}/messages", "message.read", "Its messages from the archive, audited.", history),
    Endpoint("GET", "/v1/media/{message}", "media.read", "The file of a message.", media),
    Endpoint("GET", "/v1/audit/checkpoint", "audit.read", "The audit log's signed checkpoint.", audit_checkpoint),
    Endpoint("GET", "/v1/audit/entries", "audit.read", "Entries from ?start=N.", audit_entries),
    Endpoint("GET", "/v1/audit/consistency", "audit.read", "Proof that the log of ?new=M begins with that of ?old=N.", audit_consistency),
)
OTHERS: tuple[tuple[str, str, str, str], ...] = (
    ("GET", "/webhooks/whatsapp", "", "Meta's handshake; needs the verify token."),
    ("POST", "/webhooks/whatsapp", "", "Meta's webhooks; each signed with the app secret."),
    *((method, "/{version}" + path, permission, "As Meta's Cloud API; see docs/gateway.md.") for method, path, _, permission in CALLS),
    ("GET", "/healthz", "", "The process lives."),
    ("GET", "/readyz", "", "The archive answers."),
    ("GET", "/metrics", "", "Counts for Prometheus, to loopback only."),
)


def describe() -> dict[str, Any]:
    """The OpenAPI document: every endpoint with the permission it needs (`x-permission`)."""
    paths: dict[str, dict[str, Any]] = {}
    described = [(one.method, one.path, one.permission, one.summary) for one in ENDPOINTS]
    for method, path, permission, summary in (*described, *OTHERS):
        names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        operation: dict[str, Any] = {
            "summary": summary,
            "x-permission": permission or None,
            "security": [{"device": []}] if permission else [],
            "parameters": [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names],
            "responses": {"default": {"description": "An answer, or a code and a sentence."}},
        }
        paths.setdefault(path, {})[method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "wabiz hub", "version": "1"},
        "paths": paths,
        "components": {"securitySchemes": {"device": {"type": "http", "scheme": "bearer"}}},
    }
