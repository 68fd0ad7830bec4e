"""Soak: minutes of kills, cut lines, a full disk, a flaky Meta and redelivery; then the archive is held against the ledger."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import random
import signal
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx

from bench.support.ledger import Ledger, differences
from bench.support.servers import Process
from bench.support.traffic import NUMBER, WABA, traffic
from tests.support.postgresql import cluster
from tests.support.road import wabiz
from wabiz_tui.graph.signature import sign
from wabiz_tui.model.secret import Secret

SECRETS = {"SOAK_TOKEN": "EAAsoak", "SOAK_SECRET": "a soak's app secret", "SOAK_VERIFY": "a soak's verify token"}
PASSPHRASE = "a soak's passphrase"  # noqa: S105 of a cache that lives for minutes
NAMES = ["--app-secret-env", "SOAK_SECRET", "--verify-token-env", "SOAK_VERIFY"]
IDS = ["--waba-id", WABA, "--phone-number-id", NUMBER]
CUSTOMERS = 200
POSTERS, SENDERS = 12, 6


class Soak:
    def __init__(self, folder: Path, archive: str, *, hubs: int, seed: int) -> None:
        self.folder, self.chance, self.ledger = folder, random.Random(seed), Ledger()
        self.home = folder / "hub"
        self.home.mkdir()
        self.archive = archive
        self.simulator = Process(
            "simulator",
            ["simulator", "serve", "--port", "0", *IDS, *NAMES, "--token-env", "SOAK_TOKEN", "--seed", str(seed)],
            self.home,
            SECRETS,
        )
        serve = ["hub", "serve", "--config", str(self.home / "hub.toml"), "--port", "0"]
        self.hubs = [Process(f"hub{index}", serve, self.home, SECRETS) for index in range(hubs)]
        self.key = ""
        self.is_over = False

    async def set_up(self, http: httpx.AsyncClient) -> None:
        await self.simulator.start()
        await self.control(http, "settings", per_second=1000, pair_burst=10_000, pace=0.2)
        made = wabiz(
            "hub", "init", "--archive", self.archive, *IDS, "--graph-url", self.simulator.url, "--graph-token-env", "SOAK_TOKEN", *NAMES,
            home=self.home, environment=SECRETS,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        for hub in self.hubs:
            await hub.start()
        admin = self.folder / "admin"
        admin.mkdir()
        enrolled = wabiz("enroll", self.hubs[0].url, json.loads(made.stdout)["code"], home=admin, passphrase=PASSPHRASE)
        assert enrolled.returncode == 0, enrolled.stderr
        wanted = ["integrations", "add", "soak", "--number", NUMBER, "--permission", "message.send", "--any-hour", "--json"]
        added = wabiz(*wanted, home=admin, passphrase=PASSPHRASE)
        assert added.returncode == 0, added.stderr
        self.key = json.loads(added.stdout)["key"]
        await self.call_back(http)
        for number in range(CUSTOMERS):
            await self.control(http, "inbound", **{"from": customer(number), "name": f"Customer {number}", "text": "Hello", "wait": False})

    async def control(self, http: httpx.AsyncClient, endpoint: str, **body: Any) -> Any:
        answer = await http.post(f"{self.simulator.url}/_control/{endpoint}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def call_back(self, http: httpx.AsyncClient) -> None:
        """Tell the simulator where a hub is, as a load balancer would."""
        url = f"{self.chance.choice(self.hubs).url}/webhooks/whatsapp"
        await self.control(http, "callback", url=url)

    @property
    def hub(self) -> Process:
        return self.chance.choice(self.hubs)

    async def post(self, http: httpx.AsyncClient, waiting: list[tuple[int, bytes]]) -> None:
        """Webhooks, each again until it is acknowledged, as Meta does; one of ten again after that."""
        while waiting and not self.is_over:
            index, body = waiting.pop()
            self.ledger.posted.add(index)
            headers = {"X-Hub-Signature-256": sign(body, Secret(SECRETS["SOAK_SECRET"]))}
            if self.chance.random() < 0.01:
                await self.half_a_post(body)
            try:
                answer = await http.post(f"{self.hub.url}/webhooks/whatsapp", content=body, headers=headers)
            except httpx.HTTPError as error:
                self.ledger.outcomes[f"webhook {type(error).__name__}"] += 1
                is_acknowledged = False
                await asyncio.sleep(0.05)
            else:
                self.ledger.outcomes[f"webhook {answer.status_code}"] += 1
                is_acknowledged = answer.status_code == 200
            if is_acknowledged:
                if index in self.ledger.acknowledged:
                    self.ledger.repeated += 1
                self.ledger.acknowledged.add(index)
            if not is_acknowledged or self.chance.random() < 0.1:
                waiting.insert(self.chance.randrange(max(1, len(waiting))), (index, body))

    async def half_a_post(self, body: bytes) -> None:
        """A line that is cut amid the body."""
        host, _, port = self.hub.url.removeprefix("http://").rpartition(":")
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"POST /webhooks/whatsapp HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body))
            writer.write(body[: self.chance.randrange(len(body))])
            await writer.drain()
            writer.close()
            self.ledger.acts["line cut"] += 1

    async def send(self, http: httpx.AsyncClient, sender: int) -> None:
        """Messages under their keys, each again until there is an answer that is not the hub's absence."""
        number = 0
        while not self.is_over:
            key, number = f"soak-{sender}-{number}", number + 1
            body = {"messaging_product": "whatsapp", "to": customer(self.chance.randrange(CUSTOMERS)), "text": {"body": f"Answer {key}"}}
            while True:
                headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": key}
                try:
                    answer = await http.post(f"{self.hub.url}/v26.0/{NUMBER}/messages", json=body, headers=headers)
                except httpx.HTTPError as error:
                    self.ledger.outcomes[f"send {type(error).__name__}"] += 1
                    await asyncio.sleep(0.2)
                    continue
                self.ledger.outcomes[f"send {answer.status_code}{reason(answer)}"] += 1
                if answer.status_code in (429, 503) and not self.is_over:
                    await asyncio.sleep(0.3)
                    continue
                self.ledger.answers[key] = (answer.status_code, answer.json())
                break
            await asyncio.sleep(0.1)

    async def torment(self, http: httpx.AsyncClient, seconds: float, *, can_fill: bool) -> None:
        """One fault after the other, by chance."""
        until = time.monotonic() + seconds
        acts = [
            "kill",
            "kill",
            "stop",
            "cut_after",
            "cut_before",
            "http_error",
            "timeout",
            "duplicate",
            "reorder",
            "room" if can_fill else "kill",
        ]
        while time.monotonic() < until:
            act = self.chance.choice(acts)
            self.ledger.acts[act] += 1
            hub = self.hub
            match act:
                case "kill" | "stop":
                    await hub.end(signal.SIGKILL if act == "kill" else signal.SIGTERM)
                    await asyncio.sleep(self.chance.random() * 0.5)
                    await hub.start()
                    await self.call_back(http)
                case "room":
                    with hub.without_room(self.home):
                        await asyncio.sleep(2)
                case "cut_after" | "cut_before":
                    await self.control(http, "fault", kind="cut", when=act.removeprefix("cut_"), count=3)
                case "http_error":
                    await self.control(http, "fault", kind="http_error", count=3, code=131000, status=500)
                case "timeout":
                    await self.control(http, "fault", kind="timeout", when="after", seconds=3, count=1)
                case "duplicate":
                    await self.control(http, "fault", kind="duplicate", count=20)
                case _:
                    await self.control(http, "fault", kind="reorder", size=4, **{"for": "2s"})
            await asyncio.sleep(self.chance.uniform(0.5, 3.0))
        await self.control(http, "fault", kind="clear")

    async def settle(self, http: httpx.AsyncClient) -> list[dict[str, Any]]:
        """Wait until the simulator has told everything; all that it ever accepted."""
        await self.call_back(http)
        async with asyncio.timeout(300):
            while await self.untold(http):  # noqa: ASYNC110 the simulator is another process
                await asyncio.sleep(1)
        return (await http.get(f"{self.simulator.url}/_control/sent", params={"limit": "50000"})).json()["sent"]

    async def untold(self, http: httpx.AsyncClient) -> int:
        told = (await http.get(f"{self.simulator.url}/_control/deliveries", params={"delivered": "false", "limit": "1"})).json()
        clock = (await http.get(f"{self.simulator.url}/_control/clock")).json()
        return len([one for one in told["deliveries"] if not one.get("dropped")]) + int(clock["waiting"])


def reason(answer: httpx.Response) -> str:
    """Why a send was refused: Meta's code and ours."""
    if answer.status_code == 200:
        return ""
    with contextlib.suppress(ValueError, KeyError):
        error = answer.json()["error"]
        return f" ({error['code']} {error.get('error_data', {}).get('wabiz_code', error.get('wabiz_code', ''))})"
    return " (no body of Graph's)"


def customer(number: int) -> str:
    return f"4915199{number:06d}"


@contextlib.asynccontextmanager
async def client() -> AsyncGenerator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=50)
    async with httpx.AsyncClient(timeout=60, trust_env=False, limits=limits) as http:
        yield http


async def play(soak: Soak, bodies: list[bytes], seconds: float, *, can_fill: bool) -> list[dict[str, Any]]:
    async with client() as http:
        await soak.set_up(http)
        waiting = list(enumerate(bodies))
        soak.chance.shuffle(waiting)
        working = [asyncio.ensure_future(soak.post(http, waiting)) for _ in range(POSTERS)]
        working += [asyncio.ensure_future(soak.send(http, number)) for number in range(SENDERS)]
        await soak.torment(http, seconds, can_fill=can_fill)
        soak.is_over = True
        await asyncio.gather(*working)
        sent = await soak.settle(http)
        for hub in soak.hubs:
            status = await hub.end(signal.SIGTERM)
            assert status == 0, f"{hub.name} ended with {status}"
        await soak.simulator.end(signal.SIGTERM)
        return sent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--archive", choices=("sqlcipher", "postgresql"), default="sqlcipher")
    parser.add_argument("--hubs", type=int, default=1, help="hub processes on one PostgreSQL")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    bodies = traffic(int(options.minutes * 60 * 400), people=300, seed=options.seed)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wabiz-soak-")))
        server = stack.enter_context(cluster(is_durable=True)) if options.archive == "postgresql" else None
        archive = str(folder / "archive" / "archive.db") if server is None else server.url(server.database())
        soak = Soak(folder, archive, hubs=options.hubs, seed=options.seed)
        sent = asyncio.run(play(soak, bodies, options.minutes * 60, can_fill=server is None))
        wrong = differences(soak.home, soak.ledger, SECRETS, bodies, sent)
        ledger = soak.ledger
        digest = hashlib.sha256("".join(sorted(map(str, ledger.acknowledged))).encode()).hexdigest()[:12]
        print(f"webhooks acknowledged {len(ledger.acknowledged)} (ledger {digest}), again {ledger.repeated}")
        print(f"sends {len(ledger.answers)}, accepted by Meta {len(sent)}")
        print("faults " + ", ".join(f"{name} {count}" for name, count in sorted(ledger.acts.items())))
        print("answers " + ", ".join(f"{name} {count}" for name, count in sorted(ledger.outcomes.items())))
    for line in wrong[:40]:
        print(f"WRONG {line}")
    print(f"{len(wrong)} differences between the ledger and the archive")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
