"""Customers write, and any webhook at all is posted."""

from typing import Any

from wabiz_tui.graph.reading import Json, object_of, word
from wabiz_tui.model.errors import BadInput
from wabiz_tui.simulator.control.files import decoded
from wabiz_tui.simulator.control.outcome import outcome_of
from wabiz_tui.simulator.control.times import read_time
from wabiz_tui.simulator.customers.incoming import MEDIA_TYPES, Written, echo, write
from wabiz_tui.simulator.customers.people import Customer, digits_of, made_user_id
from wabiz_tui.simulator.webhooks.envelope import encode_body
from wabiz_tui.simulator.world import World

_MESSAGE_KEYS = ("context", "referral", "errors", "identity", "group_id", "extra")


async def post_inbound(world: World, asked: Json) -> Json:
    """A message of a customer's, or any body at all; see docs/simulator.md for all it takes."""
    if isinstance(asked.get("webhook"), dict):
        return await outcome_of(world, asked, world.courier.post(encode_body(asked["webhook"]), asked["webhook"]), wamid=None)
    if isinstance(asked.get("value"), dict):
        waba = word(asked.get("waba")) or world.options.waba_id
        change = {"value": asked["value"], "field": word(asked.get("field")) or "messages"}
        body: Json = {"object": "whatsapp_business_account", "entry": [{"id": waba, "changes": [change]}]}
        return await outcome_of(world, asked, world.courier.post(encode_body(body), body), wamid=None)
    written = _written(world, asked)
    return await outcome_of(world, asked, written.delivery, wamid=written.wamid)


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
        file["bytes"] = decoded(encoded)
    for key, names in (("mime_type", ("mime_type", "mime")), ("filename", ("filename",)), ("caption", ("caption",))):
        value = next((found for name in names for source in (inner, told, asked) if (found := word(source.get(name)))), "")
        if value:
            file[key] = value
    file.pop("mime", None)
    if isinstance(text, str) and "caption" not in file:
        file["caption"] = text
    return file
