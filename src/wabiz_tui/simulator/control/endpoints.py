"""The hand on the simulator: make customers write, tell statuses, break things, move time, and read what happened."""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from wabiz_tui.graph.reading import Json, instant_of, list_of, load_object, number_of, object_of, word
from wabiz_tui.model.clock import parse_ahead
from wabiz_tui.model.errors import BadInput, NotFound, WabizError
from wabiz_tui.model.secret import Secret
from wabiz_tui.simulator.account.sending import tell_status
from wabiz_tui.simulator.customers.incoming import MEDIA_TYPES, Written, echo, write
from wabiz_tui.simulator.customers.people import Customer, digits_of, made_user_id
from wabiz_tui.simulator.webhooks.courier import Callback, Delivery
from wabiz_tui.simulator.webhooks.envelope import encode_body, rfc3339
from wabiz_tui.simulator.webhooks.faults import KINDS
from wabiz_tui.simulator.world import Sent, World

PATIENCE = 15.0
_MESSAGE_KEYS = ("context", "referral", "errors", "identity", "group_id", "extra")
Handler = Callable[[World, Json], Awaitable[Json]]


def control_routes(world: World) -> list[Route]:
    posts: dict[str, Handler] = {
        "callback": _callback,
        "inbound": _inbound,
        "status": _status,
        "fault": _fault,
        "faults": _fault,
        "clock": _clock,
        "media": _media,
        "settings": _settings,
    }
    gets: dict[str, Callable[[World, Request], Json]] = {
        "sent": _sent,
        "reads": lambda world, _: {"reads": world.reads},
        "deliveries": _deliveries,
        "state": _state,
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


async def _callback(world: World, asked: Json) -> Json:
    """Waits for the handshake, where there is one to make."""
    url = word(asked.get("url"))
    if not url:
        await world.courier.set_callback(None)
        return {"callback": None}
    old = world.courier.callback
    secret, verify_token = asked.get("app_secret"), asked.get("verify_token")
    callback = Callback(
        url,
        Secret(secret) if isinstance(secret, str) and secret else old.app_secret if old is not None else world.options.app_secret,
        Secret(verify_token) if isinstance(verify_token, str) and verify_token else None,
    )
    await world.courier.set_callback(callback)
    with suppress(TimeoutError):
        await asyncio.wait_for(callback.verified.wait(), number_of(asked.get("timeout")) or 5.0)
    return {"callback": url, "verified": callback.is_verified}


async def _inbound(world: World, asked: Json) -> Json:
    """A message of a customer's, or any body at all; see docs/simulator.md for all it takes."""
    if isinstance(asked.get("webhook"), dict):
        return await _outcome(world, asked, world.courier.post(encode_body(asked["webhook"]), asked["webhook"]), wamid=None)
    if isinstance(asked.get("value"), dict):
        waba = word(asked.get("waba")) or world.options.waba_id
        change = {"value": asked["value"], "field": word(asked.get("field")) or "messages"}
        body: Json = {"object": "whatsapp_business_account", "entry": [{"id": waba, "changes": [change]}]}
        return await _outcome(world, asked, world.courier.post(encode_body(body), body), wamid=None)
    written = _written(world, asked)
    return await _outcome(world, asked, written.delivery, wamid=written.wamid)


def _written(world: World, asked: Json) -> Written:
    raw = object_of(asked.get("message"))
    phone = digits_of(word(asked.get("from")) or word(asked.get("phone")) or word(asked.get("wa_id")) or word(raw.get("from")))
    user_id = word(asked.get("user_id")) or word(raw.get("from_user_id"))
    if not phone and not user_id:
        raise BadInput("Name who writes: `from` (a phone number) or `user_id`.")
    name = asked.get("name")
    customer = world.people.meet(wa_id=phone or None, user_id=user_id or None, name=name if isinstance(name, str) else None)
    _describe(world, customer, asked)
    at = read_time(world, asked.get("at", asked.get("timestamp", raw.get("timestamp"))))
    wamid = word(asked.get("wamid")) or word(asked.get("id")) or word(raw.get("id"))
    content = {key: value for key, value in raw.items() if key not in ("from", "from_user_id", "id", "timestamp")} or _content(asked)
    number = word(asked.get("number")) or word(asked.get("phone_number_id")) or None
    if asked.get("echo") is True:
        prepared = echo(world, customer, content, number=number, at=at or world.now(), wamid=wamid)
        return Written(prepared.wamid, prepared.told, world.courier.tell([prepared.told]))
    return write(world, customer, content, number=number, at=at, wamid=wamid)


def _describe(world: World, customer: Customer, asked: Json) -> None:
    """What a message may newly tell of its sender."""
    if asked.get("user_id", "") in (None, False):
        customer.user_id = None
    elif customer.user_id is None and world.settings.user_ids and customer.wa_id:
        customer.user_id = made_user_id(customer.wa_id)
    if isinstance(asked.get("username"), str):
        customer.username = asked["username"] or None
    if isinstance(asked.get("hide_phone"), bool):
        customer.is_phone_hidden = asked["hide_phone"]
    if isinstance(asked.get("reads"), bool):
        customer.reads = asked["reads"]
    if word(asked.get("parent_user_id")):
        customer.parent_user_id = word(asked.get("parent_user_id"))


def _content(asked: Json) -> Json:
    """Text as a plain string or as Meta's object; any other type by its name, with or without its object."""
    text = asked.get("text")
    kind = word(asked.get("type")) or next((name for name in MEDIA_TYPES if name in asked), "text")
    content: Json = {key: asked[key] for key in _MESSAGE_KEYS if key in asked and key != "extra"} | object_of(asked.get("extra"))
    if word(asked.get("reply_to")):
        content["context"] = {**object_of(content.get("context")), "id": word(asked.get("reply_to"))}
    content["type"] = kind
    if kind == "text":
        body = text if isinstance(text, str) else object_of(text).get("body")
        if not isinstance(body, str):
            raise BadInput("Say what is written: `text`, or `type` with its object, or `message`.")
        content["text"] = {"body": body}
    elif kind in MEDIA_TYPES:
        content[kind] = _file(asked, object_of(asked.get(kind)), text)
    elif kind in asked:
        content[kind] = asked[kind]
    return content


def _file(asked: Json, inner: Json, text: Any) -> Json:
    """`media` is base64 (or an object with `base64`/`bytes`, `mime`, `filename`); without it a sample is made."""
    media = asked.get("media")
    told = object_of(media)
    encoded = media if isinstance(media, str) else word(told.get("base64")) or word(told.get("bytes")) or word(told.get("data"))
    file = dict(inner)
    if encoded:
        file["bytes"] = _decoded(encoded)
    for key, names in (("mime_type", ("mime_type", "mime")), ("filename", ("filename",)), ("caption", ("caption",))):
        value = next((found for name in names for source in (inner, told, asked) if (found := word(source.get(name)))), "")
        if value:
            file[key] = value
    file.pop("mime", None)
    if isinstance(text, str) and "caption" not in file:
        file["caption"] = text
    return file


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise BadInput("`media` is not base64.") from error


async def _outcome(world: World, asked: Json, delivery: Delivery | None, *, wamid: str | None) -> Json:
    """Waits for the hub's answer to the first attempt that reached it, unless `wait` is false."""
    answer: Json = {"wamid": wamid, "delivered": False, "status": None}
    if delivery is None or asked.get("wait") is False or world.courier.callback is None:
        return {**answer, "delivery": delivery.name if delivery is not None else None, "pending": True}
    try:
        await asyncio.wait_for(delivery.answered.wait(), number_of(asked.get("timeout")) or PATIENCE)
    except TimeoutError:
        return {**answer, "delivery": delivery.name, "pending": True}
    return {
        **answer,
        "delivered": delivery.is_delivered,
        "status": delivery.status,
        "delivery": delivery.name,
        "attempts": delivery.attempts,
    }


async def _status(world: World, asked: Json) -> Json:
    wamid, state = word(asked.get("wamid")) or word(asked.get("id")), word(asked.get("status")) or word(asked.get("state"))
    if not wamid or not state:
        raise BadInput("Name the message and its state: `wamid` and `status`.")
    sent = next((one for one in world.sent if one.wamid == wamid), None)
    if sent is None:
        phone = digits_of(word(asked.get("to")) or word(asked.get("from")))
        number = word(asked.get("number")) or world.options.phone_number_ids[0]
        customer = world.people.meet(wa_id=phone) if phone else Customer(wa_id=None)
        sent = Sent(wamid, number, phone or None, customer, {}, world.now(), word(asked.get("callback_data")) or None)
    code = number_of(asked.get("error_code", asked.get("code")))
    if code is None and state == "failed":
        code = 131026
    delivery = tell_status(world, sent, state, code=int(code) if code is not None else None, at=read_time(world, asked.get("at")))
    return await _outcome(world, asked, delivery, wamid=wamid)


async def _fault(world: World, asked: Json) -> Json:
    if word(asked.get("kind")) in ("clear", "none"):
        count = world.faults.clear(word(asked.get("which")))
        world.courier.release()
        return {"cleared": count}
    if word(asked.get("kind")) == "replay":
        return {"replayed": world.courier.replay(int(number_of(asked.get("count")) or 1))}
    fault = world.faults.add(asked, world.now())
    if fault.kind == "hold_statuses" and fault.until is not None:
        world.timeline.at(fault.until, _release(world))
    if fault.kind == "burst":
        _burst(world, fault.number("rate", 20.0), number_of(asked.get("for_seconds")) or 1.0)
        world.faults.clear("burst")
    return {"fault": fault.describe(), "kinds": list(KINDS)}


def _release(world: World) -> Callable[[], Awaitable[None]]:
    async def act() -> None:
        world.courier.release()

    return act


def _burst(world: World, rate: float, seconds: float) -> None:
    """`rate` messages a second from many customers, evenly spread."""
    for index in range(min(int(rate * seconds), 100_000)):

        async def act(index: int = index) -> None:
            customer = world.people.meet(wa_id=f"1555200{index % 500:04d}", name=f"Burst {index % 500}")
            write(world, customer, {"type": "text", "text": {"body": f"burst {index}"}})

        world.timeline.after(index / rate, act)


async def _clock(world: World, asked: Json) -> Json:
    if "advance" in asked:
        told = asked["advance"]
        seconds = number_of(told)
        world.clock.advance(timedelta(seconds=seconds) if seconds is not None else parse_ahead(word(told)))
    elif "set" in asked:
        moment = read_time(world, asked["set"])
        if moment is None:
            raise BadInput("`set` must be an instant.")
        world.clock.set(moment)
    world.timeline.stir()
    return {"now": rfc3339(world.now())}


async def _media(world: World, asked: Json) -> Json:
    encoded = word(asked.get("base64")) or word(asked.get("bytes")) or word(asked.get("media")) or word(asked.get("data"))
    mime_type = word(asked.get("mime")) or word(asked.get("mime_type")) or "application/octet-stream"
    number = word(asked.get("number")) or world.options.phone_number_ids[0]
    filename = word(asked.get("filename"))
    stored = world.media.add(_decoded(encoded), mime_type, filename=filename, now=world.now(), is_incoming=True, number=number)
    return {"id": stored.id, "mime_type": stored.mime_type, "sha256": stored.sha256.hex(), "size": len(stored.content)}


async def _settings(world: World, asked: Json) -> Json:
    settings = world.settings
    if "window" in asked:
        if asked["window"] not in ("async", "sync", "off"):
            raise BadInput("`window` is async, sync or off.")
        settings.window = asked["window"]
    if isinstance(asked.get("statuses"), bool):
        settings.statuses = asked["statuses"]
    if isinstance(asked.get("user_ids"), bool):
        settings.user_ids = world.people.has_user_ids = asked["user_ids"]
    pace = number_of(asked.get("pace"))
    settings.pace = settings.pace if pace is None else max(0.0, pace)
    if asked.get("shape") in ("v23", "v26"):
        settings.shape = asked["shape"]
    for key in ("per_second", "pair_burst"):
        if (value := number_of(asked.get(key))) is not None:
            setattr(world.rates, key, int(value))
    return _settings_of(world)


def _settings_of(world: World) -> Json:
    one = world.settings
    told = {"window": one.window, "statuses": one.statuses, "user_ids": one.user_ids, "pace": one.pace, "shape": one.shape}
    return {**told, "per_second": world.rates.per_second, "pair_burst": world.rates.pair_burst}


def _sent(world: World, request: Request) -> Json:
    wanted = request.query_params.get("wamid")
    rows = [one.describe() for one in world.sent if wanted in (None, one.wamid)]
    return {"sent": rows, "count": len(rows)}


def _deliveries(world: World, request: Request) -> Json:
    with_body = request.query_params.get("body") in ("1", "true")
    rows = [one.describe(with_body=with_body) for one in world.courier.deliveries]
    return {
        "deliveries": rows,
        "count": len(rows),
        "undelivered": sum(not one.is_delivered and not one.is_dropped for one in world.courier.deliveries),
    }


def _state(world: World, _: Request) -> Json:
    callback = world.courier.callback
    now = world.now()
    customers = [
        {
            "wa_id": one.wa_id,
            "user_id": one.user_id,
            "name": one.name,
            "username": one.username,
            "hide_phone": one.is_phone_hidden,
            "windows": {number: one.is_window_open(number, now) for number in one.last_incoming},
        }
        for one in world.people.all()
    ]
    return {
        "now": rfc3339(now),
        "waba_id": world.options.waba_id,
        "phone_number_ids": list(world.options.phone_number_ids),
        "business": world.business,
        "callback": {"url": callback.url, "verified": callback.is_verified} if callback is not None else None,
        "settings": _settings_of(world),
        "faults": world.faults.describe(now),
        "customers": customers,
        "incoming": world.incoming,
        "sent": len(world.sent),
        "deliveries": len(world.courier.deliveries),
        "media": len(world.media),
        "waiting": world.timeline.waiting,
        "templates": [
            {"name": one["name"], "language": one["language"], "status": one["status"]} for one in list_of(world.templates.items)
        ],
    }


def read_time(world: World, value: Any) -> datetime | None:
    """RFC 3339 text, Unix seconds, or a duration ago (`-2d`, `2d ago`); None where nothing is said. Raises BadInput for anything else."""
    if value is None:
        return None
    told = instant_of(value)
    if told is not None:
        return told
    text = word(value).strip()
    try:
        if text.startswith("-") or text.endswith("ago"):
            return world.now() - parse_ahead(text.removeprefix("-").removesuffix("ago").strip())
        moment = datetime.fromisoformat(text)
    except (ValueError, WabizError) as error:
        raise BadInput("A time is RFC 3339 (2026-11-22T10:00:00Z), Unix seconds, or a duration ago such as -2d.") from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
