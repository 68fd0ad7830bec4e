"""The webhook journal: durable before told, in order, sealed by the day."""

import asyncio
from pathlib import Path

from tests.support.hub_archive import HandClock, open_archive


async def test_nothing_of_a_body_is_on_disk_in_the_clear(tmp_path: Path) -> None:
    """The words of a webhook are in none of the hub's files."""
    clock = HandClock()
    archive = open_archive(tmp_path, clock=clock)
    journal = archive.open_journal()

    await journal.append(b"the-customer-wrote-this")

    assert b"the-customer-wrote-this" not in all_bytes(tmp_path)
    journal.stop()
    archive.close()


def all_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file())


async def test_what_was_handed_in_before_the_end_is_kept(tmp_path: Path) -> None:
    """A journal that is ended in the very round in which a body came makes it durable and says so."""
    archive = open_archive(tmp_path, clock=HandClock())
    journal = archive.open_journal()
    append = asyncio.ensure_future(journal.append(b"the last one"))
    await asyncio.sleep(0)
    journal.stop()

    assert await append == 1
    again = archive.open_journal()
    assert [entry.raw for entry in again.read_after(0)] == [b"the last one"]
    again.stop()
    archive.close()
