"""What is read again while the agent goes on: no key is undone by an answer that was asked for before it."""

import asyncio

from tests.support import tui_data as still
from tests.support.tui_desk import StillDesk
from tests.support.tui_pilot import Seat, seated
from wabiz_tui.model.desk import DeskEvent, QueuePage, View


class SlowQueue(StillDesk):
    """A desk whose pages of the queue, once `is_slow`, are as they were when they were asked for, and come when `comes` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.is_slow = False
        self.asked, self.comes = asyncio.Event(), asyncio.Event()

    async def queue(self, view: View = "open", *, offset: int = 0, limit: int = 100) -> QueuePage:
        page = await super().queue(view, offset=offset, limit=limit)
        if self.is_slow:
            self.is_slow = False
            self.asked.set()
            await self.comes.wait()
        return page


async def reading_again(seat: Seat, desk: SlowQueue) -> None:
    """The queue is asked for again, and the answer is on its way."""
    desk.is_slow = True
    desk.tell(DeskEvent(kind="changed"))
    await desk.asked.wait()


async def test_the_cursor_goes_where_it_was_moved_meanwhile() -> None:
    """`j` while the queue is read again counts: the cursor stays with the conversation that the agent chose last."""
    desk = SlowQueue()
    async with seated(desk) as seat:
        await reading_again(seat, desk)
        await seat.press("j", "j")
        assert seat.inbox.queue.cursor == 2
        desk.comes.set()
        await seat.settle()

        assert seat.inbox.queue.cursor == 2


async def test_rows_of_a_view_that_was_left_do_not_come_back() -> None:
    """An answer about the view before is of no use to the one that stands."""
    desk = SlowQueue()
    async with seated(desk) as seat:
        await reading_again(seat, desk)
        await seat.press("1")
        assert seat.inbox.queue.view == "mine"
        there = [row.id for row in seat.inbox.queue.rows.values()]
        assert there != [row.id for row in (await desk.queue("open")).rows]
        desk.comes.set()
        await seat.settle()

        assert [row.id for row in seat.inbox.queue.rows.values()] == there


async def test_the_cursor_stays_with_its_conversation_when_rows_move() -> None:
    """A conversation that comes to the top moves the others down, and the cursor with the one it stood on."""
    desk = StillDesk()
    async with seated(desk) as seat:
        await seat.press("j")
        chosen = seat.inbox.queue.current
        assert chosen is not None
        desk.arrive(still.identity(3), "I come first now")
        await seat.settle()

        assert seat.inbox.queue.current is not None
        assert seat.inbox.queue.current.id == chosen.id
        assert seat.inbox.queue.cursor == 2
