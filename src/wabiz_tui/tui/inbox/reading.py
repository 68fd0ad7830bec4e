"""What the inbox knows: status, counts, pages of the queue and the open talk, read from the desk and never kept longer than shown."""

import msgspec

from wabiz_tui.model.desk import Desk, DeskStatus, QueuePage, TimelinePage, View
from wabiz_tui.model.values import Direction
from wabiz_tui.tui.conversation import timeline
from wabiz_tui.tui.conversation.held import MOST
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
        """The end of a conversation, as far back as `count` messages that are shown."""
        page = await self.desk.timeline(conversation, limit=max(timeline.PAGE, min(count, MOST + timeline.PAGE)))
        self.page = page
        return page

    async def at(self, conversation: str, message: str) -> TimelinePage | None:
        """A slice with `message` in it, and what stands beside it; None where the machine holds that message no longer."""
        newest = await self.newest(conversation, 0)
        if any(each.id == message for each in newest.messages):
            return newest
        return await self._beside(newest, message, before=timeline.PAGE // 2, after=timeline.PAGE // 2)

    async def again(self, conversation: str, last: str, count: int) -> TimelinePage | None:
        """A slice that ends with the message `last`, as it is now; the end of the conversation where that is near, None where `last`
        is gone."""
        newest = await self.newest(conversation, count)
        if any(each.id == last for each in newest.messages):
            return newest
        return await self._beside(newest, last, before=count, after=0)

    async def _beside(self, newest: TimelinePage, message: str, *, before: int, after: int) -> TimelinePage | None:
        """Around a message that is not in `newest`. As more than a page follows it, a slice after it always has a later one; that of a
        message which is gone has none, and asking for what was before that one would ask the hub."""
        conversation = newest.conversation.id
        later = await self.desk.timeline(conversation, after=message, limit=max(1, after))
        if not later.has_later or not later.messages:
            return None
        earlier = await self.desk.timeline(conversation, before=later.messages[0].id, limit=max(1, before))
        if not earlier.messages or earlier.messages[-1].id != message:
            return None
        if not after:
            return msgspec.structs.replace(earlier, has_later=True)
        return msgspec.structs.replace(_joined(earlier, later), has_later=True)

    async def later(self, conversation: str, after: str) -> TimelinePage:
        return await self.desk.timeline(conversation, after=after, limit=timeline.PAGE)

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
