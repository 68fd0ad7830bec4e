"""Keeps what is shown in step with the desk: reads again what moved, and the pages that come into sight."""

import asyncio
from typing import TYPE_CHECKING

import msgspec

from wabiz_tui.model.desk import QueuePage
from wabiz_tui.model.errors import NotFound

if TYPE_CHECKING:
    from wabiz_tui.tui.inbox.screen import InboxScreen


class Upkeep:
    def __init__(self, screen: "InboxScreen") -> None:
        self.screen = screen
        self._dirty = asyncio.Event()

    def dirty(self) -> None:
        """Something moved: read it again soon, however often this is called."""
        self._dirty.set()

    @property
    def is_due(self) -> bool:
        """Whether something moved that was not read again."""
        return self._dirty.is_set()

    async def run(self) -> None:
        """Read again whatever moved, for as long as the screen stands."""
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            await self.screen.guard(self._refresh())

    async def _refresh(self) -> None:
        screen = self.screen
        policy = screen.reading.status.policy
        await screen.reading.fetch_frame()
        if policy != screen.reading.status.policy:
            screen.timeline.forget_live()
        view = screen.queue.view
        pages = [await screen.reading.fetch_rows(view, offset) for offset in screen.queue.offsets_in_sight()]
        if view == screen.queue.view:
            self._put(pages)
        if screen.conversation is not None:
            await self._refresh_talk(screen.conversation)
        screen.surround.draw()

    async def _refresh_talk(self, conversation: str) -> None:
        """Show the open talk as it is now; what went by policy goes from the screen, with a sentence."""
        screen, timeline = self.screen, self.screen.timeline
        count = len(timeline.messages)
        try:
            if timeline.has_later and timeline.messages:
                page = await screen.reading.again(conversation, timeline.messages[-1].id, count)
            else:
                page = await screen.reading.newest(conversation, count)
        except NotFound:
            screen.going.close_talk()
            screen.say("That conversation has left this machine, as policy demands.", "warn")
            return
        if conversation != screen.conversation:
            return
        if page is None:
            await self.show_end(conversation)
            screen.say("What stood here has left this machine, as policy demands; this is the end of the talk.", "warn")
            return
        gone = timeline.put(page)
        if gone:
            screen.say(f"{gone} message{'s' if gone > 1 else ''} left this machine, as policy demands.", "warn")

    def _put(self, pages: list[QueuePage]) -> None:
        """The cursor stays with the conversation on which it stands now: it may have moved while the pages were on their way."""
        screen = self.screen
        current = screen.queue.current
        for page in pages:
            screen.queue.put(page)
        screen.queue.follow(screen.conversation or (None if current is None else current.id))

    async def fetch_page(self, offset: int) -> None:
        """A page of the queue, unless another view stands there by now."""
        screen = self.screen
        view = screen.queue.view
        page = await screen.reading.fetch_rows(view, offset)
        if view == screen.queue.view:
            screen.queue.put(page)

    async def fetch_earlier(self, conversation: str, before: str) -> None:
        """The page of the talk before a message."""
        timeline = self.screen.timeline
        try:
            timeline.put_earlier(await self.screen.reading.earlier(conversation, before))
        finally:
            timeline.answered(conversation)

    async def fetch_later(self, conversation: str, after: str) -> None:
        """The page of the talk after a message."""
        timeline = self.screen.timeline
        try:
            timeline.put_later(await self.screen.reading.later(conversation, after))
        finally:
            timeline.answered(conversation)

    async def show_end(self, conversation: str) -> None:
        """The end of the open talk in the place of the slice that is shown."""
        page = await self.screen.reading.newest(conversation, 0)
        self.screen.timeline.begin(msgspec.structs.replace(page, first_unread=None))

    def tick(self) -> None:
        """Time went on."""
        screen = self.screen
        screen.queue.redraw()
        if screen.conversation is not None:
            screen.timeline.tick()
            screen.company.tick()
        screen.surround.draw()
        self.dirty()
