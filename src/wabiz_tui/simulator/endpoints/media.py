"""Files: upload, look up, download, delete (cloud-api §2, §17)."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.reading import Json, word
from wabiz_tui.model.errors import CloudError
from wabiz_tui.simulator.account.media import StoredFile
from wabiz_tui.simulator.endpoints.call import Call, read_parameters
from wabiz_tui.simulator.endpoints.gate import refusal
from wabiz_tui.simulator.endpoints.tokens import admit
from wabiz_tui.simulator.refusals import no_object
from wabiz_tui.simulator.world import World

PATH = "/whatsapp_business/attachments/"
LEAST_MINUTES, MOST_MINUTES = 60, 43200


async def upload(call: Call) -> Json:
    """`type` wins over the part's own content type where it is a MIME type; some clients write the kind there (`image`). `ttl_minutes`
    shortens the file's life."""
    call.product()
    if call.file is None:
        raise graph_error(100, "The parameter file is required.")
    asked = call.word("type")
    told = asked if "/" in asked or not call.file.mime_type else call.file.mime_type
    if not told:
        raise graph_error(100, "The parameter type is required.")
    minutes = call.whole("ttl_minutes", LEAST_MINUTES, MOST_MINUTES)
    stored = call.world.media.upload(call.file.content, told, call.file.filename, call.node, call.world.now(), minutes=minutes)
    return {"id": stored.id}


async def look_up(call: Call) -> Json:
    return call.world.media.info(_owned(call), call.base_url, call.world.now())


async def delete(call: Call) -> Json:
    stored = _owned(call)
    call.world.media.remove(stored.id)
    return {"success": True}


def _owned(call: Call) -> StoredFile:
    """Raises Refusal 100 where `phone_number_id` names another number than the file's."""
    stored = call.world.media.find(call.node, call.world.now())
    asked_for = call.word("phone_number_id")
    if stored is None or (asked_for and asked_for != (stored.number or asked_for)):
        raise no_object(call.node, call.method)
    return stored


def download_route(world: World) -> Route:
    """Behind the URL that `look_up` gives: the bytes, with the token only; 404 once the URL has died."""

    async def download(request: Request) -> Response:
        try:
            admit(world, request, (await read_parameters(request)).given)
        except CloudError as error:
            # Meta's media host answers 401 to whoever has no token; the Graph host 400.
            answer = refusal(world, error)
            answer.status_code = 401
            return answer
        if (slow := world.faults.take("media_slow", world.now())) is not None:
            await asyncio.sleep(slow.number("seconds", 1.0))
        failing = world.faults.take("media_fail", world.now())
        if failing is not None:
            return Response(status_code=int(failing.number("status", 500)))
        stored = world.media.behind(word(request.path_params.get("key")), world.now())
        if stored is None or world.faults.take("media_expired", world.now()) is not None:
            return Response("URL signature expired", status_code=404, media_type="text/plain")
        return Response(stored.content, media_type=stored.mime_type, headers={"Cache-Control": "private"})

    return Route(PATH + "{key}", download, methods=["GET"])
