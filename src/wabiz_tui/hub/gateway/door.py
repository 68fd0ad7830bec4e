"""The gateway's routes: version and token first, then the call; every answer in Graph's shape."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wabiz_tui.graph.errors import build_error, graph_error
from wabiz_tui.graph.reading import Json, load_object
from wabiz_tui.hub.archive.beginning import beginning_with
from wabiz_tui.hub.archive.integrations import find_integration
from wabiz_tui.hub.archive.store import Reading
from wabiz_tui.hub.feed.viewer import viewer_of
from wabiz_tui.hub.front.addresses import public_origin
from wabiz_tui.hub.gateway.answers import NO_TRACE, Answered, refused
from wabiz_tui.hub.gateway.keys import KeyRates, integration_of, is_key
from wabiz_tui.hub.gateway.outcomes import message_history
from wabiz_tui.hub.gateway.refusals import refuse
from wabiz_tui.hub.gateway.sender import Sender, integration_sender, person_sender, require
from wabiz_tui.hub.gateway.upload import read_upload
from wabiz_tui.hub.people.access import Unauthorized, authenticate, bearer_token
from wabiz_tui.hub.people.devices import current_device
from wabiz_tui.hub.people.guessing import WrongTokens, wrong_tokens_counted
from wabiz_tui.hub.requests import STORE_AWAY, STORE_WAIT, hold_body, read_body, report
from wabiz_tui.hub.shifts.gate import closed_until
from wabiz_tui.model.codec import encode
from wabiz_tui.model.errors import CloudError, Denied, StoreError, TooLarge, TooMany, WabizError
from wabiz_tui.model.values import Person
from wabiz_tui.model.wire import IDEMPOTENCY_KEY, MESSAGE_HEADER, TIME_HEADER

if TYPE_CHECKING:
    from wabiz_tui.hub.parts import Hub


class _Version(Convertor[str]):
    """`v26.0`: what tells a path of Meta's from one of our own."""

    regex = r"v\d{1,3}\.\d{1,2}"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("graph_version", _Version())

Handler = Callable[["Hub", Sender, Request], Awaitable[Answered | Response]]
_KEY_REFUSED = "The integration key is wrong or revoked; ask an administrator for a new one."


def gateway_routes(hub: "Hub") -> list[Route]:
    """Each call of Meta's that the gateway passes on."""
    rates = KeyRates()
    return [Route("/{version:graph_version}" + path, _guard(hub, rates, handler), methods=[method]) for method, path, handler, _ in CALLS]


async def _messages(hub: "Hub", sender: Sender, request: Request) -> Answered:
    raw = await read_body(request)
    # Only here the archive comes before Meta: elsewhere she has done it by then, and what she did is written down.
    with beginning_with(lambda writing: _check_in(writing, sender)):
        return await hub.gateway.messages(sender, request.path_params["number"], raw, key=request.headers.get(IDEMPOTENCY_KEY))


async def _upload(hub: "Hub", sender: Sender, request: Request) -> Answered:
    number = request.path_params["number"]
    await hub.archive.read(lambda reading: hub.files.check_upload(reading, sender, number))
    if request.headers.get("content-type", "").startswith("application/json"):
        return await _pass_on(hub, request, number)
    async with hub.files.room(request.headers.get("content-length")):
        uploaded = await read_upload(request)
        sender = await _still(hub, request)
        await hub.archive.read(lambda reading: hub.files.check_upload(reading, sender, number))
        return await hub.files.upload(sender, number, uploaded)


async def _pass_on(hub: "Hub", request: Request, number: str) -> Answered:
    """A file that came in pieces (/v1/uploads) goes to Meta."""
    asked = await _json(request)
    sender = await _still(hub, request)
    await hub.archive.read(lambda reading: hub.files.check_upload(reading, sender, number))
    if asked.get("messaging_product") != "whatsapp":
        raise graph_error(100, "The parameter messaging_product is required and must be 'whatsapp'")
    return await hub.files.pass_on(sender, number, str(asked.get("upload", "")))


async def _object(hub: "Hub", sender: Sender, request: Request) -> Answered:
    name, query = request.path_params["object"], request.query_params
    if await hub.files.has_file(sender, name):
        return await hub.files.info(sender, name, number=query.get("phone_number_id") or None, address=f"{_address(request)}/bytes")
    return await hub.objects.get(sender, name, query)


async def _bytes(hub: "Hub", sender: Sender, request: Request) -> Response:
    return await hub.files.download(sender, request.path_params["object"], request.headers)


async def _delete(hub: "Hub", sender: Sender, request: Request) -> Answered:
    return await hub.files.delete(sender, request.path_params["object"])


async def _edit_template(hub: "Hub", sender: Sender, request: Request) -> Answered:
    return await hub.objects.change_template(sender, request.path_params["object"], await _json(request))


async def _unpause(hub: "Hub", sender: Sender, request: Request) -> Answered:
    return await hub.objects.change_template(sender, request.path_params["object"], {}, "unpause")


async def _templates(hub: "Hub", sender: Sender, request: Request) -> Answered:
    return await hub.objects.templates(sender, request.path_params["account"], request.query_params, lambda: _address(request))


async def _make_template(hub: "Hub", sender: Sender, request: Request) -> Answered:
    return await hub.objects.make_template(sender, request.path_params["account"], await _json(request))


async def _delete_template(hub: "Hub", sender: Sender, request: Request) -> Answered:
    return await hub.objects.delete_template(sender, request.path_params["account"], request.query_params)


async def _numbers(hub: "Hub", sender: Sender, request: Request) -> Answered:
    return await hub.objects.numbers(sender, request.path_params["account"], request.query_params, lambda: _address(request))


async def _profile(hub: "Hub", sender: Sender, request: Request) -> Answered:
    return await hub.objects.profile(sender, request.path_params["number"], request.query_params)


async def _change_profile(hub: "Hub", sender: Sender, request: Request) -> Answered:
    return await hub.objects.change_profile(sender, request.path_params["number"], await _json(request))


async def _blocked(hub: "Hub", sender: Sender, request: Request) -> Answered:
    return await hub.objects.blocked(sender, request.path_params["number"], request.query_params, lambda: _address(request))


async def _block(hub: "Hub", sender: Sender, request: Request) -> Answered:
    is_blocked = request.method == "POST"
    return await hub.objects.block(sender, request.path_params["number"], await _json(request), is_blocked=is_blocked)


async def _history(hub: "Hub", sender: Sender, request: Request) -> Answered:
    number, named = request.path_params["number"], request.query_params.get("message_id", "")
    await hub.intake.caught_up()
    return await hub.archive.read(lambda reading: message_history(reading, sender, number, named))


CALLS: tuple[tuple[str, str, Handler, str], ...] = (
    ("POST", "/{number}/messages", _messages, "message.send"),
    ("GET", "/{number}/message_history", _history, "message.send"),
    ("POST", "/{number}/media", _upload, "media.send"),
    ("GET", "/{number}/whatsapp_business_profile", _profile, "number.read"),
    ("POST", "/{number}/whatsapp_business_profile", _change_profile, "number.write"),
    ("GET", "/{number}/block_users", _blocked, "contact.block"),
    ("POST", "/{number}/block_users", _block, "contact.block"),
    ("DELETE", "/{number}/block_users", _block, "contact.block"),
    ("GET", "/{account}/phone_numbers", _numbers, "number.read"),
    ("GET", "/{account}/message_templates", _templates, "template.read"),
    ("POST", "/{account}/message_templates", _make_template, "template.write"),
    ("DELETE", "/{account}/message_templates", _delete_template, "template.write"),
    ("POST", "/{object}/unpause", _unpause, "template.write"),
    ("GET", "/{object}/bytes", _bytes, "media.read"),
    ("GET", "/{object}", _object, "media.read, number.read or template.read"),
    ("POST", "/{object}", _edit_template, "template.write"),
    ("DELETE", "/{object}", _delete, "media.send"),
)
"""The calls that the gateway knows, each with its permission. A read mark on /messages needs message.mark_read."""


def _address(request: Request) -> str:
    """Where the caller found this call, without its query: by what hub.toml says or trusts, never by whatever Host it was sent."""
    return public_origin(request.scope) + request.scope["raw_path"].decode("ascii")


async def _json(request: Request) -> Json:
    return load_object(await read_body(request))


def _guard(hub: "Hub", rates: KeyRates, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def guarded(request: Request) -> Response:
        try:
            sender = await _who(hub, rates, request)
            if handler is not _upload and request.method != "GET":
                await hold_body(request)
                sender = await _still(hub, request)
            outcome = await handler(hub, sender, request)
        except WabizError as error:
            if isinstance(error, StoreError):
                hub.metrics.store_errors.labels(error.code).inc()
            outcome = _refusal(error)
        except Exception as error:  # noqa: BLE001 the hub's outer edge: told to the log without its words; a send may have gone out
            report(error, "gateway")
            outcome = Answered(500, encode(build_error(131000, "The hub met an error of its own.", NO_TRACE)))
        response = _response(outcome) if isinstance(outcome, Answered) else outcome
        response.headers[TIME_HEADER] = hub.clock.now().isoformat()
        return response

    return guarded


async def _who(hub: "Hub", rates: KeyRates, request: Request) -> Sender:
    """Raises Denied for tokens and keys that are unknown or revoked, CloudError for whoever asks too often."""
    sender = await _still(hub, request)
    if sender.integration is not None:
        rates.take(sender.integration, hub.clock.now())
        return sender
    try:
        hub.rates.devices.take(sender.caller)
    except TooMany as error:
        raise refuse("rate_limited", "This device asks too often", retry_after=error.retry_after) from error
    return sender


async def _still(hub: "Hub", request: Request) -> Sender:
    """Who asks, as they stand at this moment: a body takes as long as its sender likes, who may have been revoked since."""
    with wrong_tokens_counted(hub, request):
        return await _sender(hub, request.headers.get("authorization"))


async def _sender(hub: "Hub", authorization: str | None) -> Sender:
    token = bearer_token(authorization)
    if not is_key(token):
        caller = await authenticate(hub.archive, authorization)
        check_shift(hub, caller.person)
        return person_sender(caller.person, caller.viewer)
    integration = await hub.archive.read(lambda reading: integration_of(reading, token))
    if integration is None:
        raise Unauthorized(_KEY_REFUSED)
    return integration_sender(integration)


def _check_in(reading: Reading, sender: Sender) -> None:
    """The sender as they stand in this transaction, since others may have had the writer first. Raises Denied, CloudError."""
    if sender.integration is not None:
        known = find_integration(reading, sender.integration.id)
        if known is None or known.is_revoked:
            raise Unauthorized(_KEY_REFUSED)
        return
    device = current_device(reading, sender.caller)
    require(person_sender(device.person, viewer_of(device.person, device.id)), "message.send")


def check_shift(hub: "Hub", person: Person) -> None:
    """Raises CloudError where the policy closes this person out now, for whatever they ask: every call shows or moves content."""
    stands = hub.shifts.standing(person.id, person.role)
    if stands.is_closed:
        wait = None if stands.resumes_at is None else stands.resumes_at - hub.clock.now()
        raise refuse("off_shift", closed_until(stands), retry_after=wait)


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
        return refused(refuse("busy", STORE_AWAY, retry_after=STORE_WAIT))
    if isinstance(error, WrongTokens):
        return refused(refuse("wrong_tokens", error.sentence, retry_after=error.retry_after))
    status = 413 if isinstance(error, TooLarge) else 400
    return Answered(status, encode(build_error(100, error.sentence, NO_TRACE)))


def _token_refusal(error: Denied) -> Answered:
    """In Meta's words, which clients of hers look for; ours tell what to do."""
    told = build_error(190, error.sentence, NO_TRACE)["error"]
    words = "Invalid OAuth access token - Cannot parse access token" if isinstance(error, Unauthorized) else "Authentication Error"
    data = {**told["error_data"], "wabiz_code": "bad_token"}
    return Answered(401, encode({"error": {**told, "message": words, "error_data": data}}))
