"""/healthz, /readyz and /metrics: what watches a hub may ask without being one of its people."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wabiz_tui.hub.operations.health import may_watch
from wabiz_tui.hub.requests import error_answer, json_answer
from wabiz_tui.model.errors import NotFound, StoreError
from wabiz_tui.model.wire import ErrorBody

if TYPE_CHECKING:
    from wabiz_tui.hub.parts import Hub


def watch_routes(hub: "Hub") -> list[Route]:
    """`/healthz` and the status of `/readyz` are for everybody, figures for whoever `may_watch`."""
    trust = hub.settings.trust

    def is_near(request: Request) -> bool:
        return may_watch(request.scope, trust.is_proxy_address, hub.secrets.metrics_token)

    async def alive(_request: Request) -> Response:
        return Response(b"ok\n", media_type="text/plain; charset=utf-8")

    async def ready(request: Request) -> Response:
        try:
            health = await hub.health.health()
        except StoreError as error:
            sentence = error.sentence if is_near(request) else "The hub cannot reach its archive."
            return json_answer(ErrorBody(code=error.code, sentence=sentence), 503)
        return json_answer(health if is_near(request) else {"status": health.status})

    async def metrics(request: Request) -> Response:
        if not is_near(request):
            return error_answer(NotFound("There is no such endpoint; GET /v1/openapi.json names them all."))
        return Response(await hub.health.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return [Route("/healthz", alive), Route("/readyz", ready), Route("/metrics", metrics)]
