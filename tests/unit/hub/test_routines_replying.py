"""The reply out of hours, and snoozes that end, over HTTP."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.support.hub_served import Served, TestDevice, served_hub, value_of
from tests.support.routines import OFFICE, apply, look, policy_text
from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.replies import OwedReply, owed_replies, settle_reply
from wabiz_tui.hub.archive.store import Reading

TEXT = "We are closed, {{contact.name | default: 'dear customer'}}. {{business.name | default: 'We'}} will answer on Monday."
HOUR = timedelta(hours=1)


async def closed(served: Served, *, canned: str = TEXT, name: str = "out_of_hours") -> tuple[TestDevice, TestDevice]:
    """A supervisor and an agent under a policy that works from Monday to Wednesday, on a Sunday at noon."""
    admin = await served.admin()
    lead = await served.person(admin, "Sam", "supervisor")
    if canned:
        answer = await lead.post("/v1/canned", {"shortcut": "out_of_hours", "text": canned})
        assert answer.status_code == 201, answer.text
    await apply(await served.person(admin, "Casey", "compliance"), policy_text(hours=OFFICE, auto_reply=name))
    return lead, await served.person(admin, "Agent", "agent")


async def states(served: Served) -> list[str]:
    """What became of the replies, in the order in which they were asked for."""
    reply = schema.auto_reply.c

    def read(reading: Reading) -> list[str]:
        return [row.state for row in reading.connection.execute(schema.auto_reply.select().order_by(reply.asked_ms)).all()]

    return await served.hub.archive.read(read)


async def settled(served: Served, *expected: str) -> None:
    async def holds() -> bool:
        return await states(served) == list(expected)

    await look(served, holds)


async def test_a_customer_is_told_once_that_nobody_is_there(tmp_path: Path) -> None:
    """The canned response goes out filled, without an author; the customer still waits, and nothing is marked read."""
    async with served_hub(tmp_path) as served:
        _, agent = await closed(served)

        await served.incoming("Anybody there?", wamid="wamid.A")
        await settled(served, "sent")
        await served.incoming("Hello?", wamid="wamid.B")
        served.clock.move(timedelta(hours=2))
        await served.incoming("Hello??", wamid="wamid.C")
        await settled(served, "sent")

        [sent] = served.meta.sent
        assert sent["text"]["body"] == "We are closed, Ada Lovelace. We will answer on Monday."
        assert sent["to"] == "+447700900123"
        assert served.meta.reads == []
        await agent.log_in()
        [reply] = [one for one in (await agent.seen("message")).values() if one["direction"] == "outgoing"]
        assert "author" not in reply
        assert reply["origin"] == "wabiz"
        [conversation] = (await agent.seen("conversation")).values()
        assert conversation["waiting_since"] == "2026-11-22T12:00:00Z"


async def test_the_next_day_the_customer_is_told_again(tmp_path: Path) -> None:
    """After 24 hours a message out of hours gets its own reply; within the hours none does."""
    async with served_hub(tmp_path) as served:
        await closed(served)

        await served.incoming(wamid="wamid.A")
        await settled(served, "sent")
        served.clock.move(timedelta(hours=22))  # Monday at ten
        await served.incoming(wamid="wamid.B")
        served.clock.move(timedelta(hours=8))  # Monday at six in the evening
        await served.incoming(wamid="wamid.C")
        await settled(served, "sent", "sent")

        assert len(served.meta.sent) == 2


async def test_what_is_no_message_of_a_moment_ago_gets_no_reply(tmp_path: Path) -> None:
    """Reactions, echoes of the phone app, groups and what is folded late are left to people."""
    async with served_hub(tmp_path) as served:
        await closed(served)
        now = int(served.clock.now().timestamp())
        contacts = [{"profile": {"name": "Ada"}, "wa_id": "447700900123"}]
        base = {"from": "447700900123", "timestamp": str(now)}
        reaction = {**base, "id": "wamid.R", "type": "reaction", "reaction": {"message_id": "wamid.X", "emoji": "x"}}
        grouped = {**base, "id": "wamid.G", "type": "text", "text": {"body": "Hi"}, "group_id": "G1"}
        echo = {"from": "15550783881", "to": "447700900123", "id": "wamid.E", "timestamp": str(now), "type": "text", "text": {"body": "Hi"}}

        await served.webhook(value_of(messages=[reaction], contacts=contacts))
        await served.webhook(value_of(messages=[grouped], contacts=contacts))
        await served.webhook(value_of(message_echoes=[echo]), field="smb_message_echoes")
        await served.incoming(wamid="wamid.old", at=served.clock.now() - timedelta(minutes=11))

        assert await states(served) == []
        assert served.meta.sent == []


async def test_a_reply_leaves_once_whatever_ended_in_between(tmp_path: Path) -> None:
    """Asked for again after its end was forgotten, and by two at once, the reply is the one that was sent."""
    async with served_hub(tmp_path) as served:
        await closed(served)
        await served.incoming(wamid="wamid.A")
        await settled(served, "sent")
        [row] = await served.hub.archive.read(lambda reading: reading.connection.execute(schema.auto_reply.select()).all())
        owed = OwedReply(row.conversation, row.asked_ms, served.clock.now())

        await served.hub.archive.write(lambda writing: settle_reply(writing, owed, "due"))
        [again] = await served.hub.archive.read(lambda reading: owed_replies(reading, limit=5)) or [owed]
        replies = served.hub.routines.replies
        await asyncio.gather(replies.send(again), replies.send(again))
        await settled(served, "sent")

        assert len(served.meta.sent) == 1


async def test_a_reply_that_is_refused_is_not_tried_again(tmp_path: Path) -> None:
    """A blocked customer, a text that cannot be filled and a name that nothing has: nothing leaves, and it is noted."""
    async with served_hub(tmp_path) as served:
        lead, agent = await closed(served, canned="{{agent.name}} is away")
        await served.incoming(wamid="wamid.A")
        await settled(served, "unknown")

        [canned] = (await lead.get("/v1/canned")).json()
        await served.http.put(f"/v1/canned/{canned['id']}", json={"shortcut": "out_of_hours", "text": "Closed"}, headers=lead.headers)
        served.meta.mode = "refuse"
        await served.incoming(wamid="wamid.B", sender="447700900124")
        await settled(served, "unknown", "refused")

        assert len(served.meta.sent) == 1
        assert agent


async def test_a_template_may_be_the_reply(tmp_path: Path) -> None:
    """Without a canned response of that shortcut an approved template of that name is sent, in the language that is named."""
    async with served_hub(tmp_path) as served:
        served.meta.templates = [
            {"id": f"id-{language}", "name": "closed", "language": language, "status": "APPROVED", "category": "UTILITY", "components": []}
            for language in ("en", "pt_PT")
        ]
        await closed(served, canned="", name="closed/pt_PT")

        await served.incoming(wamid="wamid.A")
        await settled(served, "sent")

        [sent] = served.meta.sent
        assert sent["template"] == {"name": "closed", "language": {"code": "pt_PT"}}


async def test_a_snooze_ends_at_its_time(tmp_path: Path) -> None:
    """At its instant the conversation is open again with a line that says why; before it, it sleeps."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        agent = await served.person(admin, "Agent", "agent")
        await served.incoming()
        [conversation] = await agent.seen("conversation")
        until_at = (served.clock.now() + 2 * HOUR).isoformat()

        await agent.post(f"/v1/conversations/{conversation}/status", {"status": "snoozed", "until": until_at})
        served.clock.move(HOUR)
        served.hub.routines.wake()
        before = await value(agent, conversation)
        served.clock.move(HOUR)

        async def is_open() -> bool:
            return (await value(agent, conversation)).get("status", "open") == "open"

        await look(served, is_open)

        assert before["status"] == "snoozed"
        told = [one["content"] for one in (await agent.seen("message")).values() if one["direction"] == "activity"]
        assert "the snooze ended" in [one.get("reason") for one in told]


async def value(agent: TestDevice, conversation: str) -> dict[str, Any]:
    await agent.log_in()
    return (await agent.seen("conversation"))[conversation]
