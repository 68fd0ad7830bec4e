"""The feed: pages, streams, and who sees what."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from tests.support.hub_served import TestDevice, served_hub, status_value, value_of


class Stream:
    """Reads events of a stream as they come."""

    def __init__(self, response: httpx.Response) -> None:
        self.lines: AsyncIterator[str] = response.aiter_lines()

    async def next(self) -> tuple[str, str, Any]:
        """The next event: name, id and data; comments are passed over."""
        name, event_id, data = "", "", None
        async with asyncio.timeout(60):
            async for line in self.lines:
                key, _, value = line.partition(": ")
                if key == "event":
                    name = value
                elif key == "id":
                    event_id = value
                elif key == "data":
                    data = json.loads(value)
                elif not line and name:
                    return name, event_id, data
        return "end", "", None


def open_stream(device: TestDevice, since: int = 0, **headers: str) -> Any:
    return device.served.http.stream("GET", f"/v1/changes/stream?since={since}", headers=device.headers | headers)


async def test_a_stream_tells_a_message_when_it_comes(tmp_path: Path) -> None:
    """A listener gets the message by the commit that archived it, with the cursor as the event's id, and resumes from there."""
    async with served_hub(tmp_path) as served:
        agent = await served.person(await served.admin(), "Agent", "agent")
        head = (await agent.page()).head
        async with open_stream(agent, since=head) as response:
            stream = Stream(response)
            await served.incoming("live")
            name, event_id, page = await stream.next()
        await served.incoming("missed", wamid="wamid.B")
        async with open_stream(agent, **{"Last-Event-ID": event_id}) as response:
            _, _, resumed = await Stream(response).next()

        bodies = [change["value"]["content"]["body"] for change in page["changes"] if change["entity"] == "message"]
        again = [change["value"]["content"]["body"] for change in resumed["changes"] if change["entity"] == "message"]
        assert (name, bodies, again) == ("changes", ["live"], ["missed"])
        assert int(event_id) == page["next"] == page["head"]
        assert [change["entity"] for change in page["changes"]].index("conversation") < len(page["changes"]) - 1


async def test_revoking_ends_the_stream_with_its_reason(tmp_path: Path) -> None:
    """The stream of a revoked device says `revoked` and ends; others go on."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        agent, other = await served.person(admin, "A", "agent"), await served.person(admin, "B", "agent")
        head = (await agent.page()).head
        async with open_stream(agent, since=head) as response, open_stream(other, since=head) as others:
            stream, second = Stream(response), Stream(others)
            await admin.post(f"/v1/devices/{agent.reply.device}/revoke", {})
            told, ended = await stream.next(), await stream.next()
            await served.incoming()
            assert (await second.next())[0] == "changes"

        assert (told[0], ended[0]) == ("revoked", "end")


async def test_pages_join_without_gap_or_overlap(tmp_path: Path) -> None:
    """Small pages give the same changes as a large one, in rising sequence."""
    async with served_hub(tmp_path) as served:
        for index in range(5):
            await served.incoming(str(index), wamid=f"wamid.{index}", sender=f"44770090012{index}")
        agent = await served.person(await served.admin(), "Agent", "agent")
        whole = await agent.page()
        pieces, since = [], 0
        while since < whole.head:
            page = await agent.page(since, limit=3)
            assert len(page.changes) <= 3
            pieces += page.changes
            since = page.next

        assert [(one.seq, one.entity, one.id) for one in pieces] == [(one.seq, one.entity, one.id) for one in whole.changes]
        assert [one.seq for one in pieces] == sorted(one.seq for one in pieces)
        assert whole.more is False


async def test_auditor_and_admin_get_no_content(tmp_path: Path) -> None:
    """Roles that see no content get neither contacts, conversations, messages nor events; they still get policy and people."""
    async with served_hub(tmp_path) as served:
        await served.incoming("secret words")
        await served.webhook({"event": "PIN_CHANGED"}, field="security")
        admin = await served.admin()
        auditor = await served.person(admin, "Au", "auditor")

        for device in (admin, auditor):
            page = await device.page()
            assert {change.entity for change in page.changes} == {"policy", "person", "number"}
            assert b"secret words" not in (await device.get("/v1/changes")).content
        [event] = (await (await served.person(admin, "Ag", "agent")).seen("event")).values()
        assert event["value"] == {"event": "PIN_CHANGED"}


async def test_what_is_given_to_another_leaves_and_comes_back(tmp_path: Path) -> None:
    """An agent loses sight of a conversation taken by another, with its messages and contact, and regains it when it is let go."""
    async with served_hub(tmp_path) as served:
        await served.incoming()
        admin = await served.admin()
        one, two = await served.person(admin, "One", "agent"), await served.person(admin, "Two", "agent")
        boss = await served.person(admin, "Boss", "supervisor")
        [conversation] = await one.seen("conversation")
        cursor = (await two.page()).next

        taken = await one.post(f"/v1/conversations/{conversation}/assignee", {"person": one.reply.person})
        stolen = await two.post(f"/v1/conversations/{conversation}/assignee", {"person": two.reply.person})
        gone = {change.entity: change.value for change in (await two.page(cursor)).changes}
        direct = await two.get(f"/v1/conversations/{conversation}/messages")

        assert (taken.status_code, stolen.status_code, direct.status_code) == (200, 409, 404)
        assert gone["conversation"] is None
        assert await two.seen("conversation") == await two.seen("message") == await two.seen("contact") == {}
        assert set(await boss.seen("conversation")) == set(await one.seen("conversation")) == {conversation}
        cursor = (await two.page()).next
        assert (await one.post(f"/v1/conversations/{conversation}/assignee", {"person": None})).status_code == 200
        back = [(change.entity, change.value is not None) for change in (await two.page(cursor)).changes]
        assert {("conversation", True), ("message", True), ("contact", True)} <= set(back)


async def test_taking_is_conflict_free(tmp_path: Path) -> None:
    """Of two who take the same conversation at once one gets it, and the other is told who was first."""
    async with served_hub(tmp_path) as served:
        await served.incoming()
        admin = await served.admin()
        bosses = [await served.person(admin, name, "supervisor") for name in ("One", "Two")]
        [conversation] = await bosses[0].seen("conversation")

        answers = await asyncio.gather(
            *(boss.post(f"/v1/conversations/{conversation}/assignee", {"person": boss.reply.person}) for boss in bosses)
        )

        assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_history_is_served_from_the_archive_and_logged_once(tmp_path: Path) -> None:
    """Older messages are paged from the archive, oldest pages last, and the reading is in the log once a day."""
    async with served_hub(tmp_path) as served:
        for index in range(5):
            await served.incoming(str(index), wamid=f"wamid.{index}")
        admin = await served.admin()
        agent = await served.person(admin, "Agent", "agent")
        [conversation] = await agent.seen("conversation")

        newest = (await agent.get(f"/v1/conversations/{conversation}/messages?limit=2")).json()
        first = newest["messages"][0]["id"]
        older = (await agent.get(f"/v1/conversations/{conversation}/messages?limit=10&before={first}")).json()

        assert [message["content"]["body"] for message in newest["messages"]] == ["3", "4"]
        assert (newest["has_earlier"], older["has_earlier"]) == (True, False)
        assert [message["content"]["body"] for message in older["messages"]] == ["0", "1", "2"]
        entries = (await admin.get("/v1/audit/entries")).json()["entries"]
        assert [entry["action"] for entry in entries].count("history.read") == 1


async def test_no_value_shows_an_agent_a_customers_number(tmp_path: Path) -> None:
    """Unsupported messages, their context, unusable entries, spare contacts, strange statuses, group events and Meta's lines about
    changed numbers reach an agent without the customer's number or user id; all else in them is told."""
    number, other = "15559870001", "15559870002"
    system = {"type": "user_changed_number", "body": f"User Ana changed from {number} to {other}", "wa_id": other, "spare": int(other)}
    strange = {"type": "unsupported", "from": number, "from_user_id": "GB.13491208655302741918", "errors": [], "note": f"by {number}"}
    participants = [{"input": int(number), "wa_id": int(number)}, {"input": other, "wa_id": other}]
    async with served_hub(tmp_path) as served:
        now = str(int(served.clock.now().timestamp()))
        stamped = {"timestamp": now}
        await served.webhook(value_of(messages=[{"id": "wamid.1", **strange, **stamped, "context": {"from": number}}]))
        await served.webhook(value_of(messages=[{"from": number, "type": "text", **stamped}]))
        await served.webhook(value_of(contacts=[{"wa_id": other}], messages=[{"id": "wamid.3", **strange, **stamped}]))
        await served.webhook(status_value("wamid.unknown", "read", served.clock.now(), recipient_id=number))
        await served.webhook(
            value_of(groups=[{"type": "group_create", "added_participants": participants}]), field="group_lifecycle_update"
        )
        await served.webhook({"display_phone_number": "15550783881", "phone_number": "15550783882"}, field="account_update")
        await served.webhook(value_of(messages=[{"id": "wamid.2", "type": "system", "from": number, "system": system, **stamped}]))
        agent = await served.person(await served.admin(), "Agent", "agent")

        page = await agent.get("/v1/changes?since=0&limit=1000")
        events = {event["field"]: event["value"] for event in (await agent.seen("event")).values()}
        messages = {message["wamid"]: message for message in (await agent.seen("message")).values()}
        history = await agent.get(f"/v1/conversations/{messages['wamid.1']['conversation']}/messages")

        for told in (page.text, history.text):
            assert number not in told
            assert other not in told
            assert "GB.13491208655302741918" not in told
        assert messages["wamid.1"]["content"]["json"]["note"] == "by +1 ••••01"
        assert messages["wamid.1"]["content"]["json"]["timestamp"] == now
        assert messages["wamid.2"]["content"]["body"] == "User Ana changed from •••• to ••••"
        assert events["group_lifecycle_update"] == value_of(
            groups=[
                {
                    "type": "group_create",
                    "added_participants": [{"input": "+1 ••••01", "wa_id": "+1 ••••01"}, {"input": "+1 ••••02", "wa_id": "+1 ••••02"}],
                }
            ]
        )
        assert events["account_update"]["phone_number"] == "15550783882"
