"""Webhooks mutated by structure: whatever arrives, parsing ends in values or in BadInput, and nothing put in is lost."""

import contextlib
import copy
import json
import os
import time
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.graph_samples import METADATA, told, webhook
from tests.support.webhook_mutations import Mutations
from tests.support.webhook_samples import all_bodies
from wabiz_tui.graph.requests import parse_request
from wabiz_tui.graph.webhooks import parse
from wabiz_tui.model.codec import encode
from wabiz_tui.model.errors import BadInput, CloudError

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BODIES: dict[str, bytes] = all_bodies()
FEWER = [json.loads(raw) for name, raw in BODIES.items() if name != "everything at once"]
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


def test_bent_webhooks() -> None:
    """However webhooks are bent, they are read or refused as bad input, in bounded time, and what was read can be written as JSON.

    WABIZ_FUZZ sets how many; `./run bench fuzz` bends a hundred thousand and says what they cost.
    """
    mutations = Mutations(list(BODIES.values()), seed=2026)
    for _ in range(int(os.environ.get("WABIZ_FUZZ", "2000"))):
        raw = mutations.next()
        begun = time.process_time()
        with contextlib.suppress(BadInput):
            encode(parse(raw, received_at=NOW))
        # Far above what any of them takes on a slow machine, far below what a reader of more than linear cost would take.
        assert time.process_time() - begun < 5, raw[:300]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(FEWER), st.data())
def test_nothing_is_lost(body: Any, data: st.DataObject) -> None:
    """A key nobody knows, put into any object, and a value of a kind nobody expects, put anywhere, are found again in what was read."""
    body = copy.deepcopy(body)
    places = [path for path in _places(body) if path[:1] == ("entry",) and len(path) > 1]
    path = data.draw(st.sampled_from(places))
    value = data.draw(st.sampled_from([{"novel_key": "novel value"}, ["novel_key", "novel value"], [{"novel_key": ["novel value"]}]]))
    parent = _parent(body, path)
    if isinstance(parent[path[-1]], dict) and data.draw(st.booleans()):
        parent[path[-1]]["novel_key"] = "novel value"
    else:
        parent[path[-1]] = value

    parsed = parse(json.dumps(body).encode())

    assert {"novel_key", "novel value"} <= told(parsed)


def test_each_leaf_is_found_again() -> None:
    """Each word and number of each sample is somewhere in what was read, though times and forwards take another form there."""
    for name, raw in BODIES.items():
        kept = told(parse(raw))
        # What becomes an instant, a flag, a number of another type, or the kind of the value itself.
        changed = {"1790000000", "1790000060", "1790000100", "1780000000", "True", "False", "None", "-33", "", "whatsapp"}
        changed |= {"messages", "history", "group"}
        lost = {leaf for leaf in _values(json.loads(raw)["entry"]) - kept - changed if not leaf.startswith("17900004")}
        assert not lost, (name, lost)


def _values(value: Any) -> set[str]:
    """All scalar values, as text, keys not among them."""
    if isinstance(value, dict):
        return {leaf for item in value.values() for leaf in _values(item)}
    if isinstance(value, list):
        return {leaf for item in value for leaf in _values(item)}
    return {str(value)}


def test_large_bodies_take_time_in_proportion() -> None:
    """A thousand messages with a thousand contacts, three megabytes, are read at most some dozen times slower than a tenth of them."""

    def body(count: int, contacts: int) -> bytes:
        people = [{"wa_id": str(index), "profile": {"name": "x" * 500}} for index in range(contacts)]
        texts = [
            {"from": str(i), "id": f"w{i}", "timestamp": "1790000000", "type": "text", "text": {"body": "y" * 2000}} for i in range(count)
        ]
        return webhook("messages", {"metadata": METADATA, "contacts": people, "messages": texts})

    def seconds(raw: bytes, count: int) -> float:
        def once() -> float:
            begun = time.process_time()
            assert len(parse(raw)) == count
            return time.process_time() - begun

        return min(once() for _ in range(3))

    small, large = body(100, 100), body(1000, 1000)

    assert len(large) > 2_500_000
    assert seconds(large, 1000) < 60 * seconds(small, 100) + 0.05


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
