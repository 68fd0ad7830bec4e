"""Writing, answering, sending, sending again and copying, for the open talk."""

from typing import TYPE_CHECKING, Final

from wabiz_tui.model.content import Media
from wabiz_tui.model.errors import WabizError
from wabiz_tui.model.text import safe_text
from wabiz_tui.model.values import DeliveryState, Message
from wabiz_tui.policy.privacy import mask_numbers_in
from wabiz_tui.tui.viewing import show, viewer_command
from wabiz_tui.tui.wording.bubbles import quote_row, summary
from wabiz_tui.tui.wording.spans import Span

if TYPE_CHECKING:
    from wabiz_tui.tui.inbox.screen import InboxScreen

COPIED_AT_MOST: Final = 32_768
"""Characters given to the terminal's clipboard: many terminals drop a longer sequence unread."""


class Talking:
    """Works on the message under the cursor."""

    def __init__(self, screen: "InboxScreen") -> None:
        self.screen = screen

    def quote_of(self, wamid: str | None) -> list[Span]:
        """The row that quotes a message of the open talk; none for none."""
        if wamid is None:
            return []
        timeline = self.screen.timeline
        quoted = next((message for message in timeline.messages if message.wamid == wamid), None)
        return quote_row(quoted, timeline.contact, 200)[1:]

    async def keep_draft(self) -> None:
        """The draft is at the desk when this returns; for the moments after which nothing can be saved any more."""
        draft = self.screen.composer.take_unsaved()
        if draft is not None:
            await self.screen.desk.save_draft(draft.conversation, draft.text, reply_to=draft.reply_to)

    def write(self) -> None:
        screen = self.screen
        if screen.conversation is None:
            if screen.queue.current is not None:
                screen.start(self._open_and_write(screen.queue.current.id))
            return
        # Also where the window is shut: the letters that follow are swallowed there and resolve nothing here.
        screen.set_focus(screen.composer)
        if screen.composer.shut:
            screen.say(f"{screen.composer.shut}  Esc goes back.", "warn")

    async def _open_and_write(self, conversation: str) -> None:
        await self.screen.going.open_talk(conversation)
        self.write()

    def reply(self) -> None:
        screen = self.screen
        message = screen.timeline.current
        if screen.conversation is not None and message is not None and message.wamid and not screen.composer.shut:
            screen.composer.answer(message.wamid, self.quote_of(message.wamid))
        self.write()

    async def send(self, conversation: str, text: str, reply_to: str | None) -> None:
        """Durable at the desk before the draft is given up; what is refused goes back into the composer."""
        screen = self.screen
        try:
            message = await screen.desk.send_text(conversation, text, reply_to=reply_to, undo=True)
        except WabizError:
            if screen.conversation == conversation:
                screen.composer.restore(text, reply_to)
            raise
        self.screen.triage.remember_sent(message, text)
        await screen.desk.save_draft(conversation, screen.composer.buffer.text if screen.conversation == conversation else "")
        if screen.conversation == conversation and screen.timeline.has_later:
            await screen.upkeep.show_end(conversation)
        screen.timeline.first_unread = None
        screen.timeline.is_at_end = True
        screen.upkeep.dirty()

    def retry(self) -> None:
        """Send again what is under the cursor, else the newest that failed; an uncertain one, which may have arrived, only there."""
        messages = self.screen.timeline.messages if self.screen.conversation is not None else []
        message = self.screen.timeline.current if messages else None
        if _state(message) not in (DeliveryState.FAILED, DeliveryState.UNCERTAIN):
            message = next((each for each in reversed(messages) if _state(each) is DeliveryState.FAILED), None)
        if message is None:
            self.screen.say("Ctrl+R sends a failed or uncertain message again: put the cursor on one first.", "muted")
            return
        self.screen.start(self._retry(message.id))

    async def _retry(self, message: str) -> None:
        await self.screen.desk.retry(message)
        self.screen.say("Sending it again.", "good")
        self.screen.upkeep.dirty()

    def open_file(self) -> None:
        """Show the file of the message under the cursor in the agent's viewer."""
        message = self.screen.timeline.current if self.screen.conversation is not None else None
        if message is None or not isinstance(message.content, Media):
            self.screen.say("Put the cursor on a message with a file to open it.", "muted")
            return
        self.screen.start(self._show_file(message.id), "viewing")

    async def _show_file(self, message: str) -> None:
        command = viewer_command(self.screen.viewer)
        self.screen.say("Opening the file …", "muted")
        await show(self.screen.desk, message, command)

    def copy(self) -> None:
        screen = self.screen
        message = screen.timeline.current if screen.conversation is not None else None
        if message is None:
            screen.say("Open a conversation and put the cursor on a message to copy it.", "muted")
            return
        allowed = screen.reading.status.clipboard
        if allowed == "off":
            screen.say("The policy lets nothing be copied from here.", "warn")
            return
        text = getattr(message.content, "body", "")
        copied = safe_text(text if isinstance(text, str) and text else summary(message), limit=COPIED_AT_MOST)
        screen.app.copy_to_clipboard(copied if allowed == "on" else mask_numbers_in(copied))
        screen.say("Copied." if allowed == "on" else "Copied, numbers masked.", "good")


def _state(message: Message | None) -> DeliveryState | None:
    return message.delivery.state if message is not None and message.delivery is not None else None
