"""Off shift: nothing of a customer leaves the hub by any door, told as it turns, and the work goes to others."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.hub_archive import NUMBER
from tests.support.hub_served import Served, TestDevice, served_hub
from tests.support.raw_http import tapped
from wabiz_tui.graph.errors import parse_error
from wabiz_tui.hub.shifts.turning import turn_shifts
from wabiz_tui.policy.standing import BOUND_ROLES

MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOURS = '[hours]\ntimezone = "UTC"\nholidays = ""\n{days}off_shift = "{off}"\noverride = ["supervisor"]\n{more}'
DAYS = "".join(f'{day} = ["09:00-17:00"]\n' for day in ("monday", "tuesday", "wednesday", "thursday", "friday"))


def document(off: str = "closed", *, days: str = DAYS, more: str = "") -> dict[str, str]:
    return {"text": 'name = "shifts"\n' + HOURS.format(days=days, off=off, more=more)}


SENDER, BEFORE, AFTER = "447700900123", "MARK-before", "MARK-after"
MARKS = (b"MARK", b"Lovelace", b"unread", b"wamid")


class Scene:
    """A hub under working hours, with an admin, an agent, another agent and a supervisor."""

    def __init__(self, served: Served, admin: TestDevice, agent: TestDevice, other: TestDevice, lead: TestDevice) -> None:
        self.served, self.admin, self.agent, self.other, self.lead = served, admin, agent, other, lead

    @property
    def url(self) -> str:
        return str(self.served.http.base_url)

    async def log_in(self) -> None:
        for device in (self.admin, self.agent, self.other, self.lead):
            await device.log_in()

    async def at(self, hour: int, minute: int = 0, *, days: int = 0) -> None:
        """Move the clock on to this time of Monday or a later day, with everybody logged in anew."""
        wanted = MONDAY.replace(hour=hour, minute=minute) + timedelta(days=days)
        self.served.clock.move(wanted - self.served.clock.now())
        self.served.hub.shift_keeper.wake()
        await self.log_in()

    async def turned(self, device: TestDevice, state: str) -> None:
        """Wait until the feed says so of the device's person."""
        async with asyncio.timeout(60):
            while (await self.admin.seen("person"))[device.reply.person].get("state", "working") != state:  # noqa: ASYNC110 over HTTP
                await asyncio.sleep(0.02)

    async def audited(self, action: str) -> list[dict[str, Any]]:
        entries = (await self.admin.get("/v1/audit/entries")).json()["entries"]
        return [json.loads(entry["record"]) for entry in entries if entry["action"] == action]

    async def take(self, device: TestDevice, conversation: str) -> None:
        answer = await device.post(f"/v1/conversations/{conversation}/assignee", {"person": device.reply.person, "expected": None})
        assert answer.status_code == 200, answer.text


@asynccontextmanager
async def scene(home: Path, policy: dict[str, str] | None = None):
    async with served_hub(home, at=MONDAY) as served:
        admin = await served.admin()
        agent, other = await served.person(admin, "Ada", "agent"), await served.person(admin, "Bo", "agent")
        lead = await served.person(admin, "Lea", "supervisor")
        answer = await admin.post("/v1/policy", policy or document())
        assert answer.json()["state"] == "in_force", answer.text
        yield Scene(served, admin, agent, other, lead)


async def doors(scene: Scene, names: dict[str, str]) -> list[str]:
    """Every GET there is, with ids in its path that show something to who works."""
    names = {"object": "77", "number": NUMBER, "version": "v26.0", "account": scene.agent.reply.tenant} | names
    names |= {"person": scene.agent.reply.person, "device": scene.agent.reply.device}
    found: list[str] = []
    for template, operations in (await scene.served.http.get("/v1/openapi.json")).json()["paths"].items():
        if "get" in operations and not template.endswith("/stream"):
            path = template
            for name, value in names.items():
                path = path.replace("{" + name + "}", value)
            found.append(path)
    return found


async def test_after_the_shift_end_not_one_byte_of_content_leaves(tmp_path: Path) -> None:
    """Counted on the wire, on an open stream and at every GET of the description: content, counts and how much happened stay at the hub,
    while a policy, an epoch and a receipt go through; at the next start everything missed comes."""
    async with scene(tmp_path) as at:
        at.served.meta.files["77"] = b"MARK-file"
        await at.served.incoming(BEFORE, sender=SENDER)
        [conversation], [contact] = await at.agent.seen("conversation"), await at.agent.seen("contact")
        [message] = [one for one, value in (await at.agent.seen("message")).items() if value["direction"] == "incoming"]
        paths = await doors(at, {"conversation": conversation, "message": message, "contact": contact})
        shown = b"".join([(await at.agent.get(path)).content for path in paths])
        async with tapped(at.url, "/v1/changes/stream", token=at.agent.token) as stream:
            await stream.until(BEFORE.encode())
            await at.at(16, 59)
            await at.served.incoming("MARK-last", wamid="wamid.LAST", sender=SENDER)
            await stream.until(b"MARK-last")
            cursor = (await at.agent.page()).next
            await at.at(17)
            off = await stream.told("shift", state="off")
            end = len(stream.heard)
            await at.served.incoming(AFTER, wamid="wamid.AFTER", sender=SENDER)
            await at.served.incoming(AFTER, wamid="wamid.NEW", sender="447700900999")
            answers = {path: await at.agent.get(path) for path in paths}
            applied = await at.admin.post("/v1/policy", document(more='[cache]\nwindow = "2d"\n'))
            flowed = await stream.told("changes", after=end)
            epoch = await at.agent.post("/v1/device/epochs", {"after": 1})
            receipt = await at.agent.post("/v1/receipts", at.agent.receipt(epoch=1, next_epoch=2))
            again = await at.agent.post("/v1/device/epochs", {"after": 1})
            later = bytes(stream.heard[end:])

            assert [mark for mark in MARKS if mark in shown] == list(MARKS)
            assert (off["is_closed"], off["resumes_at"]) == (True, "2026-11-24T09:00:00Z")
            assert not [mark for mark in MARKS if mark in later]
            del answers["/v1/openapi.json"]
            assert not [(path, mark) for path, answer in answers.items() for mark in MARKS if mark in answer.content]
            refused = [answers[f"/v1/conversations/{conversation}/messages"], answers["/v1/device/share"]]
            assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(403, "off_shift")] * 2
            assert refused[1].json()["sentence"].endswith("work resumes on Tuesday 24 November at 09:00.")
            assert answers["/v1/me"].json()["head"] == answers["/v1/changes"].json()["head"] == 0
            assert parse_error(answers["/v26.0/77"].content, 403).code == "off_shift"
            assert {change["entity"] for change in flowed["changes"]} <= {"policy", "person", "number", "team"}
            assert {change["seq"] for change in flowed["changes"]} | {flowed["next"], flowed["head"]} == {cursor}
            assert (applied.status_code, epoch.status_code, receipt.status_code, again.status_code) == (200, 200, 200, 403)

            await at.at(9, days=1)
            await stream.until(b"wamid.NEW", after=end)
            assert (await stream.told("shift", after=end, state="working"))["until"] == "2026-11-24T17:00:00Z"
            missed = [change for page in stream.events("changes", after=end) for change in page["changes"]]
            wamids = {change["value"].get("wamid") for change in missed if change["entity"] == "message" and "value" in change}
            assert wamids >= {"wamid.AFTER", "wamid.NEW"}


async def test_off_shift_no_share_leaves_that_opens_what_there_is(tmp_path: Path) -> None:
    """Whoever keeps a receipt back gets no share of a cache that they may have by asking for its epoch again; an epoch that begins
    anew, which a purge needs, is answered once, without a lease and without the share of their letters."""
    async with scene(tmp_path) as at:
        newest = (await at.agent.post("/v1/device/epochs", {"after": 1})).json()
        again = (await at.agent.post("/v1/device/epochs", {"after": 1})).json()
        await at.at(17)
        held = [await at.agent.post("/v1/device/epochs", {"after": 1}), await at.agent.get("/v1/device/share?epoch=1")]
        begun = await at.agent.post("/v1/device/epochs", {"after": 2})
        repeated = await at.agent.post("/v1/device/epochs", {"after": 2})

        assert newest["share"] == again["share"]
        assert [(one.status_code, one.json()["code"]) for one in (*held, repeated)] == [(403, "off_shift")] * 3
        assert (begun.status_code, begun.json()["epoch"]) == (200, 3)
        assert begun.json()["share"] != newest["share"]
        assert newest["outbox_share"]
        assert (begun.json()["outbox_share"], begun.json()["lease"]) == ("", 0)


async def test_a_revocation_ends_the_stream_of_who_is_closed_out(tmp_path: Path) -> None:
    """Who is off shift and revoked is told so at once, and the stream ends."""
    async with scene(tmp_path) as at:
        await at.at(18)
        async with tapped(at.url, "/v1/changes/stream", token=at.agent.token) as stream:
            await stream.told("shift", state="off")
            await at.admin.post(f"/v1/devices/{at.agent.reply.device}/revoke", {})
            await stream.until(b"event: revoked")


@pytest.mark.parametrize("off", ["quiet", "open"])
async def test_quiet_withholds_counts_and_open_nothing(tmp_path: Path, off: str) -> None:
    """Off shift and quiet, content comes without the count of what is unread, which comes when work begins; open withholds nothing."""
    async with scene(tmp_path, document(off)) as at:
        await at.at(18)
        async with tapped(at.url, "/v1/changes/stream", token=at.agent.token) as stream:
            told = await stream.told("shift", state="off")
            await at.served.incoming(BEFORE)
            await stream.until(BEFORE.encode())
            counts = [value.get("unread", 0) for value in (await at.agent.seen("conversation")).values()]
            on_stream = b'"unread":1' in stream.heard
            place = len(stream.heard)
            await at.at(9, days=1)
            await stream.told("shift", after=place, state="working")
            if off == "quiet":
                await stream.until(b'"unread":1', after=place)
            working = [value["unread"] for value in (await at.agent.seen("conversation")).values()]

        assert (told.get("is_quiet", False), told.get("is_closed", False)) == (off == "quiet", False)
        assert (counts, on_stream) == (([0], False) if off == "quiet" else ([1], True))
        assert working == [1]


async def test_an_override_lets_somebody_work_until_its_end(tmp_path: Path) -> None:
    """Only a role of the policy overrides, with a reason and an end; the worker is told, it is in the log, and it ends by itself."""
    async with scene(tmp_path) as at:
        await at.served.incoming(BEFORE)
        await at.at(18)
        path, until = f"/v1/people/{at.agent.reply.person}/override", "2026-11-23T19:00:00Z"
        async with tapped(at.url, "/v1/changes/stream", token=at.agent.token) as stream:
            await stream.told("shift", state="off")
            refused = [
                await at.other.post(path, {"until": until, "reason": "please"}),
                await at.admin.post(path, {"until": until, "reason": "please"}),
                await at.lead.post(path, {"until": until, "reason": " "}),
                await at.lead.post(path, {"until": "2026-11-23T17:00:00Z", "reason": "please"}),
                await at.lead.post(path, {"until": "2027-01-23T17:00:00Z", "reason": "please"}),
                await at.lead.post(path, {"until": "2026-11-23T19:00:00", "reason": "please"}),
                await at.lead.post(f"/v1/people/{at.lead.reply.person}/override", {"until": until, "reason": "myself"}),
                await at.lead.post(f"/v1/people/{'0' * 32}/override", {"until": until, "reason": "nobody"}),
            ]
            closed = b"MARK" in stream.heard
            given = await at.lead.post(path, {"until": until, "reason": "the product recall"})
            told = await stream.told("shift", state="working")
            await stream.until(BEFORE.encode())
            shift = (await at.agent.get("/v1/shift")).json()
            place = len(stream.heard)
            await at.at(19)
            await stream.told("shift", state="off", after=place)
            ended = await at.agent.get("/v1/device/share")

        assert [answer.status_code for answer in refused] == [403, 403, 400, 400, 400, 400, 403, 404]
        assert not closed
        assert given.status_code == 200, given.text
        assert (told["reason"], told["by"], told["until"]) == ("the product recall", "Lea", until)
        assert shift == told
        assert ended.json()["code"] == "off_shift"
        [entry] = await at.audited("shift.override")
        assert (entry["by"], entry["about"]) == (at.lead.reply.person, at.agent.reply.person)
        assert entry["details"]["reason"] == "the product recall"


async def test_a_worker_ends_and_begins_again(tmp_path: Path) -> None:
    """An early end closes until the next shift's start or until the worker starts again, which the hours still bound."""
    async with scene(tmp_path) as at:
        ended = await at.agent.post("/v1/shift", {"state": "end"})
        twice = await at.agent.post("/v1/shift", {"state": "end"})
        closed = await at.agent.get("/v1/device/share")
        started = await at.agent.post("/v1/shift", {"state": "start"})
        await at.agent.post("/v1/shift", {"state": "end", "reason": "ill"})
        await at.at(18)
        late = await at.agent.post("/v1/shift", {"state": "start"})
        await at.at(9, days=1)
        morning = (await at.agent.get("/v1/shift")).json()

        assert (ended.json()["state"], ended.json()["resumes_at"]) == ("off", "2026-11-24T09:00:00Z")
        assert (twice.status_code, closed.status_code) == (409, 403)
        assert (started.json()["state"], late.json()["state"], morning["state"]) == ("working", "off", "working")
        assert len(await at.audited("shift.end")) == 2


async def test_a_long_break_hands_work_over_and_a_short_one_keeps_it(tmp_path: Path) -> None:
    """A break with an end within `hand_over_after` keeps the work; one that lasts longer gives it to the buddy, or to the queue."""
    async with scene(tmp_path) as at:
        await at.served.incoming(BEFORE)
        [conversation] = await at.agent.seen("conversation")
        await at.admin.post(f"/v1/people/{at.agent.reply.person}", {"buddy": at.other.reply.person})
        await at.take(at.agent, conversation)
        short = await at.agent.post("/v1/shift", {"state": "break", "until": "2026-11-23T12:10:00Z"})
        kept = (await at.lead.seen("conversation"))[conversation]["assignee"]
        await at.agent.post("/v1/shift", {"state": "break"})
        await at.turned(at.agent, "break")
        still = (await at.lead.seen("conversation"))[conversation]["assignee"]
        await at.at(12, 15)
        async with asyncio.timeout(60):
            while (await at.lead.seen("conversation"))[conversation].get("assignee") != at.other.reply.person:  # noqa: ASYNC110 over HTTP
                await asyncio.sleep(0.02)
        activities = [value["content"] for value in (await at.lead.seen("message")).values() if value["direction"] == "activity"]

        assert (short.json()["state"], short.json()["is_closed"], short.json()["until"]) == ("break", True, "2026-11-23T12:10:00Z")
        assert kept == still == at.agent.reply.person
        assert [(one["verb"], one["to"], one["reason"]) for one in activities if one.get("reason")] == [("handed over", "Bo", "a break")]


@pytest.mark.parametrize("hand_over", ["buddy", "keep"])
async def test_work_is_handed_over_at_the_shift_end_once(tmp_path: Path, hand_over: str) -> None:
    """When everybody goes, open work goes to nobody, with a line and an entry each, once however often the hub looks; `keep` keeps it."""
    async with scene(tmp_path, document(more=f'hand_over = "{hand_over}"\n')) as at:
        await at.served.incoming(BEFORE)
        [conversation] = await at.agent.seen("conversation")
        await at.admin.post(f"/v1/people/{at.agent.reply.person}", {"buddy": at.other.reply.person})
        await at.take(at.agent, conversation)
        await at.at(17)
        for device in (at.agent, at.other, at.lead):
            await at.turned(device, "off")
        policy = at.served.hub.policy.policy
        again = await at.served.hub.archive.write(lambda writing: turn_shifts(writing, policy))
        await at.at(9, days=1)
        await at.turned(at.agent, "working")
        assignee = (await at.lead.seen("conversation"))[conversation].get("assignee")
        activities = [value["content"] for value in (await at.agent.seen("message")).values() if value["direction"] == "activity"]

        assert again is False
        assert assignee == (at.agent.reply.person if hand_over == "keep" else None)
        reasons = [one["reason"] for one in activities if one.get("reason")]
        assert reasons == ([] if hand_over == "keep" else ["the shift ended"])
        entries = await at.audited("work.handed_over")
        assert [entry["about"] for entry in entries] == ([] if hand_over == "keep" else [at.agent.reply.person])


async def test_hours_bind_agents_and_supervisors_only(tmp_path: Path) -> None:
    """Off shift a compliance officer reads as ever, and an administrator administers."""
    async with scene(tmp_path) as at:
        officer = await at.served.person(at.admin, "Co", "compliance")
        await at.served.incoming(BEFORE)
        [conversation] = await officer.seen("conversation")
        await at.at(20)
        await officer.log_in()
        read = await officer.get(f"/v1/conversations/{conversation}/messages")
        states = {role: (await device.get("/v1/shift")).json()["state"] for role, device in
                  (("agent", at.agent), ("supervisor", at.lead), ("admin", at.admin), ("compliance", officer))}  # fmt: skip

        assert read.status_code == 200
        assert {role for role, state in states.items() if state == "off"} == BOUND_ROLES
