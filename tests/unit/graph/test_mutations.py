"""Webhooks mutated by structure: whatever arrives, parsing ends in values or in BadInput, and nothing put in is lost."""

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.graph_samples import METADATA, incoming, status, told, webhook
from wabiz_tui.graph.requests import parse_request
from wabiz_tui.graph.webhooks import parse
from wabiz_tui.model.codec import encode
from wabiz_tui.model.errors import BadInput, CloudError

_MESSAGES: list[dict[str, Any]] = [
    {"type": "text", "text": {"body": "x"}, "context": {"from": "1", "id": "q"}, "referral": {"source_url": "u", "other": 1}},
    {"type": "image", "image": {"id": "1", "mime_type": "image/png", "sha256": "s", "caption": "c"}},
    {"type": "location", "location": {"latitude": 1.5, "longitude": "2.5", "name": "n"}},
    {"type": "contacts", "contacts": [{"name": {"formatted_name": "A"}}]},
    {"type": "interactive", "interactive": {"type": "list_reply", "list_reply": {"id": "1", "title": "t"}}},
    {"type": "order", "order": {"catalog_id": "c", "product_items": [{"quantity": 1}]}},
    {"type": "system", "system": {"type": "user_changed_user_id", "body": "User changed from BR.1 to BR.2", "user_id": "BR.2"}},
    {"type": "unsupported", "errors": [{"code": 131051, "error_data": {"details": "d"}}]},
    {"type": "edit", "edit": {"original_message_id": "w", "message": {"type": "text"}}},
]
_ECHO = {"from": "15550000001", "to": "1", "id": "w", "timestamp": "1790000000", "type": "text", "text": {"body": "x"}}
_HISTORY = {"metadata": {"phase": 0}, "threads": [{"id": "1", "context": {"wa_id": "1"}, "messages": [_ECHO]}]}
BODIES: list[Any] = [
    *(json.loads(incoming(message)) for message in _MESSAGES),
    json.loads(status(errors=[{"code": 1}], pricing={"type": "regular"}, conversation={"id": "c"})),
    json.loads(webhook("smb_message_echoes", {"metadata": METADATA, "contacts": [{"wa_id": "1"}], "message_echoes": [_ECHO]})),
    json.loads(webhook("history", {"metadata": METADATA, "history": [_HISTORY]})),
    json.loads(webhook("user_id_update", {"metadata": METADATA, "user_id_update": [{"user_id": {"previous": "a", "current": "b"}}]})),
    json.loads(webhook("account_update", {"event": "X", "list": [1, {"a": 2}]})),
]
_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value below `value`."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, item in items for place in ((*path, key), *_places(item, (*path, key)))]


def _parent(body: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        body = body[key]
    return body


@st.composite
def _mutated(draw: st.DrawFn) -> bytes:
    body = copy.deepcopy(draw(st.sampled_from(BODIES)))
    for _ in range(draw(st.integers(1, 4))):
        places = _places(body)
        if not places:
            break
        path = draw(st.sampled_from(places))
        parent = _parent(body, path)
        match draw(st.sampled_from(["remove", "replace", "double", "wrap"])):
            case "remove":
                del parent[path[-1]]
            case "replace":
                parent[path[-1]] = draw(_JUNK)
            case "double" if isinstance(parent, list):
                parent.append(copy.deepcopy(parent[path[-1]]))
            case _:
                parent[path[-1]] = [parent[path[-1]]]
    return json.dumps(body).encode()


@settings(max_examples=400, deadline=None)
@given(_mutated())
def test_mutated_webhooks(raw: bytes) -> None:
    """However a webhook is bent, it is read or refused as bad input, and what was read can be written as JSON."""
    try:
        parsed = parse(raw)
    except BadInput:
        return
    encode(parsed)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(BODIES), st.data())
def test_nothing_is_lost(body: Any, data: st.DataObject) -> None:
    """A key nobody knows, put into any object inside of an entry, is found again in what was read."""
    body = copy.deepcopy(body)
    inside = [path for path in _places(body) if path[:2] == ("entry", 0) and isinstance(_parent(body, (*path, None)), dict)]
    # `metadata` is Meta's own frame of two fields; each other object belongs to a message or an event.
    path = data.draw(st.sampled_from([path for path in inside if "metadata" not in path[-1:]]))
    _parent(body, (*path, None))["novel_key"] = "novel value"

    parsed = parse(json.dumps(body).encode())

    assert {"novel_key", "novel value"} <= told(parsed)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes(raw: bytes) -> None:
    """Random bytes are bad input."""
    try:
        parse(raw)
    except BadInput:
        return


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(["messaging_product", "to", "type", "text", "image", "interactive", "context", "pin"]), _JUNK))
def test_random_sends(body: dict[str, Any]) -> None:
    """A send of any shape is read or refused with Meta's own error."""
    refused: int | None = None
    try:
        parse_request(json.dumps({"messaging_product": "whatsapp", **body}).encode())
    except CloudError as error:
        refused = error.graph_code

    assert refused in (None, 100, 131008, 131009)
