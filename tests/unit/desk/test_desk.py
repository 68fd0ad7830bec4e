"""The desk as its clients know it: what the hub has is there, what is sent goes out once, a lock closes everything."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.desk_bench import PASSPHRASE, enrol, make_desk, opened
from tests.support.desk_hub import POLICY, FakeHub, meta_refusal
from tests.support.desk_samples import contact, conversation, ident, message, until
from wabiz_tui.desk.desk import LocalDesk
from wabiz_tui.desk.enrolment import find_enrolment, get_enrolment
from wabiz_tui.desk.keys import warm
from wabiz_tui.model.clock import SystemClock
from wabiz_tui.model.desk import DeskEvent
from wabiz_tui.model.errors import Denied, Locked, NoKeyStore, NotFound, Revoked, Unreachable, UsageError, WrongKey
from wabiz_tui.model.paths import Paths, paths_under
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.values import Conversation, DeliveryState, Message, Number


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub().serve() as served:
        yield served


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_under(tmp_path / "a home")


@pytest.fixture
async def desk(hub: FakeHub, paths: Paths) -> AsyncIterator[LocalDesk]:
    hub.put(talk(1), contact(1), said(1, 1, "where is my parcel"))
    async with opened(hub, paths) as running:
        yield running


def talk(number: int, **changes: object) -> Conversation:
    now = datetime.now(UTC)
    return conversation(number, **({"last_at": now, "window_until": now + timedelta(hours=23), "unread": 1} | changes))


def said(number: int, of: int, words: str, **changes: object) -> Message:
    return message(number, of, words, **({"sent_at": datetime.now(UTC) - timedelta(minutes=5) + timedelta(seconds=number)} | changes))


async def test_what_the_hub_has_is_at_the_desk(desk: LocalDesk) -> None:
    """After the first sync queue, timeline and search show it, and the status says where it stands."""
    page = await desk.queue("unassigned")
    timeline = await desk.timeline(ident(1))
    status = await desk.status()

    assert [row.id for row in page.rows] == [ident(1)]
    assert [held.content for held in timeline.messages] == [said(1, 1, "where is my parcel").content]
    assert timeline.contact == contact(1)
    assert [hit.message.id for hit in await desk.search("parcel")] == [message(1, 1).id]
    assert (status.locked, status.policy, status.policy_name, status.messages, status.conversations, status.key_store) == (
        False, 1, "Test", 1, 1, "passphrase file",
    )  # fmt: skip
    assert status.lease_until is not None


async def test_where_nothing_is_held_no_purge_is_announced(hub: FakeHub, paths: Paths) -> None:
    """What is of the business alone never falls due: the next purge is unknown, not thousands of years away."""
    hub.put(Number("106540352242922", name="Shop"))
    async with opened(hub, paths) as desk:
        session = desk._session  # pyright: ignore[reportPrivateUsage] what the purger goes by
        assert session is not None
        assert await session.cache.due_since() is None
        assert (await desk.status()).next_purge is None


async def test_changes_are_followed_and_told(hub: FakeHub, desk: LocalDesk) -> None:
    """A message that comes in at the hub is at the desk moments later, and clients hear whose conversation moved."""
    heard: list[DeskEvent] = []

    async def listen() -> None:
        async for event in desk.listen():
            heard.append(event)  # noqa: PERF401 the list is looked at while it grows

    listening = asyncio.create_task(listen())
    await until(lambda: status_is(desk, "online"))
    hub.put(said(2, 1, "hello?"))

    await until(lambda: any(ident(1) in event.conversations for event in heard))
    assert len(await desk.messages(ident(1))) == 2
    listening.cancel()


async def status_is(desk: LocalDesk, link: str) -> bool:
    return (await desk.status()).link == link


async def test_a_sent_text_is_shown_at_once_and_once(hub: FakeHub, desk: LocalDesk) -> None:
    """It is in the timeline as queued when the call returns; when the feed brings the hub's row it is still one message."""
    shown = await desk.send_text(ident(1), "on its way")
    assert shown.delivery is not None
    assert shown.delivery.state is DeliveryState.QUEUED
    assert [held.id for held in await desk.messages(ident(1))][-1] == shown.id

    accepted = await desk.await_accepted(shown.id, timeout=60)
    await desk.sync()

    assert accepted.wamid is not None
    held = await desk.messages(ident(1))
    assert [one.id for one in held] == [message(1, 1).id, accepted.id]
    assert held[-1].key == shown.key
    assert len(hub.sent) == 1
    assert (await desk.status()).outbox == 0


async def test_the_same_key_sends_once_even_after_the_feed_brought_it(hub: FakeHub, desk: LocalDesk) -> None:
    """A script that repeats its command gets the same message and the customer gets one."""
    first = await desk.send_now(ident(1), "once", key="job-7")
    await desk.sync()

    again = await desk.send_now(ident(1), "once", key="job-7")

    assert (again.id, again.wamid) == (first.id, first.wamid)
    assert len(hub.sent) == 1
    with pytest.raises(UsageError):
        await desk.send_now(ident(1), "twice", key="job-7")


async def test_a_closed_window_is_told_before_anything_is_sent(hub: FakeHub, desk: LocalDesk) -> None:
    """The sentence is for the agent; nothing is kept."""
    hub.put(talk(2, window_until=datetime.now(UTC) - timedelta(hours=1)))
    await desk.sync()

    with pytest.raises(Denied, match="24-hour window"):
        await desk.send_text(ident(2), "too late")
    assert (await desk.status()).outbox == 0


async def test_metas_refusal_is_shown_on_the_message(hub: FakeHub, desk: LocalDesk) -> None:
    """A failed message says why and can be tried again as a new one."""
    hub.refuse_send = lambda _: meta_refusal(131026, "Message undeliverable")
    failed = await desk.send_now(ident(1), "hello")
    assert failed.delivery is not None
    assert failed.delivery.state is DeliveryState.FAILED
    assert "delivered" in failed.delivery.sentence

    hub.refuse_send = lambda _: None
    again = await desk.await_accepted((await desk.retry(failed.id)).id, timeout=60)

    assert again.key != failed.key
    assert len(hub.sent) == 1
    await desk.sync()
    assert [held.id for held in await desk.messages(ident(1))] == [message(1, 1).id, again.id]


async def test_triage_goes_to_the_hub_and_is_in_the_cache_when_it_returns(hub: FakeHub, desk: LocalDesk) -> None:
    """Resolve, assign, read: the queue shows it after the call."""
    assert (await desk.assign(ident(1), "me")).assignee == hub.person
    assert (await desk.counts())["mine"] == 1

    resolved = await desk.set_status(ident(1), "resolved", reason="done")

    assert resolved.status == (await desk.conversation(ident(1))).status == "resolved"
    with pytest.raises(UsageError):
        await desk.set_status(ident(1), "finished")
    with pytest.raises(NotFound):
        await desk.set_status(ident(9), "open")


async def test_what_leaves_sight_is_gone(hub: FakeHub, desk: LocalDesk) -> None:
    """A removal takes the conversation out of every answer."""
    hub.remove(talk(1))
    await desk.sync()

    assert await desk.conversations() == []
    with pytest.raises(NotFound):
        await desk.messages(ident(1))


async def test_drafts_are_kept_through_lock_and_restart(hub: FakeHub, paths: Paths, desk: LocalDesk) -> None:
    """What was being written is there after the desk was locked and opened again."""
    await desk.save_draft(ident(1), "half a sen")
    await desk.lock()
    await desk.unlock(Secret(PASSPHRASE.reveal()))

    draft = await desk.draft(ident(1))

    assert draft is not None
    assert draft.text == "half a sen"


async def test_a_locked_desk_answers_nothing_and_keeps_no_key(desk: LocalDesk, paths: Paths) -> None:
    """After a lock every call for content is refused, the kernel has no key, and opening takes the right passphrase."""
    await desk.lock()

    for call in (desk.queue(), desk.messages(ident(1)), desk.search("x"), desk.draft(ident(1)), desk.send_text(ident(1), "x"), desk.sync()):
        with pytest.raises(Locked):
            await call
    assert (await desk.status()).locked
    assert warm.find(get_enrolment(paths).device, now=datetime.now(UTC)) is None
    with pytest.raises(NoKeyStore):
        await desk.unlock()
    with pytest.raises(WrongKey):
        await desk.unlock(Secret("wrong"))
    await desk.unlock(Secret(PASSPHRASE.reveal()))
    assert len(await desk.conversations()) == 1


def warm_refusal() -> str | None:
    from wabiz_tui.desk.keys import kernel

    return kernel.refusal()


needs_kernel = pytest.mark.skipif(warm_refusal() is not None, reason=f"no kernel keyring here: {warm_refusal()}")


@needs_kernel
async def test_a_restart_within_the_lease_needs_neither_hub_nor_person(paths: Paths) -> None:
    """With the hub gone a new desk opens from the kernel's keys, shows the cache, says so, and keeps what is sent until it is back."""
    hub = FakeHub()
    with hub.serve():
        hub.put(talk(1), said(1, 1, "hello"))
        async with opened(hub, paths):
            pass
    port = int(hub.url.rpartition(":")[2])
    desk = make_desk(paths)
    await desk.begin()
    await until(lambda: status_is(desk, "offline"))

    status = await desk.status()
    assert not status.locked
    assert "does not answer" in status.notice
    assert len(await desk.messages(ident(1))) == 1
    with pytest.raises(Unreachable, match="nothing is kept"):
        await desk.send_now(ident(1), "now or never")
    queued = await desk.send_now(ident(1), "later will do", queue=True)
    assert (await desk.status()).outbox == 1

    with hub.serve(port):
        sent = await desk.await_accepted(queued.id, timeout=60)
        assert sent.wamid is not None
        assert len(hub.sent) == 1
        await desk.close()


@needs_kernel
async def test_the_lease_ends(hub: FakeHub, paths: Paths) -> None:
    """A desk started after the lease by its own clock finds no keys, even though the kernel's time is not over."""
    async with opened(hub, paths):
        pass
    late = make_desk(paths, clock=SystemClock(timedelta(hours=9)))

    await late.begin()

    assert (await late.status()).locked
    await late.close()


@needs_kernel
async def test_a_lease_of_nothing_is_never_warm(hub: FakeHub, paths: Paths) -> None:
    """Policy lease 0: a restart needs hub and passphrase."""
    hub.lease = 0
    async with opened(hub, paths):
        pass
    again = make_desk(paths)

    await again.begin()

    assert (await again.status()).locked
    await again.close()


async def test_without_hub_and_keys_one_sentence_says_so(paths: Paths) -> None:
    """The right passphrase alone opens nothing."""
    hub = FakeHub()
    with hub.serve():
        await enrol(hub, paths)
    desk = make_desk(paths)

    with pytest.raises(Unreachable, match="lease"):
        await desk.unlock(Secret(PASSPHRASE.reveal()))
    await desk.close()


async def test_a_revoked_desk_destroys_what_it_has(hub: FakeHub, paths: Paths, desk: LocalDesk) -> None:
    """Within moments the files and keys are gone, and every further call says why."""
    await until(lambda: status_is(desk, "online"))
    hub.revoke(get_enrolment(paths).device)

    await until(lambda: status_is(desk, "revoked"))
    await until(lambda: is_marked_revoked(paths))
    assert not list(paths.cache.glob("cache-*"))
    assert not list(paths.data.glob("outbox*"))
    assert not (paths.data / "local-secret.json").exists()
    with pytest.raises(Revoked):
        await desk.conversations()
    with pytest.raises(Revoked):
        get_enrolment(paths)


def is_marked_revoked(paths: Paths) -> bool:
    known = find_enrolment(paths)
    return known is not None and known.revoked


async def test_an_idle_desk_locks_itself(hub: FakeHub, paths: Paths) -> None:
    """By the policy's idle time, counted from the last thing a person did."""
    hub.set_policy(POLICY + 'idle_lock = "1s"\n')
    async with opened(hub, paths) as desk:
        await until(lambda: is_locked(desk))

        with pytest.raises(Locked):
            await desk.counts()


async def is_locked(desk: LocalDesk) -> bool:
    return (await desk.status()).locked


async def test_a_damaged_cache_is_filled_again(hub: FakeHub, paths: Paths) -> None:
    """A file that cannot be read is set aside and destroyed; the desk says so, has everything again, and the drafts too."""
    hub.put(talk(1), said(1, 1, "hello"))
    async with opened(hub, paths) as desk:
        await desk.save_draft(ident(1), "kept")
        await desk.lock()
    (file,) = paths.cache.glob("cache-*.db")
    file.write_bytes(b"\x00" * 4096 + file.read_bytes()[4096:])

    async with opened(hub, paths) as desk:
        status = await desk.status()
        assert "filled again" in status.notice
        assert len(await desk.messages(ident(1))) == 1
        draft = await desk.draft(ident(1))
        assert draft is not None
        assert draft.text == "kept"
    assert [path.name for path in paths.cache.glob("cache-*.db")] == ["cache-2.db"]
    assert not list(paths.cache.glob("damaged*"))


async def test_a_clock_set_back_brings_nothing_back(hub: FakeHub, paths: Paths) -> None:
    """What had expired for an earlier run stays expired for a later one with an earlier clock."""
    hub.put(talk(1), said(1, 1, "old"))
    async with opened(hub, paths, clock=SystemClock(timedelta(days=15))) as desk:
        assert (await desk.status()).messages == 0
        hub.put(said(2, 1, "older than the window by the later clock"))
        await desk.sync()

    async with opened(hub, paths) as desk:
        assert (await desk.status()).messages == 0


async def test_a_policy_of_somebody_else_is_not_obeyed(hub: FakeHub, paths: Paths, desk: LocalDesk) -> None:
    """A policy that the enrolled hub's key did not sign changes nothing and is told."""
    forger = FakeHub()
    forger.set_policy(POLICY.replace("14d", "99d"))
    hub.tell_policy(forger.signed)

    await until(lambda: status_is(desk, "refused"))
    status = await desk.status()

    assert status.policy == 1
    assert "signature" in status.notice
