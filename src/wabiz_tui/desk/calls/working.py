"""The work on conversations, done at the hub."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime

from wabiz_tui.desk.calls.reading import Reading
from wabiz_tui.desk.link.acts import perform
from wabiz_tui.desk.session.session import Session
from wabiz_tui.model.acts import WorkAct, WorkDone
from wabiz_tui.model.errors import Unreachable, UsageError
from wabiz_tui.model.values import Conversation
from wabiz_tui.model.wire import Assignment, ReadMark, StatusChange
from wabiz_tui.model.work import Doing, Presence

_STATUSES = ("open", "pending", "snoozed", "resolved")


class Working(Reading):
    async def set_status(self, conversation: str, status: str, *, until: datetime | None = None, reason: str = "") -> Conversation:
        if status not in _STATUSES:
            raise UsageError(f"A conversation is {', '.join(_STATUSES[:-1])} or {_STATUSES[-1]}.")
        change = StatusChange(status, until=until, reason=reason)  # pyright: ignore[reportArgumentType] checked above
        return await self._act(conversation, lambda session: session.link.set_status(conversation, change))

    async def assign(self, conversation: str, person: str | None, *, expected: str | None = None) -> Conversation:
        wanted = self._setting.enrolment.person if person == "me" else person
        return await self._act(conversation, lambda session: session.link.assign(conversation, Assignment(wanted, expected)))

    async def work(self, act: WorkAct) -> WorkDone:
        session = self._used()
        done = await perform(session.link, act, me=self._setting.enrolment.person)
        with suppress(Unreachable):
            await session.sync.catch_up()
        return done

    async def mark_read(self, conversation: str, up_to: str | None = None) -> None:
        await self._used().link.mark(conversation, ReadMark(up_to))

    async def mark_unread(self, conversation: str) -> None:
        await self._used().link.mark(conversation, ReadMark(unread=True))

    async def watch(self, conversation: str, doing: Doing) -> list[Presence]:
        return self._opened_session().company.watch(conversation, doing)

    async def _act(self, conversation: str, ask: Callable[[Session], Awaitable[Conversation | None]]) -> Conversation:
        """Ask the hub; the conversation as it is afterwards, and in the cache too when this returns."""
        session = self._used()
        before = await self.conversation(conversation)
        after = await ask(session)
        with suppress(Unreachable):
            await session.sync.catch_up()
        # Nothing comes back when the act took the conversation out of this person's sight.
        return after or before
