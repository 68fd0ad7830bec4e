"""Service levels over HTTP: when they run out, what stops them, and that each is missed once."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.support.hub_served import Served, TestDevice, served_hub, value_of
from tests.support.routines import OFFICE, apply, look, missed, policy_text
from wabiz_tui.graph.requests import build_text
from wabiz_tui.hub.archive.clocks import breaches_of
from wabiz_tui.model.wire import address_of

LEVELS = """
[service]
first_response = "30m"
next_response = "1h"
resolution = "8h"
[[service.rule]]
label = "vip"
first_response = "5m"
[[service.rule]]
priority = "urgent"
resolution = "1h"
"""
MINUTE = timedelta(minutes=1)


class Desk:
    """An agent, a compliance officer and one customer's conversation."""

    def __init__(self, served: Served, agent: TestDevice, officer: TestDevice, conversation: str) -> None:
        self.served, self.agent, self.officer, self.conversation = served, agent, officer, conversation

    async def value(self) -> dict[str, Any]:
        await self.agent.log_in()
        return (await self.agent.seen("conversation"))[self.conversation]

    async def due(self) -> tuple[str, str]:
        value = await self.value()
        return value.get("due_at", ""), value.get("due_for", "")

    async def act(self, path: str, body: object) -> None:
        answer = await self.agent.post(f"/v1/conversations/{self.conversation}/{path}", body)
        assert answer.status_code == 200, answer.text

    async def answer(self, key: str) -> None:
        sent = await self.agent.send(build_text(recipient=address_of(self.conversation), body="Good day"), key=key)
        assert sent.status_code == 200, sent.text

    async def missed(self) -> list[str]:
        found = await self.served.hub.archive.read(lambda reading: breaches_of(reading, self.conversation))
        return [one.clock for one in found]


async def desk(served: Served, tables: str = LEVELS, *, hours: str = OFFICE) -> Desk:
    admin = await served.admin()
    officer = await served.person(admin, "Casey", "compliance")
    agent = await served.person(admin, "Agent", "agent")
    await apply(officer, policy_text(tables, hours=hours))
    await served.incoming()
    [conversation] = await agent.seen("conversation")
    return Desk(served, agent, officer, conversation)


async def test_levels_are_counted_in_working_time(tmp_path: Path) -> None:
    """A message of Sunday noon is due on Monday morning; the answer ends the first level, and the next message begins the next."""
    async with served_hub(tmp_path) as served:  # a Sunday at noon
        work = await desk(served)
        waiting = await work.due()

        served.clock.move(timedelta(hours=21, minutes=10))
        await work.agent.log_in()
        await work.answer("one")
        answered = await work.due()
        await served.incoming("And?", wamid="wamid.B")
        again = await work.due()
        await work.act("status", {"status": "resolved"})
        over = await work.due()

        assert waiting == ("2026-11-23T09:30:00Z", "first_response")
        assert answered == ("2026-11-23T17:00:00Z", "resolution")
        assert again == ("2026-11-23T10:10:00Z", "next_response")
        assert over == ("", "")
        assert await work.missed() == []


async def test_what_the_work_is_about_moves_the_level(tmp_path: Path) -> None:
    """A label, a priority and another policy each tell another time at once, and taking them back tells the first again."""
    async with served_hub(tmp_path) as served:
        work = await desk(served, hours="")
        first = await work.due()

        await work.act("labels", {"add": ["VIP"]})
        labelled = await work.due()
        await work.act("labels", {"remove": ["vip"]})
        unlabelled = await work.due()
        await apply(work.officer, policy_text(LEVELS.replace('"30m"', '"2h"').replace('"1h"', '"10m"'), hours=""))
        changed = await work.due()
        await work.act("priority", {"priority": "urgent"})
        urgent = await work.due()
        await apply(work.officer, policy_text("", hours=""))
        without = await work.due()

        assert first == unlabelled == ("2026-11-22T12:30:00Z", "first_response")
        assert labelled == ("2026-11-22T12:05:00Z", "first_response")
        assert changed == ("2026-11-22T14:00:00Z", "first_response")
        assert urgent == ("2026-11-22T12:10:00Z", "resolution")
        assert without == ("", "")


async def test_setting_aside_stops_the_resolution_alone(tmp_path: Path) -> None:
    """Pending and snoozed pause the resolution and go on with what was left; a response goes on all the while."""
    async with served_hub(tmp_path) as served:
        work = await desk(served, hours="")

        await work.act("status", {"status": "pending"})
        aside = await work.due()
        await work.answer("one")
        answered = await work.due()
        served.clock.move(timedelta(hours=20))
        await work.agent.log_in()
        await work.act("status", {"status": "open"})
        reopened = await work.due()

        assert aside == ("2026-11-22T12:30:00Z", "first_response")
        assert answered == ("", "")
        assert reopened == ("2026-11-23T16:00:00Z", "resolution")


async def test_a_level_that_runs_out_is_missed_once(tmp_path: Path) -> None:
    """At its time, without anything else happening; a late answer and a second look count nothing again."""
    async with served_hub(tmp_path) as served:
        work = await desk(served, hours="")

        served.clock.move(31 * MINUTE)
        await look(served, work.missed)
        overdue = await work.due()
        await work.answer("one")
        served.clock.move(timedelta(hours=9))

        async def both() -> bool:
            return len(await work.missed()) == 2

        await look(served, both)
        await work.agent.log_in()
        await work.act("status", {"status": "resolved"})

        assert overdue == ("2026-11-22T12:30:00Z", "first_response")
        assert await work.missed() == ["first_response", "resolution"]
        assert (missed(served, "first_response"), missed(served, "resolution")) == (1, 1)


async def test_an_answer_counts_at_its_own_time(tmp_path: Path) -> None:
    """An answer from the phone app told late is judged by when it was given: in time, and after it."""
    async with served_hub(tmp_path) as served:
        work = await desk(served, hours="")
        asked_at = served.clock.now()

        served.clock.move(40 * MINUTE)
        await look(served, work.missed)
        await echo(served, "wamid.E1", at=int((asked_at + 10 * MINUTE).timestamp()))
        in_time = await work.missed()
        await served.incoming("Again", wamid="wamid.B", at=asked_at + 15 * MINUTE)
        await echo(served, "wamid.E2", at=int((asked_at + 80 * MINUTE).timestamp()))

        assert in_time == []
        assert await work.missed() == ["next_response"]


async def echo(served: Served, wamid: str, *, at: int) -> None:
    told = {
        "from": "15550783881",
        "to": "447700900123",
        "id": wamid,
        "timestamp": str(at),
        "type": "text",
        "text": {"body": "From the phone"},
    }
    await served.webhook(value_of(message_echoes=[told]), field="smb_message_echoes")
