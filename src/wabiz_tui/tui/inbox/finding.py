"""Finding messages by their words and conversations by their name."""

from datetime import datetime
from typing import TYPE_CHECKING, Final

from wabiz_tui.model.desk import SearchHit
from wabiz_tui.model.errors import NotFound
from wabiz_tui.model.text import safe_line
from wabiz_tui.model.values import Direction, Message
from wabiz_tui.tui.dialogs.finder import Finder, Match
from wabiz_tui.tui.wording.bubbles import summary
from wabiz_tui.tui.wording.rows import name_of
from wabiz_tui.tui.wording.spans import Span
from wabiz_tui.tui.wording.times import age

if TYPE_CHECKING:
    from wabiz_tui.tui.inbox.screen import InboxScreen


MOST_HITS: Final = 200


class Finding:
    """What is found is opened: a conversation at its end, a message where it stands. While a search is open, its hits follow one
    another by the keys that else go to what needs the agent."""

    def __init__(self, screen: "InboxScreen") -> None:
        self.screen = screen
        self.hits: list[Message] = []
        self.at = 0

    @property
    def is_open(self) -> bool:
        return bool(self.hits)

    def end(self) -> None:
        self.hits = []

    def find_messages(self) -> None:
        screen = self.screen
        found: list[SearchHit] = []

        async def search(words: str) -> list[Match]:
            hits = await screen.desk.search(words.strip(), limit=MOST_HITS) if words.strip() else []
            found[:] = hits
            return [_match(hit, screen.now()) for hit in hits]

        def chosen(identifier: str | None) -> None:
            messages = [hit.message for hit in found if hit.message is not None]
            at = next((number for number, message in enumerate(messages) if message.id == identifier), None)
            if at is not None:
                screen.start(self._show(messages, at))
            elif identifier is not None:
                screen.start(screen.going.open_talk(identifier))

        hint = 'words, "phrases", from:anna, has:media, before:7d …; newest first'
        screen.app.push_screen(Finder("Find messages", hint, search), chosen)

    def step(self, step: int) -> None:
        """The next hit of the open search, or the one before."""
        if 0 <= self.at + step < len(self.hits):
            self.screen.start(self._show(self.hits, self.at + step))
        else:
            self.screen.say("That was the last hit." if step > 0 else "That was the first hit.", "muted")

    async def _show(self, hits: list[Message], at: int) -> None:
        screen, hit = self.screen, hits[at]
        self.hits, self.at = hits, at
        try:
            is_shown = await screen.going.open_at(hit.conversation, hit.id)
        except NotFound:
            is_shown = False
        if is_shown:
            screen.say(f"Hit {at + 1} of {len(hits)}.", "good")
        else:
            screen.say(f"Hit {at + 1} of {len(hits)} has left this machine since it was found, as policy demands.", "warn")

    def find_conversation(self) -> None:
        screen = self.screen

        async def search(words: str) -> list[Match]:
            wanted = words.casefold().split()
            rows = [row for row in await screen.desk.conversations() if all(word in row.name.casefold() for word in wanted)]
            return [Match(row.id, (Span(name_of(row)),), (Span(row.status, "faint"),)) for row in rows[:200]]

        def chosen(conversation: str | None) -> None:
            if conversation is not None:
                screen.start(screen.going.open_talk(conversation))

        screen.app.push_screen(Finder("Find a conversation", "part of a name", search), chosen)


def _match(hit: SearchHit, now: datetime) -> Match:
    name = Span(f"{safe_line(hit.conversation_name, limit=24) or 'Unknown contact'}  ", "strong")
    if hit.message is None:
        held = hit.conversation
        at = None if held is None else held.last_at
        return Match(hit.place, (name, Span("conversation", "faint")), () if at is None else (Span(age(at, now), "faint"),))
    found = (name, *_said(hit.message.direction), Span(summary(hit.message), "muted"))
    return Match(hit.message.id, found, (Span(age(hit.message.sent_at, now), "faint"),))


def _said(direction: Direction) -> tuple[Span, ...]:
    return (Span("You: ", "faint"),) if direction is Direction.OUTGOING else ()
