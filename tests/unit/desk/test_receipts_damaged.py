"""A damaged file of receipts keeps nobody from their work, loses no receipt that anybody still has, and never forks the chain."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.desk_bench import PASSPHRASE, opened
from tests.support.desk_hub import FakeHub
from tests.support.desk_purger import PUBLIC, PurgeBench
from tests.support.desk_samples import NOON, StillClock, conversation, ident, item, message, until
from wabiz_tui.desk.purge.receipts import DAMAGED, NAME, Receipts
from wabiz_tui.model.errors import DamagedStore, Unreachable, WabizError
from wabiz_tui.model.paths import paths_under
from wabiz_tui.model.wire import SignedReceipt
from wabiz_tui.proof.receipts import parse_receipts, verify_chain

POLICY = 'name = "T"\n[cache]\nwindow = "14d"\npurge_within = "15m"\n'


def _first_spoilt(lines: list[bytes]) -> list[bytes]:
    return [b"\x00" * len(lines[0]), *lines[1:]]


def _middle_spoilt(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[1][: len(lines[1]) // 2], *lines[2:]]


def _last_spoilt(lines: list[bytes]) -> list[bytes]:
    return [*lines[:-1], b"\xff" + lines[-1]]


def _nothing_readable(lines: list[bytes]) -> list[bytes]:
    return [b"\x00" * 4096 for _ in lines]


@pytest.fixture
async def bench(tmp_path: Path) -> PurgeBench:
    made = PurgeBench(tmp_path / "home", POLICY, StillClock())
    await made.apply([item(conversation(1)), item(message(1, 1, "kept", sent_at=NOON - timedelta(hours=1)))])
    return made


def _spoil(bench: PurgeBench, how: Callable[[list[bytes]], list[bytes]]) -> list[bytes]:
    """The lines as they were; the receipts are read again, as at the next start."""
    file = bench.home / "data" / NAME
    lines = file.read_bytes().splitlines()
    file.write_bytes(b"".join(line + b"\n" for line in how(lines)))
    bench.purger.receipts = Receipts(bench.home / "data", device=ident(5), tenant="1")
    return lines


@pytest.mark.parametrize("how", [_first_spoilt, _middle_spoilt, _last_spoilt, _nothing_readable])
async def test_what_was_delivered_is_taken_from_the_hub_again_and_the_chain_goes_on(
    bench: PurgeBench, how: Callable[[list[bytes]], list[bytes]]
) -> None:
    """The file is whole afterwards, the damaged one lies beside it, and the next receipt follows the last, once, here and at the hub."""
    for _ in range(3):
        await bench.purger.purge("asked")
        await bench.purger.deliver()
    lines = _spoil(bench, how)
    spoilt = (bench.home / "data" / NAME).read_bytes()

    await bench.purger.deliver()

    assert (bench.home / "data" / NAME).read_bytes().splitlines() == lines
    assert (bench.home / "data" / DAMAGED).read_bytes() == spoilt
    assert "put right" in bench.purger.notice
    await bench.purger.purge("asked")
    await bench.purger.deliver()
    assert [receipt.number for receipt in verify_chain(bench.link.taken, PUBLIC)] == [1, 2, 3, 4]
    assert bench.purger.receipts.chain == bench.link.taken == parse_receipts((bench.home / "data" / NAME).read_bytes())
    bench.close()


async def test_what_the_hub_never_got_is_delivered_where_it_can_be_read(bench: PurgeBench) -> None:
    """Two receipts behind the damaged one wait for delivery: they follow what the hub has, and reach it."""
    await bench.purger.purge("asked")
    await bench.purger.purge("asked")
    await bench.purger.deliver()
    delivered = list(bench.link.taken)
    await _without_delivery(bench, 2)
    lines = _spoil(bench, _middle_spoilt)

    await bench.purger.deliver()

    assert bench.link.taken[: len(delivered)] == delivered
    assert [receipt.number for receipt in verify_chain(bench.link.taken, PUBLIC)] == [1, 2, 3, 4]
    assert (bench.home / "data" / NAME).read_bytes().splitlines() == lines
    bench.close()


async def test_nothing_is_signed_while_the_hub_cannot_say_how_the_chain_goes(bench: PurgeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was destroyed meanwhile is signed for once the hub answers; the damaged file stays as it is until then."""
    await bench.purger.purge("asked")
    await bench.purger.purge("asked")
    await bench.purger.deliver()
    _spoil(bench, _last_spoilt)
    spoilt = (bench.home / "data" / NAME).read_bytes()

    async def cut_off(_device: str) -> list[SignedReceipt]:
        raise Unreachable("The hub cannot be reached.")

    with monkeypatch.context() as patched:
        patched.setattr(bench.link, "receipts", cut_off)
        with pytest.raises(Unreachable, match="is damaged; it is put right"):
            await bench.purger.purge("asked")
        await bench.purger.deliver()
        assert "as soon as the hub can be reached" in bench.purger.notice
        assert (bench.home / "data" / NAME).read_bytes() == spoilt
        assert len(bench.link.taken) == 2

    await bench.purger.finish()
    await bench.purger.deliver()
    assert [receipt.epoch for receipt in verify_chain(bench.link.taken, PUBLIC)] == [1, 2, 3]
    bench.close()


async def test_a_lying_hubs_chain_is_not_taken_over(bench: PurgeBench) -> None:
    """A chain that this device did not sign mends nothing: the file stays damaged, and nothing is signed after it."""
    await bench.purger.purge("asked")
    await bench.purger.purge("asked")
    await bench.purger.deliver()
    _spoil(bench, _first_spoilt)
    bench.link.taken.reverse()

    await bench.purger.deliver()

    assert bench.purger.receipts.is_damaged
    assert not (bench.home / "data" / DAMAGED).exists()
    bench.close()


async def test_a_desk_with_a_damaged_file_opens_and_mends_it(tmp_path: Path) -> None:
    """The agent reads on at once; the receipts are whole when the hub was asked."""
    paths = paths_under(tmp_path / "home")
    with FakeHub().serve() as hub:
        hub.put(conversation(1, last_at=NOON), message(1, 1, "held", sent_at=NOON))
        async with opened(hub, paths) as desk:
            await desk.purge()
            chain = await desk.receipts()
            await desk.lock()
            (paths.data / NAME).write_bytes(b"\x00" * 512 + b"\n")

            await desk.unlock(PASSPHRASE)

            async def is_whole() -> bool:
                return await desk.receipts() == chain

            await until(is_whole)
            assert parse_receipts((paths.data / NAME).read_bytes()) == chain


@pytest.mark.parametrize("what", ["a pipe", "a folder", "a link"])
def test_what_is_no_file_is_named_and_never_waited_for(tmp_path: Path, what: str) -> None:
    """A pipe would keep the desk for ever, and a link could name anybody's file."""
    place = tmp_path / NAME
    match what:
        case "a pipe":
            os.mkfifo(place)
        case "a folder":
            place.mkdir()
        case _:
            place.symlink_to(tmp_path / "another")
    with pytest.raises(DamagedStore, match=f"is {what} and no file") as raised:
        Receipts(tmp_path, device=ident(5), tenant="1")
    assert isinstance(raised.value, WabizError)


async def _without_delivery(bench: PurgeBench, count: int) -> None:
    sent = bench.link.send_receipt

    async def cut_off(_signed: SignedReceipt) -> None:
        raise Unreachable("The hub cannot be reached.")

    bench.link.send_receipt = cut_off  # type: ignore[method-assign]
    for _ in range(count):
        await bench.purger.purge("asked")
    bench.link.send_receipt = sent  # type: ignore[method-assign]
