"""Versions, paths, methods, fields and the ways parameters may be sent to the pretend Graph API."""

import json
import random
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from tests.support.simulator_stage import CUSTOMER, NUMBER, WABA, Stage, staged
from wabiz_tui.simulator.endpoints.routes import NODES


@pytest.fixture
async def stage() -> AsyncGenerator[Stage, None]:
    async with staged() as made:
        yield made


async def test_version_a_call_is_served_with(stage: Stage) -> None:
    """Living versions are served as themselves, ended ones by the oldest living, none by the newest; others are no path."""
    served = {path: await stage.http.get(f"{path}/{NUMBER}", headers=stage.bearer) for path in ("/v24.0", "/v3.0", "/v20.0", "")}
    unknown = [await stage.http.get(f"{path}/{NUMBER}", headers=stage.bearer) for path in ("/v27.0", "/v99.0", "/v26.1", "/v0.0", "/v26")]

    assert {path: answer.headers["facebook-api-version"] for path, answer in served.items()} == {
        "/v24.0": "v24.0",
        "/v3.0": "v21.0",
        "/v20.0": "v21.0",
        "": "v26.0",
    }
    assert {answer.json()["id"] for answer in served.values()} == {NUMBER}
    for answer in unknown:
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, 2500)
        assert answer.json()["error"]["message"].startswith("Unknown path components")


async def test_what_is_not_there_is_told_as_graph_tells_it(stage: Stage) -> None:
    """An unknown object, an unknown edge, a method an edge lacks and a method Graph lacks each have their own words."""
    no_object = await stage.refused("GET", "99887766")
    no_edge = await stage.refused("GET", f"{NUMBER}/messages")
    no_method = await stage.refused("DELETE", f"{NUMBER}/messages")
    no_post = await stage.refused("POST", f"{NUMBER}/nothing", {})
    put = await stage.refused("PUT", NUMBER, {})
    deep = await stage.refused("GET", f"{NUMBER}/a/b/c")

    assert (no_object["code"], no_object["error_subcode"], no_object["type"]) == (100, 33, "GraphMethodException")
    assert no_object["message"].startswith("Unsupported get request. Object with ID '99887766' does not exist")
    assert no_edge["message"].startswith("(#100) Tried accessing nonexisting field (messages) on node type")
    assert no_method["message"].startswith("Unsupported delete request")
    assert no_post["message"].startswith("Unsupported post request")
    assert put["message"] == "Unsupported request - method type: put"
    assert deep["code"] == 2500
    assert all(error["fbtrace_id"] for error in (no_object, no_edge, put))


async def test_fields_choose_what_is_shown(stage: Stage) -> None:
    """`fields` shows what it names and the id, with what is inside of it; a field that is none is refused, a broken list too."""
    chosen = await stage.graph("GET", NUMBER, fields="status,throughput")
    nested = await stage.graph("GET", WABA, fields="name,phone_numbers{id,status}")
    unknown = await stage.refused("GET", NUMBER, fields="status,shoe_size")
    broken = [await stage.refused("GET", NUMBER, fields=fields) for fields in ("status{", "a..b", "(", "status,", "x" * 5000)]

    assert chosen == {"status": "CONNECTED", "throughput": {"level": "STANDARD"}, "id": NUMBER}
    assert nested["phone_numbers"]["data"] == [{"id": NUMBER, "status": "CONNECTED"}]
    assert unknown["message"].startswith("(#100) Tried accessing nonexisting field (shoe_size) on node type")
    assert {error["code"] for error in broken} == {2500}


async def test_parameters_may_come_as_form_query_or_json(stage: Stage) -> None:
    """One message sent in three ways is accepted three times and recorded alike; the method may be named by a parameter."""
    await stage.write()
    path, text = f"/v26.0/{NUMBER}/messages", '{"body": "Hi"}'
    told = {"messaging_product": "whatsapp", "to": f"+{CUSTOMER}", "type": "text", "text": text}

    form = await stage.http.post(path, data=told, headers=stage.bearer)
    query = await stage.http.post(path, params=told, headers=stage.bearer)
    token_in_query = await stage.http.post(path, params={"access_token": "test_token"}, json={**told, "text": {"body": "Hi"}})
    by_parameter = await stage.http.get(f"/v26.0/{NUMBER}/username", params={"method": "delete"}, headers=stage.bearer)

    assert [answer.status_code for answer in (form, query, token_in_query, by_parameter)] == [200] * 4
    sent = (await stage.ask("sent"))["sent"]
    assert [one["text"] for one in sent] == ["Hi"] * 3
    assert "test_token" not in str(sent)


@pytest.mark.parametrize(
    "body", [b"{", b"[1]", b'{"a":' * 200 + b"1" + b"}" * 200, b"\xff\xfe", b'{"messaging_product":"whatsapp","to":[1],"text":7}']
)
async def test_bodies_that_cannot_be_read(stage: Stage, body: bytes) -> None:
    """What is no JSON object, is too deep or of the wrong kind is a refusal in Graph's shape, and the next call is served."""
    headers = {**stage.bearer, "Content-Type": "application/json"}
    answer = await stage.http.post(f"/v26.0/{NUMBER}/messages", content=body, headers=headers)

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    assert answer.json()["error"]["code"] in (100, 131008, 131009)
    assert (await stage.graph("GET", NUMBER))["id"] == NUMBER


async def test_cursors_say_nothing_and_die_with_their_place(stage: Stage) -> None:
    """A list is read forwards and back by cursors; one whose place is gone is refused with 131059."""
    path = f"{WABA}/message_templates"
    names: list[str] = []
    page = await stage.graph("GET", path, limit=4, fields="name")
    while True:
        names += [item["id"] for item in page["data"]]
        if "next" not in page["paging"]:
            break
        page = (await stage.http.get(page["paging"]["next"], headers=stage.bearer)).json()
    back = await stage.graph("GET", path, limit=4, before=page["paging"]["cursors"]["before"])
    first = await stage.graph("GET", path, limit=1)
    await stage.graph("DELETE", path, name=first["data"][0]["name"])

    assert len(set(names)) == len(names) == 11
    assert [item["id"] for item in back["data"]] == names[4:8]
    assert "test_token" not in str(page)
    for cursor in (first["paging"]["cursors"]["after"], "made up", "é"):
        assert (await stage.refused("GET", path, after=cursor))["code"] == 131059
    assert (await stage.graph("GET", path, name="no such template")) == {"data": []}


async def test_management_calls_are_counted(stage: Stage) -> None:
    """Above the account's hourly calls reading is refused with 80007, sending is not, and the header tells how much is used."""
    stage.world.account.quota.per_hour = 4
    used = [(await stage.http.get(f"/v26.0/{NUMBER}", headers=stage.bearer)) for _ in range(5)]
    told = [json.loads(one.headers["x-business-use-case-usage"])[WABA][0]["call_count"] for one in used]
    await stage.write()

    assert told == [25, 50, 75, 100, 100]
    assert used[4].json()["error"]["code"] == 80007
    assert (await stage.send()).status_code == 200
    await stage.control("clock", advance="61m")
    assert (await stage.graph("GET", NUMBER))["id"] == NUMBER


_JUNK: tuple[Any, ...] = (
    None, True, 0, -1, "", "x" * 5000, "\0", "{{1}}", [], {}, [1, "a", None, {"id": "x"}], {"type": "text", "id": 7}, "whatsapp",
    10**25, "[1",
)  # fmt: skip
_KEYS = (
    "to", "type", "text", "template", "name", "language", "category", "components", "pin", "code", "fields", "limit", "after", "status",
    "message_id", "recipient", "context", "interactive", "reaction", "webhook_configuration", "block_users", "prefilled_message",
    "websites", "email", "prompts", "commands", "calling", "username", "hsm_id", "start", "granularity",
    "template_ids", "method", "ttl_minutes",
)  # fmt: skip


async def test_nonsense_is_refused_in_graphs_shape(stage: Stage) -> None:
    """Three hundred random calls of every edge are each answered with JSON, as done or as a refusal, never with a crash."""
    chance = random.Random(26)
    ids = dict(zip((node.name for node in NODES), (NUMBER, WABA, stage.world.options.app_id, "900000000000001"), strict=False))
    paths = [f"{ids[node.name]}/{edge}".rstrip("/") for node in NODES if node.name in ids for edge in node.edges]
    for _ in range(300):
        body = {chance.choice(_KEYS): chance.choice(_JUNK) for _ in range(chance.randrange(6))} | {"messaging_product": "whatsapp"}
        method, path = chance.choice(("GET", "POST", "POST", "DELETE")), chance.choice(paths)
        if method == "GET":
            params = {key: str(value)[:300] for key, value in body.items()}
            answer = await stage.http.get(f"/v26.0/{path}", params=params, headers=stage.bearer)
        else:
            answer = await stage.http.request(method, f"/v26.0/{path}", content=json.dumps(body), headers=stage.bearer)
        told = answer.json()
        assert answer.status_code == 200 or isinstance(told["error"]["code"], int), (method, path, body)
