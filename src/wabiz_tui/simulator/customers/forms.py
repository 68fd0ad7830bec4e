"""The short forms in which a test says what a customer writes, made into the message objects of cloud-api §8.

What is known is checked lightly, so that a slip of the pen is told; what is not known passes as it is.
"""

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any

from wabiz_tui.graph.reading import Json, list_of, number_of, object_of, word
from wabiz_tui.model.document import nearest_name
from wabiz_tui.model.errors import BadInput

MEDIA_TYPES = ("image", "video", "audio", "document", "sticker")
REPLIES = ("button_reply", "list_reply", "nfm_reply", "call_permission_reply")
UNSUPPORTED = 131051
_TITLES = {
    131051: "Message type unknown",
    131052: "Media download error",
    131060: "This message is unavailable",
    130501: "Message type is not currently supported",
}
_PARTS = ("context", "referral", "errors", "identity", "group_id")
FORMS = (
    "text", "type", "message", *MEDIA_TYPES, "location", "contacts", "reaction", "react", "button", "interactive", *REPLIES,
    "order", "system", "unsupported", "edit", "revoke", "request_welcome",
)  # fmt: skip
MODIFIERS = (
    *_PARTS, "extra", "reply_to", "forwarded", "product", "caption", "filename", "mime", "mime_type", "media", "voice", "animated",
    "sample", "payload", "emoji", "profile",
)  # fmt: skip


def content_of(asked: Json) -> Json:
    """The part of a message object that says what: `type`, its object, and what comes beside it. Raises BadInput."""
    content = _beside(asked)
    kind = _kind_of(asked)
    maker = _MAKERS.get(kind)
    if kind in MEDIA_TYPES:
        made: Json = {kind: _file(asked, asked.get(kind))}
    elif maker is not None:
        made = maker(asked)
    else:
        made = {kind: asked[kind]} if kind in asked else {}
    return {**content, "type": kind, **made}


def decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise BadInput("`media` is not base64.") from error


def _kind_of(asked: Json) -> str:
    """The named type, else that of the form used."""
    named = word(asked.get("type"))
    if named:
        return named
    if any(key in asked for key in REPLIES):
        return "interactive"
    if "react" in asked:
        return "reaction"
    # An edit brings its new text, and a file's text is its caption: the other form says what it is.
    return next((form for form in FORMS if form not in ("text", "type", "message") and form in asked), "text")


def _beside(asked: Json) -> Json:
    """Keys that stand beside any type."""
    content: Json = {key: asked[key] for key in _PARTS if key in asked} | object_of(asked.get("extra"))
    if asked.get("referral") is True:
        content["referral"] = {
            "source_url": "https://fb.me/3cr4Wqqkv",
            "source_id": "120226305854810726",
            "source_type": "ad",
            "headline": "Chat with us",
            "body": "Summer succulents are here!",
            "media_type": "image",
            "image_url": "https://scontent.xx.fbcdn.net/v/t45.1.jpg",
            "ctwa_clid": "Aff-n8ZTODiE79d22KtAwQKj9e_mIEOOj27vDVwFjN80dp4_0NiNhEgpGo0AHemvuSoifXaytfTzcc",
        }
    context = object_of(content.get("context"))
    if word(asked.get("reply_to")):
        context = {**context, "id": word(asked["reply_to"])}
    # Forwarded messages have a context without an id (cloud-api §7).
    if asked.get("forwarded"):
        context = {**context, ("frequently_forwarded" if asked["forwarded"] in ("frequently", "often") else "forwarded"): True}
    if "product" in asked:
        context = {**context, "referred_product": _need(object_of(asked["product"]), "product", "catalog_id", "product_retailer_id")}
    return {**content, "context": context} if context else content


def _text(asked: Json) -> Json:
    text = asked.get("text")
    body = text if isinstance(text, str) else object_of(text).get("body")
    if not isinstance(body, str):
        near = next((near for key in asked if (near := nearest_name(key, FORMS)) and key not in FORMS), None)
        hint = f" Do you mean {near!r}?" if near else ""
        raise BadInput(
            f"Say what is written: `text`, another form ({', '.join(FORMS[3:])}), or `message` with a whole message object.{hint}"
        )
    return {"text": {"body": body}}


def _location(asked: Json) -> Json:
    place = asked.get("location")
    if isinstance(place, list):
        numbers = list_of(place)
        place = {"latitude": numbers[0], "longitude": numbers[1]} if len(numbers) == 2 else {}
    told = object_of(place)
    if number_of(told.get("latitude")) is None or number_of(told.get("longitude")) is None:
        raise BadInput("A location has `latitude` and `longitude`, or is a list of the two.")
    return {"location": told}


def _contacts(asked: Json) -> Json:
    """Cards as Meta has them, or in short `{"name": "Bob", "phone": "+49…"}`; `origin` stays beside the name."""
    given = asked.get("contacts")
    cards = [object_of(one) for one in (list_of(given) or [given])]
    if not cards or not all(cards):
        raise BadInput('`contacts` is a list of cards, such as [{"name": "Bob", "phone": "+4915730001001"}].')
    return {"contacts": [_card(card) for card in cards]}


def _card(card: Json) -> Json:
    name, phone = card.get("name"), word(card.get("phone"))
    made = {key: value for key, value in card.items() if key not in ("name", "phone")}
    if isinstance(name, str):
        made["name"] = {"formatted_name": name, "first_name": name.split(" ")[0]}
    elif name is not None:
        made["name"] = name
    if phone:
        digits = "".join(part for part in phone if part.isdigit())
        made["phones"] = [{"phone": phone, "type": "CELL", "wa_id": digits}]
    return made


def _reaction(asked: Json) -> Json:
    """`emoji` null leaves the key out and "" leaves it empty: both remove the reaction (cloud-api §8)."""
    told = object_of(asked.get("reaction", asked.get("react")))
    target = word(told.get("message_id")) or word(told.get("wamid")) or word(asked.get("react"))
    emoji = told.get("emoji", asked.get("emoji"))
    if not target:
        raise BadInput('A reaction names its message: {"reaction": {"message_id": WAMID, "emoji": "👍"}}.')
    if emoji is not None and not isinstance(emoji, str):
        raise BadInput('The `emoji` of a reaction is a text; null or "" removes the reaction.')
    return {"reaction": {"message_id": target, **({"emoji": emoji} if emoji is not None else {})}}


def _button(asked: Json) -> Json:
    told = asked.get("button")
    button = {"text": told} if isinstance(told, str) else object_of(told)
    if not word(button.get("text")):
        raise BadInput("A tapped template button has a `text` (and a `payload`).")
    return {"button": {"payload": word(asked.get("payload")) or button["text"], **button}}


def _interactive(asked: Json) -> Json:
    if "interactive" in asked:
        return {"interactive": asked["interactive"]}
    kind = next((one for one in REPLIES if one in asked), "")
    if not kind:
        # The inner object can be missing, with `errors` beside it (cloud-api §8).
        return {}
    told = dict(object_of(asked[kind])) if not isinstance(asked[kind], str) else {"id": asked[kind], "title": asked[kind]}
    if kind in ("button_reply", "list_reply"):
        _need(told, kind, "id", "title")
    elif kind == "nfm_reply":
        response = told.pop("response", told.get("response_json", {}))
        told = {"name": "flow", "body": "Sent", **told}
        told["response_json"] = response if isinstance(response, str) else json.dumps(response, ensure_ascii=False)
    elif word(told.get("id")) in ("accept", "reject"):
        told = {"response": word(told["id"])}
    if kind == "call_permission_reply":
        told = {"response": "accept", "response_source": "user_action", **told}
    return {"interactive": {"type": kind, kind: told}}


def _order(asked: Json) -> Json:
    order = object_of(asked.get("order"))
    items = [_need(object_of(one), "product_items", "product_retailer_id", "quantity") for one in list_of(order.get("product_items"))]
    if not items or not word(order.get("catalog_id")):
        raise BadInput(
            "An order has a `catalog_id` and `product_items`, each with `product_retailer_id`, `quantity`, `item_price`, `currency`."
        )
    return {"order": {**order, "product_items": [{"item_price": 10, "currency": "EUR", **one} for one in items]}}


def _system(asked: Json) -> Json:
    if not word(object_of(asked.get("system")).get("type")):
        raise BadInput("A system message has a `type`, such as user_changed_number. POST /_control/customer tells one by what happened.")
    return {"system": asked["system"]}


def _unsupported(asked: Json) -> Json:
    """`unsupported` is the type that cannot be shown, true where none is told, or Meta's own object; `code` another error's."""
    told = asked.get("unsupported")
    code = int(number_of(asked.get("code", asked.get("error_code"))) or UNSUPPORTED)
    title = _TITLES.get(code, "Message type unknown")
    error: Json = {"code": code, "title": title, "message": title}
    errors = asked.get("errors", [{**error, "error_data": {"details": "Message type is currently not supported."}}])
    inner = {"type": told} if isinstance(told, str) else object_of(told)
    return {"errors": errors, **({"unsupported": inner} if inner else {})}


def _edit(asked: Json) -> Json:
    """`edit` is the wamid, beside the new `text` (a file's caption is Meta's whole object)."""
    told = asked.get("edit")
    if isinstance(told, dict):
        return {"edit": told}
    if not word(told):
        raise BadInput('An edit names its message and the new words: {"edit": WAMID, "text": "…"}.')
    return {"edit": {"original_message_id": word(told), "message": {"type": "text", **_text(asked)}}}


def _revoke(asked: Json) -> Json:
    told = asked.get("revoke")
    if isinstance(told, dict):
        return {"revoke": told}
    if not word(told):
        raise BadInput('A deletion names its message: {"revoke": WAMID}.')
    return {"revoke": {"original_message_id": word(told)}}


def _file(asked: Json, given: Any) -> Json:
    """`media` is base64 (or an object with `base64`, `mime`, `filename`); without it a sample is made."""
    inner = object_of(given)
    media = asked.get("media")
    told = object_of(media)
    encoded = media if isinstance(media, str) else word(told.get("base64")) or word(told.get("bytes")) or word(told.get("data"))
    file = {key: value for key, value in inner.items() if key not in ("mime", "base64", "media")}
    encoded = encoded or word(inner.get("base64")) or word(inner.get("media"))
    if encoded:
        file["bytes"] = decoded(encoded)
    for key, names in (
        ("mime_type", ("mime_type", "mime")),
        ("filename", ("filename",)),
        ("caption", ("caption",)),
        ("sample", ("sample",)),
    ):
        value = next((found for name in names for source in (inner, told, asked) if (found := word(source.get(name)))), "")
        if value:
            file[key] = value
    for flag in ("voice", "animated"):
        if isinstance(asked.get(flag), bool):
            file[flag] = asked[flag]
    text = asked.get("text")
    if isinstance(text, str) and "caption" not in file:
        file["caption"] = text
    return file


def _need(told: Json, name: str, *keys: str) -> Json:
    missing = next((key for key in keys if not word(told.get(key))), None)
    if missing is None:
        return told
    near = nearest_name(missing, [key for key in told if key not in keys])
    raise BadInput(f"`{name}` needs the key `{missing}`{f' (there is {near!r})' if near else ''}: it has {', '.join(keys)}.")


_MAKERS: dict[str, Callable[[Json], Json]] = {
    "text": _text,
    "location": _location,
    "contacts": _contacts,
    "reaction": _reaction,
    "button": _button,
    "interactive": _interactive,
    "order": _order,
    "system": _system,
    "unsupported": _unsupported,
    "edit": _edit,
    "revoke": _revoke,
    "request_welcome": lambda _: {},
}
