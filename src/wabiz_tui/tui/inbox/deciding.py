"""Triage by keys: resolve, snooze, set a status, take, mark unread, take back; resolving and snoozing go on to the next."""

from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from wabiz_tui.model.values import Conversation, Status
from wabiz_tui.tui.dialogs.choose import Choice, Choose
from wabiz_tui.tui.wording.rows import name_of
from wabiz_tui.tui.wording.times import moment, tomorrow_at

if TYPE_CHECKING:
    from wabiz_tui.tui.inbox.screen import InboxScreen


class Deciding:
    """Works on the open conversation, or on the one under the cursor."""

    def __init__(self, screen: "InboxScreen") -> None:
        self.screen = screen

    def _advance(self, row: Conversation) -> None:
        """Go on at once; the desk's answer follows."""
        screen = self.screen
        follower = screen.queue.neighbour(row.id)
        if screen.conversation is not None:
            if follower is None or follower.id == row.id:
                screen.going.close_talk()
            else:
                screen.start(screen.going.open_talk(follower.id))
        elif follower is not None:
            screen.queue.follow(follower.id)

    def set_status(self, status: Status, until: datetime | None = None) -> None:
        row = self.screen.row
        if row is None:
            return
        if row.status == status and until is None and status != "snoozed":
            self.screen.say(f"{name_of(row)} is {status} already.", "muted")
            return
        if status in ("resolved", "snoozed"):
            self._advance(row)
        self.screen.start(self._tell(self.screen.triage.set_status(row, status, until=until)))

    async def _tell(self, work: Awaitable[str]) -> None:
        self.screen.say(f"{await work}  z undoes.", "good")
        self.screen.upkeep.dirty()

    def take(self) -> None:
        row = self.screen.row
        if row is not None:
            self.screen.start(self._tell(self.screen.triage.take(row)))

    def unread(self) -> None:
        row = self.screen.row
        if row is None:
            return
        if self.screen.conversation is not None:
            self.screen.going.close_talk()
        self.screen.start(self._tell(self.screen.triage.mark_unread(row)))

    def undo(self) -> None:
        self.screen.start(self._undo())

    async def _undo(self) -> None:
        screen = self.screen
        screen.say(await screen.triage.undo(), "good")
        recalled, screen.triage.recalled = screen.triage.recalled, None
        if recalled is not None:
            if screen.conversation == recalled.conversation:
                screen.composer.restore(recalled.text, recalled.reply_to)
                screen.composer.save_now()
            else:
                await screen.desk.save_draft(recalled.conversation, recalled.text, reply_to=recalled.reply_to)
        screen.upkeep.dirty()

    def choose_status(self) -> None:
        row = self.screen.row
        if row is None:
            return
        choices = [Choice("o", "Open", "open"), Choice("p", "Pending", "pending", "waiting for somebody else")]
        choices += [Choice("b", "Snoozed", "snoozed", "until they write"), Choice("e", "Resolved", "resolved")]
        screen = self.screen

        def chosen(status: str | None) -> None:
            match status:
                case "open" | "pending" | "snoozed" | "resolved":
                    self.set_status(status)
                case _:
                    pass

        screen.app.push_screen(Choose(f"Status of {name_of(row)}", choices, at=row.status), chosen)

    def choose_snooze(self) -> None:
        row = self.screen.row
        if row is None:
            return
        now = self.screen.now()
        times = {"hour": now + timedelta(hours=1), "morning": tomorrow_at(now, 8), "reply": None}
        choices = [Choice("1", "For an hour", "hour", f"until {moment(now + timedelta(hours=1), now)}")]
        choices += [Choice("2", "Until tomorrow", "morning", moment(tomorrow_at(now, 8), now)), Choice("3", "Until they write", "reply")]

        def chosen(value: str | None) -> None:
            if value is not None:
                self.set_status("snoozed", times[value])

        self.screen.app.push_screen(Choose(f"Snooze {name_of(row)}", choices), chosen)
