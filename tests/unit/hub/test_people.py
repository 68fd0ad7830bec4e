"""People, teams, reveals and limits, over HTTP."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.hub_archive import HandClock, seeded
from tests.support.hub_served import Served, TestDevice, served_hub
from wabiz_tui.hub.people.overdue import end_overdue, tend
from wabiz_tui.hub.people.rates import Buckets
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.errors import TooMany
from wabiz_tui.model.staff import Revealed
from wabiz_tui.model.wire import EnrolmentCode, ShareReply, TokenRequest
from wabiz_tui.policy.document import Cache, Policy
from wabiz_tui.proof.enrolment import build_code, build_request
from wabiz_tui.proof.signing import generate, public_key


async def logged(admin: TestDevice, action: str) -> list[dict[str, Any]]:
    entries = (await admin.get("/v1/audit/entries")).json()["entries"]
    return [entry for entry in entries if entry["action"] == action]


@asynccontextmanager
async def listening(device: TestDevice) -> AsyncGenerator[httpx.Response]:
    """The device's stream, once it has begun."""
    async with device.served.http.stream("GET", "/v1/changes/stream", headers=device.headers) as response:
        yield response


async def is_told_of_revocation(response: httpx.Response) -> bool:
    """Whether the stream says `revoked` before it ends."""
    return "event: revoked" in [line async for line in response.aiter_lines()]


async def test_whoever_is_revoked_hears_it_on_every_open_stream(tmp_path: Path) -> None:
    """Both devices of a person end at once: streams say so, tokens and proofs are refused, a spare code is worth nothing; it is in the
    feed and in the log, and their integration stays."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        gail = await served.person(admin, "Gail", "agent")
        codes = [decode((await admin.post(f"/v1/people/{gail.reply.person}/code", {})).content, EnrolmentCode) for _ in range(2)]
        second = await served.enroll(codes[0].code, seed_number=77)
        async with listening(gail) as one, listening(second) as other:
            answer = await admin.post(f"/v1/people/{gail.reply.person}/revoke", {})
            async with asyncio.timeout(60):
                heard = await asyncio.gather(is_told_of_revocation(one), is_told_of_revocation(other))
        spare = await served.http.post("/v1/enroll", content=encode(build_request(codes[1].code, generate(seeded(5)), device_name="x")))
        later = [await gail.get("/v1/me"), await second.ask_token()]

        assert (answer.status_code, answer.json()["devices"], heard) == (200, 2, [True, True])
        assert (spare.status_code, spare.json()["code"]) == (403, "code_refused")
        assert [(one.status_code, one.json()["code"]) for one in later] == [(401, "revoked")] * 2
        assert (await admin.seen("person"))[gail.reply.person]["revoked_at"]
        assert len(await logged(admin, "person.revoked")) == 1
        assert (await admin.get("/v1/codes")).json() == []


async def test_a_role_changes_what_a_token_may_do_at_once(tmp_path: Path) -> None:
    """The token in hand has the new role's rights with the next request; work that the role may not have goes back to its queue."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        agent = await served.person(admin, "Agent", "agent")
        await served.incoming()
        conversation = next(iter(await agent.seen("conversation")))
        await agent.post(f"/v1/conversations/{conversation}/assignee", {"person": agent.reply.person})
        before = await agent.get("/v1/audit/entries")

        changed = await admin.post(f"/v1/people/{agent.reply.person}", {"role": "auditor"})
        after = await agent.get("/v1/audit/entries")
        status = await agent.post(f"/v1/conversations/{conversation}/status", {"status": "pending"})
        boss = await served.person(admin, "Boss", "supervisor")

        assert changed.json()["role"] == "auditor"
        assert (before.status_code, after.status_code, status.status_code) == (403, 200, 403)
        assert "assignee" not in (await boss.seen("conversation"))[conversation]
        assert await agent.seen("conversation") == {}


async def test_people_and_teams_are_kept_by_name(tmp_path: Path) -> None:
    """Names, teams and buddies are changed and told by the feed; what is none is refused in one sentence; the log has ids alone."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        team = (await admin.post("/v1/teams", {"name": "Billing"})).json()["id"]
        pat, bud = await served.person(admin, "Pat", "agent"), await served.person(admin, "Bud", "agent")
        path = f"/v1/people/{pat.reply.person}"
        changed = await admin.post(path, {"name": "Patricia", "teams": ["billing"], "buddy": bud.reply.person})
        refused = [
            await admin.post(path, {"teams": ["Biling"]}),
            await admin.post(path, {"name": "a\u202eb"}),
            await admin.post(path, {"buddy": pat.reply.person}),
            await admin.post("/v1/teams", {"name": "BILLING"}),
            await admin.post("/v1/people", {"name": "New", "role": "agent", "teams": ["nowhere"]}),
            await admin.post(f"/v1/people/{admin.reply.person}", {"role": "agent"}),
            await admin.post(f"/v1/people/{admin.reply.person}/revoke", {}),
        ]
        kept = await admin.post(path, {"buddy": None})
        renamed = await served.http.put(f"/v1/teams/{team}", content=encode({"name": "Money"}), headers=admin.headers)
        removed = await served.http.delete(f"/v1/teams/{team}", headers=admin.headers)

        assert changed.json() == {"id": pat.reply.person, "name": "Patricia", "role": "agent", "teams": [team], "buddy": bud.reply.person}
        assert [answer.status_code for answer in refused] == [400, 400, 400, 409, 400, 409, 409]
        assert "did you mean 'Billing'" in refused[0].json()["sentence"]
        assert refused[5].json()["code"] == refused[6].json()["code"] == "last_admin"
        assert "buddy" not in kept.json()
        assert kept.json()["teams"] == [team]
        assert (renamed.json()["name"], removed.status_code, (await admin.get("/v1/teams")).json()) == ("Money", 200, [])
        assert "teams" not in (await admin.seen("person"))[pat.reply.person]
        assert not any("Patricia" in entry["record"] or "Billing" in entry["record"] for entry in await logged(admin, "person.changed"))


async def test_a_reveal_is_for_a_moment_with_a_reason(tmp_path: Path) -> None:
    """Whom the policy allows sees the identity once per entry in the log; the feed stays masked; others, and no reason, are refused."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        boss, agent = await served.person(admin, "Boss", "supervisor"), await served.person(admin, "Agent", "agent")
        await served.incoming(sender="447700900123")
        contact = next(iter(await boss.seen("contact")))
        path = f"/v1/contacts/{contact}/reveal"
        head = (await boss.page()).head
        shown = await boss.post(path, {"reason": "  call back about   order 7 "})
        refused = [
            await boss.post(path, {"reason": " "}),
            await boss.post(path, {"reason": "x" * 501}),
            await agent.post(path, {"reason": "curious"}),
            await admin.post(path, {"reason": "curious"}),
            await boss.post(f"/v1/contacts/{'f' * 32}/reveal", {"reason": "nobody"}),
        ]
        many = [await boss.post(path, {"reason": "again"}) for _ in range(9)]

        revealed = decode(shown.content, Revealed)
        assert (revealed.contact.phone, revealed.contact.is_masked) == ("+447700900123", False)
        assert revealed.until - served.clock.now() == timedelta(seconds=60)
        assert [(one.status_code, one.json()["code"]) for one in refused] == [
            (400, "bad_input"), (400, "bad_input"), (403, "reveal_not_allowed"), (403, "forbidden"), (404, "not_found"),
        ]  # fmt: skip
        assert (many[-1].status_code, many[-1].json()["code"]) == (429, "too_many")
        assert int(many[-1].headers["Retry-After"]) > 0
        assert (await boss.page()).head == head
        assert (await boss.seen("contact"))[contact]["phone"] != "+447700900123"
        entries = await logged(admin, "contact.revealed")
        assert len(entries) == 1 + sum(answer.status_code == 200 for answer in many)
        assert '"reason":"call back about order 7"' in entries[0]["record"]
        assert not any("447700900123" in entry["record"] for entry in entries)


async def test_wrong_codes_are_refused_ever_more_slowly_and_logged_once(tmp_path: Path) -> None:
    """After thirty wrong codes an address has to wait, also with bodies that are none; one entry tells it; the right code works later."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        invited = decode((await admin.post("/v1/people", {"name": "New", "role": "agent"})).content, EnrolmentCode)
        fingerprint = public_key(served.hub.secrets.policy_key)

        async def guess(number: int) -> httpx.Response:
            wrong = build_request(build_code(f"{number:032}", fingerprint), generate(seeded(number)), device_name="x")
            return await served.http.post("/v1/enroll", content=encode(wrong) if number % 3 else b"{")

        answers = [await guess(number) for number in range(40)]
        served.clock.move(timedelta(minutes=2))
        joined = await served.enroll(invited.code, seed_number=999)

        statuses = [answer.status_code for answer in answers]
        assert set(statuses[:30]) == {400, 403}
        assert set(statuses[30:]) == {429}
        assert answers[-1].json()["code"] == "too_many"
        assert int(answers[-1].headers["Retry-After"]) >= 1
        assert len(await logged(admin, "enrolment.refused")) == 1
        assert (await joined.get("/v1/me")).status_code == 200


async def test_asking_for_tokens_has_its_limit(tmp_path: Path) -> None:
    """One device that asks without end is told to wait; another at the same address is served on; bad proofs slow the address."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        agent = await served.person(admin, "Agent", "agent")
        for _ in range(50):
            served.hub.rates.asked.take("127.0.0.1", agent.reply.device)
        asked = [(await agent.ask_token()).status_code for _ in range(12)]
        other = await admin.ask_token()
        for _ in range(25):
            served.hub.rates.failures.take("127.0.0.1")
        forged = [(await served.http.post("/v1/token", content=encode(TokenRequest("a.b.c")))).status_code for _ in range(6)]

        assert asked[:8] == [200] * 8
        assert asked[-1] == 429
        assert other.status_code == 200
        assert (forged[0], forged[-1]) == (401, 429)


async def test_a_device_with_a_token_has_room(tmp_path: Path) -> None:
    """Requests with a token are bounded by device, far above what a desk asks."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        for _ in range(2000):
            try:
                served.hub.rates.devices.take(admin.reply.device)
            except TooMany:
                break

        refused = await admin.get("/v1/me")
        served.clock.move(timedelta(seconds=1))

        assert (refused.status_code, refused.json()["code"]) == (429, "too_many")
        assert (await admin.get("/v1/me")).status_code == 200


def test_buckets_are_as_many_as_allowed() -> None:
    """Names beyond the bound push out those longest unused; a bucket fills with time, never above its size."""
    clock = HandClock()
    buckets = Buckets(rate=1, burst=2, monotonic=clock.monotonic, most=10)
    for number in range(1000):
        buckets.take(str(number))
    buckets.take("999")
    with pytest.raises(TooMany) as refused:
        buckets.take("999")
    clock.move(timedelta(hours=1))
    for _ in range(2):
        buckets.take("999")
    with pytest.raises(TooMany):
        buckets.check("999")

    assert len(buckets) == 10
    assert refused.value.retry_after == timedelta(seconds=1)


async def test_an_overdue_device_starts_empty_and_its_receipt_settles_it(tmp_path: Path) -> None:
    """It is offered a new epoch marked `reset`, with the outbox share as it was; its receipt ends what is owed, in list and offer."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        agent = await served.person(admin, "Agent", "agent")
        await served.incoming(at=served.clock.now() - timedelta(days=14) + timedelta(seconds=30))
        before = await agent.share()
        await keep_up(served, minutes=3)
        policy = Policy(cache=Cache(receipt_within=timedelta(minutes=1), purge_within=timedelta(minutes=1)))

        ended = await served.hub.archive.write(lambda writing: end_overdue(writing, policy))
        gone = await agent.get("/v1/device/share?epoch=1")
        offered = await agent.share()
        listed = {one["id"]: one.get("overdue", False) for one in (await admin.get("/v1/devices")).json()}
        taken = await agent.post("/v1/receipts", agent.receipt(epoch=1, next_epoch=2))
        settled = await agent.share()
        after = {one["id"]: one.get("overdue", False) for one in (await admin.get("/v1/devices")).json()}

        assert (ended, taken.status_code) == (1, 200)
        assert (gone.status_code, gone.json()["code"]) == (404, "share_destroyed")
        assert offered == ShareReply(2, offered.share, before.outbox_share, before.lease, offered.at, reset=True)
        assert offered.share != before.share
        assert (settled.epoch, settled.reset) == (2, False)
        assert (listed[agent.reply.device], after[agent.reply.device]) == (True, False)
        [entry] = [entry for entry in await logged(admin, "share.destroyed") if "overdue" in entry["record"]]
        assert "erased by key destruction" in entry["record"]


async def keep_up(served: Served, *, minutes: int) -> None:
    """Let time pass with the hub's housekeeping at work."""
    for _ in range(2 * minutes):
        served.clock.move(timedelta(seconds=30))
        await served.hub.archive.write(lambda writing: tend(writing, served.hub.policy.policy))


async def test_a_role_changes_what_an_open_stream_tells(tmp_path: Path) -> None:
    """A supervisor made an agent hears, on the stream that is open, that another's conversation has gone, and no more of it."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        boss, other = await served.person(admin, "Boss", "supervisor"), await served.person(admin, "Other", "agent")
        await served.incoming("theirs")
        conversation = next(iter(await boss.seen("conversation")))
        await boss.post(f"/v1/conversations/{conversation}/assignee", {"person": other.reply.person})
        head = (await boss.page()).head
        async with served.http.stream("GET", f"/v1/changes/stream?since={head}", headers=boss.headers) as response:
            lines = response.aiter_lines()
            await anext(lines)
            await admin.post(f"/v1/people/{boss.reply.person}", {"role": "agent"})
            async with asyncio.timeout(60):
                gone = await told_next(lines, conversation)
            await served.incoming("secret", wamid="wamid.SECRET")
            await served.incoming("for all", wamid="wamid.ALL", sender="447700900777")
            async with asyncio.timeout(60):
                later = [line async for line in until_said(lines, "for all")]

        assert gone.get("value") is None
        assert not any("secret" in line for line in later)


async def told_next(lines: AsyncIterator[str], identifier: str) -> dict[str, Any]:
    """The next change of that id on a stream."""
    async for line in lines:
        if line.startswith("data: ") and "changes" in line:
            for change in json.loads(line.removeprefix("data: ")).get("changes", []):
                if change["id"] == identifier:
                    return change
    raise AssertionError("the stream ended")


async def until_said(lines: AsyncIterator[str], word: str) -> AsyncIterator[str]:
    async for line in lines:
        yield line
        if word in line:
            return
