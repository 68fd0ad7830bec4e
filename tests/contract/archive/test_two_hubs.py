"""Two hubs over one PostgreSQL, in one process: what is done at one is obeyed at the other, at once."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.contract.archive.conftest import Ground
from tests.support.hub_archive import seeded
from tests.support.hub_served import ENVIRONMENT, Served, TestDevice, served_hub, serving
from wabiz_tui.graph.requests import build_text
from wabiz_tui.hub.app import create_app, join
from wabiz_tui.hub.operations.secrets import load_secrets
from wabiz_tui.hub.processes.bus import POLICY
from wabiz_tui.model.wire import address_of

ACCOUNT = "77"


class Pair(NamedTuple):
    first: Served
    second: Served

    def at_second(self, device: TestDevice) -> TestDevice:
        """The same device, talking to the other hub."""
        moved = TestDevice(self.second, device.seed, device.reply)
        moved.token = device.token
        return moved


@pytest.fixture
async def pair(new_ground: Callable[[str], Ground], tmp_path: Path) -> AsyncGenerator[Pair]:
    async with served_hub(tmp_path / "home", archive=new_ground("postgresql").address, waba_id=ACCOUNT) as first:
        settings = first.hub.settings
        hub = join(settings, load_secrets(settings.secret_places, ENVIRONMENT), clock=first.clock, random_bytes=seeded(3))
        async with serving(create_app(hub)) as url, httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as http:
            yield Pair(first, Served(hub, http, first.clock, first.code, first.meta))
            hub.feed.close()


@contextlib.asynccontextmanager
async def stream(device: TestDevice) -> AsyncGenerator[asyncio.Task[list[str]]]:
    """Every line of the device's stream, once it ended."""

    async def read(opened: asyncio.Event) -> list[str]:
        lines: list[str] = []
        async with device.served.http.stream("GET", "/v1/changes/stream", headers=device.headers) as response:
            async for line in response.aiter_lines():
                lines.append(line)
                opened.set()
        return lines

    opened = asyncio.Event()
    reading = asyncio.ensure_future(read(opened))
    await asyncio.wait_for(opened.wait(), 60)
    try:
        yield reading
    finally:
        reading.cancel()


async def ready(pair: Pair) -> tuple[TestDevice, TestDevice, dict[str, Any]]:
    """Administrator and agent, and a text to a customer who just wrote."""
    admin = await pair.first.admin()
    agent = await pair.first.person(admin, "Agent", "agent")
    await pair.first.incoming()
    [conversation] = await agent.seen("conversation")
    return admin, agent, build_text(recipient=address_of(conversation), body="Good day")


async def test_a_device_revoked_at_one_hub_ends_at_the_other(pair: Pair) -> None:
    """Its stream at the other hub ends with the reason, and its token is refused there."""
    admin, agent, _ = await ready(pair)
    moved = pair.at_second(agent)
    async with stream(moved) as lines:
        revoked = await admin.post(f"/v1/devices/{agent.reply.device}/revoke", {})
        told = await asyncio.wait_for(lines, 60)

        assert revoked.status_code == 200
        assert "event: revoked" in told
        assert (await moved.get("/v1/changes?since=0")).status_code == 401


async def test_a_policy_applied_at_one_hub_rules_at_the_other(pair: Pair) -> None:
    """The other hub knows the new version by itself, before any of its readers is told of it."""
    admin, _, _ = await ready(pair)
    before = pair.second.hub.policy
    told = asyncio.Event()
    pair.second.hub.archive.bus.on(POLICY, lambda _: told.set(), loop=asyncio.get_running_loop())
    text = 'name = "test"\n[cache]\nwindow = "2d"\n[privacy]\nmask_numbers = true\n[hours]\nholidays = ""\noff_shift = "quiet"\n'

    answer = await admin.post("/v1/policy", {"text": text})
    assert answer.status_code in (200, 202), answer.text
    await asyncio.wait_for(told.wait(), 60)

    assert pair.second.hub.policy.version == before.version + 1
    assert pair.second.hub.policy.policy.cache.window == timedelta(days=2) < before.policy.cache.window


async def test_a_key_is_one_at_both_hubs(pair: Pair) -> None:
    """A send repeated at the other hub while the first has it under way gets that one's answer, and Meta one message."""
    _, agent, body = await ready(pair)
    pair.first.meta.hold = asyncio.Event()
    sending = asyncio.ensure_future(agent.send(body))
    await asyncio.wait_for(pair.first.meta.arrived.wait(), 60)
    again = asyncio.ensure_future(pair.at_second(agent).send(body))
    # The repeat is refused or answered early where the other hub does not wait.
    await asyncio.wait({again}, timeout=0.3)
    was_waiting = not again.done()
    pair.first.meta.hold.set()

    answers = await asyncio.wait_for(asyncio.gather(sending, again), 60)

    assert was_waiting
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert len(pair.first.meta.sent) == 1


async def test_what_one_hub_journals_the_other_has(pair: Pair) -> None:
    """A webhook posted to either is read at either as soon as that one says that it caught up; one of them folds."""
    _, agent, _ = await ready(pair)
    moved = pair.at_second(agent)
    for index, served in enumerate((pair.first, pair.second)):
        await served.incoming(f"to {index}", wamid=f"wamid.of{index}")
    caught_up = [await served.hub.intake.caught_up() for served in (pair.first, pair.second)]

    seen = [{one["wamid"] for one in (await device.seen("message")).values()} for device in (agent, moved)]

    assert caught_up == [True, True]
    assert seen == [{"wamid.A", "wamid.of0", "wamid.of1"}] * 2
    assert [served.hub.process.leads for served in (pair.first, pair.second)] == [True, False]
