"""Webhook bodies as a busy number receives them, in the proportions of a support inbox; every value is made up."""

from __future__ import annotations

import json
import random
from typing import Any

Json = dict[str, Any]
METADATA = {"display_phone_number": "15550000001", "phone_number_id": "100000000000001"}
_TALK = "hello my order has not come yet could you please look into it thank you très bien größe привет 👍 tomorrow morning invoice"
WORDS = _TALK.split()


def mixed(count: int, *, seed: int = 1) -> list[bytes]:
    """`count` bodies with one message or status each: 50 % statuses, 30 % texts, 10 % media, 7 % replies, 3 % rarer kinds."""
    chance = random.Random(seed)
    kinds = chance.choices([_status, _text, _media, _reply, _rare], weights=[50, 30, 10, 7, 3], k=count)
    return [_body(kind(chance, index)) for index, kind in enumerate(kinds)]


def batch(count: int, *, seed: int = 2) -> bytes:
    """One body with `count` changes, as Meta sends after an outage."""
    chance = random.Random(seed)
    return _body(*(kind(chance, index) for index, kind in enumerate(chance.choices([_status, _text, _media], [5, 3, 1], k=count))))


def _body(*values: Json) -> bytes:
    changes = [{"value": value, "field": "messages"} for value in values]
    whole = {"object": "whatsapp_business_account", "entry": [{"id": "419561257915477", "changes": changes}]}
    # Compact, escaped to ASCII, slashes escaped: the form Meta sends and signs (cloud-api §6).
    return json.dumps(whole, separators=(",", ":")).replace("/", r"\/").encode()


def _person(chance: random.Random) -> tuple[str, str, Json]:
    digits = str(chance.randrange(10**9, 10**10))
    user = f"US.{digits}0000000001"
    return f"1{digits}", user, {"profile": {"name": f"Customer {digits[:4]}"}, "wa_id": f"1{digits}", "user_id": user}


def _incoming(chance: random.Random, index: int, **parts: Any) -> Json:
    wa_id, user, contact = _person(chance)
    message = {"from": wa_id, "from_user_id": user, "id": _wamid(chance), "timestamp": str(1790000000 + index), **parts}
    return {"messaging_product": "whatsapp", "metadata": METADATA, "contacts": [contact], "messages": [message]}


def _wamid(chance: random.Random) -> str:
    return f"wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQ{chance.getrandbits(160):040X}AA=="


def _sentence(chance: random.Random) -> str:
    return " ".join(chance.choices(WORDS, k=chance.randint(2, 25)))


def _text(chance: random.Random, index: int) -> Json:
    quoted = {"context": {"from": "15550000001", "id": _wamid(chance)}} if chance.random() < 0.2 else {}
    return _incoming(chance, index, type="text", text={"body": _sentence(chance)}, **quoted)


def _media(chance: random.Random, index: int) -> Json:
    kind, mime, more = chance.choice(
        [
            ("image", "image/jpeg", {"caption": _sentence(chance)}),
            ("image", "image/jpeg", {}),
            ("audio", "audio/ogg; codecs=opus", {"voice": True}),
            ("document", "application/pdf", {"filename": "invoice.pdf"}),
            ("sticker", "image/webp", {"animated": False}),
        ]
    )
    number = chance.randrange(10**15, 10**16)
    file = {"mime_type": mime, "sha256": "SfInY0gGKTsJlUWbwxC1k+FAD0FZHvzwfpvO0zX0GUI=", "id": str(number), **more}
    url = f"https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid={number}&source=webhook&ext=1790000300&hash=ARl"
    return _incoming(chance, index, type=kind, **{kind: {**file, "url": url}})


def _reply(chance: random.Random, index: int) -> Json:
    context = {"from": "15550000001", "id": _wamid(chance)}
    button = {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"id": "yes", "title": "Yes"}}}
    row = {"id": "express", "title": "Priority", "description": "Next day"}
    listed = {"type": "interactive", "interactive": {"type": "list_reply", "list_reply": row}}
    template = {"type": "button", "button": {"payload": "STOP", "text": "Stop"}}
    return _incoming(chance, index, context=context, **chance.choice([button, listed, template]))


def _rare(chance: random.Random, index: int) -> Json:
    card = {"name": {"formatted_name": "Ana Ruiz", "first_name": "Ana"}, "phones": [{"phone": "+1 555 000 0002", "type": "CELL"}]}
    item = {"product_retailer_id": "a", "quantity": 2, "item_price": 14.5, "currency": "EUR"}
    kinds: list[Json] = [
        {"type": "reaction", "reaction": {"message_id": _wamid(chance), "emoji": "👍"}},
        {"type": "location", "location": {"latitude": 51.5, "longitude": -0.12, "name": "Office"}},
        {"type": "contacts", "contacts": [card]},
        {"type": "order", "order": {"catalog_id": "1", "text": "please", "product_items": [item]}},
        {"type": "unsupported", "errors": [{"code": 131051, "title": "Message type unknown", "message": "Message type unknown"}]},
    ]
    return _incoming(chance, index, **chance.choice(kinds))


def _status(chance: random.Random, index: int) -> Json:
    wa_id, user, contact = _person(chance)
    state = chance.choices(["sent", "delivered", "read", "failed"], [33, 33, 30, 4])[0]
    status: Json = {"id": _wamid(chance), "status": state, "timestamp": str(1790000000 + index), "recipient_id": wa_id}
    status |= {"recipient_user_id": user, "biz_opaque_callback_data": f"w1:{chance.getrandbits(128):032x}"}
    value: Json = {"messaging_product": "whatsapp", "metadata": METADATA, "contacts": [contact], "statuses": [status]}
    if state in ("sent", "delivered"):
        status["pricing"] = {"billable": True, "pricing_model": "PMP", "category": "utility", "type": "regular"}
    if state == "failed":
        details = {"details": "Message failed to send because more than 24 hours have passed since the customer last replied."}
        title = "Re-engagement message"
        status["errors"] = [
            {"code": 131047, "title": title, "message": title, "error_data": details, "href": "https://developers.facebook.com/"}
        ]
        del value["contacts"]
    return value
