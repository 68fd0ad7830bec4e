"""Files on their way up in pieces. The whole is passed on to Meta by the gateway's /media, which is told the upload's id."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from wabiz_tui.hub.endpoints.endpoint import Endpoint
from wabiz_tui.hub.parts import Hub
from wabiz_tui.hub.people.access import Caller
from wabiz_tui.hub.requests import json_answer, read_body, read_json
from wabiz_tui.model.wire import NewUpload, UploadStanding


async def begin(hub: Hub, caller: Caller, request: Request) -> Response:
    wanted = await read_json(request, NewUpload)
    return json_answer(await asyncio.to_thread(hub.files.arrivals.begin, caller.device.id, wanted))


async def take(hub: Hub, caller: Caller, request: Request) -> Response:
    upload, place, piece = request.path_params["upload"], request.path_params["offset"], await read_body(request)
    # What is no place is told only to those whose upload it is.
    offset = int(place) if place.isascii() and place.isdigit() and len(place) <= 18 else -1
    return json_answer(await asyncio.to_thread(hub.files.arrivals.take, caller.device.id, upload, offset, piece))


async def remove(hub: Hub, caller: Caller, request: Request) -> Response:
    await asyncio.to_thread(hub.files.arrivals.forget, caller.device.id, request.path_params["upload"])
    return json_answer({})


_A = "/v1/uploads"
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", _A, "media.send", "Begin an upload in pieces, or ask how far it has come.", begin, NewUpload, UploadStanding),
    Endpoint("PUT", f"{_A}/{{upload}}/{{offset}}", "media.send", "A piece: its bytes as they are.", take, None, UploadStanding),
    Endpoint("DELETE", f"{_A}/{{upload}}", "media.send", "Remove an upload.", remove),
)
