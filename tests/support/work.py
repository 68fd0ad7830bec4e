"""A hub with people and teams at work, and what is asked of it in the tests of the work."""

import contextlib
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from tests.support.hub_served import Served, TestDevice, served_hub
from wabiz_tui.model.codec import decode
from wabiz_tui.model.wire import EnrolmentCode


class Floor:
    """Ann and Ben are agents, Sue is a supervisor, Cora compliance; teams are made by name."""

    def __init__(self, served: Served, admin: TestDevice) -> None:
        self.served, self.admin = served, admin
        self.teams: dict[str, str] = {}
        self.devices: dict[str, TestDevice] = {}

    @property
    def ann(self) -> TestDevice:
        return self.devices["Ann"]

    @property
    def ben(self) -> TestDevice:
        return self.devices["Ben"]

    @property
    def sue(self) -> TestDevice:
        return self.devices["Sue"]

    async def team(self, name: str) -> str:
        if name not in self.teams:
            answer = await self.admin.post("/v1/teams", {"name": name})
            assert answer.status_code == 201, answer.text
            self.teams[name] = answer.json()["id"]
        return self.teams[name]

    async def person(self, name: str, role: str = "agent", *teams: str) -> TestDevice:
        ids = [await self.team(team) for team in teams]
        answer = await self.admin.post("/v1/people", {"name": name, "role": role, "teams": ids})
        assert answer.status_code == 201, answer.text
        seed = sum(name.encode()) * 1000 + len(self.devices)
        self.devices[name] = await self.served.enroll(decode(answer.content, EnrolmentCode).code, seed_number=seed)
        return self.devices[name]

    async def chat(self, sender: str = "447700900123", text: str = "Hello") -> str:
        """The conversation that a customer's message makes or goes on with."""
        before = await self.sue.seen("conversation")
        await self.served.incoming(text, wamid=f"wamid.{sender}.{self.served.random(6).hex()}", sender=sender)
        after = await self.sue.seen("conversation")
        changed = [one for one in after if one not in before or after[one] != before[one]]
        return changed[0]

    async def move(self, by: timedelta) -> None:
        """Let time pass; whoever's token ran out by it has a new one."""
        self.served.clock.move(by)
        for device in (self.admin, *self.devices.values()):
            await device.log_in()

    async def activities(self, conversation: str) -> list[str]:
        """What the conversation tells of its own history, oldest first: `verb to: reason (by)`."""
        found = [
            message
            for message in (await self.sue.seen("message")).values()
            if message["conversation"] == conversation and message["direction"] == "activity"
        ]
        return [_told(message["content"]) for message in sorted(found, key=lambda one: one["id"])]

    async def audited(self, action: str) -> list[dict[str, Any]]:
        entries = (await self.admin.get("/v1/audit/entries?start=0")).json()["entries"]
        return [row for row in entries if row["action"] == action]


def _told(content: dict[str, Any]) -> str:
    to, reason, by = content.get("to", ""), content.get("reason", ""), content.get("by", "")
    return content["verb"] + (f" {to}" if to else "") + (f": {reason}" if reason else "") + (f" ({by})" if by else "")


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@contextlib.asynccontextmanager
async def floor(home: Path, *, archive: str = "") -> AsyncGenerator[Floor]:
    async with served_hub(home, archive=archive) as served:
        made = Floor(served, await served.admin())
        await made.person("Ann")
        await made.person("Ben")
        await made.person("Sue", "supervisor")
        yield made
