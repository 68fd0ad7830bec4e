"""A webhook of every field, inbound type and kind of status: each row of Meta's reference at least once, all values made up.

The JSON file beside this one holds the parts by what is special about each; in `messages`, `changes` and `statuses` they are laid
over a plain frame, and a null there stands for a key that Meta leaves out.
"""

import json
from pathlib import Path
from typing import Any

from tests.support.graph_samples import METADATA, webhook

Json = dict[str, Any]
_PARTS = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
MESSAGES: dict[str, Json] = _PARTS["messages"]
CHANGES: dict[str, Json] = _PARTS["changes"]
STATUSES: dict[str, Json] = _PARTS["statuses"]
FIELDS: dict[str, Json] = _PARTS["fields"]

ANA: Json = {"profile": {"name": "Ana", "username": "@ana.example"}, "wa_id": "5511900000001", "user_id": "BR.1000000000000000001"}
_WROTE = {"from": "5511900000001", "from_user_id": "BR.1000000000000000001", "id": "wamid.IN", "timestamp": "1790000000"}
_SENT = {
    "id": "wamid.OUT",
    "status": "sent",
    "timestamp": "1790000060",
    "recipient_id": "5511900000001",
    "recipient_user_id": "BR.1000000000000000001",
}


def message(name: str) -> bytes:
    return _messages([ANA], messages=[{**_WROTE, **MESSAGES[name]}])


def change(name: str) -> bytes:
    """A changed number or id comes without `contacts`."""
    return _messages([], messages=[_there({**_WROTE, **CHANGES[name]})])


def status(name: str) -> bytes:
    """A failure comes without `contacts`, and so does here what concerns a group as a whole."""
    parts = _there({**_SENT, **STATUSES[name]})
    is_named = parts["status"] != "failed" and any("user_id" in key for key in parts)
    return _messages([ANA] if is_named else [], statuses=[parts])


def field(name: str) -> bytes:
    return webhook(FIELDS[name]["field"], {"messaging_product": "whatsapp", **FIELDS[name]["value"]})


def all_bodies() -> dict[str, bytes]:
    """Every sample by name, and all of them in one body."""
    bodies = {f"message: {name}": message(name) for name in MESSAGES}
    bodies |= {f"change: {name}": change(name) for name in CHANGES}
    bodies |= {f"status: {name}": status(name) for name in STATUSES}
    bodies |= {f"field: {name}": field(name) for name in FIELDS}
    changes = [each for raw in bodies.values() for each in json.loads(raw)["entry"][0]["changes"]]
    entries = [{"id": str(index), "time": 1790000400 + index, "changes": changes[index::3]} for index in range(3)]
    bodies["everything at once"] = json.dumps({"object": "whatsapp_business_account", "entry": entries}).encode()
    return bodies


def _messages(contacts: list[Json], **parts: Any) -> bytes:
    beside = {"contacts": contacts} if contacts else {}
    return webhook("messages", {"messaging_product": "whatsapp", "metadata": METADATA, **beside, **parts})


def _there(parts: Json) -> Json:
    return {key: part for key, part in parts.items() if part is not None}
