"""The hub as an ASGI application: a function of its parts. Webhooks and streams are bare ASGI, /v1 and the gateway Starlette."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, MutableMapping
from pathlib import Path
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from wabiz_tui.cloud.client import CloudClient
from wabiz_tui.cloud.transport import Transport
from wabiz_tui.hub.archive.store import Writing
from wabiz_tui.hub.endpoints.routing import routes as endpoint_routes
from wabiz_tui.hub.feed.stream import Feed
from wabiz_tui.hub.front.addresses import place_caller
from wabiz_tui.hub.front.chunks import write_chunk_of
from wabiz_tui.hub.front.guard import Guard
from wabiz_tui.hub.gateway.answers import refused
from wabiz_tui.hub.gateway.door import gateway_routes
from wabiz_tui.hub.gateway.media import MediaDoor
from wabiz_tui.hub.gateway.messages import Gateway
from wabiz_tui.hub.gateway.objects import Objects
from wabiz_tui.hub.gateway.passing import Passing
from wabiz_tui.hub.gateway.recording import settle_interrupted
from wabiz_tui.hub.gateway.refusals import refuse
from wabiz_tui.hub.gateway.room import Room, free_on_disk
from wabiz_tui.hub.gateway.templates import TemplateShelf
from wabiz_tui.hub.ingest.door import Receive, Send, WebhookDoor, answer
from wabiz_tui.hub.ingest.intake import Intake, Ours
from wabiz_tui.hub.ingest.media import MediaFetcher
from wabiz_tui.hub.operations.health import HealthKeeper
from wabiz_tui.hub.operations.metrics import Metrics
from wabiz_tui.hub.operations.secrets import HubSecrets
from wabiz_tui.hub.operations.settings import Settings, open_archive
from wabiz_tui.hub.operations.watching import watch_routes
from wabiz_tui.hub.parts import Hub
from wabiz_tui.hub.people.access import authenticate, require
from wabiz_tui.hub.people.guessing import wrong_tokens_counted
from wabiz_tui.hub.people.overdue import tend
from wabiz_tui.hub.people.rates import Rates
from wabiz_tui.hub.policy import PolicyKeeper, ripen
from wabiz_tui.hub.processes.process import HubProcess
from wabiz_tui.hub.processes.wiring import attach
from wabiz_tui.hub.requests import error_answer
from wabiz_tui.hub.routines.keeping import Routines
from wabiz_tui.hub.routines.replying import Replies
from wabiz_tui.hub.shifts.board import ShiftBoard
from wabiz_tui.hub.shifts.keeper import ShiftKeeper
from wabiz_tui.model.clock import Clock
from wabiz_tui.model.errors import NotFound, StoreError, WabizError
from wabiz_tui.model.wire import TIME_HEADER

WEBHOOKS = "/webhooks/whatsapp"
STREAM = "/v1/changes/stream"
_HOUSEKEEPING = 10.0
_LAST_SENDS = _LAST_FOLDS = 5.0

log = structlog.get_logger("hub.app")


def join(
    settings: Settings,
    secrets: HubSecrets,
    *,
    clock: Clock,
    random_bytes: Callable[[int], bytes],
    disk_free: Callable[[Path], int] = free_on_disk,
) -> Hub:
    """All parts of a hub over its archive. Raises the archive's refusals. `disk_free`: the free bytes of a folder's disk."""
    archive = open_archive(settings, secrets, clock=clock, random_bytes=random_bytes)
    metrics = Metrics()
    journal = archive.open_journal()
    process = HubProcess(archive, settle_interrupted)
    ours = Ours(settings.hub.all_accounts, frozenset(settings.hub.numbers))
    intake = Intake(archive, journal, metrics, ours, leads=lambda: process.leads)
    door = WebhookDoor(journal, intake, metrics, app_secrets=secrets.app_secrets, verify_token=secrets.verify_token, clock=clock)
    policies = PolicyKeeper(archive)
    shifts = ShiftBoard(archive, lambda: policies.current)
    feed = Feed(archive, lambda: policies.current, metrics, standing=shifts.standing)
    transport = Transport(settings.hub.graph_url, secrets.graph_token)
    client = CloudClient(transport, settings.hub.graph_version)
    guard = Guard(settings.limits, settings.trust, refused=metrics.refuse, monotonic=clock.monotonic)
    limits, accounts = settings.limits, sorted(settings.hub.all_accounts)
    room = Room(archive.place.media, most=limits.upload_bytes, least_free=limits.free_bytes, free=disk_free, refused=metrics.refuse)
    templates, passing = TemplateShelf(client, accounts, clock), Passing(transport, settings.hub.graph_version)
    gateway = Gateway(archive, client, lambda: policies.current, metrics, templates=templates, caught_up=intake.caught_up)
    replies = Replies(archive, gateway, templates, lambda: policies.current.policy, business=settings.hub.business)
    return Hub(
        settings=settings,
        secrets=secrets,
        archive=archive,
        journal=journal,
        intake=intake,
        door=door,
        feed=feed,
        gateway=gateway,
        files=MediaDoor(archive, client, passing, room, piece=limits.body_bytes),
        objects=Objects(archive, passing, templates, accounts),
        media=MediaFetcher(archive, client, metrics, is_rushed=lambda: intake.is_behind),
        guard=guard,
        health=HealthKeeper(archive, journal, metrics, guard, clock.monotonic),
        rates=Rates(clock.monotonic),
        policies=policies,
        process=process,
        shifts=shifts,
        shift_keeper=ShiftKeeper(archive, shifts, lambda: policies.current, turned=feed.shifts_turned, leads=lambda: process.leads),
        routines=Routines(archive, lambda: policies.current, replies, metrics),
        metrics=metrics,
        transport=transport,
        clock=clock,
        random_bytes=random_bytes,
    )


def create_app(hub: Hub) -> ASGIApp:
    """The application; its lifespan runs the background work and closes the parts at the end."""
    routes = [
        *endpoint_routes(hub),
        *watch_routes(hub),
        *gateway_routes(hub),
    ]
    inner = Starlette(routes=routes, lifespan=lambda _: _running(hub), exception_handlers={404: _not_found, 405: _wrong_method})

    trust = hub.settings.trust

    async def application(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and path == WEBHOOKS:
            await hub.door(scope, receive, send)
            return
        if scope["type"] == "http":
            place_caller(scope, trust.caller(scope))
        if scope["type"] == "http" and path == STREAM and scope["method"] == "GET":
            await _stream(hub, scope, receive, send)
        else:
            await inner(scope, receive, send)

    return application


@contextlib.asynccontextmanager
async def _running(hub: Hub) -> AsyncGenerator[None]:
    loop = asyncio.get_running_loop()
    hub.feed.attach(loop)
    hub.media.attach(loop)
    attach(hub, loop)
    await hub.process.join()
    hub.process.on_lead(hub.intake.wake)
    hub.process.on_lead(hub.shift_keeper.wake)
    for work in (hub.media.run, lambda: _keep_house(hub), hub.routines.run):
        hub.process.while_leading(work)
    intake = asyncio.ensure_future(hub.intake.run())
    process = asyncio.ensure_future(hub.process.run())
    shifts = asyncio.ensure_future(hub.shift_keeper.run())
    try:
        yield
    finally:
        hub.feed.close()
        hub.media.stop()
        hub.intake.stop()
        await hub.gateway.finish(_LAST_SENDS)
        await asyncio.wait([intake], timeout=_LAST_FOLDS)
        hub.intake.leave()
        process.cancel()
        shifts.cancel()
        await asyncio.gather(intake, process, shifts, return_exceptions=True)
        await hub.process.leave()
        await hub.transport.close()
        await loop.run_in_executor(None, hub.journal.stop)
        await loop.run_in_executor(None, hub.archive.close)


async def _keep_house(hub: Hub) -> None:
    """What only the clock brings about: approved policies ripen."""

    def work(writing: Writing) -> None:
        ripen(writing)
        tend(writing, hub.policy.policy)

    while True:
        try:
            await hub.archive.write(work)
            await asyncio.to_thread(hub.files.arrivals.sweep)
        except StoreError as error:
            log.warning("housekeeping_failed", code=error.code)
        await asyncio.sleep(_HOUSEKEEPING)


async def _stream(hub: Hub, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    request = Request(scope)
    try:
        with wrong_tokens_counted(hub, request):
            caller = await authenticate(hub.archive, request.headers.get("authorization"))
        hub.rates.devices.take(caller.device.id)
        require(caller, "feed.read")
        text = request.headers.get("last-event-id") or request.query_params.get("since") or "0"
        since = int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0
    except WabizError as error:
        refusal = error_answer(error)
        extra = [(TIME_HEADER.lower().encode(), hub.clock.now().isoformat().encode())]
        if "retry-after" in refusal.headers:
            extra.append((b"retry-after", refusal.headers["retry-after"].encode()))
        await answer(send, refusal.status_code, bytes(refusal.body), content_type=b"application/json", extra=extra)
        return
    await hub.feed.stream(caller.viewer, since, receive, send, write_chunk=write_chunk_of(scope))


async def _not_found(request: Request, _error: Exception) -> Response:
    if request.url.path.startswith("/v1/"):
        return error_answer(NotFound("There is no such endpoint; GET /v1/openapi.json names them all."))
    answered = refused(refuse("unsupported", "Unsupported request: the hub's gateway does not pass this call on"))
    return Response(answered.body, answered.status, media_type="application/json")


async def _wrong_method(request: Request, error: Exception) -> Response:
    response = await _not_found(request, error)
    if not request.url.path.startswith("/v1/"):
        return response
    refusal = error_answer(WabizError("This endpoint does not take that method; GET /v1/openapi.json names them all.", code="wrong_method"))
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    return Response(refusal.body, 405, headers, media_type="application/json")
