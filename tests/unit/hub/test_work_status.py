"""The status of episodes, labels and priority, and what is kept of all episodes."""

import asyncio
from datetime import timedelta
from pathlib import Path

from tests.support.hub_served import HOUR
from tests.support.work import Floor, floor, refusal
from wabiz_tui.hub.work.status import wake_snoozed


async def _row(work: Floor, conversation: str) -> dict[str, object]:
    return (await work.sue.seen("conversation"))[conversation]


async def test_a_snooze_ends_by_its_time_or_by_the_customer(tmp_path: Path) -> None:
    """Until an instant, the clock wakes it; until a reply, only the customer; and the customer wakes both, and what is pending."""
    async with floor(tmp_path) as work:
        conversation = await work.chat()
        path, until = f"/v1/conversations/{conversation}/status", work.served.clock.now() + HOUR

        timed = (await work.ann.post(path, {"status": "snoozed", "until": until})).json()
        assert (timed["status"], timed["snoozed_until"]) == ("snoozed", "2026-11-22T13:00:00Z")
        await work.move(2 * HOUR)
        await work.served.hub.archive.write(wake_snoozed)
        assert (await _row(work, conversation))["status"] == "open"

        replied = (await work.ann.post(path, {"status": "snoozed", "reason": "asked for a photo"})).json()
        assert (replied["status"], replied.get("snoozed_until")) == ("snoozed", None)
        await work.move(timedelta(days=40))
        await work.served.hub.archive.write(wake_snoozed)
        assert (await _row(work, conversation))["status"] == "snoozed"

        for change in ({"status": "snoozed"}, {"status": "snoozed", "until": work.served.clock.now() + HOUR}, {"status": "pending"}):
            assert (await work.ann.post(path, change)).status_code == 200
            assert await work.chat() == conversation
            assert (await _row(work, conversation))["status"] == "open"
        told = await work.activities(conversation)
        assert told[0] == "snoozed: until 2026-11-22 13:00 UTC (Ann)"
        assert "snoozed: until the customer writes; asked for a photo (Ann)" in told
        assert "reopened: the snooze ended" in told


async def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    """A snooze into the past or without a zone, and an end of what is no snooze, change nothing; the same status again does nothing."""
    async with floor(tmp_path) as work:
        conversation = await work.chat()
        path, now = f"/v1/conversations/{conversation}/status", work.served.clock.now()

        for wrong in (
            {"status": "snoozed", "until": now},
            {"status": "snoozed", "until": "2030-01-01T00:00:00"},
            {"status": "pending", "until": now + HOUR},
            {"status": "asleep"},
        ):
            assert (await work.ann.post(path, wrong)).status_code == 400
        for _ in range(3):
            assert (await work.ann.post(path, {"status": "pending"})).json()["status"] == "pending"
        assert await work.activities(conversation) == ["set pending (Ann)"]


async def test_every_episode_is_kept(tmp_path: Path) -> None:
    """Resolved and opened again, by a person or by the customer, a new episode begins with the same team and its own labels; by a
    person also with whoever had it. The list tells of each who, when, team, labels and priority."""
    async with floor(tmp_path) as work:
        dee = await work.person("Dee", "agent", "Cards")
        conversation = await work.chat()
        path = f"/v1/conversations/{conversation}"
        await dee.post(f"{path}/assignee", {"person": dee.reply.person, "team": work.teams["Cards"]})
        await dee.post(f"{path}/labels", {"add": ["refund"]})
        await dee.post(f"{path}/priority", {"priority": "high"})

        resolved = (await dee.post(f"{path}/status", {"status": "resolved", "reason": "paid back"})).json()
        await work.move(HOUR)
        reopened = (await dee.post(f"{path}/status", {"status": "open"})).json()
        await dee.post(f"{path}/status", {"status": "resolved"})
        await work.chat()
        listed = (await work.sue.get(f"{path}/episodes")).json()

        assert (resolved["status"], reopened["status"]) == ("resolved", "open")
        assert len({one["id"] for one in listed}) == 3
        assert [one["id"] for one in listed[:2]] == [resolved["episode"], reopened["episode"]]
        assert [one["status"] for one in listed] == ["resolved", "resolved", "open"]
        assert [(one.get("assignee_name"), one["team_name"]) for one in listed] == [("Dee", "Cards"), ("Dee", "Cards"), (None, "Cards")]
        assert [(one.get("labels"), one.get("priority", "none")) for one in listed] == [
            (["refund"], "high"),
            (None, "none"),
            (None, "none"),
        ]
        assert listed[0]["resolved_at"] < listed[1]["opened_at"]
        assert "resolved_at" not in listed[2]
        assert refusal(await work.ben.get(f"{path}/episodes")) == (404, "not_found")


async def test_labels_of_two_come_together(tmp_path: Path) -> None:
    """Added and removed at once by two, all that each wanted holds; case and spelling make no second label; activity tells who."""
    async with floor(tmp_path) as work:
        conversation = await work.chat()
        path = f"/v1/conversations/{conversation}/labels"
        await work.sue.post(path, {"add": ["Old"]})

        await asyncio.gather(
            work.ann.post(path, {"add": ["VIP", "caf\u00e9"]}), work.ben.post(path, {"add": ["cafe\u0301", "refund"], "remove": ["OLD"]})
        )
        same = await work.ann.post(path, {"add": ["vip", "  refund "], "remove": ["absent"]})

        assert same.json()["labels"] == ["caf\u00e9", "refund", "VIP"]
        assert (await work.ben.seen("conversation"))[conversation]["labels"] == same.json()["labels"]
        told = await work.activities(conversation)
        assert told[0] == "labelled: Old (Sue)"
        assert "unlabelled: Old (Ben)" in told
        assert len(told) == 4
        assert not any("VIP" in str(entry) for entry in await work.audited("conversation.labels"))


async def test_labels_are_bounded(tmp_path: Path) -> None:
    """No label is empty, longer than 64 characters, more than one line, or both added and removed; none beyond the 32nd is added."""
    async with floor(tmp_path) as work:
        conversation = await work.chat()
        path = f"/v1/conversations/{conversation}/labels"
        for wrong in ({"add": [" "]}, {"add": ["x" * 65]}, {"add": ["a\nb"]}, {"add": ["a\u202eb"]}, {"add": ["a"], "remove": ["A"]}):
            assert refusal(await work.ann.post(path, wrong)) == (400, "bad_input")
        full = await work.ann.post(path, {"add": [f"label {index:02}" for index in range(32)]})

        assert len(full.json()["labels"]) == 32
        assert refusal(await work.ann.post(path, {"add": ["one more"]})) == (400, "too_many_labels")
        assert len((await work.ann.post(path, {"add": ["one more"], "remove": ["LABEL 00"]})).json()["labels"]) == 32


async def test_priority_is_told(tmp_path: Path) -> None:
    """Set twice it is told once, with who."""
    async with floor(tmp_path) as work:
        conversation = await work.chat()
        for _ in range(2):
            answer = await work.ann.post(f"/v1/conversations/{conversation}/priority", {"priority": "urgent"})
            assert answer.json()["priority"] == "urgent"

        assert await work.activities(conversation) == ["set priority urgent (Ann)"]
        assert (await work.ann.post(f"/v1/conversations/{conversation}/priority", {"priority": "vast"})).status_code == 400
