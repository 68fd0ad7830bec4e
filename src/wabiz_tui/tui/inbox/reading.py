"""What the inbox knows: status, counts, pages of the queue and the open talk, read from the desk and never kept longer than shown."""

from wabiz_tui.model.desk import Desk, DeskStatus, QueuePage, TimelinePage, View
from wabiz_tui.model.values import Direction
from wabiz_tui.tui.conversation import timeline
from wabiz_tui.tui.inbox import queue

OPENING_PAGES = 6
"""Pages read at most to reach the first unread message of a talk."""


class Reading:
    """The desk's answers as the screen last had them."""

    def __init__(self, desk: Desk, status: DeskStatus) -> None:
        self.desk, self.status = desk, status
        self.counts: dict[str, int] = {}
        self.page: TimelinePage | None = None

    async def fetch_frame(self) -> None:
        self.status = await self.desk.status()
        self.counts = await self.desk.counts()

    async def fetch_rows(self, view: View, offset: int) -> QueuePage:
        return await self.desk.queue(view, offset=offset, limit=queue.PAGE)

    async def open_talk(self, conversation: str) -> TimelinePage:
        """The newest page, with those before it back to the first unread message."""
        page = await self.desk.timeline(conversation, limit=timeline.PAGE)
        for _ in range(OPENING_PAGES):
            known = any(message.id == page.first_unread for message in page.messages)
            if page.first_unread is None or known or not page.has_earlier:
                break
            earlier = await self.desk.timeline(conversation, before=page.messages[0].id, limit=timeline.PAGE)
            page = _joined(earlier, page)
        self.page = page
        return page

    async def newest(self, conversation: str, count: int) -> TimelinePage:
        page = await self.desk.timeline(conversation, limit=max(timeline.PAGE, min(count, 300)))
        self.page = page
        return page

    async def earlier(self, conversation: str, before: str) -> TimelinePage:
        return await self.desk.timeline(conversation, before=before, limit=timeline.PAGE)

    def last_incoming(self) -> str | None:
        """The newest message of the customer in the open talk."""
        if self.page is None:
            return None
        incoming = [message.id for message in self.page.messages if message.direction is Direction.INCOMING]
        return incoming[-1] if incoming else None


def _joined(earlier: TimelinePage, later: TimelinePage) -> TimelinePage:
    return TimelinePage(
        conversation=later.conversation,
        contact=later.contact,
        messages=[*earlier.messages, *later.messages],
        has_earlier=earlier.has_earlier,
        has_later=later.has_later,
        first_unread=later.first_unread,
        leaves_at=later.leaves_at,
        earlier=earlier.earlier,
    )
