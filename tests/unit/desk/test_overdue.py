"""A receipt overdue: the hub has ended the epoch's key, and the desk begins an empty cache without losing what its agent wrote."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.desk_bench import COLD, opened
from tests.support.desk_hub import FakeDevice, FakeHub
from tests.support.desk_samples import conversation, ident, message, until
from wabiz_tui.desk.desk import LocalDesk
from wabiz_tui.model.errors import NotFound
from wabiz_tui.model.paths import Paths, paths_under

NOW = datetime.now(UTC)
HELD, PLANTED = message(1, 1, "at the hub", sent_at=NOW - timedelta(minutes=5)), message(2, 1, "erased since", sent_at=NOW)


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub().serve() as served:
        served.put(conversation(1, last_at=NOW, window_until=NOW + timedelta(hours=20)), HELD, PLANTED)
        yield served


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_under(tmp_path / "home")


def end_epoch(hub: FakeHub) -> FakeDevice:
    """As the hub does when a receipt is overdue; a message was erased there meanwhile."""
    (device,) = hub.devices.values()
    device.shares.clear()
    device.epoch += 1
    device.shares[device.epoch] = os.urandom(32)
    device.is_reset = True
    hub.remove(PLANTED)
    return device


async def check(desk: LocalDesk, paths: Paths) -> None:
    """One notice, everything the hub still has, nothing else, and the draft."""
    assert "receipt was overdue" in (await desk.status()).notice
    assert [held.id for held in await desk.messages(ident(1))] == [HELD.id]
    draft = await desk.draft(ident(1))
    assert draft is not None
    assert draft.text == "half a reply"
    assert not (paths.cache / "cache-1.db").exists()


async def test_a_desk_that_comes_back_begins_empty_and_keeps_its_drafts(hub: FakeHub, paths: Paths) -> None:
    """Opened after the hub ended its key: a new epoch, filled from the hub, the draft saved, and a receipt that says what happened."""
    async with opened(hub, paths, config=COLD) as desk:
        await desk.save_draft(ident(1), "half a reply")
    device = end_epoch(hub)
    async with opened(hub, paths, config=COLD) as desk:
        await check(desk, paths)
        await until(lambda: bool(device.receipts))


async def test_a_desk_that_is_open_begins_empty_rather_than_save_what_it_holds(hub: FakeHub, paths: Paths) -> None:
    """A purge that finds the key ended does not carry the old rows over under the next key."""
    async with opened(hub, paths, config=COLD) as desk:
        await desk.save_draft(ident(1), "half a reply")
        end_epoch(hub)
        with pytest.raises(NotFound, match="filled again"):
            await desk.purge()

        async def is_filled() -> bool:
            return "overdue" in (await desk.status()).notice and (await desk.status()).messages == 1

        await until(is_filled)
        await check(desk, paths)
