"""The webhook journal: durable before told, in order, sealed by the day."""

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
