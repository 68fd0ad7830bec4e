"""The outbox: durable, in order, never twice, and honest about what it does not know."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.desk_samples import NOON, StillClock, counting_bytes, ident, message, until
from wabiz_tui.desk.cache.letters import Letter, Letters
from wabiz_tui.desk.link.link import Accepted
from wabiz_tui.desk.outbox.outbox import Author, Outbox, as_message
from wabiz_tui.model.desk import Draft
from wabiz_tui.model.errors import CloudError, Conflict, Denied, Revoked, Unreachable, UsageError, WabizError
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.values import Delivery, DeliveryState

KEY = Secret(b"o" * 32)
NUMBER = "106540352242922"


class Post:
    """The gateway as the outbox sees it: remembers each key's answer, and fails as told."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.failures: list[WabizError] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, letter: Letter) -> Accepted:
        assert letter.content is not None
        self.asked.append(letter.content.text)
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        return Accepted((f"wamid.{letter.key}", ident(int(letter.key[-6:], 16))))


def never_left() -> Unreachable:
    error = Unreachable("offline")
    error.__cause__ = CloudError("refused", is_transient=True)
    return error


def cut() -> Unreachable:
    error = Unreachable("cut")
    error.__cause__ = CloudError("reset", is_uncertain=True)
    return error


class Desk:
    """An outbox with what its parts tell."""

    def __init__(self, path: Path, clock: StillClock, post: Post, random_bytes: Callable[[int], bytes]) -> None:
        self.changed: list[str] = []
        self.refused: list[WabizError] = []
        self.outbox = Outbox(
            Letters(path, KEY), post, author=Author(ident(7), "Kim"), now=clock.now, changed=self.changed.append,
            refused=self.refused.append, random_bytes=random_bytes,
        )  # fmt: skip

    async def write(self, text: str, *, of: int = 1, key: str | None = None, undo: float = 0) -> str:
        return (await self.outbox.write(ident(of), NUMBER, text, key=key, reply_to=None, undo=timedelta(seconds=undo))).id

    async def state(self, identifier: str) -> str:
        letter = await self.outbox.await_left(identifier, timeout=60)
        return letter.state

    async def stop(self) -> None:
        await self.outbox.stop()
        await asyncio.to_thread(self.outbox.letters.close)


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
async def desk(tmp_path: Path, clock: StillClock, post: Post) -> AsyncIterator[Desk]:
    opened = Desk(tmp_path / "outbox.db", clock, post, counting_bytes())
    yield opened
    await opened.stop()


async def test_what_is_written_is_durable_and_shown_as_queued(desk: Desk, tmp_path: Path, clock: StillClock, post: Post) -> None:
    """A desk killed right after the call finds the message again, still to be sent."""
    await desk.write("hello")
    again = Desk(tmp_path / "outbox.db", clock, post, counting_bytes())

    (letter,) = await again.outbox.letters.of_conversation(ident(1))
    shown = as_message(letter)

    assert shown is not None
    assert shown.delivery is not None
    assert (shown.delivery.state, shown.sent_at, shown.author) == (DeliveryState.QUEUED, NOON, ident(7))
    await again.stop()


async def test_an_accepted_message_has_the_hubs_id_and_wamid(desk: Desk) -> None:
    """After the gateway's answer the message carries the ids the hub gave it."""
    identifier = await desk.write("hello")
    desk.outbox.start()

    assert await desk.state(identifier) == "accepted"
    letter = await desk.outbox.letters.find(identifier)
    assert letter is not None
    shown = as_message(letter)
    assert shown is not None
    assert shown.id == letter.message
    assert shown.wamid == f"wamid.{identifier}"
    assert desk.changed == [ident(1), ident(1)]


async def test_order_is_kept_within_a_conversation_one_at_a_time(desk: Desk, post: Post) -> None:
    """The second message of a conversation leaves after the first was answered; other conversations do not wait."""
    post.gate.clear()
    first, second, other = await desk.write("1a"), await desk.write("1b"), await desk.write("2a", of=2)
    desk.outbox.start()
    await until(lambda: len(post.asked) == 2)
    assert sorted(post.asked) == ["1a", "2a"]

    post.gate.set()

    assert [await desk.state(letter) for letter in (first, second, other)] == ["accepted"] * 3
    assert [text for text in post.asked if text != "2a"] == ["1a", "1b"]


async def test_the_same_key_is_the_same_message(desk: Desk) -> None:
    """Written twice under one key it is one message; other words under it are refused."""
    first = await desk.write("hello", key="k-000001")

    assert await desk.write("hello", key="k-000001") == first
    with pytest.raises(UsageError):
        await desk.write("other", key="k-000001")


async def test_a_desk_killed_while_sending_asks_again_under_the_same_key(desk: Desk, tmp_path: Path, clock: StillClock, post: Post) -> None:
    """The letter was marked before it left, so the next desk repeats it, and nobody can take it back any more."""
    post.gate.clear()
    identifier = await desk.write("hello")
    desk.outbox.start()
    await until(lambda: post.asked)
    await desk.outbox.stop()
    post.gate.set()

    again = Desk(tmp_path / "outbox.db", clock, post, counting_bytes())
    (letter,) = await again.outbox.letters.all_open()
    assert letter.state == "sending"
    assert not await again.outbox.recall(identifier)
    again.outbox.start()

    assert await again.state(identifier) == "accepted"
    assert post.asked == ["hello", "hello"]
    assert (await again.outbox.letters.find_by_key(identifier)) is not None
    await again.stop()


@pytest.mark.parametrize("failure", [never_left(), CloudError("off shift", http_status=403, code="off_shift")])
async def test_offline_and_off_shift_it_stays_queued_and_goes_when_it_may(desk: Desk, post: Post, failure: WabizError) -> None:
    """What certainly never left waits, can still be taken back, and goes without being asked."""
    post.failures = [failure]
    identifier = await desk.write("hello")
    desk.outbox.start()
    await until(lambda: len(desk.changed) == 2)

    letter = await desk.outbox.letters.find(identifier)
    assert letter is not None
    assert (letter.state, letter.attempts) == ("queued", 0)
    desk.outbox.hurry()

    assert await desk.state(identifier) == "accepted"


@pytest.mark.parametrize("failure", [never_left(), Denied("Your shift is over.", code="off_shift")])
async def test_whoever_waits_behind_a_waiting_message_is_told_at_once(desk: Desk, post: Post, failure: WabizError) -> None:
    """A second message to the same conversation waits no longer than the first, which is asked for again on its behalf."""
    post.failures = [failure] * 100
    first = await desk.write("first")
    desk.outbox.start()
    await desk.outbox.await_left(first, timeout=60, or_silence=True)
    asked = len(post.asked)

    second = await desk.write("second")
    async with asyncio.timeout(20):
        letter = await desk.outbox.await_left(second, timeout=3600, or_silence=True)

    assert letter.state == "queued"
    assert await desk.outbox.why_waiting(letter) is failure
    assert len(post.asked) > asked
    assert set(post.asked) == {"first"}


async def test_what_waited_goes_with_whoever_comes_next(desk: Desk, post: Post) -> None:
    """When the hub answers again, a message behind a resting one sends both, in order, though nobody told the outbox of it."""
    post.failures = [never_left()]
    first = await desk.write("first")
    desk.outbox.start()
    await desk.outbox.await_left(first, timeout=60, or_silence=True)

    second = await desk.write("second")
    letter = await desk.outbox.await_left(second, timeout=20, or_silence=True)

    assert letter.state == "accepted"
    assert post.asked == ["first", "first", "second"]


async def test_a_cut_line_is_asked_again_and_not_taken_back(desk: Desk, post: Post) -> None:
    """What may have arrived is repeated under its key, never dropped."""
    post.failures = [cut()]
    identifier = await desk.write("hello")
    desk.outbox.start()
    await until(lambda: len(desk.changed) == 2)

    assert not await desk.outbox.recall(identifier)
    desk.outbox.hurry()
    assert await desk.state(identifier) == "accepted"


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        (CloudError("closed", graph_code=131047, http_status=400), "failed", 131047),
        (CloudError("who knows", graph_code=131000, http_status=500, is_uncertain=True), "uncertain", 131000),
        (Denied("Not in your hours."), "failed", 0),
    ],
)
async def test_a_refusal_is_told_and_blocks_nobody(desk: Desk, post: Post, error: WabizError, state: str, code: int) -> None:
    """The message shows the reason; the next one of the conversation goes on."""
    post.failures = [error]
    refused, next_ = await desk.write("one"), await desk.write("two")
    desk.outbox.start()

    assert [await desk.state(refused), await desk.state(next_)] == [state, "accepted"]
    letter = await desk.outbox.letters.find(refused)
    assert letter is not None
    assert letter.content is not None
    delivery = letter.content.shown.delivery
    assert delivery is not None
    assert delivery.sentence == error.sentence
    assert (delivery.error.code if delivery.error else 0) == code


async def test_a_retry_is_a_new_attempt(desk: Desk, post: Post) -> None:
    """It has its own key and takes the failed one's place; an accepted message is not retried."""
    post.failures = [CloudError("no", graph_code=131026, http_status=400)]
    failed = await desk.write("hello")
    desk.outbox.start()
    assert await desk.state(failed) == "failed"
    letter = await desk.outbox.letters.find(failed)
    assert letter is not None

    again = await desk.outbox.retry(letter)

    assert again.id != failed
    assert await desk.state(again.id) == "accepted"
    assert [open_.id for open_ in await desk.outbox.letters.all_open()] == [again.id]
    accepted = await desk.outbox.letters.find(again.id)
    assert accepted is not None
    with pytest.raises(Conflict):
        await desk.outbox.retry(accepted)


async def test_a_message_waits_its_undo_time_and_can_be_taken_back(desk: Desk, clock: StillClock, post: Post) -> None:
    """Within the undo time nothing leaves and recall works; after it, it is too late."""
    taken, kept = await desk.write("taken", undo=5), await desk.write("kept", of=2, undo=5)
    desk.outbox.start()

    assert await desk.outbox.recall(taken)
    assert post.asked == []
    clock.pass_(seconds=5)
    desk.outbox.hurry()

    assert await desk.state(kept) == "accepted"
    assert not await desk.outbox.recall(kept)
    assert post.asked == ["kept"]


async def test_what_the_feed_brings_leaves_the_outbox_but_its_key_stays(desk: Desk) -> None:
    """Once the hub has sent it no words remain, and the same key still gives the hub's message instead of a second one."""
    identifier = await desk.write("hello", key="k-000001")
    waiting = message(1, 1, "hello", key="k-000001", delivery=Delivery(DeliveryState.QUEUED))
    await desk.outbox.letters.settle([waiting])
    assert len(await desk.outbox.letters.of_conversation(ident(1))) == 1
    brought = message(1, 1, "hello", key="k-000001", delivery=Delivery(DeliveryState.SENT))
    await desk.outbox.letters.settle([brought])

    assert await desk.outbox.letters.of_conversation(ident(1)) == []
    letter = await desk.outbox.letters.find_by_key("k-000001")
    assert letter is not None
    assert (letter.state, letter.message, letter.content) == ("settled", brought.id, None)
    assert await desk.write("hello", key="k-000001") is not None
    assert (await desk.outbox.letters.find(identifier)) == letter


async def test_a_revoked_device_is_reported_not_retried(desk: Desk, post: Post) -> None:
    """The desk is told; the letter is not marked as anything it is not."""
    post.failures = [Revoked("gone")]
    await desk.write("hello")
    desk.outbox.start()
    await until(lambda: desk.refused)

    assert isinstance(desk.refused[0], Revoked)


async def test_drafts_survive_and_vanish_when_emptied(desk: Desk) -> None:
    """The last text saved is the one found; an empty one leaves no row."""
    await desk.outbox.letters.save_draft(Draft(ident(1), "wor", None, NOON))
    await desk.outbox.letters.save_draft(Draft(ident(1), "words", "wamid.q", NOON))

    assert await desk.outbox.letters.draft(ident(1)) == Draft(ident(1), "words", "wamid.q", NOON)
    await desk.outbox.letters.save_draft(Draft(ident(1), ""))
    assert await desk.outbox.letters.draft(ident(1)) is None
    assert await desk.outbox.letters.count_drafts() == 0


async def test_the_undo_time_ends_with_a_lock(desk: Desk, clock: StillClock, post: Post) -> None:
    """What only its undo time keeps leaves at once and in order, and whoever ends that time waits until it has gone."""
    first, second, other = await desk.write("1a", undo=5), await desk.write("1b", undo=5), await desk.write("2a", of=2, undo=5)
    desk.outbox.start()
    assert post.asked == []

    await desk.outbox.end_undo(60)

    letters = [await desk.outbox.letters.find(letter) for letter in (first, second, other)]
    assert [letter and letter.state for letter in letters] == ["accepted"] * 3
    assert [text for text in post.asked if text != "2a"] == ["1a", "1b"]


async def test_a_lock_waits_for_no_hub_that_does_not_answer(desk: Desk, clock: StillClock, post: Post) -> None:
    """Behind a message that waits for the hub nothing is waited for; nor for an answer beyond the time given."""
    post.failures = [Unreachable("offline")]
    blocked = await desk.write("blocked")
    desk.outbox.start()
    await desk.outbox.await_left(blocked, timeout=60, or_silence=True)
    behind = await desk.write("behind", undo=5)
    async with asyncio.timeout(30):
        await desk.outbox.end_undo(60)
    parked = await desk.outbox.letters.find(behind)

    post.gate.clear()
    unanswered = await desk.write("unanswered", of=2, undo=5)
    async with asyncio.timeout(30):
        await desk.outbox.end_undo(0.2)
    asked = await desk.outbox.letters.find(unanswered)

    assert parked is not None
    assert (parked.state, parked.attempts) == ("queued", 0)
    assert asked is not None
    assert asked.state == "sending"
