"""What each action of the inbox does: by its id, from keys, leader and palette alike."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from wabiz_tui.model.desk import View
from wabiz_tui.model.errors import WabizError
from wabiz_tui.model.text import safe_line, safe_text
from wabiz_tui.model.values import Conversation, DeliveryState, Direction, Status
from wabiz_tui.policy.privacy import mask_numbers_in
from wabiz_tui.tui.dialogs.choose import Choice, Choose
from wabiz_tui.tui.dialogs.finder import Finder, Match, Search
from wabiz_tui.tui.wording.bubbles import summary
from wabiz_tui.tui.wording.frame import VIEWS
from wabiz_tui.tui.wording.rows import name_of
from wabiz_tui.tui.wording.spans import Span
from wabiz_tui.tui.wording.times import CLOSING, age, moment, tomorrow_at

if TYPE_CHECKING:
    from wabiz_tui.tui.inbox.screen import InboxScreen

COPIED_AT_MOST: Final = 32_768
"""Characters given to the terminal's clipboard: many terminals drop a longer sequence unread."""
_GO: Final[dict[str, View]] = {"mine": "mine", "unassigned": "unassigned", "all": "all", "snoozed": "snoozed", "resolved": "resolved"}


class Verbs:
    """Works on the open conversation, or on the one under the cursor."""

    def __init__(self, screen: "InboxScreen") -> None:
        self.screen = screen
        self.acts: dict[str, Callable[[], None]] = {
            "conversation.open": self.open,
            "conversation.back": self.back,
            "conversation.next": lambda: self.step_talk(1),
            "conversation.previous": lambda: self.step_talk(-1),
            "needs.next": lambda: self.needs(1),
            "needs.previous": lambda: self.needs(-1),
            "pane.next": screen.focus_next,
            "pane.previous": screen.focus_previous,
            "pane.info": self.toggle_info,
            "message.reply": self.reply,
            "composer.focus": self.write,
            "message.retry": self.retry,
            "message.copy": self.copy,
            "conversation.resolve": lambda: self.set_status("resolved"),
            "conversation.status": self.choose_status,
            "conversation.snooze": self.choose_snooze,
            "conversation.take": self.take,
            "conversation.unread": self.unread,
            "triage.undo": lambda: screen.start(self._undo()),
            "find.messages": self.find_messages,
            "find.conversation": self.find_conversation,
            "records.kept": lambda: screen.say("Records are deleted only by policy; no key deletes them.", "warn"),
            "app.quit": self.quit,
        }

    def act(self, identifier: str) -> None:
        """Do the action of that id, if it is one of the inbox's."""
        group, _, verb = identifier.partition(".")
        screen = self.screen
        if group == "list":
            (screen.timeline if screen.timeline.has_focus else screen.queue).step(verb)
        elif group == "go":
            screen.start(screen.show_view(_GO[verb]))
        elif group == "view":
            screen.start(screen.show_view(VIEWS[int(verb) - 1][0]))
        elif identifier in self.acts:
            self.acts[identifier]()

    @property
    def row(self) -> Conversation | None:
        page = self.screen.reading.page
        if self.screen.conversation is not None and page is not None:
            return page.conversation
        return self.screen.queue.current

    # Moving

    def open(self) -> None:
        screen = self.screen
        if screen.timeline.has_focus:
            screen.timeline.toggle_fold()
        elif screen.queue.current is not None:
            screen.start(screen.open_talk(screen.queue.current.id))

    def back(self) -> None:
        self.screen.close_talk()

    def quit(self) -> None:
        if self.screen.conversation is not None:
            self.screen.close_talk()
        else:
            self.screen.app.exit(None)

    def step_talk(self, step: int) -> None:
        screen = self.screen
        queue = screen.queue
        if screen.conversation is None:
            queue.move(step)
            return
        follower = queue.rows.get(queue.cursor + step)
        if follower is None:
            screen.say("That was the last one of this view." if step > 0 else "That was the first one of this view.", "muted")
        else:
            screen.start(screen.open_talk(follower.id))

    def needs(self, step: int) -> None:
        """The next row that is unread and mine or nobody's, is due, or whose window closes soon."""
        screen = self.screen
        queue, now = screen.queue, screen.now()
        for distance in range(1, max(queue.total, 1)):
            at = (queue.cursor + step * distance) % queue.total
            row = queue.rows.get(at)
            if row is not None and needs_me(row, screen.reading.status.person, now):
                if screen.conversation is not None:
                    screen.start(screen.open_talk(row.id))
                else:
                    queue.move_to(at)
                return
        screen.say("Nothing else needs you here.", "good")

    def toggle_info(self) -> None:
        screen = self.screen
        screen.wants_info = not screen.has_class("-info")
        screen.set_class(screen.wants_info, "-info")
        screen.call_after_refresh(screen.draw)

    # Talking

    def write(self) -> None:
        screen = self.screen
        if screen.conversation is None:
            if screen.queue.current is not None:
                screen.start(self._open_and_write(screen.queue.current.id))
            return
        if screen.composer.shut:
            screen.say(screen.composer.shut, "warn")
        else:
            screen.composer.focus()

    async def _open_and_write(self, conversation: str) -> None:
        await self.screen.open_talk(conversation)
        self.write()

    def reply(self) -> None:
        screen = self.screen
        message = screen.timeline.current
        if screen.conversation is not None and message is not None and message.wamid and not screen.composer.shut:
            screen.composer.answer(message.wamid, screen.quote_of(message.wamid))
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
        screen.timeline.first_unread = None
        screen.timeline.is_at_end = True
        screen.dirty()

    def retry(self) -> None:
        message = self.screen.timeline.current if self.screen.conversation is not None else None
        state = message.delivery.state if message is not None and message.delivery is not None else None
        if message is None or state not in (DeliveryState.FAILED, DeliveryState.UNCERTAIN):
            self.screen.say("Ctrl+R sends a failed or uncertain message again: put the cursor on one first.", "muted")
            return
        self.screen.start(self._retry(message.id))

    async def _retry(self, message: str) -> None:
        await self.screen.desk.retry(message)
        self.screen.say("Sending it again.", "good")
        self.screen.dirty()

    def copy(self) -> None:
        screen = self.screen
        message = screen.timeline.current if screen.conversation is not None else None
        if message is None:
            screen.say("Open a conversation and put the cursor on a message to copy it.", "muted")
            return
        text = getattr(message.content, "body", "")
        copied = mask_numbers_in(safe_text(text if isinstance(text, str) and text else summary(message), limit=COPIED_AT_MOST))
        screen.app.copy_to_clipboard(copied)
        screen.say("Copied, numbers masked.", "good")

    # Triage

    def _advance(self, row: Conversation) -> None:
        """Go on at once; the desk's answer follows."""
        screen = self.screen
        follower = screen.queue.neighbour(row.id)
        if screen.conversation is not None:
            if follower is None or follower.id == row.id:
                screen.close_talk()
            else:
                screen.start(screen.open_talk(follower.id))
        elif follower is not None:
            screen.queue.follow(follower.id)

    def set_status(self, status: Status, until: datetime | None = None) -> None:
        row = self.row
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
        self.screen.dirty()

    def take(self) -> None:
        row = self.row
        if row is not None:
            self.screen.start(self._tell(self.screen.triage.take(row)))

    def unread(self) -> None:
        row = self.row
        if row is None:
            return
        if self.screen.conversation is not None:
            self.screen.close_talk()
        self.screen.start(self._tell(self.screen.triage.mark_unread(row)))

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
        screen.dirty()

    def choose_status(self) -> None:
        row = self.row
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

        screen.app.push_screen(Choose(f"Status of {name_of(row)}", choices), chosen)

    def choose_snooze(self) -> None:
        row = self.row
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

    # Finding

    def find_messages(self) -> None:
        screen = self.screen

        async def search(words: str) -> list[Match]:
            if not words.strip():
                return []
            hits = await screen.desk.search(words.strip(), limit=50)
            now = screen.now()
            return [
                Match(
                    hit.message.conversation,
                    (
                        Span(f"{safe_line(hit.conversation_name, limit=24) or 'Unknown contact'}  ", "strong"),
                        *_said(hit.message.direction),
                        Span(summary(hit.message), "muted"),
                    ),
                    (Span(age(hit.message.sent_at, now), "faint"),),
                )
                for hit in hits
            ]

        self._find("Find messages", "words that were written; newest first", search)

    def find_conversation(self) -> None:
        screen = self.screen

        async def search(words: str) -> list[Match]:
            wanted = words.casefold().split()
            rows = [row for row in await screen.desk.conversations() if all(word in row.name.casefold() for word in wanted)]
            return [Match(row.id, (Span(name_of(row)),), (Span(row.status, "faint"),)) for row in rows[:200]]

        self._find("Find a conversation", "part of a name", search)

    def _find(self, title: str, hint: str, search: Search) -> None:
        screen = self.screen

        def chosen(conversation: str | None) -> None:
            if conversation is not None:
                screen.start(screen.open_talk(conversation))

        screen.app.push_screen(Finder(title, hint, search), chosen)


def needs_me(row: Conversation, me: str, now: datetime) -> bool:
    """Whether a conversation waits for this agent: unread and not somebody else's, due, or its window about to close unanswered."""
    if row.status in ("resolved", "snoozed") or row.assignee not in (None, me):
        return False
    if row.unread:
        return True
    if row.due_at is not None and row.due_at - now < timedelta(hours=1):
        return True
    closes = row.window_until is not None and timedelta() < row.window_until - now < CLOSING
    return closes and row.preview_direction is Direction.INCOMING


def _said(direction: Direction) -> tuple[Span, ...]:
    return (Span("You: ", "faint"),) if direction is Direction.OUTGOING else ()
