"""A simulator that runs for days does not grow without end."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.simulator_stage import staged
from wabiz_tui.model.errors import UsageError
from wabiz_tui.simulator.account.media import MediaShelf
from wabiz_tui.simulator.journal import Journal
from wabiz_tui.simulator.options import SimulatorOptions
from wabiz_tui.simulator.server import serve
from wabiz_tui.simulator.world import Sent

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_a_journal_keeps_the_newest() -> None:
    """Rows above the limit are forgotten, by key too; positions count on."""
    journal = Journal[str](lambda row: row[0], 3)
    for row in ("a1", "b1", "c1", "d1", "c2"):
        journal.append(row)

    assert (list(journal), journal.told, len(journal)) == (["c1", "d1", "c2"], 5, 3)
    assert [journal.find(key) for key in "abcd"] == [None, None, "c2", "d1"]
    assert [list(journal.since(position)) for position in (0, 3, 4, 5, 9)] == [["c1", "d1", "c2"], ["d1", "c2"], ["c2"], [], []]
    assert [journal.at(position) for position, _ in journal.numbered()] == ["c1", "d1", "c2"]
    assert (journal.at(1), journal.at(5)) == (None, None)


def test_the_shelf_is_bounded_by_number_and_size() -> None:
    """The oldest files die before their time, whichever limit is reached first; what was deleted counts no more."""
    few, small = MediaShelf(most_files=2), MediaShelf(most_bytes=10)
    numbered = [few.add(b"x", "image/png", now=NOW, is_incoming=True) for _ in range(3)]
    sized = [small.add(b"12345", "image/png", now=NOW, is_incoming=True) for _ in range(2)]
    small.remove(sized[1].id)
    sized.append(small.add(b"12345", "image/png", now=NOW, is_incoming=True))
    sized.append(small.add(b"1", "image/png", now=NOW, is_incoming=True))

    assert [few.find(one.id, NOW) is not None for one in numbered] == [False, True, True]
    assert [small.find(one.id, NOW) is not None for one in sized] == [False, False, True, True]


def test_dead_files_free_their_room() -> None:
    """Files that died of age are not counted against those that live."""
    shelf = MediaShelf(most_bytes=400)
    for _ in range(255):
        shelf.add(b"1", "image/png", now=NOW, is_incoming=True)
    later = NOW + timedelta(days=8)
    alive = [shelf.add(b"1" * 200, "image/png", now=later, is_incoming=True) for _ in range(2)]

    assert [shelf.find(one.id, later) is not None for one in alive] == [True, True]


async def test_positions_of_sends_count_on() -> None:
    """A reader that goes on from a position misses nothing, though older sends are forgotten."""
    async with staged() as stage:
        await stage.write()
        stage.world.sent = Journal[Sent](lambda one: one.wamid, 2)
        for index in range(3):
            await stage.send(f"text {index}")
        told = await stage.ask("sent")
        await stage.send("text 3")

        assert ([one["text"] for one in told["sent"]], told["position"]) == (["text 1", "text 2"], 3)
        assert [one["text"] for one in (await stage.ask("sent?after=3"))["sent"]] == ["text 3"]
        assert (await stage.ask("state"))["sent"] == 4


@pytest.mark.parametrize("wrong", ["not a url", "127.0.0.1:8420", "http://user@127.0.0.1", "ftp://127.0.0.1"])
def test_an_address_that_is_none_is_a_slip_of_usage(wrong: str) -> None:
    """A hub's address that nothing can be posted to is refused before anything listens."""
    with pytest.raises(UsageError, match="--hub"):
        serve(SimulatorOptions(waba_id="1", phone_number_ids=("2",), hub_url=wrong))
