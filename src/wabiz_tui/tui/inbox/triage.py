"""What the verbs do at the desk, and how each is taken back."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, NamedTuple

from wabiz_tui.model.desk import Desk
from wabiz_tui.model.text import safe_line
from wabiz_tui.model.values import Conversation, Message, Status
from wabiz_tui.tui.wording.rows import name_of
from wabiz_tui.tui.wording.times import moment

KEPT: Final = 50
"""Acts that can be taken back, the newest first."""
STATUS_WORDS: Final = {"open": "Reopened", "pending": "Pending", "snoozed": "Snoozed", "resolved": "Resolved"}


class Undo(NamedTuple):
    """How to take an act back. `run` returns the sentence for the agent; `conversation` is where it happened."""

    conversation: str
    run: Callable[[], Awaitable[str]]


class Recalled(NamedTuple):
    """A message that was taken back before it left: its text belongs into the composer again."""

    conversation: str
    text: str
    reply_to: str | None


class Triage:
    """Every method asks the desk, remembers the way back, and returns the sentence that tells what happened."""

    def __init__(self, desk: Desk, now: Callable[[], datetime]) -> None:
        self.desk, self.now = desk, now
        self.recalled: Recalled | None = None
        self._done: list[Undo] = []

    def _remember(self, conversation: str, run: Callable[[], Awaitable[str]]) -> None:
        self._done = [*self._done[-(KEPT - 1) :], Undo(conversation, run)]

    async def set_status(self, row: Conversation, status: Status, *, until: datetime | None = None) -> str:
        await self.desk.set_status(row.id, status, until=until)

        async def back() -> str:
            await self.desk.set_status(row.id, row.status, until=row.snoozed_until)
            return f"{name_of(row)} is {row.status} again."

        self._remember(row.id, back)
        when = "" if status != "snoozed" else f" until {moment(until, self.now())}" if until is not None else " until they write"
        return f"{STATUS_WORDS[status]} {name_of(row)}{when}."

    async def take(self, row: Conversation) -> str:
        await self.desk.assign(row.id, "me", expected=row.assignee)

        async def back() -> str:
            await self.desk.assign(row.id, row.assignee)
            return f"{name_of(row)} is {'with ' + safe_line(row.assignee_name, limit=40) if row.assignee_name else 'unassigned'} again."

        self._remember(row.id, back)
        return f"{name_of(row)} is yours."

    async def mark_unread(self, row: Conversation) -> str:
        await self.desk.mark_unread(row.id)

        async def back() -> str:
            await self.desk.mark_read(row.id)
            return f"{name_of(row)} is read again."

        self._remember(row.id, back)
        return f"{name_of(row)} is unread."

    def remember_sent(self, message: Message, text: str) -> None:
        """What was sent can be recalled while policy still keeps it back."""

        async def back() -> str:
            if not await self.desk.recall(message.id):
                return "Too late: that message has left."
            self.recalled = Recalled(message.conversation, text, message.reply_to)
            return "Recalled; it was not sent. The text is back in the composer."

        self._remember(message.conversation, back)

    async def undo(self) -> str:
        """Take the newest act back. Raises what the desk raises; the act is forgotten either way."""
        if not self._done:
            return "There is nothing to undo."
        last = self._done.pop()
        return await last.run()
