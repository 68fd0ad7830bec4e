"""A hub as a process of its own, over a shift's end by the clock: what goes over the wire, byte by byte."""

import asyncio
import signal
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from tests.support.hub_archive import NUMBER
from tests.support.hub_processes import ACCOUNT, set_up, start
from tests.support.hub_served import Served, TestDevice, body_of, text_value
from tests.support.raw_http import tapped
from wabiz_tui.model.clock import SystemClock
from wabiz_tui.model.codec import encode
from wabiz_tui.model.wire import EnrolmentCode
from wabiz_tui.policy.checks import DAYS

MARKS = (b"MARK", b"Lovelace", b"unread", b"wamid")
NAMES = ("conversation", "message", "contact", "person", "device", "object", "canned", "macro", "team", "integration", "code")


class Outside(Served):
    """A hub of which nothing is known but its address."""

    def __init__(self, url: str, http: httpx.AsyncClient, code: str, clock: SystemClock) -> None:
        super().__init__(None, http, clock, EnrolmentCode(code), None)  # pyright: ignore[reportArgumentType] neither is asked for here
        self.url = url

    async def customer_writes(self, text: str, *, wamid: str, sender: str = "447700900123") -> None:
        value = text_value(text, wamid=wamid, sender=sender, at=datetime.now(UTC))
        assert (await self.post_webhook(body_of(value, waba=ACCOUNT))).status_code == 200


@asynccontextmanager
async def running(home: Path, code: str):
    process, url = await start(home)
    try:
        async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as http:
            yield Outside(url, http, code, SystemClock())
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 60)


def hours(opens: datetime, *, window: str = "14d") -> dict[str, str]:
    """One hour of work, far from now."""
    day = f'{DAYS[opens.weekday()]} = ["{opens:%H}:00-{opens.hour + 1:02}:00"]\n'
    return {"text": f'[cache]\nwindow = "{window}"\n[hours]\ntimezone = "UTC"\nholidays = ""\n{day}off_shift = "closed"\n'}


async def every_get(hub: Outside, agent: TestDevice, ids: dict[str, str]) -> dict[str, bytes]:
    """What every GET of the description answers, where its path names what there is."""
    found: dict[str, bytes] = {}
    for template, operations in (await hub.http.get("/v1/openapi.json")).json()["paths"].items():
        if "get" in operations and not template.endswith("/stream") and template != "/v1/openapi.json":
            names = dict.fromkeys(NAMES, "0" * 32) | {"number": NUMBER, "version": "v26.0", "account": ACCOUNT} | ids
            path = template.format_map(names)
            found[path] = (await agent.get(path)).content
    return found


async def test_nothing_of_a_customer_goes_over_the_wire_off_shift(tmp_path: Path) -> None:
    """An agent works by an override that ends at an instant of the real clock; from the event that says so on not one marker is in any
    byte of their open stream or of any GET, while a policy and a receipt go through; when they work again, everything missed comes."""
    home = tmp_path / "home"
    home.mkdir()
    code = await set_up(home, str(tmp_path / "archive.db"))
    opens = (datetime.now(UTC) + timedelta(days=3)).replace(hour=12, minute=0, second=0, microsecond=0)
    async with running(home, code) as hub:
        admin = await hub.admin()
        agent, lead = await hub.person(admin, "Ada", "agent"), await hub.person(admin, "Lea", "supervisor")
        async with tapped(hub.url, "/v1/changes/stream", token=agent.token) as stream:
            await hub.customer_writes("MARK-before", wamid="wamid.BEFORE")
            await stream.until(b"MARK-before")
            page = await agent.page()
            ids = {change.entity: change.id for change in page.changes if change.entity in NAMES}
            shown = encode(page)
            ends = datetime.now(UTC) + timedelta(seconds=3)
            override = await lead.post(f"/v1/people/{agent.reply.person}/override", {"until": ends, "reason": "the last one"})
            applied = await admin.post("/v1/policy", hours(opens))
            await stream.told("shift", state="off", timeout=60)
            end = len(stream.heard)
            was_early = datetime.now(UTC) < ends
            await hub.customer_writes("MARK-after", wamid="wamid.AFTER")
            await hub.customer_writes("MARK-after", wamid="wamid.NEW", sender="447700900999")
            answers = await every_get(hub, agent, ids)
            tighter = await admin.post("/v1/policy", hours(opens, window="2d"))
            flowed = await stream.told("changes", after=end)
            begun = await agent.post("/v1/device/epochs", {"after": 1})
            receipt = await agent.post("/v1/receipts", agent.receipt(epoch=1, next_epoch=2))
            later = bytes(stream.heard[end:])
            again = {"until": datetime.now(UTC) + timedelta(hours=1), "reason": "one more"}
            back = await lead.post(f"/v1/people/{agent.reply.person}/override", again)
            for missed in (b"wamid.AFTER", b"wamid.NEW"):
                await stream.until(missed, after=end)

    assert [answer.status_code for answer in (override, applied, tighter, begun, receipt, back)] == [200] * 6
    assert not was_early
    assert [mark for mark in MARKS if mark in shown] == list(MARKS)
    assert not [mark for mark in MARKS if mark in later]
    assert not [(path, mark) for path, answer in answers.items() for mark in MARKS if mark in answer]
    assert {change["entity"] for change in flowed["changes"]} <= {"policy", "person", "number", "team"}
    assert {change["seq"] for change in flowed["changes"]} | {flowed["next"]} == {flowed["head"]}
