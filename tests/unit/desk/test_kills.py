"""A desk's process killed at any instant: the cache opens, nothing acknowledged is lost, nothing is sent twice."""

import asyncio
import os
import random
import signal
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.desk_bench import PASSPHRASE, enrol
from tests.support.desk_hub import FakeHub
from tests.support.desk_samples import conversation, ident, message, until
from wabiz_tui.desk.enrolment import get_enrolment
from wabiz_tui.desk.process.client import DeskClient
from wabiz_tui.desk.process.launch import connect
from wabiz_tui.model.desk import Draft
from wabiz_tui.model.errors import Unreachable, WabizError
from wabiz_tui.model.paths import Paths, paths_under
from wabiz_tui.model.secret import Secret
from wabiz_tui.proof.armour import from_base64
from wabiz_tui.proof.receipts import verify_chain

KILLS = 8


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub().serve() as served:
        yield served


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_under(tmp_path / "a home")


async def start(paths: Paths) -> DeskClient:
    return await connect(paths, passphrase=Secret(PASSPHRASE.reveal()), environment=os.environ | {"WABIZ_HOME": str(paths.config)})


async def work(desk: DeskClient, round_: int, acknowledged: list[str], drafts: list[str]) -> None:
    """Write, save and purge as fast as the desk answers, until it is killed."""
    purging = asyncio.create_task(desk.purge())
    with suppress(WabizError):
        for number in range(1000):
            key = f"r{round_}n{number}"
            await desk.send_text(ident(1 + number % 3), f"text {key}", key=key)
            acknowledged.append(key)
            await desk.save_draft(ident(1), key)
            drafts.append(key)
    with suppress(WabizError):
        await purging


@pytest.mark.timeout(240)
async def test_a_desk_killed_again_and_again_keeps_its_word(hub: FakeHub, paths: Paths) -> None:
    """Sends acknowledged between kills reach Meta once each and in order; cache, drafts and receipts are whole."""
    chance = random.Random(7)
    now = datetime.now(UTC)
    hub.put(*(conversation(number, last_at=now, window_until=now + timedelta(hours=20)) for number in (1, 2, 3)))
    hub.put(*(message(number, 1 + number % 3, f"kept {number}", sent_at=now) for number in range(300)))
    await enrol(hub, paths)
    acknowledged: list[str] = []
    drafts: list[str] = []
    for round_ in range(KILLS):
        desk = await start(paths)
        if round_ == 0:
            await desk.sync()
        working = asyncio.create_task(work(desk, round_, acknowledged, drafts))
        await asyncio.sleep(chance.uniform(0.02, 0.6))
        os.kill(desk.hello.pid, signal.SIGKILL)
        await working
        await desk.close()

    desk = await start(paths)
    await until(lambda: is_empty(desk), within=60)
    await desk.sync()

    texts = [sent["text"]["body"] for _, sent in hub.sent]
    assert len(texts) == len(set(texts))
    assert {f"text {key}" for key in acknowledged} <= set(texts)
    for conversation_ in (1, 2, 3):
        mine = [sent["text"]["body"] for _, sent in hub.sent if sent["recipient"].endswith(ident(conversation_))]
        wanted = [f"text {key}" for key in acknowledged if f"text {key}" in mine]
        assert [text for text in mine if text in wanted] == wanted
    held = [message_ for number in (1, 2, 3) for message_ in await desk.messages(ident(number))]
    assert len(held) == 300 + len(texts)
    assert len({message_.id for message_ in held}) == len(held)
    draft = await desk.draft(ident(1))
    assert isinstance(draft, Draft)
    # The last one acknowledged, or the one whose acknowledgement the kill cut off.
    assert draft.text in (drafts[-1], acknowledged[-1])
    chain = await desk.receipts()
    verify_chain(chain, from_base64(get_enrolment(paths).public_key, size=32, what="key"))
    await desk.end()
    await desk.close()


async def is_empty(desk: DeskClient) -> bool:
    return (await desk.status()).outbox == 0


async def test_a_desk_that_is_not_started_is_not_there(hub: FakeHub, paths: Paths) -> None:
    """Where none runs and none is to be started, the sentence says so."""
    await enrol(hub, paths)

    with pytest.raises(Unreachable, match="No desk"):
        await connect(paths, start=False)
