"""A desk's process killed while it syncs from a real hub: what it ends with is what a machine holds that was never disturbed."""

import asyncio
import os
import random
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.desk_bench import CONFIG, PASSPHRASE
from tests.support.hub_served import Served, TestDevice, body_of, served_hub, value_of
from wabiz_tui.cli.output import conversation_record, json_line, message_record
from wabiz_tui.desk.enrolment import enroll
from wabiz_tui.desk.process.client import DeskClient
from wabiz_tui.desk.process.launch import connect
from wabiz_tui.model.codec import decode
from wabiz_tui.model.errors import WabizError
from wabiz_tui.model.paths import Paths, paths_under
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.wire import EnrolmentCode

KILLS = 3
CUSTOMERS, LETTERS = 8, 400


async def machine(served: Served, admin: TestDevice, home: Path) -> Paths:
    """A supervisor's: two of them see the same."""
    paths = paths_under(home)
    code = decode((await admin.post("/v1/people", {"name": home.name, "role": "supervisor"})).content, EnrolmentCode).code
    await enroll(str(served.http.base_url), code, paths=paths, config=CONFIG, passphrase=PASSPHRASE, clock=served.clock)
    return paths


async def start(paths: Paths) -> DeskClient:
    return await connect(paths, passphrase=Secret(PASSPHRASE.reveal()), environment=os.environ | {"WABIZ_HOME": str(paths.config)})


async def write(served: Served, round_: int) -> None:
    """Every customer writes, of the last two weeks, in one webhook each; acknowledged and folded when this returns."""
    for customer in range(CUSTOMERS):
        sender = f"4477009{customer:05d}"
        messages = [
            {
                "from": sender,
                "id": f"wamid.{round_}.{customer}.{number}",
                "timestamp": str(int((served.clock.now() - timedelta(minutes=40 * number)).timestamp())),
                "type": "text",
                "text": {"body": f"{round_} {customer} {number} é 日本"},
            }
            for number in range(LETTERS if round_ == 0 else 5)
        ]
        contact = {"profile": {"name": f"Customer {customer}"}, "wa_id": sender}
        assert (await served.post_webhook(body_of(value_of(messages=messages, contacts=[contact])))).status_code == 200
    await served.folded()


async def told(desk: DeskClient) -> list[str]:
    """What `wabiz conversations --json` prints, then `wabiz messages --json` of each."""
    rows = sorted(await desk.conversations(), key=lambda row: row.id)
    held = [message for row in rows for message in await desk.messages(row.id)]
    return [json_line(conversation_record(row)) for row in rows] + [json_line(message_record(message)) for message in held]


@pytest.mark.timeout(240)
async def test_a_desk_killed_while_it_syncs_ends_where_a_clean_sync_does(tmp_path: Path) -> None:
    """Killed at any point of the first pages, of the stream and of what the hub told meanwhile, conversations and messages are byte for
    byte those of a machine that synced once."""
    chance = random.Random(11)
    async with served_hub(tmp_path / "hub", at=datetime.now(UTC)) as served:
        admin = await served.admin()
        killed = await machine(served, admin, tmp_path / "killed")
        clean = await machine(served, admin, tmp_path / "clean")
        await write(served, 0)
        for round_ in range(1, KILLS + 1):
            served.clock.at = datetime.now(UTC)
            desk = await start(killed)
            syncing = asyncio.create_task(desk.sync())
            writing = asyncio.create_task(write(served, round_))
            await asyncio.sleep(chance.uniform(0.0, 0.5))
            os.kill(desk.hello.pid, signal.SIGKILL)
            await asyncio.wait((syncing,))
            assert syncing.exception() is None or isinstance(syncing.exception(), WabizError)
            await writing
            await desk.close()

        lists: list[list[str]] = []
        for paths in (killed, clean):
            desk = await start(paths)
            await desk.sync()
            lists.append(await told(desk))
            assert (await desk.status()).messages == len(lists[-1]) - CUSTOMERS
            await desk.end()
            await desk.close()

    assert lists[0] == lists[1]
    assert len(lists[0]) > CUSTOMERS * LETTERS * 0.9
