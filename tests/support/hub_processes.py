"""Whole hubs as processes of their own, over an archive that a test made: set up, started, and loaded with webhooks."""

import asyncio
import json
import os
import sys
from pathlib import Path

import httpx

from tests.support.hub_archive import NUMBER
from tests.support.hub_served import APP_SECRET, ENVIRONMENT, body_of
from wabiz_tui.graph.signature import sign
from wabiz_tui.model.secret import Secret

ACCOUNT = "77"
"""An account that the archives of tests do not know: their keys are not this hub's."""
WABIZ = [sys.executable, "-m", "wabiz_tui.cli.main"]


async def set_up(home: Path, archive: str, *, graph_url: str = "http://127.0.0.1:9") -> str:
    """`wabiz hub init` in a folder that is there; the first administrator's code."""
    ids = ["--waba-id", ACCOUNT, "--phone-number-id", NUMBER, "--graph-url", graph_url]
    names = ["--graph-token-env", "T_GRAPH", "--app-secret-env", "T_APP", "--verify-token-env", "T_VERIFY"]
    made = await asyncio.create_subprocess_exec(
        *WABIZ, "hub", "init", "--archive", archive, *ids, *names,
        stdout=asyncio.subprocess.PIPE, env=os.environ | ENVIRONMENT | {"WABIZ_HOME": str(home)},
    )  # fmt: skip
    printed, _ = await made.communicate()
    assert made.returncode == 0
    return json.loads(printed)["code"]


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
