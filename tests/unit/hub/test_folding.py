"""What webhooks do to the archive: windows, unread, episodes, statuses, reactions, identities, in any order."""

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.hub_served import NUMBER, Served, body_of, served_hub, status_value, text_value, value_of


async def agent_of(served: Served):
    return await served.person(await served.admin(), "Agent", "agent")


async def test_a_message_makes_contact_conversation_and_window(tmp_path: Path) -> None:
    """The first message of a customer makes them known, opens 24 hours and counts as unread; their number is masked for an agent."""
    async with served_hub(tmp_path) as served:
        at = served.clock.now()
        await served.incoming("Hello there", at=at)
        agent = await agent_of(served)

        [conversation] = (await agent.seen("conversation")).values()
        [contact] = (await agent.seen("contact")).values()
        [message] = (await agent.seen("message")).values()

        assert (conversation["name"], conversation["unread"], conversation["preview"]) == ("Ada Lovelace", 1, "Hello there")
        assert conversation["window_until"] == (at + timedelta(hours=24)).isoformat().replace("+00:00", "Z")
        assert conversation["number"] == NUMBER
        assert contact["phone"] == "+44 ••••23"
        assert message["conversation"] == conversation["id"]
        assert message["direction"] == "incoming"


async def test_repeats_change_nothing(tmp_path: Path) -> None:
    """A redelivered message adds no row, no unread and no change."""
    async with served_hub(tmp_path) as served:
        await served.incoming()
        agent = await agent_of(served)
        before = (await agent.page()).head

        await served.incoming()

        assert (await agent.page()).head == before


def story(served: Served) -> list[tuple[dict[str, Any], str]]:
    """A customer's afternoon: texts, a reaction that changes, an edit, a message sent elsewhere with its statuses, a number change."""
    at = served.clock.now() - timedelta(hours=1)

    def message(wamid: str, minute: int, kind: str, content: dict[str, Any], sender: str = "447700900123") -> tuple[dict[str, Any], str]:
        stamp = str(int((at + timedelta(minutes=minute)).timestamp()))
        told = {"from": sender, "id": wamid, "timestamp": stamp, "type": kind, kind: content}
        contacts = [] if kind == "system" else [{"profile": {"name": "Ada"}, "wa_id": sender}]
        return value_of(messages=[told], contacts=contacts), "messages"

    stamp = str(int((at + timedelta(minutes=5)).timestamp()))
    echo = {
        "from": "15550783881",
        "to": "447700900123",
        "id": "wamid.E",
        "timestamp": stamp,
        "type": "text",
        "text": {"body": "from the phone"},
    }
    changed = {"type": "user_changed_number", "body": "User Ada changed from 447700900123 to 447700900999", "wa_id": "447700900999"}
    return [
        message("wamid.1", 0, "text", {"body": "one"}),
        message("wamid.2", 1, "text", {"body": "two"}),
        message("wamid.R1", 6, "reaction", {"message_id": "wamid.E", "emoji": "👍"}),
        message("wamid.R2", 7, "reaction", {"message_id": "wamid.E", "emoji": "🎉"}),
        message("wamid.R3", 8, "reaction", {"message_id": "wamid.1", "emoji": "👍"}),
        message("wamid.R4", 9, "reaction", {"message_id": "wamid.1"}),
        message("wamid.V", 10, "revoke", {"original_message_id": "wamid.2"}),
        (value_of(message_echoes=[echo]), "smb_message_echoes"),
        (status_value("wamid.E", "sent", at + timedelta(minutes=5)), "messages"),
        (status_value("wamid.E", "delivered", at + timedelta(minutes=6)), "messages"),
        (status_value("wamid.E", "read", at + timedelta(minutes=7)), "messages"),
        message("wamid.S", 20, "system", changed),
        message("wamid.3", 30, "text", {"body": "my new number"}, sender="447700900999"),
    ]


@pytest.mark.parametrize("seed", range(6))
async def test_any_order_ends_alike(tmp_path: Path, seed: int) -> None:
    """Shuffled and repeated, an afternoon's webhooks end in one contact and the same messages, reactions and ticks."""
    async with served_hub(tmp_path) as served:
        webhooks = story(served) * 2
        random.Random(seed).shuffle(webhooks)
        for value, field in webhooks:
            assert (await served.post_webhook(body_of(value, field=field))).status_code == 200
        await served.folded()
        agent = await agent_of(served)

        messages = {message["wamid"]: message for message in (await agent.seen("message")).values() if message.get("wamid")}
        conversations = await agent.seen("conversation")

        assert len(messages) == 10
        assert messages["wamid.E"]["delivery"]["state"] == "read"
        assert set(messages["wamid.E"]["delivery"]["at"]) >= {"sent", "delivered", "read"}
        assert messages["wamid.E"]["reactions"] == {"customer": "🎉"}
        assert messages["wamid.1"].get("reactions", {}) == {}
        assert messages["wamid.2"]["revoked_at"]
        assert (messages["wamid.E"]["direction"], messages["wamid.E"]["origin"]) == ("outgoing", "phone_app")
        assert len(conversations) == 1
        assert {message["conversation"] for message in messages.values()} == set(conversations)
        assert await agent.seen("event") == {}


async def test_a_status_of_an_unknown_message_is_shown_until_it_joins(tmp_path: Path) -> None:
    """A status nobody can place is an event; when its message comes, it becomes that message's tick."""
    async with served_hub(tmp_path) as served:
        at = served.clock.now()
        await served.webhook(status_value("wamid.E", "delivered", at))
        agent = await agent_of(served)
        before = await agent.seen("event")
        stamp = str(int(at.timestamp()))
        echo = {"from": "1", "to": "447700900123", "id": "wamid.E", "timestamp": stamp, "type": "text", "text": {"body": "x"}}
        await served.webhook(value_of(message_echoes=[echo]), field="smb_message_echoes")

        [event] = before.values()
        [message] = (await agent.seen("message")).values()
        assert event["value"]["statuses"][0]["id"] == "wamid.E"
        assert message["delivery"]["state"] == "delivered"
        assert await agent.seen("event") == {}


async def test_a_customer_reopens_what_was_resolved(tmp_path: Path) -> None:
    """A message to a resolved conversation begins a new episode and says so; a system message does not."""
    async with served_hub(tmp_path) as served:
        await served.incoming()
        agent = await agent_of(served)
        [conversation] = await agent.seen("conversation")
        first = (await agent.seen("conversation"))[conversation]["episode"]
        assert (await agent.post(f"/v1/conversations/{conversation}/status", {"status": "resolved"})).status_code == 200
        system = {
            "from": "447700900123",
            "id": "wamid.S",
            "timestamp": "1790000000",
            "type": "system",
            "system": {"type": "x", "body": "y"},
        }
        await served.webhook(value_of(messages=[system]))
        resolved = (await agent.seen("conversation"))[conversation]

        await served.incoming("again", wamid="wamid.B")

        reopened = (await agent.seen("conversation"))[conversation]
        verbs = [m["content"]["verb"] for m in (await agent.seen("message")).values() if m["direction"] == "activity"]
        assert (resolved["status"], reopened["status"]) == ("resolved", "open")
        assert resolved["resolved_at"]
        assert reopened["episode"] != first
        assert verbs == ["resolved", "reopened"]


async def test_one_bad_part_does_not_stop_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that cannot be folded is undone alone and its body put aside; the parts beside it are archived."""
    from wabiz_tui.hub.ingest import folding

    real = folding.note_incoming

    def fail_on_bad(writing: Any, message: Any, **options: Any) -> None:
        if message.wamid == "wamid.BAD":
            raise KeyError("no")
        real(writing, message, **options)

    monkeypatch.setattr(folding, "note_incoming", fail_on_bad)
    async with served_hub(tmp_path) as served:
        at = served.clock.now()
        values = [text_value(wamid, wamid=wamid, sender="447700900123", at=at) for wamid in ("wamid.1", "wamid.BAD", "wamid.2")]
        merged = {**values[0], "messages": [message for value in values for message in value["messages"]]}
        await served.webhook(merged)
        agent = await agent_of(served)

        assert {message["wamid"] for message in (await agent.seen("message")).values()} == {"wamid.1", "wamid.2"}
        assert served.hub.metrics.quarantined._value.get() == 1
