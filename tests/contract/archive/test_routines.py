"""Routines on both engines: clocks, dealing, replies and macros in one story, and what holds over two hubs."""

import asyncio
from datetime import timedelta

from tests.contract.archive.conftest import Ground
from tests.support.hub_served import served_hub
from tests.support.routines import OFFICE, apply, look, missed, policy_text
from wabiz_tui.hub.archive.clocks import breaches_of
from wabiz_tui.hub.archive.replies import OwedReply, owe_reply, owed_replies, settle_reply
from wabiz_tui.hub.archive.store import Writing

TABLES = '[service]\nfirst_response = "1m"\n[assignment]\nauto = "balanced"\n'


async def test_a_message_out_of_hours_is_answered_clocked_and_dealt_out(ground: Ground) -> None:
    """On a Sunday the customer is told; when the shift begins the conversation is dealt out, its level runs out, a macro answers."""
    async with served_hub(ground.folder, archive=ground.hub_address) as served:  # a Sunday at noon
        admin = await served.admin()
        lead = await served.person(admin, "Sam", "supervisor")
        await lead.post("/v1/canned", {"shortcut": "closed", "text": "Closed, {{contact.name}}"})
        thanks = (await lead.post("/v1/canned", {"shortcut": "thanks", "text": "Thanks"})).json()["id"]
        steps = [{"do": "canned", "value": thanks}, {"do": "note", "value": "thanked"}, {"do": "status", "value": "resolved"}]
        macro = (await lead.post("/v1/macros", {"name": "Thank", "steps": steps})).json()["id"]
        await apply(await served.person(admin, "Casey", "compliance"), policy_text(TABLES, hours=OFFICE, auto_reply="closed"))
        agent = await served.person(admin, "Agent", "agent")

        await served.incoming()
        [conversation] = await lead.seen("conversation")

        async def told() -> int:
            return len(served.meta.sent)

        await look(served, told)
        served.clock.move(timedelta(hours=21, minutes=2))

        async def overdue() -> bool:
            found = await served.hub.archive.read(lambda reading: breaches_of(reading, conversation))
            await agent.log_in()
            value = (await agent.seen("conversation")).get(conversation, {})
            return len(found) == 1 and value.get("assignee") == agent.reply.person

        await look(served, overdue)
        ran = await agent.post(f"/v1/conversations/{conversation}/macros/{macro}", {"key": "k"})
        again = await agent.post(f"/v1/conversations/{conversation}/macros/{macro}", {"key": "k"})

        assert ran.status_code == 200, ran.text
        assert ran.json() == again.json()
        assert [one["text"]["body"] for one in served.meta.sent] == ["Closed, Ada Lovelace", "Thanks"]
        assert missed(served, "first_response") == 1
        assert (await agent.seen("conversation"))[conversation]["status"] == "resolved"


async def test_two_hubs_owe_a_conversation_one_reply(ground: Ground) -> None:
    """Whichever notes it first, and however often, a conversation is owed one reply in 24 hours; the next day another."""
    first, second = ground.open(seed=1), ground.open(seed=2)
    at = ground.clock.now()

    def owe(writing: Writing) -> bool:
        return owe_reply(writing, "c", at)

    noted = await asyncio.gather(*(archive.write(owe) for archive in (first, second) for _ in range(5)))
    owed = await second.read(lambda reading: owed_replies(reading, limit=5))
    await second.write(lambda writing: settle_reply(writing, OwedReply("c", owed[0].asked_ms, at), "sent", message="m"))

    assert sorted(noted) == [False] * 9 + [True]
    assert len(owed) == 1
    assert await first.read(lambda reading: owed_replies(reading, limit=5)) == []
    assert not await first.write(lambda writing: owe_reply(writing, "c", at + timedelta(hours=23)))
    assert await first.write(lambda writing: owe_reply(writing, "c", at + timedelta(hours=24)))
