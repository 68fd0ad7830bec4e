"""A damaged outbox that was set aside does not lie on the machine for ever."""

import asyncio
import os
from datetime import timedelta
from pathlib import Path

from tests.support.desk_bench import COLD, opened
from tests.support.desk_hub import FakeHub
from tests.support.desk_samples import NOON, ident
from wabiz_tui.desk.purge.asides import destroy_overdue, keep_from
from wabiz_tui.model.clock import SystemClock
from wabiz_tui.model.paths import paths_under

WINDOW = timedelta(days=14)


def test_each_goes_with_its_log_when_its_own_time_is_over(tmp_path: Path) -> None:
    """The outbox itself, its attachments and one that was set aside later stay."""
    names = ["outbox.db", "outbox.db-wal", "outbox-damaged-1.db", "outbox-damaged-1.db-wal", "outbox-damaged-2.db", "outbox-files"]
    for name in names:
        (tmp_path / name).write_bytes(b"letters")
        os.utime(tmp_path / name, (0, 0))
    keep_from(tmp_path / names[2], NOON)
    keep_from(tmp_path / names[4], NOON + timedelta(days=1))

    assert destroy_overdue(tmp_path, window=WINDOW, now=NOON + WINDOW - timedelta(seconds=1)) == 0
    assert destroy_overdue(tmp_path, window=WINDOW, now=NOON + WINDOW) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted({*names} - {*names[2:4]})


async def test_a_desk_destroys_it_when_the_window_of_the_policy_is_over(tmp_path: Path) -> None:
    """It is there for a while, so that somebody can look at it; then it is gone, whoever opens the desk."""
    paths = paths_under(tmp_path / "home")
    aside = paths.data / "outbox-damaged-1.db"
    with FakeHub().serve() as hub:
        async with opened(hub, paths, config=COLD) as desk:
            await desk.save_draft(ident(1), "kept")
        outbox = paths.data / "outbox.db"
        outbox.write_bytes(outbox.read_bytes()[:-4096] + bytes(4096))
        os.utime(outbox, (0, 0))

        async with opened(hub, paths, config=COLD) as desk:
            assert "kept as outbox-damaged-1.db" in (await desk.status()).notice
            await desk.purge()
        assert aside.exists()
        later = SystemClock(ahead=timedelta(days=15))
        hub.ahead = later.ahead
        async with opened(hub, paths, config=COLD, clock=later):
            async with asyncio.timeout(20):
                while aside.exists():  # noqa: ASYNC110 nobody is told when a file goes
                    await asyncio.sleep(0.01)
