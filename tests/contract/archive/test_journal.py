"""The webhook journal on both engines: durable before told, in order for every reader, sealed by the day."""

import asyncio
from datetime import timedelta

from tests.contract.archive.conftest import Ground


async def test_what_was_acknowledged_is_read_back_in_order(ground: Ground) -> None:
    """Bodies appended at the same time share commits, keep distinct rising numbers and survive a new start."""
    journal = ground.open().open_journal()
    numbers = await asyncio.gather(*(journal.append(b"body %d" % index) for index in range(100)))
    journal.stop()

    again = ground.open(seed=2).open_journal()
    entries = again.read_after(0, limit=1000)

    assert sorted(numbers) == [entry.number for entry in entries]
    assert {entry.number: entry.raw for entry in entries} == {number: b"body %d" % index for index, number in enumerate(numbers)}
    assert again.last() == max(numbers)
    again.stop()


async def test_a_journal_is_tried_without_a_trace(ground: Ground) -> None:
    """Whoever asks whether bodies can be kept leaves none: what is appended before and after is all there is, in rising numbers."""
    journal = ground.open().open_journal()
    journal.check()
    before = await journal.append(b"before")
    journal.check()
    after = await journal.append(b"after")

    assert [(entry.number, entry.raw) for entry in journal.read_after(0)] == [(before, b"before"), (after, b"after")]
    assert before < after == journal.last()
    journal.stop()


async def test_a_reader_misses_nothing_two_hubs_write(ground: Ground) -> None:
    """Who reads on from the last number it saw finds every body, though two hubs write at once."""
    journals = [ground.open(seed=seed).open_journal() for seed in (1, 2)]
    loop = asyncio.get_running_loop()

    async def write(place: int) -> None:
        for index in range(40):
            await journals[place].append(b"%d/%d" % (place, index))

    writing = asyncio.ensure_future(asyncio.gather(write(0), write(1)))
    seen: list[bytes] = []
    cursor, is_last = 0, False
    while not is_last:
        is_last = writing.done()
        entries = await loop.run_in_executor(None, journals[0].read_after, cursor)
        for entry in entries:
            assert entry.number > cursor
            cursor = entry.number
            seen.append(entry.raw)
    await writing

    assert sorted(seen) == sorted(b"%d/%d" % (place, index) for place in (0, 1) for index in range(40))
    assert [raw for raw in seen if raw.startswith(b"0/")] == [b"0/%d" % index for index in range(40)]
    for journal in journals:
        journal.stop()


async def test_folded_days_are_purged_with_their_keys(ground: Ground) -> None:
    """After a week a folded day is deleted and its key destroyed; what is not folded yet stays."""
    archive = ground.open()
    journal = archive.open_journal()
    folded = await journal.append(b"folded")
    ground.clock.move(timedelta(days=1))
    await journal.append(b"not folded")
    ground.clock.move(timedelta(days=8))
    await journal.append(b"today")

    deleted = journal.purge(folded=folded)

    assert deleted == 1
    assert [entry.raw for entry in journal.read_after(0)] == [b"not folded", b"today"]
    assert archive.keys.names("journal/") == ["journal/2026-11-23", "journal/2026-12-01"]
    journal.stop()
