"""Going about: from view to view, into a conversation, out of it, and back to where the agent stood."""

from typing import TYPE_CHECKING

from wabiz_tui.model.desk import View
from wabiz_tui.tui.place import Place

if TYPE_CHECKING:
    from wabiz_tui.tui.inbox.screen import InboxScreen


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
        screen.composer.save_now()
        page = await screen.reading.open_talk(conversation)
        draft = await screen.desk.draft(conversation)
        was_open = screen.conversation is not None
        screen.conversation = conversation
        screen.company.move_to(conversation)
        screen.surround.place()
        screen.timeline.begin(page)
        reply_to = draft.reply_to if draft is not None else None
        screen.composer.begin(conversation, draft.text if draft is not None else "", reply_to, screen.talking.quote_of(reply_to))
        if not was_open or not screen.timeline.has_focus:
            screen.set_focus(screen.timeline)
        screen.queue.follow(conversation)
        screen.surround.draw()
        screen.call_after_refresh(screen.surround.draw)
        if page.conversation.unread:
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
        if screen.conversation is None:
            return
        screen.composer.save_now()
        screen.conversation, screen.reading.page = None, None
        screen.company.move_to(None)
        screen.surround.place()
        screen.timeline.clear()
        screen.set_focus(screen.queue)
        screen.surround.draw()
