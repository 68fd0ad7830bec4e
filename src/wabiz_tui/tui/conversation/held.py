"""The part of a conversation that is shown: which messages, what lies beyond either end, and what a page of the desk changes in it."""

from datetime import datetime
from typing import Final

from wabiz_tui.model.desk import Earlier, TimelinePage
from wabiz_tui.model.values import Direction, Message

MOST: Final = 400
"""Messages shown at most: where more are read, those at the other end go, and are read again when they are wanted."""


class Held:
    """Messages in rising time without a gap. Knows nothing of lines."""

    def __init__(self, page: TimelinePage | None = None) -> None:
        """Nothing, or what a page holds."""
        self.conversation = ""
        self.messages: list[Message] = []
        self.has_earlier = self.has_later = False
        self.earlier: Earlier = "none"
        """Who has what comes before this machine's own."""
        self._live: frozenset[str] = frozenset()
        """Messages that were read at the hub, beyond what this machine holds."""
        if page is not None:
            self.conversation, self.messages = page.conversation.id, list(page.messages)
            self.has_earlier, self.earlier, self.has_later = page.has_earlier, page.earlier, page.has_later
            self._note_live(page)

    @property
    def ids(self) -> set[str]:
        return {message.id for message in self.messages}

    @property
    def last(self) -> str | None:
        return self.messages[-1].id if self.messages else None

    def put(self, page: TimelinePage) -> int:
        """The same slice as the desk holds it now; how many messages of it have gone."""
        if not self.messages or (self.earlier != "none" and page.earlier != "none"):
            # The hub is there again, or no more.
            self.has_earlier, self.earlier = page.has_earlier, page.earlier
        shown, present = self.messages, {message.id for message in page.messages}
        before = [each for each in shown if each.id not in present and self._stays(each, page)]
        self.has_later = page.has_later
        self.messages = before + list(page.messages)
        self._live &= {each.id for each in before}
        self._note_live(page)
        kept = self.ids
        return sum(each.id not in kept and _is_settled(each) for each in shown)

    def put_earlier(self, page: TimelinePage) -> None:
        """The page before."""
        added = self._new_of(page)
        if self.earlier != "none":
            self._live |= {each.id for each in added}
        self.has_earlier, self.earlier = page.has_earlier, page.earlier
        self.has_later = self.has_later or len(added) + len(self.messages) > MOST
        self._keep((added + self.messages)[:MOST])

    def put_later(self, page: TimelinePage) -> None:
        """The page after."""
        added = self._new_of(page)
        self.has_later = page.has_later
        if len(added) + len(self.messages) > MOST:
            self.has_earlier, self.earlier = True, "none"
        self._keep((self.messages + added)[-MOST:])

    def forget_live(self) -> None:
        """Policy changed: what was read at the hub is to be asked for again."""
        if self._live:
            self._live, self.earlier = frozenset(), "hub"

    def _new_of(self, page: TimelinePage) -> list[Message]:
        known = self.ids
        return [each for each in page.messages if each.id not in known]

    def _keep(self, messages: list[Message]) -> None:
        self.messages = messages
        self._live &= self.ids

    def _note_live(self, page: TimelinePage) -> None:
        if page.leaves_at is None:
            # This machine holds nothing of the talk: all of it was read at the hub, and a hub that is gone gives none.
            self._live |= {each.id for each in page.messages if _is_settled(each)}

    def _stays(self, message: Message, page: TimelinePage) -> bool:
        """Whether a message that `page` has not may be shown on: it is before all that this machine holds, or before the slice."""
        if message.id in self._live:
            return True
        reaches_back = not page.has_earlier or page.earlier != "none"
        return bool(page.messages) and not reaches_back and _place(message) < _place(page.messages[0])


def nearest(shown: list[Message], gone: str | None, kept: set[str]) -> str | None:
    """The message that follows one that is gone, else the one before it."""
    at = next((number for number, each in enumerate(shown) if each.id == gone), len(shown))
    beside = [*shown[at:], *reversed(shown[:at])]
    return next((each.id for each in beside if each.id in kept), None)


def _place(message: Message) -> tuple[datetime, str]:
    return message.sent_at, message.id


def _is_settled(message: Message) -> bool:
    """Whether a message has its last id: one that waits in the outbox gets another when it leaves."""
    return message.direction is not Direction.OUTGOING or bool(message.wamid)
