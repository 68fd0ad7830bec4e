"""A number at work, as webhooks: customers write, staff answer from the phone, and each answer is told as sent, delivered and read."""

from __future__ import annotations

import json
import random
from typing import Any

Json = dict[str, Any]
START = 1790000000
WABA, NUMBER = "419561257915477", "106540352242922"
_METADATA = {"display_phone_number": "15550783881", "phone_number_id": NUMBER}


def traffic(count: int, *, people: int = 500, seed: int = 1, longer: int = 0) -> list[bytes]:
    """`count` bodies of one message or status each: about 55 % statuses, 22 % texts, 4 % images, 18 % echoes.

    Statuses and texts are `longer` by so many bytes."""
    chance = random.Random(seed)
    bodies: list[bytes] = []
    told: list[tuple[str, Json, list[str]]] = []
    for at in range(START, START + count):
        person = _person(chance.randrange(people))
        if told and chance.random() < 0.6:
            place = chance.randrange(len(told))
            wamid, recipient, states = told[place]
            bodies.append(_body(_status(wamid, recipient, states.pop(0), at, longer)))
            if not states:
                del told[place]
        elif chance.random() < 0.6:
            bodies.append(_body(_incoming(chance, person, at, longer)))
        else:
            wamid = _wamid(chance)
            echo = {"from": "15550783881", "to": person["wa_id"], "to_user_id": person["user_id"], "id": wamid, "timestamp": str(at)}
            value = {
                "contacts": [person],
                "message_echoes": [{**echo, "type": "text", "text": {"body": "We look into it at once. " * 3 + "." * longer}}],
            }
            bodies.append(_body(value, "smb_message_echoes"))
            told.append((wamid, person, ["sent", "delivered", "read"]))
    return bodies


def _person(number: int) -> Json:
    return {"profile": {"name": f"Customer {number}"}, "wa_id": f"1650{number:07d}", "user_id": f"US.{10**15 + number}"}


def _incoming(chance: random.Random, person: Json, at: int, longer: int) -> Json:
    message: Json = {"from": person["wa_id"], "from_user_id": person["user_id"], "id": _wamid(chance), "timestamp": str(at)}
    if chance.random() < 0.85:
        message |= {
            "type": "text",
            "text": {"body": "Hello, my order has not come yet, could you please look into it? " * 2 + "." * longer},
        }
    else:
        image = {"mime_type": "image/jpeg", "sha256": "SfInY0gGKTsJlUWbwxC1k+FAD0FZHvzwfpvO0zX0GUI=", "id": str(10**15 + at)}
        message |= {"type": "image", "image": image}
    return {"contacts": [person], "messages": [message]}


def _status(wamid: str, person: Json, state: str, at: int, longer: int) -> Json:
    pricing = {"billable": True, "pricing_model": "PMP", "category": "service"}
    recipient = {"recipient_id": person["wa_id"], "recipient_user_id": person["user_id"]}
    own = {"biz_opaque_callback_data": "." * longer} if longer else {}
    told = {"id": wamid, "status": state, "timestamp": str(at), **recipient, "pricing": pricing, **own}
    return {"contacts": [person], "statuses": [told]}


def _wamid(chance: random.Random) -> str:
    return f"wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQ{chance.getrandbits(160):040X}AA=="


def _body(value: Json, field: str = "messages") -> bytes:
    change = {"value": {"messaging_product": "whatsapp", "metadata": _METADATA, **value}, "field": field}
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"id": WABA, "changes": [change]}]}, separators=(",", ":")).encode()
