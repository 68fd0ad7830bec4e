"""The webhook journal: durable before told, in order, sealed by the day."""

import asyncio
from datetime import timedelta
from pathlib import Path

from tests.support.hub_archive import ARCHIVE_KEYS, HandClock, open_archive, seeded
from wabiz_tui.hub.archive.journal import Journal
from wabiz_tui.hub.archive.store import Archive


def open_journal(folder: Path, archive: Archive, clock: HandClock) -> Journal:
    return Journal(folder / "archive.db.journal", ARCHIVE_KEYS.archive, archive.keys, clock=clock, random_bytes=seeded())


async def test_what_was_acknowledged_is_read_back_in_order(tmp_path: Path) -> None:
    """Bodies appended at the same time share commits, keep distinct rising numbers and survive a new start."""
    clock = HandClock()
    archive = open_archive(tmp_path, clock=clock)
    journal = open_journal(tmp_path, archive, clock)

    numbers = await asyncio.gather(*(journal.append(b"body %d" % index) for index in range(100)))
    journal.stop()
    again = open_journal(tmp_path, archive, clock)
    entries = again.read_after(0)

    assert sorted(numbers) == list(range(1, 101))
    assert {entry.number: entry.raw for entry in entries} == {number: b"body %d" % index for index, number in enumerate(numbers)}
    assert again.last() == 100
    again.stop()
    archive.close()


async def test_nothing_of_a_body_is_on_disk_in_the_clear(tmp_path: Path) -> None:
    """The words of a webhook are in none of the hub's files."""
    clock = HandClock()
    archive = open_archive(tmp_path, clock=clock)
    journal = open_journal(tmp_path, archive, clock)

    await journal.append(b"the-customer-wrote-this")

    assert b"the-customer-wrote-this" not in all_bytes(tmp_path)
    journal.stop()
    archive.close()


async def test_folded_days_are_purged_with_their_keys(tmp_path: Path) -> None:
    """After a week a folded day is deleted and its key destroyed; what is not folded yet stays."""
    clock = HandClock()
    archive = open_archive(tmp_path, clock=clock)
    journal = open_journal(tmp_path, archive, clock)
    await journal.append(b"folded")
    clock.move(timedelta(days=1))
    await journal.append(b"not folded")
    clock.move(timedelta(days=8))
    await journal.append(b"today")

    deleted = journal.purge(folded=1)

    assert deleted == 1
    assert [entry.raw for entry in journal.read_after(0)] == [b"not folded", b"today"]
    assert archive.keys.names("journal/") == ["journal/2026-11-23", "journal/2026-12-01"]
    journal.stop()
    archive.close()


def all_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file())
