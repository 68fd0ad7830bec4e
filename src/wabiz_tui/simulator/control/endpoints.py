"""The hand on the simulator: make customers write, tell statuses, break things, move time, and read what happened."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from wabiz_tui.graph.reading import Json, load_object
from wabiz_tui.model.errors import NotFound, WabizError
from wabiz_tui.simulator.control.callback import set_callback_asked
from wabiz_tui.simulator.control.clock import move_clock
from wabiz_tui.simulator.control.faults import post_fault
from wabiz_tui.simulator.control.files import add_media
from wabiz_tui.simulator.control.inbound import post_inbound
from wabiz_tui.simulator.control.records import delivery_rows, sent_rows, state_of
from wabiz_tui.simulator.control.settings import change_settings
from wabiz_tui.simulator.control.status import post_status
from wabiz_tui.simulator.webhooks.envelope import rfc3339
from wabiz_tui.simulator.world import World

Handler = Callable[[World, Json], Awaitable[Json]]


def control_routes(world: World) -> list[Route]:
    posts: dict[str, Handler] = {
        "callback": set_callback_asked,
        "inbound": post_inbound,
        "status": post_status,
        "fault": post_fault,
        "faults": post_fault,
        "clock": move_clock,
        "media": add_media,
        "settings": change_settings,
    }
    gets: dict[str, Callable[[World, Request], Json]] = {
        "sent": sent_rows,
        "reads": lambda world, _: {"reads": world.reads},
        "deliveries": delivery_rows,
        "state": state_of,
        "fault": lambda world, _: {"faults": world.faults.describe(world.now())},
        "clock": lambda world, _: {"now": rfc3339(world.now())},
    }
    routes = [Route(f"/_control/{name}", _posted(world, handler), methods=["POST"]) for name, handler in posts.items()]
    return routes + [Route(f"/_control/{name}", _asked(world, handler), methods=["GET"]) for name, handler in gets.items()]


def _posted(world: World, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def handled(request: Request) -> Response:
        try:
            raw = await request.body()
            return JSONResponse(await handler(world, load_object(raw) if raw.strip() else {}))
        except WabizError as error:
            return JSONResponse({"code": error.code, "sentence": error.sentence}, 404 if isinstance(error, NotFound) else 400)

    return handled


def _asked(world: World, handler: Callable[[World, Request], Json]) -> Callable[[Request], Awaitable[Response]]:
    async def handled(request: Request) -> Response:
        return JSONResponse(handler(world, request))

    return handled
