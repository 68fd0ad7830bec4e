"""Every cell: each endpoint that openapi.json names, for each role and for whoever has none, does what the matrix says."""

import json
import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple, cast

import httpx

from tests.support.endpoint_bodies import BODIES
from tests.support.hub_archive import NUMBER, TENANT
from tests.support.hub_served import Served, TestDevice, served_hub
from wabiz_tui.hub.archive.auditlog import log_size
from wabiz_tui.hub.archive.store import feed_head
from wabiz_tui.hub.endpoints.table import ENDPOINTS, describe
from wabiz_tui.model.codec import encode
from wabiz_tui.policy.permissions import ACTIONS, INTEGRATION_ACTIONS, ROLES, can

OPEN = {"/v1/enroll", "/v1/token", "/v1/openapi.json"}
UNGUARDED = {"/webhooks/whatsapp", "/healthz", "/readyz", "/metrics"}
STREAM = "/v1/changes/stream"
HIDDEN = {("GET", "/{version}/{object}/bytes"), ("GET", "/{version}/{object}")}
"""Here nobody is told whether they may not or whether it is not there."""
OWN = {"/v1/people/{person}/handover"}
"""Agents hand over their own work; others' needs an action of its own."""
NARROWER = {("/v1/people/{person}/override", "compliance"), ("/v1/people/{person}/override", "admin")}
"""Where the policy's own list of roles stands within what the matrix gives."""
UNKNOWN = "f" * 32
NOT_PERMITTED, BAD_TOKEN = 10, 190


class Cell(NamedTuple):
    """One operation of the document. Several permissions stand for any of them."""

    method: str
    path: str
    permission: str
    parameters: tuple[str, ...]

    @property
    def is_ours(self) -> bool:
        return self.path.startswith("/v1/")

    def may(self, actions: "set[str]") -> bool:
        return any(action in actions for action in re.split(r",\s*|\s+or\s+", self.permission))

    def at(self, **ids: str) -> str:
        """The path with an id for each parameter; ids that nothing has where none is given."""
        graph = {"version": "v26.0", "number": NUMBER, "account": TENANT, "object": "999000999"}
        given = {name: graph.get(name, UNKNOWN) for name in self.parameters} | ids
        return re.sub(r"\{(\w+)\}", lambda found: given[found[1]], self.path)

    @property
    def body(self) -> bytes:
        return encode(BODIES.get((self.method, self.path), {})) if self.method != "GET" else b""


async def cells(served: Served) -> list[Cell]:
    """What the hub itself says that it serves."""
    told = (await served.http.get("/v1/openapi.json")).json()
    return [
        Cell(
            method.upper(),
            path,
            operation["x-permission"] or "",
            tuple(one["name"] for one in operation["parameters"] if one["in"] == "path"),
        )
        for path, operations in told["paths"].items()
        for method, operation in operations.items()
    ]


async def ask(served: Served, cell: Cell, headers: dict[str, str], path: str = "", *, body: bytes | None = None) -> httpx.Response:
    """One request; of a stream only its beginning."""
    async with served.http.stream(cell.method, path or cell.at(), content=cell.body if body is None else body, headers=headers) as answer:
        if not (cell.path == STREAM and answer.status_code == 200):
            await answer.aread()
    return answer


def is_refused(cell: Cell, answer: httpx.Response) -> bool:
    """Whether the matrix said no, in the words of /v1 or of Graph."""
    if (cell.method, cell.path) in HIDDEN:
        return answer.status_code == 400
    if answer.status_code == 200 and cell.path == STREAM:
        return False
    if cell.is_ours:
        return answer.status_code == 403 and answer.json()["code"] == "forbidden"
    return answer.status_code == 403 and answer.json()["error"]["code"] == NOT_PERMITTED


def is_unauthenticated(cell: Cell, answer: httpx.Response, code: str) -> bool:
    if cell.is_ours:
        return answer.status_code == 401 and answer.json()["code"] == code
    return answer.status_code == 401 and answer.json()["error"]["code"] == BAD_TOKEN


async def traces(served: Served) -> tuple[int, int]:
    """What any act leaves: the length of the log and the head of the feed."""
    return await served.hub.archive.read(lambda reading: (log_size(reading), feed_head(reading)))


def test_every_endpoint_names_a_permission_of_the_matrix() -> None:
    """Only enrolment, tokens and the description are open; every other endpoint's permission is in the matrix."""
    assert {endpoint.path for endpoint in ENDPOINTS if not endpoint.permission} == OPEN
    assert {endpoint.permission for endpoint in ENDPOINTS if endpoint.permission} <= set(ACTIONS)


def test_every_endpoint_that_takes_a_body_has_one_here() -> None:
    """Whoever adds an endpoint gives tests/support/endpoint_bodies.py a valid body for it, and takes away what is gone."""
    taking = {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS if endpoint.method in ("POST", "PUT", "PATCH")}

    assert taking - set(BODIES) == set()
    ours = {key for key in BODIES if key[1].startswith("/v1/")}
    assert ours - taking <= {("POST", "/v1/conversations/{conversation}/presence")}


async def test_the_description_names_every_route(tmp_path: Path) -> None:
    """GET /v1/openapi.json needs no token and names each endpoint with its permission, its body and its errors."""
    async with served_hub(tmp_path) as served:
        told = (await served.http.get("/v1/openapi.json")).json()

        assert told == json.loads(encode(describe()))
        for endpoint in ENDPOINTS:
            operation = told["paths"][endpoint.path][endpoint.method.lower()]
            assert operation["x-permission"] == (endpoint.permission or None)
            assert ("requestBody" in operation) == (endpoint.body is not None)
        assert set(told["paths"]) >= UNGUARDED
        assert set(references(told)) <= {f"#/components/schemas/{name}" for name in told["components"]["schemas"]}
        assert (await served.http.get("/metrics")).text.startswith("# HELP")


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            yield from ([item] if key == "$ref" else references(item))
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from references(item)


async def test_each_role_gets_what_the_matrix_gives(tmp_path: Path) -> None:
    """Each operation of the document for each role: refused exactly where the matrix says no, and then nothing happened."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        people = {role: admin if role == "admin" else await served.person(admin, role, role) for role in ROLES}
        guarded = [cell for cell in await cells(served) if cell.permission]
        wrong: list[tuple[str, str, str, int]] = []
        before = await traces(served)
        allowed: list[tuple[Cell, str]] = []
        for cell in guarded:
            for role, device in people.items():
                if cell.may({action for action in ACTIONS if can(role, action)}):
                    allowed.append((cell, role))
                    continue
                answer = await ask(served, cell, device.headers)
                if not is_refused(cell, answer):
                    wrong.append((cell.method, cell.path, role, answer.status_code))
        after = await traces(served)
        for cell, role in allowed:
            if (cell.method, cell.path) in HIDDEN or (cell.path, role) in NARROWER:
                continue
            own = {"person": people[role].reply.person} if cell.path in OWN else {}
            answer = await ask(served, cell, people[role].headers, cell.at(**own))
            # The pretend Meta answers no more than some calls of the gateway.
            is_failed = cell.is_ours and (answer.status_code == 405 or answer.status_code >= 500)
            if is_refused(cell, answer) or is_unauthenticated(cell, answer, "invalid_token") or is_failed:
                wrong.append((cell.method, cell.path, role, answer.status_code))

        assert wrong == []
        assert after == before
        assert len(guarded) > 60


async def test_a_key_gets_what_it_was_given(tmp_path: Path) -> None:
    """An integration's key opens nothing under /v1, and of the gateway exactly what its permissions say."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        wrong: list[tuple[str, str, str, int]] = []
        for action in sorted(INTEGRATION_ACTIONS):
            made = await admin.post("/v1/integrations", {"name": action, "numbers": [NUMBER], "permissions": [action]})
            headers = {"Authorization": f"Bearer {made.json()['key']}"}
            for cell in [cell for cell in await cells(served) if cell.permission]:
                if cell.is_ours and action != "message.send":
                    continue
                answer = await ask(served, cell, headers)
                if cell.is_ours:
                    is_right = is_unauthenticated(cell, answer, "invalid_token")
                elif (cell.method, cell.path) in HIDDEN:
                    is_right = is_refused(cell, answer)
                else:
                    is_right = is_refused(cell, answer) != cell.may({action}) and answer.status_code != 401
                if not is_right:
                    wrong.append((cell.method, cell.path, action, answer.status_code))

        assert wrong == []


async def test_whoever_is_nobody_gets_nothing(tmp_path: Path) -> None:
    """No token, a wrong one, one that ran out, one of a revoked device, one of a revoked person: 401 everywhere, and nothing happened."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        old = await served.person(admin, "Old", "supervisor")
        served.clock.move(timedelta(minutes=16))
        await admin.log_in()
        lost, gone = await served.person(admin, "Lost", "supervisor"), await served.person(admin, "Gone", "supervisor")
        assert (await admin.post(f"/v1/devices/{lost.reply.device}/revoke", {})).status_code == 200
        assert (await admin.post(f"/v1/people/{gone.reply.person}/revoke", {})).status_code == 200
        nobodies: dict[str, tuple[dict[str, str], str]] = {
            "without a token": ({}, "invalid_token"),
            "guessed": ({"Authorization": "Bearer guess"}, "invalid_token"),
            "run out": (old.headers, "invalid_token"),
            "of a revoked device": (lost.headers, "revoked"),
            "of a revoked person": (gone.headers, "revoked"),
        }
        before = await traces(served)
        wrong = [
            (cell.method, cell.path, name)
            for cell in await cells(served)
            if cell.permission
            for name, (headers, code) in nobodies.items()
            if not is_unauthenticated(cell, await ask(served, cell, headers), code)
        ]

        odd = [f"Bearer wbk_{UNKNOWN}_{'x' * 43}", f"Basic {admin.token}", f"Bearer {'x' * 5000}", "Bearer", admin.token]
        refused = [await served.http.get("/v1/me", headers={"Authorization": one}) for one in odd]

        assert wrong == []
        assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(401, "invalid_token")] * len(odd)
        assert await traces(served) == before


class Scene(NamedTuple):
    """Somebody, and ids of things that exist and are not theirs to see, by the name of the parameter."""

    served: Served
    viewer: TestDevice
    hidden: dict[str, str]


@asynccontextmanager
async def scene(home: Path) -> AsyncGenerator[Scene]:
    """An agent beside another one's conversation, and a team's that is not theirs."""
    async with served_hub(home) as served:
        admin = await served.admin()
        boss, other = await served.person(admin, "Boss", "supervisor"), await served.person(admin, "Other", "agent")
        await served.incoming("not for you")
        conversation = next(iter(await boss.seen("conversation")))
        taken = await boss.post(f"/v1/conversations/{conversation}/assignee", {"person": other.reply.person})
        assert taken.status_code == 200, taken.text
        team = (await admin.post("/v1/teams", {"name": "Night"})).json()["id"]
        canned = await boss.post("/v1/canned", {"shortcut": "night", "text": "Good night", "team": team})
        macro = await boss.post("/v1/macros", {"name": "Night", "steps": [{"do": "priority", "value": "low"}], "team": team})
        hidden = {
            "conversation": conversation,
            "contact": next(iter(await boss.seen("contact"))),
            "message": next(iter(await boss.seen("message"))),
            "canned": canned.json()["id"],
            "macro": macro.json()["id"],
        }
        yield Scene(served, await served.person(admin, "Viewer", "agent"), hidden)


async def test_what_is_out_of_sight_is_as_what_is_not_there(tmp_path: Path) -> None:
    """Ids of another's conversation, contact, message, canned response and macro get, byte for byte, the 404 of an unknown one."""
    async with scene(tmp_path) as (served, viewer, hidden):
        mine = {action for action in ACTIONS if can("agent", action)}
        before = await traces(served)
        wrong: list[tuple[str, str, int, int]] = []
        compared = 0
        for cell in await cells(served):
            foreign = {name: hidden[name] for name in cell.parameters if name in hidden}
            if not (cell.is_ours and cell.permission and cell.may(mine) and foreign):
                continue
            unknown = await ask(served, cell, viewer.headers)
            hiding = await ask(served, cell, viewer.headers, cell.at(**foreign))
            compared += 1
            if (unknown.status_code, unknown.content) != (hiding.status_code, hiding.content) or unknown.status_code != 404:
                wrong.append((cell.method, cell.path, unknown.status_code, hiding.status_code))

        assert wrong == []
        assert compared > 8
        assert await traces(served) == before


HOSTILE = {
    "a NUL": "a%00b",
    "ten thousand letters": "a" * 10_000,
    "bidi and emoji": "%E2%80%AE%F0%9F%92%A9",
    "half a character": "%ff%fe",
    "a path": "..%2F..%2Fetc%2Fpasswd",
    "SQL": "'%20OR%20'1'='1",
}
RARER = ("%00", "ABCDEF0123456789ABCDEF0123456789", "%2e%2e%5c%2e%2e", "%25s%25n", "*", "-1", "%1b%5b2J", "%20", "0" * 31, "0" * 33)


async def test_ids_that_none_can_be_are_as_unknown_ones(tmp_path: Path) -> None:
    """Whatever stands in the place of an id: the 404 of an unknown one, or of a path that is none; never an error of the hub's own."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        people = [admin, await served.person(admin, "S", "supervisor"), await served.person(admin, "C", "compliance")]
        wrong: list[tuple[str, str, str, int]] = []
        for cell in await cells(served):
            if not (cell.is_ours and cell.parameters and cell.permission):
                continue
            device = next(one for one in people if cell.may({action for action in ACTIONS if can(one.reply.role, action)}))
            unknown = await ask(served, cell, device.headers)
            before = await traces(served)
            is_first = cell.path.endswith("/messages")
            for what, hostile in {**HOSTILE, **(dict(zip(RARER, RARER, strict=True)) if is_first else {})}.items():
                answer = await ask(served, cell, device.headers, cell.at(**dict.fromkeys(cell.parameters, hostile)))
                is_same = (answer.status_code, answer.content) == (unknown.status_code, unknown.content)
                # Dots and slashes make another path of it: one that leads nowhere.
                leads_nowhere = answer.status_code in (404, 405) and set(answer.json()) == {"code", "sentence"}
                if not (is_same or leads_nowhere):
                    wrong.append((cell.method, cell.path, what, answer.status_code))
            if await traces(served) != before:
                wrong.append((cell.method, cell.path, "left a trace", 0))

        assert wrong == []


async def test_ids_in_bodies_and_queries_are_bounded_too(tmp_path: Path) -> None:
    """NULs, long texts and ids out of sight in a body or a query are refused as input, or as not there; never by a failure."""
    async with scene(tmp_path) as (served, viewer, hidden):
        await served.incoming("for all", wamid="wamid.ALL", sender="447700900555")
        mine = next(iter(await viewer.seen("conversation")))
        path = f"/v1/conversations/{mine}"
        asked = [
            await viewer.post(f"{path}/read", {"up_to": hidden["message"]}),
            await viewer.post(f"{path}/read", {"up_to": UNKNOWN}),
            await viewer.get(f"{path}/messages?before={hidden['message']}"),
            await viewer.get(f"{path}/messages?before={UNKNOWN}"),
            await viewer.get(f"{path}/messages?before=a%00b"),
            await viewer.get(f"{path}/messages?before={'a' * 9000}"),
            await viewer.post(f"{path}/read", {"up_to": "a\0b"}),
            await viewer.post(f"{path}/assignee", {"person": "\0"}),
            await viewer.post(f"{path}/notes", {"text": "a backslash and a zero: \\u0000"}),
        ]

        assert [answer.status_code for answer in asked] == [404, 404, 404, 404, 400, 400, 400, 400, 201]
        assert asked[0].content == asked[1].content
        assert asked[2].content == asked[3].content
