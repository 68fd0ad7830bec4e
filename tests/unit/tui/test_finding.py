"""What is found is opened where it stands, and its neighbours in the search are a key away."""

from datetime import timedelta

import pytest

from tests.support import tui_data as still
from tests.support.tui_desk import StillDesk
from tests.support.tui_pilot import Seat, seated
from wabiz_tui.model.content import Text
from wabiz_tui.model.values import Direction, Message
from wabiz_tui.tui.conversation.held import MOST

TALK = still.identity(3)
LONG = 100_000
SHORT = 2000


def desk_with(*needles: int, count: int = SHORT) -> StillDesk:
    """A desk with a conversation of `count` messages, of which those numbered hold the word needle."""
    desk = StillDesk()
    began = still.NOW - timedelta(seconds=count)
    desk.threads[TALK] = [
        Message(
            f"{number + 1:032x}",
            TALK,
            Direction.INCOMING,
            Text(f"The needle {number} is here." if number in needles else f"Message {number}: the box has not come yet."),
            began + timedelta(seconds=number),
            wamid=f"wamid.{number}",
        )
        for number in range(count)
    ]
    return desk


async def find(seat: Seat, words: str = "needle") -> None:
    await seat.press("slash", *words, "enter")


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_a_hit_far_back_opens_where_it_stands(size: tuple[int, int]) -> None:
    """A hit among 100 000 messages is on the screen with the cursor on it and marked, and a few slices of the talk were read for it."""
    async with seated(desk_with(50_000, count=LONG), size=size) as seat:
        await find(seat)
        timeline = seat.inbox.timeline

        assert timeline.current is not None
        assert timeline.current.id == timeline.marked == seat.desk.threads[TALK][50_000].id
        row = next(at for at, row in enumerate(seat.rows()) if "The needle 50000 is here." in row)
        assert size[1] // 4 < row < size[1] * 3 // 4
        assert "Hit 1 of 1." in seat.text()
        assert sum(seat.desk.pages) < 500
        assert len(timeline.messages) <= MOST


async def test_the_mark_goes_and_the_cursor_stays() -> None:
    """After a moment nothing but the cursor shows the message that was found."""
    async with seated(desk_with(1000)) as seat:
        await find(seat)
        seat.inbox.timeline.unmark()
        await seat.settle()

        assert seat.inbox.timeline.current == seat.desk.threads[TALK][1000]


async def test_n_walks_the_hits_until_the_search_is_closed() -> None:
    """n goes to the next hit, N to the one before, both say where the ends are; Esc closes the search, and n means what it always does."""
    async with seated(desk_with(10, 1000, 1990)) as seat:
        await find(seat)
        seen = [_found(seat)]
        for key in ("n", "n", "n", "N"):
            await seat.press(key)
            seen.append(_found(seat))
        await seat.press("N", "N")
        told = seat.text()
        await seat.press("escape")
        talk = seat.inbox.conversation
        await seat.press("n")

        assert seen == [1990, 1000, 10, 10, 1000]
        assert "That was the first hit." in told
        assert talk == TALK
        assert seat.inbox.conversation != TALK


def _found(seat: Seat) -> int:
    current = seat.inbox.timeline.current
    assert current is not None
    assert isinstance(current.content, Text)
    return int(current.content.body.split()[2])


async def test_reading_on_from_a_hit_in_both_directions() -> None:
    """From a hit the talk goes on upwards and downwards as it is read, without a gap, and what was passed does not pile up."""
    async with seated(desk_with(1000), size=(80, 110)) as seat:
        await find(seat)
        thread, timeline = seat.desk.threads[TALK], seat.inbox.timeline
        for _ in range(6):
            await seat.press("pagedown")
        below = timeline.messages
        for _ in range(12):
            await seat.press("pageup")
        above = timeline.messages

        for messages in (below, above):
            at = thread.index(messages[0])
            assert messages == thread[at : at + len(messages)]
            assert len(messages) <= MOST
        assert thread.index(below[-1]) > 1150
        assert thread.index(above[0]) < 850


async def test_the_end_of_the_talk_is_a_key_away_from_a_hit() -> None:
    """G goes from a hit to the newest message, and what arrives is seen there."""
    async with seated(desk_with(1000)) as seat:
        await find(seat)
        await seat.press("G")
        seat.desk.arrive(TALK, "And one more thing.")
        await seat.settle()

        assert "And one more thing." in seat.text()
        assert not seat.inbox.timeline.has_later


async def test_what_arrives_does_not_move_a_hit() -> None:
    """A message that comes while a hit is read leaves the screen as it is and unread."""
    async with seated(desk_with(1000)) as seat:
        await find(seat)
        before = seat.inbox.timeline.top
        seat.desk.arrive(TALK, "And one more thing.")
        await seat.settle()
        await seat.press("k", "j")

        assert seat.inbox.timeline.top == before
        assert "And one more thing." not in "".join(row[39:] for row in seat.rows()[1:-2])
        assert seat.desk.rows[TALK].unread > 0


async def test_an_answer_written_at_a_hit_is_seen() -> None:
    """What is sent from far back shows the end of the talk, where it stands."""
    async with seated(desk_with(1000)) as seat:
        await find(seat)
        await seat.press("i", *"found", "enter")

        assert not seat.inbox.timeline.has_later
        assert "found" in seat.text()


@pytest.mark.parametrize("at", [10, 1000, 1999])
async def test_a_hit_that_was_purged_meanwhile(at: int) -> None:
    """A hit that policy took between the search and the key is told in a sentence; the screen stays where it was."""
    async with seated(desk_with(at)) as seat:
        await seat.press("slash", *"needle")
        del seat.desk.threads[TALK][at]
        await seat.press("enter")

        assert "has left this machine since it was found" in seat.text()
        assert seat.inbox.conversation is None


async def test_a_hit_in_a_conversation_that_was_purged_meanwhile() -> None:
    """So is one whose whole conversation is gone."""
    async with seated(desk_with(10, count=400)) as seat:
        await seat.press("slash", *"needle")
        seat.desk.purge_conversation(TALK)
        await seat.press("enter")

        assert "has left this machine since it was found" in seat.text()
        assert seat.inbox.conversation is None


async def test_a_purge_around_a_hit() -> None:
    """Where policy takes what is shown at a hit, the end of the talk takes its place, with a sentence."""
    async with seated(desk_with(1000)) as seat:
        await find(seat)
        seat.desk.purge_messages(TALK, until=1800)
        await seat.settle()

        assert "What stood here has left this machine" in seat.text()
        assert "needle" not in seat.text()
        assert seat.inbox.timeline.messages == seat.desk.threads[TALK][-len(seat.inbox.timeline.messages) :]


async def test_a_purge_leaves_what_is_read_where_it_stands() -> None:
    """What policy takes from an open talk leaves the screen, with a sentence, and what is left stays in its row with the cursor."""
    desk = desk_with(count=50)
    async with seated(desk, size=(80, 24)) as seat:
        seat.inbox.start(seat.inbox.going.open_talk(TALK))
        await seat.settle()
        await seat.press("pageup", "k", "k")
        current = seat.inbox.timeline.current
        assert current is not None
        row = next(at for at, text in enumerate(seat.rows()) if _words(current) in text)
        taken = desk.threads[TALK].index(current) - 15
        seat.desk.purge_messages(TALK, until=taken)
        await seat.settle()

        assert seat.inbox.timeline.current == current
        assert next(at for at, text in enumerate(seat.rows()) if _words(current) in text) == row
        assert seat.inbox.timeline.messages == desk.threads[TALK]
        assert f"{taken} messages left this machine, as policy demands." in seat.text()


async def test_a_purge_of_the_message_under_the_cursor() -> None:
    """The cursor goes to the next message that is left, not to the end of the talk."""
    desk = desk_with(count=50)
    async with seated(desk, size=(80, 24)) as seat:
        seat.inbox.start(seat.inbox.going.open_talk(TALK))
        await seat.settle()
        await seat.press("pageup", "k", "k")
        current = seat.inbox.timeline.current
        assert current is not None
        at = desk.threads[TALK].index(current)
        follower = desk.threads[TALK][at + 1]
        seat.desk.purge_messages(TALK, until=at + 1)
        await seat.settle()

        assert seat.inbox.timeline.current == follower


async def test_a_purge_of_the_open_conversation() -> None:
    """An open conversation that policy takes leaves the screen, with a sentence, and the queue stands."""
    desk = desk_with(count=50)
    async with seated(desk, size=(80, 24)) as seat:
        seat.inbox.start(seat.inbox.going.open_talk(TALK))
        await seat.settle()
        seat.desk.purge_conversation(TALK)
        await seat.settle()

        assert seat.inbox.conversation is None
        assert "That conversation has left this machine" in seat.text()
        assert "the box has not come yet" not in seat.text()


def _words(message: Message) -> str:
    assert isinstance(message.content, Text)
    return message.content.body
