"""The purge: no trace of what is destroyed, no key that opens a copy of it, and one readable state whenever it is killed."""

import asyncio
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.desk_bench import COLD, CONFIG, PASSPHRASE, opened
from tests.support.desk_forensics import holds, pages
from tests.support.desk_hub import POLICY, FakeHub
from tests.support.desk_samples import contact, conversation, ident, message, until
from wabiz_tui.desk.cache.driver import open_connection
from wabiz_tui.desk.desk import LocalDesk
from wabiz_tui.desk.enrolment import get_enrolment, open_bundle
from wabiz_tui.desk.keys import kernel, warm
from wabiz_tui.desk.purge.receipts import NAME
from wabiz_tui.desk.purge.shelf import Shelf
from wabiz_tui.desk.purge.successor import Successor
from wabiz_tui.model.clock import SystemClock
from wabiz_tui.model.codec import decode
from wabiz_tui.model.errors import StoreFull, Unreachable, WabizError, WrongKey
from wabiz_tui.model.paths import Paths, paths_under
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.values import Conversation, Message
from wabiz_tui.model.wire import Receipt
from wabiz_tui.proof.armour import from_base64
from wabiz_tui.proof.derivation import cache_key
from wabiz_tui.proof.receipts import verify_chain

DUE, KEPT = "Zanzibarcloves", "Reykjavikwool"


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub().serve() as served:
        yield served


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_under(tmp_path / "a home")


def talk(number: int, **changes: object) -> Conversation:
    now = datetime.now(UTC)
    return conversation(number, **({"last_at": now, "window_until": now + timedelta(hours=23)} | changes))


def fill(hub: FakeHub, *, due_after: timedelta = timedelta(days=13, hours=12)) -> list[Message]:
    """Two conversations; the messages of the first fall due in half a day, those of the second in a fortnight."""
    now = datetime.now(UTC)
    old = [message(number, 1, f"{DUE} {number}", sent_at=now - due_after + timedelta(seconds=number)) for number in range(40)]
    new = [message(number, 2, f"{KEPT} {number}", sent_at=now + timedelta(seconds=number)) for number in range(100, 140)]
    hub.put(contact(1), contact(2), talk(1, last_at=now - due_after, preview=f"{DUE} 39"), talk(2, preview=f"{KEPT} 139"), *old, *new)
    return old


def key_of(desk: LocalDesk) -> bytes:
    session = desk._session
    assert session is not None
    return session.vault.keys[session.cache.epoch].reveal()


def everything(paths: Paths) -> list[Path]:
    return [path for path in (*paths.cache.iterdir(), *paths.data.iterdir()) if ".db" in path.name]


async def test_the_examiner_sees_what_is_there(hub: FakeHub, paths: Paths) -> None:
    """Before the purge the words are found with the key: the examination itself works."""
    fill(hub)
    async with opened(hub, paths) as desk:
        assert holds(paths.cache / "cache-1.db", key_of(desk), DUE)
        assert holds(paths.cache / "cache-1.db", key_of(desk), KEPT)


async def test_a_purge_leaves_no_trace_in_any_page(hub: FakeHub, paths: Paths) -> None:
    """Every page of every file and log, decrypted, is free of the purged words; what stays is there and found."""
    clock = SystemClock()
    fill(hub)
    async with opened(hub, paths, clock=clock) as desk:
        hub.ahead = clock.ahead = timedelta(days=1)
        outcome = await desk.purge()

        assert outcome.removed == 40
        assert sorted(path.name for path in paths.cache.glob("*.db*")) == ["cache-2.db", "cache-2.db-shm", "cache-2.db-wal"]
        assert not holds(paths.cache / "cache-2.db", key_of(desk), DUE)
        assert holds(paths.cache / "cache-2.db", key_of(desk), KEPT)
        assert len(await desk.messages(ident(2))) == 40
        assert await desk.messages(ident(1)) == []
        assert len(await desk.search(KEPT)) == 40


async def test_the_words_of_a_sent_message_leave_the_outbox_too(hub: FakeHub, paths: Paths) -> None:
    """Neither outbox nor its log holds the words of what was sent and settled, nor of a draft that was discarded."""
    hub.put(talk(1))
    async with opened(hub, paths) as desk:
        await desk.save_draft(ident(1), DUE)
        sent = await desk.send_now(ident(1), DUE)
        await desk.save_draft(ident(1), "")
        await desk.sync()
        assert (await desk.messages(ident(1)))[-1].id == sent.id

        await desk.purge()

        session = desk._session
        assert session is not None
        assert session.vault.outbox is not None
        assert not holds(paths.data / "outbox.db", session.vault.outbox.reveal(), DUE)


async def test_a_copy_from_before_opens_with_nothing_that_exists(hub: FakeHub, paths: Paths, tmp_path: Path) -> None:
    """Share destroyed at the hub, kernel entry of the new epoch only, and key store with passphrase derive other keys."""
    fill(hub)
    copy = tmp_path / "copy.db"
    async with opened(hub, paths) as desk:
        shutil.copy(paths.cache / "cache-1.db", copy)
        lost_key = Secret(key_of(desk))
        open_connection(copy, lost_key, is_reader=True).close()
        await desk.purge()

        enrolment = get_enrolment(paths)
        device = hub.devices[enrolment.device]
        assert sorted(device.shares) == [2]
        kept = warm.find(enrolment.device, now=datetime.now(UTC))
        assert kernel.refusal() is not None or (kept is not None and sorted(kept.epochs) == [2])
        bundle = await open_bundle(enrolment, paths=paths, config=COLD, passphrase=PASSPHRASE, now=datetime.now(UTC))
        halves = [Secret(device.shares[2]), Secret(device.outbox_share), Secret(bytes(32))]
        who = {"cache_id": enrolment.cache_id, "agent": enrolment.person, "device": enrolment.device}
        derived = [cache_key(bundle.local, half, **who, epoch=epoch) for half in halves for epoch in range(4)]
        for key in (*derived, *(kept.epochs.values() if kept else ()), bundle.local, bundle.seed, *halves):
            assert key != lost_key
            with pytest.raises(WrongKey):
                open_connection(copy, key, is_reader=True)


async def test_the_receipt_counts_names_nobody_and_verifies(hub: FakeHub, paths: Paths) -> None:
    """Signed by the device, chained, recorded at the hub; it holds counts and no id, name or word."""
    fill(hub)
    clock = SystemClock()
    async with opened(hub, paths, clock=clock) as desk:
        hub.ahead = clock.ahead = timedelta(days=1)
        await desk.purge()
        await desk.purge()
        chain = await desk.receipts()
        enrolment = get_enrolment(paths)

        first, *others = verify_chain(chain, from_base64(enrolment.public_key, size=32, what="key"))

        assert (first.epoch, first.next_epoch, first.policy) == (1, 2, 1)
        assert (first.removed.messages, first.kept.messages, first.kept.conversations) == (40, 40, 2)
        # The desk may have begun by itself in the moment the clock moved; then there is one more.
        assert {(later.removed.messages, later.kept.messages) for later in others} == {(0, 40)}
        assert hub.devices[enrolment.device].receipts == chain
        text = "".join(signed.receipt for signed in chain)
        assert not any(word in text for word in (DUE, "Customer", ident(1), message(1, 1).id))
        assert (paths.data / NAME).stat().st_mode & 0o777 == 0o600


async def test_what_falls_due_is_destroyed_by_itself(hub: FakeHub, paths: Paths) -> None:
    """A third of the policy's time after the first row fell due, by the desk's own time, without anybody asking."""
    hub.set_policy(POLICY + 'purge_within = "3s"\n')
    now = datetime.now(UTC).replace(microsecond=0)
    due = now + timedelta(hours=1)
    hub.put(talk(1, last_at=now), message(1, 1, DUE, sent_at=due - timedelta(days=14)))
    clock = SystemClock()
    async with opened(hub, paths, clock=clock) as desk:
        assert (await desk.status()).messages == 1
        # Once it has planned the purge it waits for nothing but the time.
        await until(lambda: planned(desk, due + timedelta(seconds=1)))
        hub.ahead = clock.ahead = timedelta(hours=1)
        # A desk that slept while its clock was moved looks at the clock again with the next thing it hears.
        hub.put(message(2, 1, KEPT, sent_at=hub.now()))

        await until(lambda: purged(desk, "due"))

        assert (await desk.status()).epoch == 2
        (signed,) = await desk.receipts()
        assert decode(signed.receipt, Receipt).started_at >= due + timedelta(seconds=1)


async def planned(desk: LocalDesk, at: datetime) -> bool:
    return (await desk.status()).next_purge == at


async def purged(desk: LocalDesk, reason: str) -> bool:
    return [decode(signed.receipt, Receipt).reason for signed in await desk.receipts()] == [reason]


async def test_a_tighter_policy_destroys_at_once(hub: FakeHub, paths: Paths) -> None:
    """The moment the policy arrives the rows vanish, and the rebuild follows without waiting its time."""
    fill(hub)
    async with opened(hub, paths) as desk:
        hub.set_policy(POLICY.replace("14d", "10d"))

        await until(lambda: purged(desk, "policy"))

        assert (await desk.status()).policy == 2
        assert not holds(paths.cache / "cache-2.db", key_of(desk), DUE)


async def test_a_looser_policy_brings_back_what_the_hub_still_has(hub: FakeHub, paths: Paths) -> None:
    """What was left out under the old policy is fetched under the new one."""
    fill(hub, due_after=timedelta(days=20))
    async with opened(hub, paths) as desk:
        assert await count(desk, 0)
        hub.set_policy(POLICY.replace("14d", "30d"))

        await until(lambda: count(desk, 40))


async def count(desk: LocalDesk, wanted: int) -> bool:
    """Whether the cache itself holds that many messages of the conversation; `messages` would also tell what is older than it."""
    held = await desk._read(lambda cache: cache.messages(ident(1)))  # pyright: ignore[reportPrivateUsage] the claim is about the cache
    return len(held) == wanted


async def test_resolving_destroys_when_the_policy_says_so(hub: FakeHub, paths: Paths) -> None:
    """With after_resolve at nothing, a resolved conversation leaves the machine at once."""
    hub.set_policy(POLICY.replace('after_resolve = "24h"', 'after_resolve = "0s"'))
    hub.put(talk(1), message(1, 1, DUE, sent_at=datetime.now(UTC)))
    async with opened(hub, paths) as desk:
        await desk.set_status(ident(1), "resolved")

        await until(lambda: purged(desk, "resolved"))

        assert await desk.conversations() == []
        assert not holds(paths.cache / "cache-2.db", key_of(desk), DUE)


async def test_what_is_taken_from_sight_is_destroyed(hub: FakeHub, paths: Paths) -> None:
    """A removal in the feed is followed by a rebuild that leaves no trace of what was removed."""
    fill(hub)
    async with opened(hub, paths) as desk:
        hub.remove(talk(1))

        await until(lambda: purged(desk, "removed"))

        assert [held.id for held in await desk.conversations()] == [ident(2)]
        assert not holds(paths.cache / "cache-2.db", key_of(desk), DUE)


async def test_what_is_removed_while_the_purger_looks_goes_at_once(hub: FakeHub, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """A removal that arrives between a look into the cache and its answer is not taken for one that was looked at."""
    fill(hub)
    async with opened(hub, paths) as desk:
        session = desk._session
        assert session is not None
        looked, goes_on, look = asyncio.Event(), asyncio.Event(), session.purger._due_since

        async def slow_look() -> datetime | None:
            found = await look()
            looked.set()
            await goes_on.wait()
            return found

        monkeypatch.setattr(session.purger, "_due_since", slow_look)
        session.purger.look_again()
        await looked.wait()
        hub.remove(talk(1))
        await until(lambda: session.purger._hurried == "removed")
        goes_on.set()

        await until(lambda: purged(desk, "removed"), within=20)


async def test_a_rebuild_that_fails_is_not_tried_again_at_every_change(hub: FakeHub, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy day with a full disk each message would else begin one; what hurried is still first when its time has come."""
    fill(hub)
    async with opened(hub, paths) as desk:
        session = desk._session
        assert session is not None
        purger, tries = session.purger, list[str]()

        async def due() -> datetime:
            return datetime.now(UTC)

        async def full(reason: str) -> None:
            tries.append(reason)
            raise StoreFull("No room.")

        monkeypatch.setattr(purger, "_due_since", due)
        monkeypatch.setattr(purger, "purge", full)
        purger.look_again("removed")
        await until(lambda: "No room" in purger.notice)
        for _ in range(20):
            purger.look_again()
            await asyncio.sleep(0.005)
        assert tries == ["removed"]

        monkeypatch.setattr(purger, "_not_before", None)
        purger.look_again()
        await until(lambda: len(tries) > 1)
        assert tries[1] == "removed"


async def test_a_lock_destroys_what_is_due(hub: FakeHub, paths: Paths) -> None:
    """Before the keys go, what the policy no longer allows goes."""
    fill(hub)
    clock = SystemClock()
    async with opened(hub, paths, clock=clock) as desk:
        await until(lambda: is_online(desk))
        hub.ahead = clock.ahead = timedelta(days=1)
        await desk.lock()

        assert [path.name for path in paths.cache.glob("cache-*.db")] == ["cache-2.db"]
        told = [decode(signed.receipt, Receipt) for signed in hub.devices[get_enrolment(paths).device].receipts]
        # The desk may have begun by itself in the moment the clock moved; then the lock waits for that, and hands the receipt in.
        assert [(receipt.epoch, receipt.removed.messages) for receipt in told] == [(1, 40)]


async def is_online(desk: LocalDesk) -> bool:
    return (await desk.status()).link == "online"


async def test_a_start_destroys_what_fell_due_meanwhile(hub: FakeHub, paths: Paths) -> None:
    """A machine that was off for days shows nothing due, and rebuilds first thing."""
    fill(hub)
    async with opened(hub, paths):
        pass
    hub.ahead = timedelta(days=1)

    async with opened(hub, paths, clock=SystemClock(timedelta(days=1))) as desk:
        assert await desk.messages(ident(1)) == []
        await until(lambda: purged(desk, "start"))


async def test_offline_what_is_due_is_hidden_and_waits(paths: Paths) -> None:
    """Without the hub there is no next key: the rows are invisible, the status says what waits, and it is done when the hub is back."""
    hub = FakeHub()
    clock = SystemClock()
    with hub.serve():
        fill(hub)
        desk_context = opened(hub, paths, config=CONFIG, clock=clock)
        desk = await desk_context.__aenter__()
    port = int(hub.url.rpartition(":")[2])
    # Within the lease, but past the end of the first messages.
    session = desk._session
    assert session is not None
    clock.ahead = hub.ahead = timedelta(days=1)
    session.vault.lease_until = datetime.now(UTC) + timedelta(days=2)
    session.purger.look_again("start")

    await until(lambda: says(desk, "hidden already"))
    assert await desk.messages(ident(1)) == []
    with pytest.raises(Unreachable):
        await desk.purge()

    with hub.serve(port):
        session.purger.look_again("start")
        await until(lambda: purged(desk, "start"), within=60)
        await desk_context.__aexit__(None, None, None)


async def says(desk: LocalDesk, words: str) -> bool:
    return words in (await desk.status()).notice


@pytest.mark.parametrize("step", ["after begin_epoch", "after rebuild", "after rename", "after destroying the file", "after the receipt"])
async def test_a_kill_at_any_step_leaves_one_readable_state(hub: FakeHub, paths: Paths, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Started again, the desk has all that is kept, shows nothing that was due, and the chain has one receipt for the epoch."""
    fill(hub)
    clock = SystemClock()
    async with opened(hub, paths, config=COLD, clock=clock) as desk:
        hub.ahead = clock.ahead = timedelta(days=1)
        with monkeypatch.context() as patched:
            _kill_at(step, patched)
            with pytest.raises(_Killed):
                await desk.purge()
        # What a kill leaves on the disk is what is there now: nothing more is written by this desk.
        await desk._session.drop()  # type: ignore[union-attr]
        desk._session = None

    async with opened(hub, paths, config=COLD, clock=SystemClock(timedelta(days=1))) as again:
        await until(lambda: has_one_whole_file(again, paths))

        assert len(await again.messages(ident(2))) == 40
        assert await again.messages(ident(1)) == []
        chain = await again.receipts()
        receipts = verify_chain(chain, from_base64(get_enrolment(paths).public_key, size=32, what="key"))
        assert [receipt.epoch for receipt in receipts] == list(range(1, len(receipts) + 1))
        assert receipts[0].removed.messages == 40
        await until(lambda: hub.devices[get_enrolment(paths).device].receipts == chain)
        assert not holds(paths.cache / f"cache-{receipts[-1].next_epoch}.db", key_of(again), DUE)
        assert 1 not in hub.devices[get_enrolment(paths).device].shares


class _Killed(Exception):
    """Stands for the end of the process."""


def _kill_at(step: str, patched: pytest.MonkeyPatch) -> None:
    def die(*_: object, **__: object) -> None:
        raise _Killed

    match step:
        case "after begin_epoch":
            patched.setattr(Successor, "fill", die)
        case "after rebuild":
            patched.setattr(Shelf, "publish", die)
        case "after rename":
            patched.setattr(Shelf, "destroy_up_to", die)
        case "after destroying the file":
            patched.setattr("wabiz_tui.desk.purge.receipts.append_private", die)
        case _:
            patched.setattr("wabiz_tui.desk.cache.store.Cache.forget_pending_receipt", die)


async def has_one_whole_file(desk: LocalDesk, paths: Paths) -> bool:
    return len(await desk.receipts()) > 0 and len(list(paths.cache.glob("cache-*.db"))) == 1 and not list(paths.cache.glob("*.part*"))


async def test_an_epoch_the_hub_has_ended_starts_empty_with_the_outbox_saved(hub: FakeHub, paths: Paths) -> None:
    """An overdue device finds its key destroyed: it begins anew from the feed, drafts kept, and says so."""
    fill(hub)
    async with opened(hub, paths, config=COLD) as desk:
        await desk.save_draft(ident(1), "kept")
    device = hub.devices[get_enrolment(paths).device]
    device.shares = {2: bytes(range(32))}
    device.epoch = 2

    async with opened(hub, paths, config=COLD) as desk:
        status = await desk.status()
        assert status.epoch == 2
        assert "ended this cache's key" in status.notice
        assert len(await desk.messages(ident(1))) == 40
        draft = await desk.draft(ident(1))
        assert draft is not None
        assert await purged(desk, "reset")
        assert [path.name for path in paths.cache.glob("cache-*.db")] == ["cache-2.db"]


async def test_a_full_disk_keeps_the_old_cache(hub: FakeHub, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rebuild that cannot be written changes nothing: the cache stays readable, and the next purge succeeds."""
    fill(hub)
    async with opened(hub, paths) as desk:
        with monkeypatch.context() as patched:

            def full(self: Shelf, epoch: int) -> None:
                from wabiz_tui.model.errors import StoreFull

                raise StoreFull("The disk is full.")

            patched.setattr(Shelf, "publish", full)
            with pytest.raises(WabizError, match="full"):
                await desk.purge()

        assert len(await desk.messages(ident(2))) == 40
        assert (await desk.purge()).epoch == 2
        assert len(list(pages(paths.cache / "cache-2.db", key_of(desk)))) > 1


async def test_a_cache_that_may_not_be_on_disk_is_in_memory_only(hub: FakeHub, paths: Paths) -> None:
    """Under `disk = false` no cache file is made; what is there already is destroyed when the policy comes, and the desk works on."""
    fill(hub)
    async with opened(hub, paths) as desk:
        assert list(paths.cache.glob("cache-*.db"))
        hub.set_policy(POLICY + "disk = false\n")

        await until(lambda: purged(desk, "policy"))

        assert not list(paths.cache.glob("cache-*"))
        assert len(await desk.messages(ident(2))) == 40
        assert len(await desk.search(KEPT)) == 40
        assert (await desk.purge()).epoch == 3
        assert len(await desk.messages(ident(2))) == 40

    async with opened(hub, paths) as desk:
        assert len(await desk.messages(ident(2))) == 40
        assert not list(paths.cache.glob("cache-*"))
        hub.set_policy(POLICY)

        await until(lambda: is_on_disk(paths))

        assert len(await desk.messages(ident(2))) == 40


def is_on_disk(paths: Paths) -> bool:
    return bool(list(paths.cache.glob("cache-*.db")))
