"""Two hub processes on one PostgreSQL: what is acknowledged by either is there once, and either may be killed."""

import asyncio
import json
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import httpx

from tests.contract.archive.conftest import Ground
from tests.support.cutting_meta import CuttingMeta, cutting_meta
from tests.support.hub_processes import ACCOUNT, load, set_up, start
from tests.support.hub_served import Served, TestDevice, body_of, text_value
from wabiz_tui.graph.requests import build_text
from wabiz_tui.model.clock import SystemClock
from wabiz_tui.model.wire import EnrolmentCode, address_of

CUSTOMERS = ("447700900901", "447700900902")


class Running:
    """One of the processes, as a client of it."""

    def __init__(self, process: asyncio.subprocess.Process, url: str, code: str) -> None:
        self.process, self.url = process, url
        self.http = httpx.AsyncClient(base_url=url, timeout=60, trust_env=False)
        made = EnrolmentCode(code=code, person="", expires_at=datetime.now(UTC))
        self.served = Served(cast("Any", None), self.http, cast("Any", SystemClock()), made, cast("Any", None))

    async def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()
        await self.http.aclose()

    async def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        status = await asyncio.wait_for(self.process.wait(), 60)
        await self.http.aclose()
        return status


class Listener:
    """A reader of the stream, which goes on at the other process where its own goes away."""

    def __init__(self, device: TestDevice) -> None:
        self.device, self.cursor = device, 0
        self.seen: set[str] = set()
        self.behind: list[int] = []
        self.more = asyncio.Condition()

    async def follow(self, running: Running) -> None:
        """Until the process goes away."""
        headers = {**self.device.headers, "Last-Event-ID": str(self.cursor)}
        try:
            async with running.http.stream("GET", "/v1/changes/stream", headers=headers) as response:
                async for line in response.aiter_lines():
                    if line.startswith("data: {") and "changes" in line:
                        await self._take(json.loads(line.removeprefix("data: ")))
        except httpx.HTTPError:
            return

    async def _take(self, page: dict[str, Any]) -> None:
        self.behind += [change["seq"] for change in page["changes"] if change["seq"] <= self.cursor]
        self.cursor = page["next"]
        async with self.more:
            self.seen |= {
                change["value"]["wamid"]
                for change in page["changes"]
                if change["entity"] == "message" and (change.get("value") or {}).get("direction") == "incoming"
            }
            self.more.notify_all()

    async def until_seen(self, wamids: set[str]) -> None:
        async with asyncio.timeout(60), self.more:
            await self.more.wait_for(lambda: wamids <= self.seen)


async def state_of(device: TestDevice, key: str) -> str:
    [message] = [one for one in (await device.seen("message")).values() if one.get("key") == key]
    return message["delivery"]["state"]


async def until_state(device: TestDevice, key: str, state: str) -> None:
    async with asyncio.timeout(60):
        while await state_of(device, key) != state:  # noqa: ASYNC110 as a desk that pages; streams are the listener's to show
            await asyncio.sleep(0.1)


async def write_in(running: Running, index: int) -> None:
    """A customer writes, so that the window is open."""
    value = text_value("Hello", wamid=f"wamid.first{index}", sender=CUSTOMERS[index], at=datetime.now(UTC))
    answer = await running.served.post_webhook(body_of(value, waba=ACCOUNT))
    assert answer.status_code == 200


async def conversations(device: TestDevice) -> list[str]:
    """The addresses of both customers' conversations, in the order in which they wrote."""
    async with asyncio.timeout(60):
        while True:
            found = {one["wamid"]: one["conversation"] for one in (await device.seen("message")).values()}
            if {"wamid.first0", "wamid.first1"} <= set(found):
                return [address_of(found[f"wamid.first{index}"]) for index in (0, 1)]
            await asyncio.sleep(0.05)


async def kill_amid(victim: Running, survivor: Running, meta: CuttingMeta, device: TestDevice, addresses: list[str], *, turn: int) -> None:
    """Load both, with a send under way at each; kill one; what each acknowledged is there, and each send is told as it is."""
    here, there = _at(device, survivor), _at(device, victim)
    keys = [f"{turn}-dead", f"{turn}-living"]
    for customer in CUSTOMERS:
        meta.held[f"+{customer}"] = asyncio.Event()
    waited = dict(meta.waiting)
    listener = Listener(there)
    following = asyncio.ensure_future(listener.follow(victim))
    sends = [
        asyncio.ensure_future(one.send(build_text(recipient=address, body="Hi"), key=key))
        for one, address, key in zip((there, here), addresses, keys, strict=True)
    ]
    async with asyncio.timeout(60):
        while any(meta.waiting[f"+{customer}"] == waited.get(f"+{customer}", 0) for customer in CUSTOMERS):
            assert not any(send.done() for send in sends)
            await asyncio.sleep(0.02)
    acknowledged: set[int] = set()
    enough = asyncio.Event()
    first = 1000 * turn
    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        loads = [
            asyncio.ensure_future(load(http, victim.url, list(range(first, first + 500)), acknowledged, enough=enough, after=40)),
            asyncio.ensure_future(load(http, survivor.url, list(range(first + 500, first + 560)), acknowledged, enough=enough, after=40)),
        ]
        await asyncio.wait_for(enough.wait(), 60)
        await victim.kill()
        await asyncio.gather(*loads)
    await following
    following = asyncio.ensure_future(listener.follow(survivor))

    await listener.until_seen({f"wamid.{index}" for index in acknowledged})
    await until_state(here, keys[0], "uncertain")
    assert await state_of(here, keys[1]) == "queued"
    for customer in CUSTOMERS:
        meta.held[f"+{customer}"].set()
    lost, answered = await asyncio.gather(*sends, return_exceptions=True)
    again = await here.send(build_text(recipient=addresses[0], body="Hi"), key=keys[0])
    following.cancel()

    assert isinstance(lost, httpx.HTTPError)
    assert isinstance(answered, httpx.Response)
    assert (answered.status_code, await state_of(here, keys[1])) == (200, "accepted")
    assert (again.status_code, again.json()["error"]["code"]) == (500, 131000)
    assert set(meta.taken.values()) == {1}
    assert listener.behind == []
    wamids = [one["wamid"] for one in (await here.seen("message")).values() if one["direction"] == "incoming"]
    assert len(wamids) == len(set(wamids))
    assert {f"wamid.{index}" for index in acknowledged} <= set(wamids)


def _at(device: TestDevice, running: Running) -> TestDevice:
    other = TestDevice(running.served, device.seed, device.reply)
    other.token = device.token
    return other


async def test_either_process_may_be_killed(new_ground: Callable[[str], Ground], tmp_path: Path) -> None:
    """With webhooks, listeners and a send at each of two processes the leader is killed, then, with another in its place, the one
    that follows: nothing acknowledged is lost or doubled, listeners go on at the survivor, and of the sends only the dead one's
    is uncertain; it leaves no second time."""
    home = tmp_path / "home"
    home.mkdir()
    async with cutting_meta() as meta:
        code = await set_up(home, new_ground("postgresql").address, graph_url=meta.url)
        leader, follower = [Running(*await start(home), code) for _ in range(2)]
        for index, running in enumerate((leader, follower)):
            await write_in(running, index)
        device = await follower.served.person(await leader.served.admin(), "Agent", "agent")
        addresses = await conversations(device)

        await kill_amid(leader, follower, meta, device, addresses, turn=1)
        third = Running(*await start(home), code)
        await kill_amid(third, follower, meta, device, addresses, turn=2)

        assert await follower.end() == 0
