"""A disk that is full while a message is written: one sentence, nothing half-kept, and the draft is still there."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.desk_samples import NOON, StillClock, counting_bytes, ident
from tests.support.full_disk import full_above
from wabiz_tui.desk.cache.letters import Letters
from wabiz_tui.desk.link.link import Accepted
from wabiz_tui.desk.outbox.outbox import Author, Outbox
from wabiz_tui.model.desk import Draft
from wabiz_tui.model.errors import StoreFull
from wabiz_tui.model.secret import Secret

NUMBER = "106540352242922"


async def no_hub(_letter: object) -> Accepted:
    raise AssertionError("nothing is sent here")


def outbox_of(letters: Letters) -> Outbox:
    return Outbox(
        letters, no_hub, author=Author(ident(7), "Kim"), now=StillClock().now, changed=lambda _: None, refused=lambda _: None,
        random_bytes=counting_bytes(),
    )  # fmt: skip


async def fill(outbox: Outbox) -> None:
    for number in range(100):
        await outbox.write(ident(2), NUMBER, f"{number} " + "x" * 4000, key=None, reply_to=None)


async def test_a_full_disk_keeps_the_draft_and_says_so(tmp_path: Path) -> None:
    """Neither a text nor a file is half-written; the draft is whole, and afterwards the same message goes into the outbox."""
    letters = Letters(tmp_path / "outbox.db", Secret(b"o" * 32))
    outbox = outbox_of(letters)
    path = tmp_path / "notes.txt"
    path.write_bytes(b"words " * 200_000)
    draft = Draft(ident(1), "a long answer " * 200, None, NOON)
    await letters.save_draft(draft)

    with full_above(90_000):
        with pytest.raises(StoreFull, match="disk"):
            await fill(outbox)
        with pytest.raises(StoreFull):
            await outbox.write_file(ident(1), NUMBER, path, caption="", key="k", reply_to=None, undo=timedelta())
        kept = len(await letters.all_open())
        assert await letters.draft(ident(1)) == draft

    assert not [file for file in letters.files.iterdir() if file.stat().st_size]
    letter = await outbox.write(ident(1), NUMBER, draft.text, key=None, reply_to=None)
    assert len(await letters.all_open()) == kept + 1
    assert letter.state == "queued"
    await asyncio.to_thread(letters.close)


async def test_a_file_that_was_removed_under_the_desk_takes_no_letter_in_silence(tmp_path: Path) -> None:
    """What would be written into a file that nobody finds again is refused with the cure; put back, it goes on."""
    letters = Letters(tmp_path / "outbox.db", Secret(b"o" * 32))
    outbox = outbox_of(letters)
    kept = await outbox.write(ident(1), NUMBER, "kept", key=None, reply_to=None)
    letters.path.rename(tmp_path / "away.db")

    with pytest.raises(StoreFull, match="put it back, or lock and unlock"):
        await outbox.write(ident(1), NUMBER, "lost", key=None, reply_to=None)
    with pytest.raises(StoreFull, match="put it back, or lock and unlock"):
        await letters.save_draft(Draft(ident(1), "half a word", None, NOON))
    assert [letter.id for letter in await letters.all_open()] == [kept.id]

    (tmp_path / "away.db").rename(letters.path)
    later = await outbox.write(ident(1), NUMBER, "later", key=None, reply_to=None)
    assert {letter.id for letter in await letters.all_open()} == {kept.id, later.id}
    await asyncio.to_thread(letters.close)
