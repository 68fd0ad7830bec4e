"""The pretend Meta as an ASGI application: Graph endpoints and the hand on it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from wabiz_tui.simulator.control.endpoints import control_routes
from wabiz_tui.simulator.customers.play import Play
from wabiz_tui.simulator.customers.scenario import load_scenario
from wabiz_tui.simulator.endpoints.gate import Cut
from wabiz_tui.simulator.endpoints.routes import graph_routes
from wabiz_tui.simulator.options import SimulatorOptions
from wabiz_tui.simulator.world import World, build_world, first_callback

CUT = "wabiz.cut"


def create_app(options: SimulatorOptions) -> Starlette:
    """The application; its `state.world` is the World. It lives from the lifespan's start: without a lifespan no webhook leaves."""
    world = build_world(options)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None, None]:
        async with living(world):
            yield

    async def home(_: Request) -> Response:
        return JSONResponse({"simulator": "wabiz", "control": "/_control/state"})

    routes = [Route("/", home), *control_routes(world), *graph_routes(world)]
    app = Starlette(routes=routes, lifespan=lifespan)
    app.state.world = world
    app.add_middleware(_Cutter)
    return app


@asynccontextmanager
async def living(world: World) -> AsyncGenerator[World, None]:
    """Time runs, webhooks leave and customers act while this is open."""
    running = asyncio.ensure_future(world.timeline.run())
    try:
        world.play = Play(world)
        world.play.begin(load_scenario(world.options.scenario) if world.options.scenario is not None else None)
        await world.courier.set_callback(first_callback(world.options))
        yield world
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await world.timeline.stop()
        await world.courier.close()


class _Cutter:
    """Ends the connection where a fault asks for it: through the server's hand on the transport, else by failing the request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except Cut:
            cut = scope.get(CUT)
            if cut is None:
                raise
            cut()
            while (await receive())["type"] != "http.disconnect":
                pass
