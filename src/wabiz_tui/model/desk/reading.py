"""What a client reads of the cache."""

from typing import Protocol

from wabiz_tui.model.desk.values import QueuePage, SearchHit, TimelinePage, View
from wabiz_tui.model.values import Conversation, Event, Message


class Reading(Protocol):
    """Cost: a few milliseconds whatever the cache's size."""

    async def queue(self, view: View = "open", *, offset: int = 0, limit: int = 100) -> QueuePage: ...

    async def counts(self) -> dict[str, int]:
        """Rows of each view."""
        ...

    async def conversations(self) -> list[Conversation]:
        """All that the cache holds, newest activity first."""
        ...

    async def conversation(self, conversation: str) -> Conversation:
        """Raises NotFound."""
        ...

    async def timeline(self, conversation: str, *, before: str | None = None, after: str | None = None, limit: int = 50) -> TimelinePage:
        """The newest `limit` messages, or those next to the message id given. Raises NotFound."""
        ...

    async def messages(self, conversation: str, *, whole: bool = False) -> list[Message]:
        """All messages of a conversation in rising time: the cached, after the hub's older ones where it can be reached. With `whole`
        raises Unreachable where it cannot. Raises NotFound."""
        ...

    async def events(self, *, limit: int = 1000) -> list[Event]: ...

    async def search(self, words: str, *, limit: int = 50, ranked: bool = False) -> list[SearchHit]:
        """Conversations whose names have all the words, then messages that have them, newest first; `ranked` puts the best first where
        no more than 5 000 match. `words` may hold "phrases" and filters: docs/search.md. A client's next search breaks off its last,
        which then raises Conflict. Raises UsageError for a filter that does not exist."""
        ...
