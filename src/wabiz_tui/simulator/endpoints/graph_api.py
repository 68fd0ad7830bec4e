"""The Graph endpoints of the pretend Meta: who is it, may they, judge it, do it, answer in Graph's shape."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from wabiz_tui.graph.errors import build_error, graph_error, meaning
from wabiz_tui.graph.reading import Json, list_of, load_object, object_of, word
from wabiz_tui.graph.requests import ReadRequest, parse_request
from wabiz_tui.model.errors import BadInput, CloudError
from wabiz_tui.model.secret import Secret
from wabiz_tui.simulator.account.sending import accept, mark_read
from wabiz_tui.simulator.customers.people import digits_of
from wabiz_tui.simulator.webhooks.courier import Callback
from wabiz_tui.simulator.world import World

Handler = Callable[[World, Request], Awaitable[Response]]
NEWEST = 26
_MAX_BODY = 110 * 1024 * 1024


class Cut(Exception):
    """End the connection without an answer."""


def graph_routes(world: World) -> list[Route]:
    """Each path with and without a version: a path without one gets the app's default (cloud-api §1)."""
    table: list[tuple[str, str, Handler]] = [
        ("/{number}/messages", "POST", _messages),
        ("/{number}/media", "POST", _upload),
        ("/{number}/block_users", "GET POST DELETE", _block_users),
        ("/{waba}/phone_numbers", "GET", _phone_numbers),
        ("/{waba}/message_templates", "GET", _message_templates),
        ("/{waba}/subscribed_apps", "GET POST DELETE", _subscribed_apps),
        ("/{object}", "GET DELETE", _object),
    ]
    routes = [Route("/whatsapp_business/attachments/{key}", _guard(world, _download), methods=["GET"])]
    for prefix in ("/{version:version}", ""):
        routes += [Route(prefix + path, _guard(world, handler), methods=methods.split()) for path, methods, handler in table]
    return routes


def _guard(world: World, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Version and token first, then the handler; every refusal as Graph words it."""

    async def guarded(request: Request) -> Response:
        version = request.path_params.get("version")
        if version is not None and int(version[1:-2]) > NEWEST:
            return unknown_path(world, request.url.path)
        try:
            _check_token(world, request)
            return await handler(world, request)
        except CloudError as error:
            return refusal(world, error)
        except BadInput as error:
            return refusal(world, graph_error(100, error.sentence.rstrip(".")))

    return guarded


def refusal(world: World, error: CloudError, *, status: int | None = None) -> Response:
    code = error.graph_code or 1
    return JSONResponse(build_error(code, error.details, world.trace()), status or error.http_status or meaning(code).http_status)


def unknown_path(world: World, path: str) -> Response:
    """A version that does not exist, and a path that does not."""
    body = build_error(2500, "", world.trace())
    body["error"]["message"] = f"Unknown path components: {path[:200]}"
    return JSONResponse(body, 400)


def _check_token(world: World, request: Request) -> None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    given = given.strip() or request.query_params.get("access_token", "")
    if not given or (scheme and scheme.lower() != "bearer"):
        raise graph_error(2500, "An active access token must be used to query information about the current user")
    expected = world.options.token
    is_expired = world.faults.take("token_expired", world.now()) is not None
    if is_expired or (expected is not None and not hmac.compare_digest(expected.reveal(), given.encode())):
        raise graph_error(190, "Error validating access token: the session has expired")


async def _messages(world: World, request: Request) -> Response:
    raw = await _body(request)
    now = world.now()
    if (late := world.faults.take("latency", now)) is not None:
        await asyncio.sleep(late.number("seconds", 1.0))
    await _fail_before(world)
    asked = parse_request(raw)
    number = word(request.path_params.get("number"))
    if isinstance(asked, ReadRequest):
        return JSONResponse(mark_read(world, number, asked))
    outcome = accept(world, number, asked)
    for hear in world.on_sent:
        await hear(outcome.sent)
    if (fault := world.faults.take("timeout", now, when="after")) is not None:
        await _never_answer(fault.number("seconds", 120.0))
    if world.faults.take("cut", now, when="after") is not None:
        raise Cut
    return JSONResponse(outcome.answer)


async def _fail_before(world: World) -> None:
    """Faults that strike before the message is accepted."""
    now = world.now()
    if world.faults.take("cut", now, when="before") is not None:
        raise Cut
    if (fault := world.faults.take("timeout", now, when="before")) is not None:
        await _never_answer(fault.number("seconds", 120.0))
    if (fault := world.faults.take("http_error", now)) is not None:
        code = int(fault.number("code", fault.number("error_code", 131000)))
        status = int(fault.number("status", fault.number("http_status", meaning(code).http_status)))
        raise CloudError("asked for", graph_code=code, http_status=status, details=fault.word("details"))
    fault = world.faults.find("fail_next", now)
    if fault is not None and not fault.params.get("async"):
        world.faults.take("fail_next", now)
        raise graph_error(int(fault.number("code", fault.number("error_code", 131026))), fault.word("details"))


async def _never_answer(seconds: float) -> None:
    await asyncio.sleep(seconds)
    raise Cut


async def _body(request: Request) -> bytes:
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > _MAX_BODY:
            raise graph_error(100, "The request is too large")
    return bytes(raw)


async def _upload(world: World, request: Request) -> Response:
    number = world.own_number(word(request.path_params.get("number")))
    async with request.form(max_files=1, max_part_size=_MAX_BODY) as form:
        if form.get("messaging_product") != "whatsapp":
            raise graph_error(100, "The parameter messaging_product is required and must be 'whatsapp'")
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise graph_error(100, "The parameter file is required")
        told = form.get("type")
        mime_type = told if isinstance(told, str) and told else file.content_type or ""
        stored = world.media.upload(await file.read(), mime_type, file.filename or "", number, world.now())
    return JSONResponse({"id": stored.id})


async def _download(world: World, request: Request) -> Response:
    failing = world.faults.take("media_fail", world.now())
    if failing is not None:
        return Response(status_code=int(failing.number("status", 500)))
    stored = world.media.behind(word(request.path_params.get("key")), world.now())
    if stored is None:
        return Response("URL signature expired", status_code=404)
    return Response(stored.content, media_type=stored.mime_type)


async def _object(world: World, request: Request) -> Response:
    """One id for numbers, accounts, media and templates: Graph has one space of objects."""
    name = word(request.path_params.get("object"))
    if request.method == "DELETE":
        if not world.media.remove(name):
            raise _no_object(name)
        return JSONResponse({"success": True})
    if name in world.options.phone_number_ids:
        return JSONResponse(_number(world, name))
    if name == world.options.waba_id:
        return JSONResponse({"id": name, "name": world.business, "currency": "EUR", "timezone_id": "42", "message_template_namespace": "x"})
    template = next((one for one in world.templates.items if one["id"] == name), None)
    if template is not None:
        return JSONResponse(template)
    stored = world.media.find(name, world.now())
    asked_for = request.query_params.get("phone_number_id")
    if stored is None or (asked_for and stored.number and asked_for != stored.number):
        raise _no_object(name)
    return JSONResponse(world.media.info(stored, str(request.base_url).rstrip("/"), world.now()))


def _no_object(name: str) -> CloudError:
    return graph_error(100, f"Unsupported request. Object with ID '{name[:40]}' does not exist")


def _number(world: World, number: str) -> Json:
    return {
        "id": number,
        "display_phone_number": "+" + world.display(number),
        "verified_name": world.business,
        "status": "CONNECTED",
        "quality_rating": "GREEN",
        "name_status": "APPROVED",
        "code_verification_status": "VERIFIED",
        "platform_type": "CLOUD_API",
        "throughput": {"level": "STANDARD"},
        "whatsapp_business_manager_messaging_limit": "TIER_2K",
        "health_status": {"can_send_message": "AVAILABLE", "entities": []},
    }


def _own_account(world: World, request: Request) -> str:
    waba = word(request.path_params.get("waba"))
    if waba != world.options.waba_id:
        raise _no_object(waba)
    return waba


async def _phone_numbers(world: World, request: Request) -> Response:
    _own_account(world, request)
    return JSONResponse({"data": [_number(world, number) for number in world.options.phone_number_ids], "paging": {"cursors": {}}})


async def _message_templates(world: World, request: Request) -> Response:
    _own_account(world, request)
    wanted = {key: request.query_params[key] for key in ("name", "status", "category", "language") if request.query_params.get(key)}
    items = [one for one in world.templates.items if all(one[key] == value for key, value in wanted.items())]
    limit, after = request.query_params.get("limit", "25"), request.query_params.get("after", "0")
    if not limit.isdecimal() or not after.isdecimal() or int(limit) < 1:
        raise graph_error(131059, "The cursor or the limit is not valid")
    end = int(after) + int(limit)
    paging: Json = {"cursors": {"before": after, "after": str(end)}}
    if end < len(items):
        paging["next"] = str(request.url.include_query_params(after=str(end)))
    return JSONResponse({"data": items[int(after) : end], "paging": paging})


async def _subscribed_apps(world: World, request: Request) -> Response:
    _own_account(world, request)
    callback = world.courier.callback
    if request.method == "GET":
        app: Json = {
            "whatsapp_business_api_data": {"id": "670843887433847", "link": "https://www.facebook.com/games/?app_id=1", "name": "wabiz"}
        }
        if callback is not None:
            app["override_callback_uri"] = callback.url
        return JSONResponse({"data": [app]})
    raw = await _body(request)
    asked = load_object(raw) if raw.strip() else {}
    url, verify_token = word(asked.get("override_callback_uri")), word(asked.get("verify_token"))
    if url and request.method == "POST":
        if len(url) > 200 or not url.startswith(("http://", "https://")):
            raise graph_error(100, "The parameter override_callback_uri must be a URL of at most 200 characters")
        secret = callback.app_secret if callback is not None else world.options.app_secret
        await world.courier.set_callback(Callback(url, secret, Secret(verify_token) if verify_token else None))
    return JSONResponse({"success": True})


async def _block_users(world: World, request: Request) -> Response:
    number = world.own_number(word(request.path_params.get("number")))
    if request.method == "GET":
        blocked = [one for one in world.people.all() if number in one.blocked_by]
        users = [{"messaging_product": "whatsapp", "wa_id": one.wa_id, "user_id": one.user_id} for one in blocked]
        return JSONResponse({"data": users, "paging": {"cursors": {}}})
    is_blocking = request.method == "POST"
    done: list[Json] = []
    failed: list[Json] = []
    for item in list_of(load_object(await _body(request)).get("block_users")):
        given = word(object_of(item).get("user_id")) or word(object_of(item).get("user"))
        person = world.people.find(wa_id=digits_of(given), user_id=given)
        # Only who wrote within 24 hours can be blocked (cloud-api §2).
        if person is None or (is_blocking and not person.is_window_open(number, world.now())):
            failed.append({"input": given, "errors": [{"code": 131047, "message": "Re-engagement message"}]})
            continue
        (person.blocked_by.add if is_blocking else person.blocked_by.discard)(number)
        done.append({"input": given, "wa_id": person.wa_id, "user_id": person.user_id})
    lists: Json = {"added_users" if is_blocking else "removed_users": done}
    if not failed:
        return JSONResponse({"messaging_product": "whatsapp", "block_users": lists})
    error = build_error(139100, "Failed to block or unblock some users", world.trace())
    return JSONResponse({"messaging_product": "whatsapp", "block_users": {**lists, "failed_users": failed}, **error}, 400)
