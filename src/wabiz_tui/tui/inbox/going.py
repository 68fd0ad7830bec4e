"""Going about: from view to view, into a conversation, out of it, and back to where the agent stood."""

from typing import TYPE_CHECKING, Final

from wabiz_tui.model.desk import TimelinePage, View
from wabiz_tui.tui.place import Place

if TYPE_CHECKING:
    from wabiz_tui.tui.inbox.screen import InboxScreen

MARK_SECONDS: Final = 3.0
"""How long a message that was found stays marked."""


class Going:
    """At every step the draft of the conversation that is left is saved."""

    def __init__(self, screen: "InboxScreen") -> None:
        self.screen = screen

    async def show_view(self, view: View) -> None:
        screen = self.screen
        screen.shown_view = view
        page = await screen.reading.fetch_rows(view, 0)
        self.close_talk()
        screen.queue.begin(page, view, screen.reading.status.person)
        await screen.reading.fetch_frame()
        screen.surround.draw()

    async def open_talk(self, conversation: str) -> None:
        """Show a conversation at its first unread message and mark it read."""
        screen = self.screen
        screen.finding.end()
        screen.composer.save_now()
        page = await screen.reading.open_talk(conversation)
        await self._enter(conversation)
        screen.timeline.begin(page)
        await self._settle(page)

    async def open_at(self, conversation: str, message: str) -> bool:
        """Show a conversation at one of its messages, marked for a moment; False where this machine holds that message no longer."""
        screen = self.screen
        screen.composer.save_now()
        page = await screen.reading.at(conversation, message)
        if page is None:
            return False
        if conversation != screen.conversation:
            await self._enter(conversation)
        screen.timeline.begin_at(page, message)
        screen.set_timer(MARK_SECONDS, screen.timeline.unmark)
        await self._settle(page)
        return True

    async def _enter(self, conversation: str) -> None:
        """Its draft, and its place among the panes."""
        screen = self.screen
        draft = await screen.desk.draft(conversation)
        was_open, screen.conversation = screen.conversation is not None, conversation
        screen.company.move_to(conversation)
        screen.surround.place()
        reply_to = draft.reply_to if draft is not None else None
        screen.composer.begin(conversation, draft.text if draft is not None else "", reply_to, [])
        if not was_open or not screen.timeline.has_focus:
            screen.set_focus(screen.timeline)

    async def _settle(self, page: TimelinePage) -> None:
        screen, conversation = self.screen, page.conversation.id
        screen.composer.set_quote(screen.talking.quote_of(screen.composer.reply_to))
        screen.queue.follow(conversation)
        screen.surround.draw()
        screen.call_after_refresh(screen.surround.draw)
        if page.conversation.unread and not page.has_later:
            await screen.desk.mark_read(conversation, screen.reading.last_incoming())

    async def come_back(self, place: Place) -> None:
        """To the conversation that stood open, with the draft that could not be saved."""
        screen = self.screen
        await self.open_talk(place.conversation)
        if place.text and place.text != screen.composer.buffer.text:
            screen.composer.begin(place.conversation, "", None, screen.talking.quote_of(place.reply_to))
            screen.composer.restore(place.text, place.reply_to)
            screen.set_focus(screen.composer)

    def close_talk(self) -> None:
        """Back to the queue; the draft is saved, nothing of the talk is kept."""
        screen = self.screen
        screen.finding.end()
        if screen.conversation is None:
            return
        screen.composer.save_now()
        screen.conversation, screen.reading.page = None, None
        screen.company.move_to(None)
        screen.surround.place()
        screen.timeline.clear()
        screen.set_focus(screen.queue)
        screen.surround.draw()
