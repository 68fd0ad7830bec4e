"""Agents: 1 000 customers write, 50 agents get them dealt out, answer and resolve; then the simulator's record is held against theirs."""

from __future__ import annotations

import argparse
import asyncio
import collections
import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from httpx_sse import aconnect_sse

from bench.support.servers import Process
from bench.support.traffic import NUMBER, WABA
from tests.support.road import wabiz
from wabiz_tui.model.clock import SystemClock
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.feed import ChangesPage
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.wire import EnrollReply, TokenReply, TokenRequest, address_of
from wabiz_tui.policy.library import shipped_text
from wabiz_tui.proof.assertions import make_assertion
from wabiz_tui.proof.enrolment import build_request
from wabiz_tui.proof.signing import generate

SECRETS = {"AGENTS_TOKEN": "EAAagents", "AGENTS_SECRET": "an app secret", "AGENTS_VERIFY": "a verify token"}
NAMES = ["--app-secret-env", "AGENTS_SECRET", "--verify-token-env", "AGENTS_VERIFY"]
IDS = ["--waba-id", WABA, "--phone-number-id", NUMBER]
PATIENCE = 240.0


class Machine:
    """An agent's machine as far as the hub can tell: it enrols, follows its stream, answers what is given to it and resolves that."""

    def __init__(self, http: httpx.AsyncClient, url: str, name: str) -> None:
        self.http, self.url, self.name = http, url, name
        self.seed: Secret = generate(os.urandom)
        self.reply: EnrollReply | None = None
        self.token = ""
        self.conversations: dict[str, dict[str, Any]] = {}
        self.foreign = 0
        self.answered: dict[str, float] = {}
        self.waits: list[float] = []
        self.refusals: collections.Counter[str] = collections.Counter()

    async def enrol(self, code: str) -> None:
        answer = await self.http.post(f"{self.url}/v1/enroll", content=encode(build_request(code, self.seed, device_name=self.name)))
        assert answer.status_code == 200, answer.text
        self.reply = decode(answer.content, EnrollReply)
        made = make_assertion(self.reply.device, self.reply.tenant, self.seed, SystemClock().now(), os.urandom)
        token = await self.http.post(f"{self.url}/v1/token", content=encode(TokenRequest(made)))
        assert token.status_code == 200, token.text
        self.token = decode(token.content, TokenReply).access_token

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return await self.http.post(f"{self.url}{path}", json=body, headers=self.headers | headers)

    async def follow(self) -> None:
        """Read the stream for ever; what is given to us is answered in the background."""
        assert self.reply is not None
        working: set[asyncio.Task[None]] = set()
        async with aconnect_sse(self.http, "GET", f"{self.url}/v1/changes/stream", headers=self.headers) as source:
            async for event in source.aiter_sse():
                if event.event != "changes":
                    continue
                for change in decode(event.data.encode(), ChangesPage).changes:
                    if change.entity != "conversation":
                        continue
                    if change.value is None:
                        self.conversations.pop(change.id, None)
                        continue
                    value = json.loads(bytes(change.value))
                    self.conversations[change.id] = value
                    self.foreign += value.get("assignee") not in (None, self.reply.person)
                    if value.get("assignee") == self.reply.person and change.id not in self.answered:
                        self.answered[change.id] = time.time()
                        working.add(task := asyncio.ensure_future(self.answer(value)))
                        task.add_done_callback(working.discard)

    async def answer(self, conversation: dict[str, Any]) -> None:
        self.waits.append(time.time() - _seconds(conversation["last_at"]))
        body = {"messaging_product": "whatsapp", "type": "text", "text": {"body": f"Hello from {self.name}"}}
        body |= {"recipient": address_of(conversation["id"])}
        key = {"Idempotency-Key": f"{self.name}/{conversation['id']}"}
        sent = await self.post(f"/v26.0/{NUMBER}/messages", body, **key)
        self.refusals[f"send {sent.status_code}"] += 1
        resolved = await self.post(f"/v1/conversations/{conversation['id']}/status", {"status": "resolved"})
        self.refusals[f"resolve {resolved.status_code}"] += 1


def _seconds(told: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(told).timestamp()


async def play(folder: Path, *, conversations: int, agents: int) -> dict[str, Any]:
    home = folder / "hub"
    home.mkdir()
    simulator = Process(
        "simulator", ["simulator", "serve", "--port", "0", *IDS, *NAMES, "--token-env", "AGENTS_TOKEN", "--seed", "1"], home, SECRETS
    )
    hub = Process("hub", ["hub", "serve", "--config", str(home / "hub.toml"), "--port", "0"], home, SECRETS)
    await simulator.start()
    limits = httpx.Limits(max_connections=agents * 3 + 50)
    async with httpx.AsyncClient(timeout=httpx.Timeout(60, read=None), trust_env=False, limits=limits) as http:

        async def control(endpoint: str, **body: Any) -> Any:
            answer = await http.post(f"{simulator.url}/_control/{endpoint}", json=body)
            assert answer.status_code == 200, answer.text
            return answer.json()

        await control("settings", per_second=1000, pair_burst=10_000, pace=0.1)
        made = wabiz(
            "hub", "init", "--archive", str(folder / "archive.db"), *IDS, "--graph-url", simulator.url, "--graph-token-env",
            "AGENTS_TOKEN", *NAMES, home=home, environment=SECRETS,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        await hub.start()
        await control("callback", url=f"{hub.url}/webhooks/whatsapp")
        admin = Machine(http, hub.url, "admin")
        await admin.enrol(json.loads(made.stdout)["code"])
        policy = shipped_text("gdpr-default") + '\n[assignment]\nauto = "balanced"\nmost_open = 10_000\n'
        applied = await admin.post("/v1/policy", {"text": policy, "file": "agents.toml"})
        assert applied.status_code == 200, applied.text
        machines = [Machine(http, hub.url, f"Agent {number:02d}") for number in range(agents)]
        for machine in machines:
            added = await admin.post("/v1/people", {"name": machine.name, "role": "agent"})
            assert added.status_code == 201, added.text
            await machine.enrol(added.json()["code"])
        following = [asyncio.ensure_future(machine.follow()) for machine in machines]
        await asyncio.sleep(2)
        started = time.monotonic()
        gate = asyncio.Semaphore(32)

        async def write(number: int) -> None:
            async with gate:
                who = {"from": f"4915198{number:06d}", "name": f"Customer {number:04d}", "text": "Hello, where is my order?"}
                await control("inbound", **who, wait=False)

        await asyncio.gather(*(write(number) for number in range(conversations)))
        written = time.monotonic() - started
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while sum(machine.refusals["resolve 200"] for machine in machines) < conversations:  # noqa: ASYNC110 fifty are waited for
                    await asyncio.sleep(0.1)
        finished = time.monotonic() - started
        for task in following:
            task.cancel()
        sent = (await http.get(f"{simulator.url}/_control/sent", params={"limit": "50000"})).json()["sent"]
    await hub.end(15)
    await simulator.end(15)
    return {"machines": machines, "written": written, "finished": finished, "sent": sent}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=1000)
    parser.add_argument("--agents", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wabiz-agents-") as folder:
        told = asyncio.run(play(Path(folder), conversations=options.conversations, agents=options.agents))
    machines: list[Machine] = told["machines"]
    owners = collections.Counter(conversation for machine in machines for conversation in machine.answered)
    shares = [len(machine.answered) for machine in machines]
    outcomes = sum((machine.refusals for machine in machines), collections.Counter[str]())
    waits = sorted(wait for machine in machines for wait in machine.waits)
    recipients = collections.Counter(record["to"] or record["recipient"] for record in told["sent"])
    print(f"customers wrote within {told['written']:.1f} s; the last was answered and resolved after {told['finished']:.1f} s")
    print(f"dealt out: least {min(shares)}, most {max(shares)} of {options.conversations / options.agents:.0f} each; {dict(outcomes)}")
    if waits:
        print(f"written (to the second) to seen by their agent: p50 {statistics.median(waits):.1f} s, worst {waits[-1]:.1f} s")
    wrong = [f"{len(owners)} conversations were given to somebody"] if len(owners) != options.conversations else []
    wrong += [f"{conversation} was given to {count}" for conversation, count in owners.items() if count > 1]
    wrong += [f"{recipient} got {count} answers" for recipient, count in recipients.items() if count > 1]
    wrong += [f"Meta took {len(recipients)} answers"] if len(recipients) != options.conversations else []
    wrong += [f"{machine.name} saw {machine.foreign} of others" for machine in machines if machine.foreign]
    for line in wrong[:20]:
        print(f"WRONG {line}")
    print(f"{len(wrong)} differences")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
