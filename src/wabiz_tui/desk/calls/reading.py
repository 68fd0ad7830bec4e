"""What a client reads of the cache."""

import msgspec

from wabiz_tui.desk.calls.door import Door
from wabiz_tui.desk.outbox.merging import merged
from wabiz_tui.desk.sync.history import messages_with_history, timeline_with_history
from wabiz_tui.model.desk import QueuePage, SearchHit, TimelinePage, View
from wabiz_tui.model.values import Conversation, Event, Message

_MOST_ROWS = 1000


class Reading(Door):
    async def queue(self, view: View = "open", *, offset: int = 0, limit: int = 100) -> QueuePage:
        return await self._read(lambda cache: cache.queue(view, offset=offset, limit=_bounded(limit)))

    async def counts(self) -> dict[str, int]:
        return await self._read(lambda cache: cache.counts())

    async def conversations(self) -> list[Conversation]:
        return await self._read(lambda cache: cache.conversations())

    async def conversation(self, conversation: str) -> Conversation:
        return await self._read(lambda cache: cache.conversation(conversation))

    async def timeline(self, conversation: str, *, before: str | None = None, after: str | None = None, limit: int = 50) -> TimelinePage:
        session = self._opened_session()
        letters = await session.letters.of_conversation(conversation)
        # A letter is newer than everything the cache holds: what comes before it are the newest messages.
        is_letter = any(before == letter.content.shown.id for letter in letters if letter.content is not None)
        page = await self._read(
            lambda cache: cache.timeline(conversation, before=None if is_letter else before, after=after, limit=_bounded(limit))
        )
        if after is None and not is_letter:
            page = await timeline_with_history(session, page, before=before, limit=_bounded(limit))
        if page.has_later or is_letter:
            return page
        return msgspec.structs.replace(page, messages=merged(page.messages, letters))

    async def messages(self, conversation: str, *, whole: bool = False) -> list[Message]:
        session = self._opened_session()
        letters = await session.letters.of_conversation(conversation)
        cached = await self._read(lambda cache: cache.messages(conversation))
        return merged(await messages_with_history(session, conversation, cached, whole=whole), letters)

    async def events(self, *, limit: int = 1000) -> list[Event]:
        return await self._read(lambda cache: cache.events(limit=max(limit, 1)))

    async def search(self, words: str, *, limit: int = 50, ranked: bool = False) -> list[SearchHit]:
        return await self._read(lambda cache: cache.search(words, limit=_bounded(limit), ranked=ranked))


def _bounded(limit: int) -> int:
    return min(max(limit, 1), _MOST_ROWS)
