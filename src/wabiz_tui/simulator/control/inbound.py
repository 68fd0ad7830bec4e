"""Customers write, and any webhook at all is posted."""

from wabiz_tui.graph.reading import Json, load_object, object_of, without, word
from wabiz_tui.model.errors import BadInput, NotFound, WabizError
from wabiz_tui.simulator.control.asked import refuse_slips
from wabiz_tui.simulator.control.outcome import outcome_of
from wabiz_tui.simulator.control.times import read_time
from wabiz_tui.simulator.customers.forms import FORMS, MODIFIERS, content_of, decoded
from wabiz_tui.simulator.customers.incoming import Written, echo, write
from wabiz_tui.simulator.customers.people import Customer, digits_of, made_user_id
from wabiz_tui.simulator.customers.taps import tapped
from wabiz_tui.simulator.webhooks.envelope import Told, encode_body
from wabiz_tui.simulator.world import Sent, World

_WHO = (
    "from",
    "phone",
    "wa_id",
    "from_user_id",
    "name",
    "username",
    "user_id",
    "parent_user_id",
    "from_parent_user_id",
    "hide_phone",
    "reads",
)
_RAW = ("value", "field", "waba", "webhook", "raw")
_HOW = ("at", "timestamp", "wamid", "id", "number", "phone_number_id", "echo", "wait", "timeout", "code", "error_code", "tap")
_FROM_WORLD = ("from", "from_user_id", "id", "timestamp")


async def post_inbound(world: World, asked: Json) -> Json:
    """A message of a customer's, or any body at all; see docs/simulator.md for all it takes."""
    if "raw" in asked:
        return await outcome_of(world, asked, world.courier.post(raw := _raw(asked["raw"]), body_of(raw)), wamid=None)
    if isinstance(asked.get("webhook"), dict):
        return await outcome_of(world, asked, world.courier.post(encode_body(asked["webhook"]), asked["webhook"]), wamid=None)
    if isinstance(asked.get("value"), dict):
        waba = word(asked.get("waba")) or world.options.waba_id
        told = Told(waba=waba, field=word(asked.get("field")) or "messages", value=asked["value"])
        return await outcome_of(world, asked, world.courier.tell([told]), wamid=None)
    refuse_slips(asked, (*_WHO, *_RAW, *_HOW, *FORMS, *MODIFIERS), its=word(asked.get("type")))
    written = _written(world, asked)
    return await outcome_of(world, asked, written.delivery, wamid=written.wamid)


def _raw(told: object) -> bytes:
    """Text as it is, signed over its UTF-8 bytes; `{"base64"}` any bytes."""
    if isinstance(told, str):
        return told.encode()
    encoded = word(object_of(told).get("base64"))
    if not encoded:
        raise BadInput('`raw` is the body as text, or {"base64": …}.')
    return decoded(encoded)


def _written(world: World, asked: Json) -> Written:
    raw = object_of(asked.get("message"))
    tap = object_of(asked.get("tap"))
    sent = _tapped_on(world, tap) if tap else None
    customer = sent.customer if sent is not None and not _names_somebody(asked) else _writer(world, asked, raw)
    describe(world, customer, asked)
    at = read_time(world, asked.get("at", asked.get("timestamp", raw.get("timestamp"))))
    wamid = word(asked.get("wamid")) or word(asked.get("id")) or word(raw.get("id"))
    number = word(asked.get("number")) or word(asked.get("phone_number_id")) or (sent.number if sent is not None else None)
    if sent is not None:
        content = tapped(sent, _choice(tap), world, answer=object_of(tap.get("answer")))
    else:
        content = without(raw, *_FROM_WORLD) or content_of(asked)
    if asked.get("echo") is True:
        prepared = echo(world, customer, content, number=number, at=at or world.now(), wamid=wamid)
        return Written(prepared.wamid, prepared.told, world.courier.tell([prepared.told]))
    return write(world, customer, content, number=number, at=at, wamid=wamid)


def _names_somebody(asked: Json) -> bool:
    return any(word(asked.get(key)) for key in ("from", "phone", "wa_id", "user_id", "from_user_id"))


def _writer(world: World, asked: Json, raw: Json) -> Customer:
    phone = digits_of(word(asked.get("from")) or word(asked.get("phone")) or word(asked.get("wa_id")) or word(raw.get("from")))
    user_id = word(asked.get("user_id")) or word(asked.get("from_user_id")) or word(raw.get("from_user_id"))
    if not phone and not user_id:
        raise BadInput("Name who writes: `from` (a phone number) or `user_id`.")
    name = asked.get("name", object_of(asked.get("profile")).get("name"))
    customer = world.people.meet(wa_id=phone or None, user_id=user_id or None, name=name if isinstance(name, str) else None)
    if "name" in asked and asked["name"] is None:
        customer.name = None
    return customer


def _tapped_on(world: World, tap: Json) -> Sent:
    wamid = word(tap.get("wamid"))
    sent = world.sent.find(wamid)
    if sent is None:
        raise NotFound("`tap` names no message that was sent: its `wamid` is that of the answer to the send (see GET /_control/sent).")
    return sent


def _choice(tap: Json) -> object:
    return next((tap[key] for key in ("button", "row", "choice", "id", "title", "payload") if key in tap), 0)


def describe(world: World, customer: Customer, asked: Json) -> None:
    """What a request newly tells of somebody; null forgets it."""
    if asked.get("user_id", "") in (None, False):
        customer.user_id = None
    elif customer.user_id is None and world.settings.user_ids and customer.wa_id:
        customer.user_id = made_user_id(customer.wa_id)
    if "username" in asked:
        customer.username = word(asked["username"]) or None
    if isinstance(asked.get("hide_phone"), bool):
        customer.is_phone_hidden = asked["hide_phone"]
    if isinstance(asked.get("reads"), bool):
        customer.reads = asked["reads"]
    if "parent_user_id" in asked:
        customer.parent_user_id = word(asked["parent_user_id"]) or None


def body_of(raw: bytes) -> Json:
    """What a raw body says, for the record; nothing where it is no JSON object."""
    try:
        return load_object(raw)
    except WabizError:
        return {}
