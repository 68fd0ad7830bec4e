"""The hand on the simulator: make customers write, tell statuses, break things, move time, and read what happened."""

import inspect
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from wabiz_tui.graph.reading import Json, load_object
from wabiz_tui.model.document import nearest_name
from wabiz_tui.model.errors import NotFound, TooLarge, WabizError
from wabiz_tui.simulator.control.account import change_account, change_number, change_template
from wabiz_tui.simulator.control.callback import callback_of, set_callback_asked
from wabiz_tui.simulator.control.clock import clock_of, move_clock
from wabiz_tui.simulator.control.customer import change_customer, customer_rows
from wabiz_tui.simulator.control.event import post_event
from wabiz_tui.simulator.control.faults import post_fault
from wabiz_tui.simulator.control.files import add_media
from wabiz_tui.simulator.control.inbound import post_inbound
from wabiz_tui.simulator.control.records import delivery_rows, read_rows, sent_rows, state_of
from wabiz_tui.simulator.control.reset import play_scenario, reset
from wabiz_tui.simulator.control.status import post_status
from wabiz_tui.simulator.customers.characters import CHARACTERS
from wabiz_tui.simulator.switches import change_settings, settings_of
from wabiz_tui.simulator.webhooks.account_events import EVENTS
from wabiz_tui.simulator.webhooks.faults import KINDS
from wabiz_tui.simulator.world import World

MAX_BODY = 16 * 1024 * 1024

Handler = Callable[[World, Json], Awaitable[Json] | Json]
Reader = Callable[[World, Request], Awaitable[Json] | Json]


def control_routes(world: World) -> list[Route]:
    posts: dict[str, Handler] = {
        "account": change_account,
        "callback": set_callback_asked,
        "clock": move_clock,
        "customer": change_customer,
        "event": post_event,
        "fault": post_fault,
        "faults": post_fault,
        "inbound": post_inbound,
        "media": add_media,
        "number": change_number,
        "reset": reset,
        "scenario": play_scenario,
        "settings": change_settings,
        "status": post_status,
        "template": change_template,
    }
    gets: dict[str, Reader] = {
        "callback": lambda world, _: callback_of(world),
        "clock": lambda world, _: clock_of(world),
        "customer": customer_rows,
        "customers": customer_rows,
        "deliveries": delivery_rows,
        "event": lambda _, __: {"fields": list(EVENTS)},
        "fault": lambda world, _: {"faults": world.faults.describe(world.now()), "kinds": list(KINDS)},
        "reads": read_rows,
        "sent": sent_rows,
        "settings": lambda world, _: settings_of(world),
        "state": state_of,
    }
    routes = [Route(f"/_control/{name}", _posted(world, handler), methods=["POST"]) for name, handler in posts.items()]
    routes += [Route(f"/_control/{name}", _asked(world, reader), methods=["GET"]) for name, reader in gets.items()]
    routes += [Route(f"/_control/{name}", _posted(world, reset), methods=["DELETE"]) for name in ("reset", "state")]
    index = {"post": sorted(posts), "get": sorted(gets), "characters": {name: one.about for name, one in CHARACTERS.items()}}
    return [*routes, Route("/_control", _index(index)), Route("/_control/{name:path}", _nowhere(index), methods=["GET", "POST", "DELETE"])]


def _posted(world: World, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def handled(request: Request) -> Response:
        try:
            raw = await _body(request)
            answer = handler(world, load_object(raw) if raw.strip() else {})
            return JSONResponse(await answer if inspect.isawaitable(answer) else answer)
        except WabizError as error:
            return _refused(error)

    return handled


def _asked(world: World, reader: Reader) -> Callable[[Request], Awaitable[Response]]:
    async def handled(request: Request) -> Response:
        try:
            answer = reader(world, request)
            return JSONResponse(await answer if inspect.isawaitable(answer) else answer)
        except WabizError as error:
            return _refused(error)

    return handled


def _index(index: Json) -> Callable[[Request], Awaitable[Response]]:
    async def handled(_: Request) -> Response:
        return JSONResponse(index)

    return handled


def _nowhere(index: Json) -> Callable[[Request], Awaitable[Response]]:
    """A slip in an endpoint's name or method is told as one in a key."""

    async def handled(request: Request) -> Response:
        name = str(request.path_params["name"]).strip("/")
        known: list[str] = index["get"] if request.method == "GET" else index["post"]
        near = nearest_name(name, known)
        hint = f" Do you mean {near!r}?" if near else ""
        sentence = f"There is no {request.method} /_control/{name[:60]}.{hint} There are: {', '.join(known)}."
        return JSONResponse({"code": "not_found", "sentence": sentence}, 404)

    return handled


async def _body(request: Request) -> bytes:
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_BODY:
            raise TooLarge("The body is larger than 16 MiB.")
    return bytes(raw)


def _refused(error: WabizError) -> Response:
    status = 404 if isinstance(error, NotFound) else 413 if isinstance(error, TooLarge) else 400
    return JSONResponse({"code": error.code, "sentence": error.sentence}, status)
