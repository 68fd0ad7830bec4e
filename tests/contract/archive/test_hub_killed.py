"""The hub killed at any instant, on both engines: every acknowledged webhook is there, once."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import httpx

from tests.contract.archive.conftest import Ground
from tests.support.hub_archive import NUMBER
from tests.support.hub_served import APP_SECRET, ENVIRONMENT, body_of
from wabiz_tui.graph.signature import sign
from wabiz_tui.hub.app import join
from wabiz_tui.hub.archive.messages import find_by_wamid, load_messages
from wabiz_tui.hub.archive.store import Reading, changes_since
from wabiz_tui.hub.operations.secrets import load_secrets
from wabiz_tui.hub.operations.settings import load_settings
from wabiz_tui.model.clock import SystemClock
from wabiz_tui.model.secret import Secret

ACCOUNT = "77"
WABIZ = [sys.executable, "-m", "wabiz_tui.cli.main"]


async def start(home: Path) -> tuple[asyncio.subprocess.Process, str]:
    process = await asyncio.create_subprocess_exec(
        *WABIZ, "hub", "serve", "--config", str(home / "hub.toml"), "--port", "0",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, env=os.environ | ENVIRONMENT | {"WABIZ_HOME": str(home)},
    )  # fmt: skip
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 60)
    return process, json.loads(line)["listening"]


def webhook(index: int) -> bytes:
    message = {
        "from": f"4477009{index % 7:05}",
        "id": f"wamid.{index}",
        "timestamp": "1790000000",
        "type": "text",
        "text": {"body": str(index)},
    }
    metadata = {"display_phone_number": "1", "phone_number_id": NUMBER}
    return body_of({"messaging_product": "whatsapp", "metadata": metadata, "messages": [message]})


async def load(http: httpx.AsyncClient, url: str, numbers: list[int], acknowledged: set[int], *, enough: asyncio.Event, after: int) -> None:
    """Post from four connections at once until the hub goes away; tell when `after` were acknowledged."""
    waiting = list(reversed(numbers))

    async def post() -> None:
        while waiting:
            index = waiting.pop()
            raw = webhook(index)
            headers = {"X-Hub-Signature-256": sign(raw, Secret(APP_SECRET))}
            try:
                answer = await http.post(f"{url}/webhooks/whatsapp", content=raw, headers=headers)
            except httpx.HTTPError:
                return
            if answer.status_code == 200:
                acknowledged.add(index)
            if len(acknowledged) >= after:
                enough.set()

    await asyncio.gather(*(post() for _ in range(4)))


async def test_acknowledged_webhooks_survive_kills_and_sigterm_is_clean(ground: Ground, tmp_path: Path) -> None:
    """Killed twice amid load and restarted, with everything redelivered, the archive holds each message once; SIGTERM ends with 0."""
    home = tmp_path / "a home"
    home.mkdir()
    # An account that the ground's own archive does not know: its keys are not this hub's.
    ids = ["--waba-id", ACCOUNT, "--phone-number-id", NUMBER, "--graph-url", "http://127.0.0.1:9"]
    names = ["--graph-token-env", "T_GRAPH", "--app-secret-env", "T_APP", "--verify-token-env", "T_VERIFY"]
    made = await asyncio.create_subprocess_exec(
        *WABIZ, "hub", "init", "--archive", ground.hub_address, *ids, *names,
        stdout=asyncio.subprocess.PIPE, env=os.environ | ENVIRONMENT | {"WABIZ_HOME": str(home)},
    )  # fmt: skip
    await made.communicate()
    assert made.returncode == 0
    acknowledged: set[int] = set()
    async with httpx.AsyncClient(timeout=20, trust_env=False) as http:
        for first in (0, 1000):
            process, url = await start(home)
            enough = asyncio.Event()
            posting = asyncio.ensure_future(
                load(http, url, list(range(first, first + 1000)), acknowledged, enough=enough, after=len(acknowledged) + 60)
            )
            await asyncio.wait_for(enough.wait(), 60)
            process.send_signal(signal.SIGKILL)
            await posting
            await process.wait()
        process, url = await start(home)
        await load(http, url, sorted(acknowledged), set(), enough=asyncio.Event(), after=10**6)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 30) == 0

    settings = load_settings(home / "hub.toml")
    hub = join(settings, load_secrets(settings.secret_places, ENVIRONMENT), clock=SystemClock(), random_bytes=os.urandom)

    def archived(reading: Reading) -> tuple[list[str], list[int]]:
        ids = [row.id for row in changes_since(reading, 0, 100_000) if row.entity == "message"]
        wamids = [message.wamid or "" for message in load_messages(reading, ids).values()]
        return wamids, [index for index in acknowledged if find_by_wamid(reading, f"wamid.{index}") is None]

    wamids, missing = hub.archive.read_now(archived)
    hub.journal.stop()
    hub.archive.close()
    await hub.transport.close()
    assert len(acknowledged) >= 120
    assert missing == []
    assert len(wamids) == len(set(wamids))
