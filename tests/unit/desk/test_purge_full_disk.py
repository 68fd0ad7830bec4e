"""A disk without room: the old cache stays and says so, what is due goes in time all the same, and no receipt is lost on the way."""

import resource
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.desk_purger import PUBLIC, PurgeBench, found_in
from tests.support.desk_samples import NOON, StillClock, contact, conversation, ident, item, message
from wabiz_tui.desk.purge.receipts import NAME, Receipts
from wabiz_tui.model.codec import decode
from wabiz_tui.model.errors import StoreFull
from wabiz_tui.model.wire import Receipt, ReceiptCounts
from wabiz_tui.proof.receipts import verify_chain

POLICY = 'name = "T"\n[cache]\nwindow = "14d"\npurge_within = "15m"\n'
DUE, KEPT = "Zanzibarcloves", "Reykjavikwool"


@contextmanager
def no_file_beyond(size: int) -> Generator[None]:
    """Whatever would make a file larger fails, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
async def bench(tmp_path: Path) -> PurgeBench:
    made = PurgeBench(tmp_path / "home", POLICY, StillClock())
    filler = " ".join(f"filler{number:04}" for number in range(60))
    old = [item(message(n, 1, f"{DUE} {n}", sent_at=NOON - timedelta(days=13, hours=23))) for n in range(20)]
    new = [item(message(n, 2, f"{KEPT} {n} {filler}")) for n in range(100, 700)]
    await made.apply([item(conversation(1)), item(contact(1)), item(conversation(2)), item(contact(2)), *old, *new])
    made.clock.pass_(hours=2)
    return made


async def test_a_full_disk_keeps_the_old_cache_and_leaves_no_draft(bench: PurgeBench) -> None:
    """The sentence names what to do, the cache is read and written on, and the next rebuild succeeds."""
    with no_file_beyond(300 * 1024), pytest.raises(StoreFull, match=r"free some disk space|disk is full"):
        await bench.purger.purge("due")

    assert sorted(path.suffix for path in bench.shelf.everything()) == [".db", ".db-shm", ".db-wal"]
    await bench.apply([item(message(999, 2, KEPT))])
    assert len(await bench.cache.messages(ident(2))) == 601
    assert await bench.cache.messages(ident(1)) == []
    await bench.purger.purge("due")
    assert not any(found_in(page, DUE) for page in bench.plain())
    bench.close()


async def test_without_room_for_too_long_everything_goes(bench: PurgeBench) -> None:
    """Within `purge_within` it is tried again; after that the desk is told, and an empty cache takes the place of the whole one."""
    with no_file_beyond(300 * 1024):
        await bench.purger._try("due")
        assert bench.overfull != []
        assert "disk" in bench.purger.notice

        await bench.purger.start_empty()

    assert not any(found_in(page, word) for page in bench.plain() for word in (DUE, KEPT))
    assert await bench.cache.totals() == (0, 0)
    (receipt,) = verify_chain(bench.link.taken, PUBLIC)
    assert (receipt.reason, receipt.removed, receipt.kept) == (
        "reset", ReceiptCounts(messages=620, conversations=2, contacts=2), ReceiptCounts(),
    )  # fmt: skip
    assert [path.name for path in bench.home.joinpath("cache").iterdir() if path.suffix == ""] == []
    bench.close()


async def test_it_is_not_given_up_before_its_time(bench: PurgeBench) -> None:
    """What fell due a moment ago may wait for room as long as the policy lets it stay."""
    bench.rules = bench.rules._replace(policy=bench.rules.policy)
    bench.clock.pass_(hours=-1, minutes=-55)
    assert await bench.cache.due_since() is not None
    bench.clock.at = NOON + timedelta(hours=1, minutes=1)
    with no_file_beyond(300 * 1024):
        await bench.purger._try("due")

    assert bench.overfull == []
    assert "as soon as the disk has room" in bench.purger.notice
    bench.close()


async def test_a_kill_between_the_end_of_a_cache_and_its_receipt_is_known(bench: PurgeBench) -> None:
    """A note beside the files says which epoch may still owe one, until it does not."""
    bench.cache.close()
    bench.shelf.lose(1)

    assert (bench.shelf.lost(), bench.shelf.epochs()) == (1, [])
    bench.shelf.forget_lost()
    assert bench.shelf.lost() is None
    bench.letters.close()


async def test_a_chain_that_was_set_back_goes_on_from_the_hubs(bench: PurgeBench) -> None:
    """An older copy of the home has fewer receipts: those of the hub are taken over, and the next one follows them."""
    chain = bench.home / "data" / NAME
    await bench.purger.purge("due")
    before = chain.read_bytes()
    await bench.purger.purge("asked")
    await bench.purger.purge("asked")
    chain.write_bytes(before)
    bench.purger.receipts = Receipts(bench.home / "data", device=ident(5), tenant="1")

    await bench.purger.start_empty()

    kept = [decode(signed.receipt, Receipt) for signed in bench.purger.receipts.chain]
    assert [receipt.number for receipt in kept] == [1, 2, 3, 4]
    assert verify_chain(bench.purger.receipts.chain, PUBLIC)[-1].reason == "reset"
    assert bench.link.taken[:3] == bench.purger.receipts.chain[:3]
    bench.close()
