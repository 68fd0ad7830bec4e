"""What each action of the inbox does: by its id, from keys, leader and palette alike."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from wabiz_tui.model.desk import View
from wabiz_tui.model.values import Conversation, Direction
from wabiz_tui.tui.wording.frame import VIEWS
from wabiz_tui.tui.wording.times import CLOSING

if TYPE_CHECKING:
    from wabiz_tui.tui.inbox.screen import InboxScreen

_GO: Final[dict[str, View]] = {"mine": "mine", "unassigned": "unassigned", "all": "all", "snoozed": "snoozed", "resolved": "resolved"}


class Verbs:
    """Works on the open conversation, or on the one under the cursor."""

    def __init__(self, screen: "InboxScreen") -> None:
        self.screen = screen
        self.acts: dict[str, Callable[[], object]] = {
            "conversation.open": self.open,
            "conversation.back": self.back,
            "conversation.next": lambda: self.step_talk(1),
            "conversation.previous": lambda: self.step_talk(-1),
            "needs.next": lambda: self.needs(1),
            "needs.previous": lambda: self.needs(-1),
            "pane.next": screen.focus_next,
            "pane.previous": screen.focus_previous,
            "pane.info": self.toggle_info,
            "message.reply": screen.talking.reply,
            "composer.focus": screen.talking.write,
            "message.retry": screen.talking.retry,
            "message.open": screen.talking.open_file,
            "message.copy": screen.talking.copy,
            "conversation.resolve": lambda: screen.deciding.set_status("resolved"),
            "conversation.status": screen.deciding.choose_status,
            "conversation.snooze": screen.deciding.choose_snooze,
            "conversation.take": screen.deciding.take,
            "conversation.unread": screen.deciding.unread,
            "triage.undo": screen.deciding.undo,
            "find.messages": screen.finding.find_messages,
            "find.conversation": screen.finding.find_conversation,
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
            screen.start(screen.going.show_view(_GO[verb]))
        elif group == "view":
            screen.start(screen.going.show_view(VIEWS[int(verb) - 1][0]))
        elif identifier in self.acts:
            self.acts[identifier]()

    def open(self) -> None:
        screen = self.screen
        if screen.timeline.has_focus:
            screen.timeline.toggle_fold()
        elif screen.queue.current is not None:
            screen.start(screen.going.open_talk(screen.queue.current.id))

    def back(self) -> None:
        """Out of the search first, then out of the talk."""
        if self.screen.finding.is_open:
            self.screen.finding.end()
            self.screen.say("The search is closed.", "muted")
        else:
            self.screen.going.close_talk()

    def quit(self) -> None:
        if self.screen.conversation is not None:
            self.screen.going.close_talk()
        else:
            self.screen.post_message(self.screen.Leave())

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
            screen.start(screen.going.open_talk(follower.id))

    def needs(self, step: int) -> None:
        """The next row that is unread and mine or nobody's, is due, or whose window closes soon; in an open search its next hit."""
        screen = self.screen
        if screen.finding.is_open:
            screen.finding.step(step)
            return
        queue, now = screen.queue, screen.now()
        for distance in range(1, max(queue.total, 1)):
            at = (queue.cursor + step * distance) % queue.total
            row = queue.rows.get(at)
            if row is not None and needs_me(row, screen.reading.status.person, now):
                if screen.conversation is not None:
                    screen.start(screen.going.open_talk(row.id))
                else:
                    queue.move_to(at)
                return
        screen.say("Nothing else needs you here.", "good")

    def toggle_info(self) -> None:
        screen = self.screen
        screen.wants_info = not screen.has_class("-info")
        screen.set_class(screen.wants_info, "-info")
        screen.call_after_refresh(screen.surround.draw)


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
