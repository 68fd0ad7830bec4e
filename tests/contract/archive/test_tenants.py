"""Two businesses on one PostgreSQL: for each, what the other has is not there."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.contract.archive.conftest import Ground
from tests.support.endpoint_bodies import BODIES
from tests.support.hub_served import TestDevice, served_hub, text_value
from wabiz_tui.hub.archive.auditlog import log_size
from wabiz_tui.hub.archive.store import feed_head
from wabiz_tui.hub.endpoints.table import ENDPOINTS
from wabiz_tui.model.codec import encode
from wabiz_tui.policy.permissions import can

UNKNOWN = "f" * 32
EARLIER = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
"""Ids of the two hubs differ by their time: chance is the same in both."""


async def test_ids_of_another_business_are_as_unknown_ones(new_ground: Callable[[str], Ground], tmp_path: Path) -> None:
    """Every endpoint that takes an id answers one of another tenant byte for byte as one that nobody has, does nothing and
    lists none."""
    address = new_ground("postgresql").hub_address
    async with (
        served_hub(tmp_path / "one", archive=address, waba_id="77") as ours,
        served_hub(tmp_path / "two", archive=address, waba_id="88", at=EARLIER) as theirs,
    ):
        their_admin = await theirs.admin()
        theirs_seen = await theirs.person(their_admin, "Boss", "supervisor")
        response = await theirs.post_webhook(_body("88", text_value("Hi", wamid="wamid.B", sender="447700900123", at=theirs.clock.now())))
        assert response.status_code == 200
        await theirs.folded()
        foreign = await ids_of(their_admin, theirs_seen)
        admin = await ours.admin()
        people = [*await asyncio.gather(*(ours.person(admin, role, role) for role in ("supervisor", "compliance"))), admin]
        before = await ours.hub.archive.read(log_size), await theirs.hub.archive.read(feed_head)
        wrong: list[tuple[str, str, int, int]] = []
        for endpoint in ENDPOINTS:
            names = [part[1:-1] for part in endpoint.path.split("/") if part.startswith("{")]
            asker = next((one for one in people if can(one.reply.role, endpoint.permission)), None)
            if not names or asker is None:
                continue
            answers = [
                await ours.http.request(
                    endpoint.method,
                    _filled(endpoint.path, names, ids),
                    content=encode(BODIES.get((endpoint.method, endpoint.path), {})),
                    headers=asker.headers,
                )
                for ids in ({}, foreign)
            ]
            if answers[0].content != answers[1].content or [answer.status_code for answer in answers] != [404, 404]:
                wrong.append((endpoint.method, endpoint.path, answers[0].status_code, answers[1].status_code))
        listed = [await admin.get(path) for path in ("/v1/people", "/v1/devices", "/v1/teams", "/v1/codes", "/v1/integrations")]

        assert wrong == []
        assert before == (
            await ours.hub.archive.read(log_size),
            await theirs.hub.archive.read(feed_head),
        )
        assert not any(identifier in answer.text for identifier in foreign.values() for answer in listed)


async def ids_of(admin: TestDevice, boss: TestDevice) -> dict[str, str]:
    """One id of each kind, by the name of the parameter."""
    team = (await admin.post("/v1/teams", {"name": "Theirs"})).json()["id"]
    return {
        "conversation": next(iter(await boss.seen("conversation"))),
        "contact": next(iter(await boss.seen("contact"))),
        "message": next(iter(await boss.seen("message"))),
        "person": boss.reply.person,
        "device": boss.reply.device,
        "team": team,
        "canned": (await boss.post("/v1/canned", {"shortcut": "x", "text": "y"})).json()["id"],
        "macro": (await boss.post("/v1/macros", {"name": "x", "steps": [{"do": "priority", "value": "low"}]})).json()["id"],
        "code": (await admin.post(f"/v1/people/{boss.reply.person}/code", {})).json()["id"],
    }


def _body(waba: str, value: dict[str, Any]) -> bytes:
    return encode({"object": "whatsapp_business_account", "entry": [{"id": waba, "changes": [{"field": "messages", "value": value}]}]})


def _filled(path: str, names: list[str], ids: dict[str, str]) -> str:
    for name in names:
        path = path.replace("{" + name + "}", ids.get(name, UNKNOWN))
    return path
