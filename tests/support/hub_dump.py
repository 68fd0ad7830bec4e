"""What an archive holds, opened and without anything that chance or the cutting of batches decides; and journals to fill it with."""

import json
import re
from typing import Any

import sqlalchemy as sa
from hypothesis import strategies as st

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.sealing import contact_unit, event_unit, text_unit
from wabiz_tui.hub.archive.store import Archive

_ID = re.compile(r"[0-9a-f]{32}")
_APART = {"feed_head", "fold_position", "alembic_version"}

START = 1790000000
PEOPLE = (("447700900001", "GB.1"), ("447700900002", None), ("447700900003", "GB.3"), ("447700900004", "GB.1"))
WAMIDS = tuple(f"wamid.{letter}" for letter in "ABCDEFGH")


def dump(archive: Archive) -> dict[str, list[str]]:
    """Table → its rows as text, sorted; ids are told by their order of making, sealed values opened."""
    with archive.reading() as reading:
        names = [name for name in schema.metadata.tables if name not in _APART]
        tables = {
            name: [dict(row) for row in reading.connection.execute(sa.select(schema.metadata.tables[name])).mappings()] for name in names
        }
    texts = {name: [_text(archive, name, row) for row in rows] for name, rows in tables.items()}
    ids = sorted({found for rows in texts.values() for text in rows for found in _ID.findall(text)})
    places = {one: f"#{place}" for place, one in enumerate(ids)}
    return {name: sorted(_ID.sub(lambda found: places[found[0]], text) for text in rows) for name, rows in texts.items()}


def _text(archive: Archive, table: str, row: dict[str, Any]) -> str:
    units = {
        "message": lambda: (text_unit(row["conversation"], row["month"]), f"message/{row['id']}"),
        "contact": lambda: (contact_unit(row["id"]), f"contact/{row['id']}"),
        "status": lambda: (row["unit"], f"status/{row['identity'].hex()}"),
        "event": lambda: (event_unit(row["month"]), f"event/{row['id']}"),
        "quarantine": lambda: (row["unit"], f"quarantine/{row['entry']}"),
    }
    if table in units:
        unit, about = units[table]()
        opened = archive.sealer.open(unit, row["sealed"], about=about)
        assert opened is not None
        row = {**row, "sealed": opened.decode()}
    if table == "change":
        row.pop("seq")
    # A hash of 16 bytes looks like an id; hashes are equal wherever the index key is.
    return json.dumps({key: "hash " + value.hex("-") if isinstance(value, bytes) else value for key, value in row.items()}, sort_keys=True)


def _incoming(draw: st.DrawFn, **parts: Any) -> dict[str, Any]:
    wa_id, user = draw(st.sampled_from(PEOPLE))
    message = {"from": wa_id, "id": draw(st.sampled_from(WAMIDS)), "timestamp": _stamp(draw), **parts}
    contact: dict[str, Any] = {"profile": {"name": draw(st.sampled_from(("Ada", "Bo", "")))}, "wa_id": wa_id}
    if user is not None:
        message["from_user_id"] = contact["user_id"] = user
    return {"contacts": [contact], "messages": [message]}


def _stamp(draw: st.DrawFn) -> str:
    return str(START + draw(st.integers(0, 40)) * 86_400)


def _status(draw: st.DrawFn) -> dict[str, Any]:
    wa_id, _ = draw(st.sampled_from(PEOPLE))
    state = draw(st.sampled_from(("sent", "delivered", "read", "failed")))
    return {"statuses": [{"id": draw(st.sampled_from(WAMIDS)), "status": state, "timestamp": _stamp(draw), "recipient_id": wa_id}]}


def _echo(draw: st.DrawFn) -> dict[str, Any]:
    wa_id, _ = draw(st.sampled_from(PEOPLE))
    told = {"from": "15550783881", "to": wa_id, "id": draw(st.sampled_from(WAMIDS)), "timestamp": _stamp(draw)}
    return {"message_echoes": [{**told, "type": "text", "text": {"body": "from the phone"}}]}


def _system(draw: st.DrawFn) -> dict[str, Any]:
    new, _ = draw(st.sampled_from(PEOPLE))
    changed = {"type": "user_changed_number", "body": "changed", "wa_id": new}
    value = _incoming(draw, type="system", system=changed)
    del value["contacts"]
    return value


@st.composite
def webhooks(draw: st.DrawFn) -> bytes:
    """One body: a text, a file, a reaction, a revoke, an echo, a status, a change of number, an event, or no JSON at all."""
    kind = draw(
        st.sampled_from(("text", "text", "bad", "image", "reaction", "revoke", "echo", "status", "status", "system", "other", "torn"))
    )
    field = {"echo": "smb_message_echoes", "other": "account_update"}.get(kind, "messages")
    match kind:
        case "text" | "bad":
            value = _incoming(draw, type="text", text={"body": kind})
        case "image":
            value = _incoming(draw, type="image", image={"id": "1", "mime_type": "image/jpeg", "sha256": "x"})
        case "reaction":
            value = _incoming(draw, type="reaction", reaction={"message_id": draw(st.sampled_from(WAMIDS)), "emoji": "👍"})
        case "revoke":
            value = _incoming(draw, type="revoke", revoke={"original_message_id": draw(st.sampled_from(WAMIDS))})
        case "echo":
            value = _echo(draw)
        case "status":
            value = _status(draw)
        case "system":
            value = _system(draw)
        case "other":
            value = {"event": draw(st.sampled_from(("VERIFIED_ACCOUNT", "DISABLED_UPDATE")))}
        case _:
            return b'{"entry": ['
    about = {"messaging_product": "whatsapp", "metadata": {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"}}
    change = {"value": value if kind == "other" else {**about, **value}, "field": field}
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "419561257915477", "changes": [change]}]}).encode()
