"""The simulator's endpoints against Meta's OpenAPI file: answers, refusals, examples, and what is left out."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.openapi import OpenAPI
from tests.support.openapi_endpoints import ENDPOINTS, LESS, MORE, NOT_SERVED, REFUSED
from tests.support.openapi_messages import SENDS
from tests.support.openapi_walk import CUSTOMER, Exchange, walk_through
from tests.support.pywa_sends import PNG
from tests.support.simulator_process import NUMBER, WABA, SimulatorProcess, simulator_process

pytestmark = pytest.mark.shared

METHODS = ("get", "post", "put", "delete")
TELLS = "/whatsapp/webhooks"
NO_REFUSALS = {
    "/{Version}/{Phone-Number-ID}/messages": "the file has no refusals of sends; those of other endpoints have their form",
    "/{Version}/{Phone-Number-ID}/block_users": "nor of blocks; the list stands beside the error (§2)",
}
"""Operations whose refusals are held against the general error of the file."""
_made_up = itertools.count()
GENERAL_ERROR = "/components/schemas/GraphAPIError"


@pytest.fixture(scope="module")
def judge() -> OpenAPI:
    return OpenAPI([*SENDS, *ENDPOINTS])


@pytest.fixture(scope="module")
def simulator(judge: OpenAPI) -> Iterator[SimulatorProcess]:
    """Not started where the file is absent."""
    with simulator_process(window="off", statuses=False) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def exchanges(simulator: SimulatorProcess) -> list[Exchange]:
    return walk_through(simulator)


def served(exchanges: list[Exchange]) -> set[tuple[str, str]]:
    return {(one.method, one.path) for one in exchanges if one.status == 200}


def pairs_of(judge: OpenAPI, exchanges: list[Exchange]) -> list[tuple[str, str, Any]]:
    """(what it is, pointer of its schema, value) of every answer, and of every accepted request the file has a schema for."""
    pairs: list[tuple[str, str, Any]] = []
    for one in exchanges:
        pointer = judge.response(one.method, one.path, one.status)
        if pointer is None and one.path in NO_REFUSALS and one.status >= 400:
            pointer = GENERAL_ERROR
        assert pointer is not None, f"the file has no schema for {one.name}"
        pairs.append((f"answer to {one.name}", pointer, one.answer))
        if one.sent is not None and one.status == 200 and _has_json_body(judge, one):
            pairs.append((f"body of {one.name}", judge.request(one.method, one.path), one.sent))
    return pairs


def _has_json_body(judge: OpenAPI, one: Exchange) -> bool:
    operation = judge.document["paths"][one.path][one.method.lower()]
    return "application/json" in operation.get("requestBody", {}).get("content", {})


def test_every_answer_fits_the_schema(judge: OpenAPI, exchanges: list[Exchange]) -> None:
    """Answers, refusals and accepted requests of all served operations are as the file has them, but for the contradictions listed."""
    assert {one.path for one in exchanges if one.status >= 400} >= set(NO_REFUSALS)

    found = {name: errors for name, pointer, value in pairs_of(judge, exchanges) if (errors := judge.errors(pointer, value))}

    assert found == {}


def test_every_contradiction_still_occurs(judge: OpenAPI, exchanges: list[Exchange]) -> None:
    """Without any one of the rows about endpoints something would not fit."""
    idle = judge.idle((pointer, value) for _, pointer, value in pairs_of(judge, exchanges))

    assert [str(judge.contradictions[index]) for index in idle if index >= len(SENDS)] == []


def test_answers_have_the_shape_of_the_examples(judge: OpenAPI, exchanges: list[Exchange]) -> None:
    """Key by key and type by type: what the simulator answers more or less than Meta's examples is listed with its reason."""
    more: dict[str, list[str]] = {}
    less: dict[str, list[str]] = {}
    for method, path in sorted(served(exchanges)):
        ours = [one.answer for one in exchanges if (one.method, one.path, one.status) == (method, path, 200)]
        examples = _examples(judge, judge.response(method, path, 200))
        mine, theirs = shape(ours), shape(examples)
        assert theirs, f"the file has no example of {method} {path}"
        name = f"{method} {path}"
        more |= {name: sorted(mine.keys() - theirs.keys())} if mine.keys() - theirs.keys() else {}
        less |= {name: sorted(missing)} if (missing := _tops(theirs.keys() - mine.keys(), mine)) else {}
        types = {place: mine[place] for place in mine.keys() & theirs.keys() if not mine[place] <= theirs[place]}
        assert types == ({"$.file_size": {"number", "string"}} if path.endswith("{Media-ID}") and method == "GET" else {})

    assert more == {name: sorted(places) for name, (_, places) in MORE.items()}
    assert less == {name: sorted(places) for name, (_, places) in LESS.items()}


def _examples(judge: OpenAPI, pointer: str | None) -> list[Any]:
    assert pointer is not None
    content = judge.at(pointer.removesuffix("/schema"))
    return [one["value"] for one in content.get("examples", {}).values()] + [content[key] for key in ("example",) if key in content]


def shape(values: list[Any]) -> dict[str, set[str]]:
    """Place → types, over all the values: `$.data[].id`."""
    places: dict[str, set[str]] = {}
    todo = [("$", value) for value in values]
    while todo:
        place, value = todo.pop()
        places.setdefault(place, set()).add(_kind(value))
        if isinstance(value, dict):
            todo += [(f"{place}.{key}", inner) for key, inner in value.items()]
        elif isinstance(value, list):
            todo += [(f"{place}[]", inner) for inner in value]
    return places


def _kind(value: Any) -> str:
    kinds = {dict: "object", list: "list", bool: "flag", str: "string", int: "number", float: "number", type(None): "null"}
    return kinds[type(value)]


def _tops(missing: set[str], there: dict[str, set[str]]) -> set[str]:
    """Of what is missing, the outermost places: what is inside them is missing of course."""
    return {place for place in missing if re.sub(r"(\[\]|\.[^.\[]+)$", "", place) in there}


def test_every_example_is_accepted(judge: OpenAPI, simulator: SimulatorProcess, exchanges: list[Exchange]) -> None:
    """Meta's own example requests, their placeholders filled, are taken; those refused are listed with code and reason."""
    media = _uploaded(simulator)
    incoming = simulator.meet(CUSTOMER)
    simulator.meet("+16505551234")
    refused: dict[str, int] = {}
    for method, path in sorted(served(exchanges)):
        content = judge.document["paths"][path][method.lower()].get("requestBody", {}).get("content", {}).get("application/json", {})
        address = path.removeprefix("/{Version}/").replace("{Phone-Number-ID}", NUMBER).replace("{WABA-ID}", WABA)
        for name, example in content.get("examples", {}).items():
            body = filled(example["value"], media, incoming)
            answer = simulator.graph(method, address.replace("{TEMPLATE_ID}", "900000000000002"), json=body)
            if answer.status_code != 200:
                refused[f"{method} {path}: {name}"] = answer.json()["error"]["code"]

    assert refused == {name: code for name, (code, _) in REFUSED.items()}


def _uploaded(simulator: SimulatorProcess) -> str:
    files = {"file": ("a.png", PNG, "image/png"), "messaging_product": (None, "whatsapp"), "type": (None, "image/png")}
    return str(simulator.graph("POST", f"{NUMBER}/media", files=files).json()["id"])


def filled(value: Any, media: str, incoming: str, key: str = "") -> Any:
    """An example with real names where it has placeholders: `{{…}}`, `<…>`, links to nowhere, and messages of other accounts."""
    if isinstance(value, dict):
        return {name: filled(inner, media, incoming, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, media, incoming, key) for inner in value]
    if key == "message_id":
        return incoming
    if not isinstance(value, str) or not (re.search(r"\{\{[^}]*[A-Za-z-]+[^}]*\}\}|<.*>", value) or key == "link"):
        return value
    if key == "id" and "_ID" in value and "OBJECT" in value:
        return media
    return {"to": CUSTOMER, "link": "https://files.example/a.png"}.get(key, f"made_up_{next(_made_up)}")


def test_every_path_is_served_or_left_out_with_a_reason(judge: OpenAPI, exchanges: list[Exchange]) -> None:
    """A path of the file that is neither fails here, and so does one that is both."""
    operations = {
        (method.upper(), path) for path, item in judge.document["paths"].items() for method in item if method in METHODS and path != TELLS
    }
    done = served(exchanges)
    left = {(method, path) for method, path in operations if _reasons(method, path)}

    assert operations - done - left == set()
    assert done & left == set()
    named = {name for method, path in operations for name in _names(method, path)}
    assert set(NOT_SERVED) <= named


def _names(method: str, path: str) -> tuple[str, str]:
    short = path.removeprefix("/{Version}/")
    return short, f"{method} {short}"


def _reasons(method: str, path: str) -> list[str]:
    return [NOT_SERVED[name] for name in _names(method, path) if name in NOT_SERVED]
