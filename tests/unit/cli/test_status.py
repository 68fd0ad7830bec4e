"""What `wabiz status` says of a desk that has only just started, or that the hub has told nothing yet."""

import asyncio
import json
from pathlib import Path

import msgspec
import pytest

from tests.support import tui_data as still
from tests.support.desk_bench import PASSPHRASE, enrol
from tests.support.desk_hub import FakeHub
from tests.support.desk_samples import conversation
from tests.support.road import wabiz
from tests.support.tui_desk import StillDesk
from wabiz_tui.cli.device import settled_status, status_record
from wabiz_tui.desk.process.launch import connect
from wabiz_tui.model.desk import DeskStatus, Link
from wabiz_tui.model.paths import paths_under


class StartingDesk(StillDesk):
    """Each look at it finds it at the next of these places (link, cursor, head), and then at the last."""

    def __init__(self, *places: tuple[Link, int, int]) -> None:
        super().__init__()
        self.places, self.looks = list(places), 0

    async def status(self) -> DeskStatus:
        self.looks += 1
        link, cursor, head = self.places.pop(0) if len(self.places) > 1 else self.places[0]
        return msgspec.structs.replace(still.status(), link=link, cursor=cursor, head=head)


@pytest.mark.parametrize(
    ("places", "looks"),
    [
        ([("online", 5, 5)], 1),
        ([("connecting", 5, 0), ("connecting", 9, 9), ("online", 9, 9)], 3),
        ([("connecting", 5, 0), ("offline", 5, 0)], 2),
        ([("connecting", 5, 0), ("connecting", 5, 9), ("online", 9, 9)], 3),
        ([("connecting", 5, 0), ("connecting", 6, 9000), ("online", 9000, 9000)], 2),
    ],
    ids=["online", "heard", "unreachable", "short way", "long way"],
)
async def test_a_status_waits_for_what_the_hub_says_first(places: list[tuple[Link, int, int]], looks: int) -> None:
    """Until the link stands or fails, and not for the end of a long sync, which the record itself shows."""
    desk = StartingDesk(*places)

    now = await settled_status(desk, patience=30.0, every=0.0)

    assert desk.looks == looks
    assert now == await StartingDesk(places[looks - 1]).status()


async def test_a_hub_that_says_nothing_is_not_waited_for_long() -> None:
    """When the patience is over the status says what is known."""
    desk = StartingDesk(("connecting", 5, 0))

    now = await settled_status(desk, patience=0.0, every=0.0)

    assert (now.link, desk.looks) == ("connecting", 1)


@pytest.mark.parametrize(("link", "head", "told"), [("connecting", 0, None), ("offline", 0, None), ("online", 0, 0), ("offline", 7, 7)])
def test_a_head_that_nobody_told_is_null(link: Link, head: int, told: int | None) -> None:
    """A script does not take "not heard yet" for an empty hub."""
    record = status_record(msgspec.structs.replace(still.status(), link=link, head=head))

    assert record["head"] == told


def test_of_a_locked_desk_nothing_is_seen() -> None:
    """What every script reads stays a number, 0 where nothing can be seen; what only the cache knows is null; and it says locked."""
    record = status_record(DeskStatus(link="offline", locked=True, key_store="passphrase file"))

    assert [record[key] for key in ("messages", "outbox", "policy", "epoch")] == [0, 0, 0, 0]
    assert [record[key] for key in ("conversations", "head", "cursor", "lease_until", "next_purge")] == [None] * 5
    assert (record["locked"], record["key_store"]) == (True, "passphrase file")


async def test_a_status_that_starts_the_desk_hears_the_hub_first(tmp_path: Path) -> None:
    """A monitoring script that calls it now and then, with no desk between its calls, is told how the link is."""
    paths = paths_under(tmp_path / "a home")
    with FakeHub().serve() as hub:
        hub.put(conversation(1))
        await enrol(hub, paths)

        told = await asyncio.to_thread(wabiz, "status", "--json", home=paths.config, passphrase=PASSPHRASE.reveal().decode())
        record = json.loads(told.stdout)

        assert (told.returncode, told.stderr) == (0, "")
        assert (record["link"], record["cursor"]) == ("online", record["head"])
        assert record["head"] > 0
        desk = await connect(paths, environment={"WABIZ_HOME": str(paths.config)})
        await desk.end()
        await desk.close()
