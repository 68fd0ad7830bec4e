"""The gateway's routes: version and token first, then the call; every answer in Graph's shape."""

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wabiz_tui.graph.errors import build_error
from wabiz_tui.hub.access import Unauthorized, authenticate, bearer_token
from wabiz_tui.hub.gateway.answers import NO_TRACE, Answered, refused
from wabiz_tui.hub.gateway.keys import KeyRates, integration_of, is_key
from wabiz_tui.hub.gateway.messages import LARGEST_BODY
from wabiz_tui.hub.gateway.refusals import refuse
from wabiz_tui.hub.gateway.sender import Sender, integration_sender, person_sender
from wabiz_tui.hub.requests import read_body, report
from wabiz_tui.model.codec import encode
from wabiz_tui.model.errors import CloudError, Denied, StoreError, TooLarge, WabizError
from wabiz_tui.model.wire import IDEMPOTENCY_KEY, MESSAGE_HEADER, TIME_HEADER

if TYPE_CHECKING:
    from wabiz_tui.hub.parts import Hub

Handler = Callable[["Hub", Sender, Request], Awaitable[Answered | Response]]
_VERSION = re.compile(r"v\d{1,3}\.\d{1,2}")
_KEY_REFUSED = "The integration key is wrong or revoked; ask an administrator for a new one."


def gateway_routes(hub: "Hub") -> list[Route]:
    """Each call of Meta's that the gateway passes on."""
    rates = KeyRates()
    table: tuple[tuple[str, str, Handler], ...] = (("POST", "/{number}/messages", _messages),)
    return [Route("/{version}" + path, _guard(hub, rates, handler), methods=method.split()) for method, path, handler in table]


async def _messages(hub: "Hub", sender: Sender, request: Request) -> Answered:
    raw = await read_body(request, limit=LARGEST_BODY)
    return await hub.gateway.messages(sender, request.path_params["number"], raw, key=request.headers.get(IDEMPOTENCY_KEY))


def _guard(hub: "Hub", rates: KeyRates, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def guarded(request: Request) -> Response:
        try:
            _check_version(request.path_params["version"])
            sender = await _who(hub, rates, request.headers.get("authorization"))
            outcome = await handler(hub, sender, request)
        except WabizError as error:
            outcome = _refusal(error)
        except Exception as error:  # noqa: BLE001 the hub's outer edge: told to the log without its words; a send may have gone out
            report(error, "gateway")
            outcome = Answered(500, encode(build_error(131000, "The hub met an error of its own.", NO_TRACE)))
        response = _response(outcome) if isinstance(outcome, Answered) else outcome
        response.headers[TIME_HEADER] = hub.clock.now().isoformat()
        return response

    return guarded


def _check_version(version: str) -> None:
    if _VERSION.fullmatch(version) is None:
        raise refuse("unsupported", "Unknown path components")


async def _who(hub: "Hub", rates: KeyRates, authorization: str | None) -> Sender:
    """Raises Denied for tokens and keys that are unknown or revoked, CloudError for a key that asks too often."""
    token = bearer_token(authorization)
    if not is_key(token):
        caller = await authenticate(hub.archive, authorization)
        return person_sender(caller.person, caller.viewer)
    integration = await hub.archive.read(lambda reading: integration_of(reading, token))
    if integration is None:
        raise Unauthorized(_KEY_REFUSED)
    rates.take(integration, hub.clock.now())
    return integration_sender(integration)


def _response(answered: Answered) -> Response:
    headers = {"Cache-Control": "no-store"}
    if answered.message:
        headers[MESSAGE_HEADER] = answered.message
    if answered.retry_after:
        headers["Retry-After"] = str(answered.retry_after)
    return Response(answered.body, answered.status, headers, media_type="application/json")


def _refusal(error: WabizError) -> Answered:
    if isinstance(error, CloudError):
        return refused(error)
    if isinstance(error, Denied):
        return _token_refusal(error)
    if isinstance(error, StoreError):
        return refused(refuse("busy", error.sentence))
    status = 413 if isinstance(error, TooLarge) else 400
    return Answered(status, encode(build_error(100, error.sentence, NO_TRACE)))


def _token_refusal(error: Denied) -> Answered:
    """In Meta's words, which clients of hers look for; ours tell what to do."""
    told = build_error(190, error.sentence, NO_TRACE)["error"]
    words = "Invalid OAuth access token - Cannot parse access token" if isinstance(error, Unauthorized) else "Authentication Error"
    data = {**told["error_data"], "wabiz_code": "bad_token"}
    return Answered(401, encode({"error": {**told, "message": words, "error_data": data}}))
