"""Webhook bodies in the form Meta sends: compact, every non-ASCII character and every slash escaped, signed over exactly those bytes."""

import json
from collections.abc import Sequence
from datetime import datetime

import msgspec

from wabiz_tui.graph.reading import Json, list_of, object_of, word


class Told(msgspec.Struct, frozen=True):
    """One change of a webhook: what is told under which field; `kind` is messages, statuses, echoes or other."""

    waba: str
    field: str
    value: Json
    kind: str = "other"


def encode_body(body: Json) -> bytes:
    """A slash stands only inside texts, so that all of them can be escaped at once."""
    return json.dumps(body, ensure_ascii=True, separators=(",", ":")).replace("/", "\\/").encode("ascii")


def envelope(told: Sequence[Told]) -> Json:
    """One POST's body: an entry an account, with all its changes."""
    accounts = list(dict.fromkeys(one.waba for one in told))
    entries = [{"id": waba, "changes": [{"value": one.value, "field": one.field} for one in told if one.waba == waba]} for waba in accounts]
    return {"object": "whatsapp_business_account", "entry": entries}


def ids_in(body: Json) -> list[str]:
    """The wamids a body tells of, statuses as `<wamid> <status>`."""
    ids: list[str] = []
    for entry in list_of(body.get("entry")):
        for change in list_of(object_of(entry).get("changes")):
            value = object_of(object_of(change).get("value"))
            ids += [word(object_of(item).get("id")) for key in ("messages", "message_echoes") for item in list_of(value.get(key))]
            ids += [f"{word(object_of(item).get('id'))} {word(object_of(item).get('status'))}" for item in list_of(value.get("statuses"))]
    return [one for one in ids if one.strip()]


def seconds(at: datetime) -> str:
    """Meta's timestamps: Unix seconds as text."""
    return str(int(at.timestamp()))


def rfc3339(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
