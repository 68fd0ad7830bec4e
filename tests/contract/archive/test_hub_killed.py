"""The hub killed at any instant, on both engines: every acknowledged webhook is there, once."""

import asyncio
import os
import signal
from pathlib import Path

import httpx

from tests.contract.archive.conftest import Ground
from tests.support.hub_processes import load, set_up, start
from tests.support.hub_served import ENVIRONMENT
from wabiz_tui.hub.app import join
from wabiz_tui.hub.archive.messages import find_by_wamid, load_messages
from wabiz_tui.hub.archive.store import Reading, changes_since
from wabiz_tui.hub.operations.secrets import load_secrets
from wabiz_tui.hub.operations.settings import load_settings
from wabiz_tui.model.clock import SystemClock


async def test_acknowledged_webhooks_survive_kills_and_sigterm_is_clean(ground: Ground, tmp_path: Path) -> None:
    """Killed twice amid load and restarted, with everything redelivered, the archive holds each message once; SIGTERM ends with 0."""
    home = tmp_path / "a home"
    home.mkdir()
    await set_up(home, ground.hub_address)
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
