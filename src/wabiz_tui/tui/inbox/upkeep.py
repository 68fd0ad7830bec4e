"""Keeps what is shown in step with the desk: reads again what moved, and the pages that come into sight."""

import asyncio
from typing import TYPE_CHECKING

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
        await screen.reading.fetch_frame()
        current = screen.queue.current.id if screen.queue.current is not None else None
        for offset in screen.queue.offsets_in_sight():
            await self.fetch_page(offset)
        screen.queue.follow(screen.conversation or current)
        if screen.conversation is not None:
            page = await screen.reading.newest(screen.conversation, len(screen.timeline.messages))
            screen.timeline.put_newest(page)
        screen.surround.draw()

    async def fetch_page(self, offset: int) -> None:
        """A page of the queue."""
        screen = self.screen
        screen.queue.put(await screen.reading.fetch_rows(screen.shown_view, offset))

    async def fetch_earlier(self, conversation: str, before: str) -> None:
        """The page of the talk before a message."""
        self.screen.timeline.put_earlier(await self.screen.reading.earlier(conversation, before))

    def tick(self) -> None:
        """Time went on."""
        screen = self.screen
        screen.queue.redraw()
        if screen.conversation is not None:
            screen.timeline.tick()
            screen.company.tick()
        screen.surround.draw()
        self.dirty()
