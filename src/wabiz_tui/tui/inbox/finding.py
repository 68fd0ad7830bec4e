"""Finding messages by their words and conversations by their name."""

from datetime import datetime
from typing import TYPE_CHECKING

from wabiz_tui.model.desk import SearchHit
from wabiz_tui.model.text import safe_line
from wabiz_tui.model.values import Direction
from wabiz_tui.tui.dialogs.finder import Finder, Match, Search
from wabiz_tui.tui.wording.bubbles import summary
from wabiz_tui.tui.wording.rows import name_of
from wabiz_tui.tui.wording.spans import Span
from wabiz_tui.tui.wording.times import age

if TYPE_CHECKING:
    from wabiz_tui.tui.inbox.screen import InboxScreen


class Finding:
    """What is found is opened."""

    def __init__(self, screen: "InboxScreen") -> None:
        self.screen = screen

    def find_messages(self) -> None:
        screen = self.screen

        async def search(words: str) -> list[Match]:
            if not words.strip():
                return []
            hits = await screen.desk.search(words.strip(), limit=50)
            return [_match(hit, screen.now()) for hit in hits]

        self._find("Find messages", 'words, "phrases", from:anna, has:media, before:7d …; newest first', search)

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
                screen.start(screen.going.open_talk(conversation))

        screen.app.push_screen(Finder(title, hint, search), chosen)


def _match(hit: SearchHit, now: datetime) -> Match:
    name = Span(f"{safe_line(hit.conversation_name, limit=24) or 'Unknown contact'}  ", "strong")
    if hit.message is None:
        held = hit.conversation
        at = None if held is None else held.last_at
        return Match(hit.place, (name, Span("conversation", "faint")), () if at is None else (Span(age(at, now), "faint"),))
    found = (name, *_said(hit.message.direction), Span(summary(hit.message), "muted"))
    return Match(hit.place, found, (Span(age(hit.message.sent_at, now), "faint"),))


def _said(direction: Direction) -> tuple[Span, ...]:
    return (Span("You: ", "faint"),) if direction is Direction.OUTGOING else ()
