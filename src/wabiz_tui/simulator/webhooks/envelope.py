"""Webhook bodies in the form Meta sends: compact, every non-ASCII character and every slash escaped, signed over exactly those bytes."""

import json
from collections.abc import Sequence
from datetime import datetime

import msgspec

from wabiz_tui.graph.reading import Json, list_of, object_of, word

_KINDS = ("messages", "statuses", "message_echoes")


class Told(msgspec.Struct, frozen=True):
    """One change of a webhook: what is told under which field; `kind` is messages, statuses, echoes or other."""

    waba: str
    field: str
    value: Json
    kind: str = "other"


def encode_body(body: Json) -> bytes:
    """A slash stands only inside texts, so that all of them can be escaped at once."""
    return json.dumps(body, ensure_ascii=True, separators=(",", ":")).replace("/", "\\/").encode("ascii")


def envelope(told: Sequence[Told], *, at: datetime, is_apart: bool = False) -> Json:
    """One POST's body: an entry an account, with all its changes; `is_apart` gives each change an entry of its own."""
    accounts = list(dict.fromkeys(one.waba for one in told))
    together = [[one] for one in told] if is_apart else [[one for one in told if one.waba == waba] for waba in accounts]
    return {"object": "whatsapp_business_account", "entry": [_entry(changes, at) for changes in together]}


def _entry(told: Sequence[Told], at: datetime) -> Json:
    """What concerns the account, and so no business number, is told with its time (cloud-api §7)."""
    time: Json = {"time": int(at.timestamp())} if any("metadata" not in one.value for one in told) else {}
    return {"id": told[0].waba, **time, "changes": [{"value": one.value, "field": one.field} for one in told]}


class Summary(msgspec.Struct, frozen=True):
    """What a body tells, at a glance. `ids` are wamids, statuses as `<wamid> <status>`; `number` and `waba` those of its first change."""

    ids: list[str]
    fields: list[str]
    kinds: frozenset[str]
    number: str
    waba: str


def summary_of(body: Json) -> Summary:
    """Of any body at all: what is not as Meta's is passed over."""
    ids: list[str] = []
    fields: list[str] = []
    kinds: set[str] = set()
    number = waba = ""
    for entry in list_of(body.get("entry")):
        waba = waba or word(object_of(entry).get("id"))
        for change in list_of(object_of(entry).get("changes")):
            field, value = word(object_of(change).get("field")), object_of(object_of(change).get("value"))
            number = number or word(object_of(value.get("metadata")).get("phone_number_id"))
            fields.append(field)
            kinds |= {key for key in _KINDS if key in value} or {field}
            ids += [word(object_of(item).get("id")) for key in ("messages", "message_echoes") for item in list_of(value.get(key))]
            ids += [f"{word(object_of(item).get('id'))} {word(object_of(item).get('status'))}" for item in list_of(value.get("statuses"))]
    return Summary([one for one in ids if one.strip()], fields, frozenset(kinds), number, waba)


def seconds(at: datetime) -> str:
    """Meta's timestamps: Unix seconds as text."""
    return str(int(at.timestamp()))


def rfc3339(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
