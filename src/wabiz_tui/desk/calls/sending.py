"""Drafts, and what goes out."""

from wabiz_tui.desk.cache.letters import Letter
from wabiz_tui.desk.calls.reading import Reading
from wabiz_tui.model.content import Text
from wabiz_tui.model.desk import Draft
from wabiz_tui.model.errors import Conflict, Denied, NotFound, Unreachable, UsageError
from wabiz_tui.model.values import DeliveryState, Direction, Message
from wabiz_tui.policy.window import is_open

_LONGEST_TEXT = 4096
_NOT_ON_ITS_WAY = (DeliveryState.FAILED, DeliveryState.UNCERTAIN)


class Sending(Reading):
    async def draft(self, conversation: str) -> Draft | None:
        return await self._opened_session().letters.draft(conversation)

    async def save_draft(self, conversation: str, text: str, *, reply_to: str | None = None) -> None:
        session = self._used()
        await session.letters.save_draft(Draft(conversation, text, reply_to, session.clock.now()))

    async def send_text(
        self, conversation: str, text: str, *, key: str | None = None, reply_to: str | None = None, undo: bool = False
    ) -> Message:
        letter = await self._write(conversation, text, key=key, reply_to=reply_to, undo=undo)
        return await self._shown(letter)

    async def send_now(
        self,
        conversation: str,
        text: str,
        *,
        key: str | None = None,
        reply_to: str | None = None,
        queue: bool = False,
        timeout: float = 30.0,
    ) -> Message:
        session = self._used()
        letter = await self._write(conversation, text, key=key, reply_to=reply_to, undo=False)
        letter = await session.outbox.await_left(letter.id, timeout=timeout, or_silence=True)
        if letter.has_to_go and not queue:
            if await session.outbox.recall(letter.id):
                raise Unreachable("The hub does not answer; nothing was sent and nothing is kept.")
            letter = await session.outbox.await_left(letter.id, timeout=0)
            if letter.has_to_go:
                raise Unreachable(
                    "The hub did not answer in time; the message may have been sent and stays in the outbox until that is known."
                )
        return await self._shown(letter)

    async def recall(self, message: str) -> bool:
        return await self._used().outbox.recall(message)

    async def retry(self, message: str) -> Message:
        session = self._used()
        letter = await session.letters.find(message)
        if letter is not None and letter.content is not None:
            return await self._shown(await session.outbox.retry(letter))
        held = await self._read(lambda cache: cache.message(message))
        if held is None:
            raise NotFound("There is no such message to send again.")
        if held.delivery is None or held.delivery.state not in _NOT_ON_ITS_WAY or not isinstance(held.content, Text):
            raise Conflict("Only a text that failed, or that was found to be unsent, can be sent again.")
        return await self.send_text(held.conversation, held.content.body, reply_to=held.reply_to)

    async def await_accepted(self, message: str, *, timeout: float) -> Message:
        session = self._opened_session()
        return await self._shown(await session.outbox.await_left(message, timeout=timeout))

    async def _write(self, conversation: str, text: str, *, key: str | None, reply_to: str | None, undo: bool) -> Letter:
        session = self._used()
        if not text.strip() or len(text) > _LONGEST_TEXT:
            raise UsageError(f"A message has between 1 and {_LONGEST_TEXT} characters.")
        known = None if key is None else await session.letters.find_by_key(key)
        held = await self.conversation(conversation)
        if known is None and not is_open(held.window_until, session.clock.now()):
            raise Denied("The 24-hour window is closed: only a template may be sent until the customer writes again.", code="window_closed")
        delay = session.policy.sending.undo
        return await session.outbox.write(conversation, held.number, text, key=key, reply_to=reply_to, undo=delay if undo else delay * 0)

    async def _shown(self, letter: Letter) -> Message:
        """The letter as a message; once the feed has brought it, the hub's own."""
        session = self._opened_session()
        current = await session.letters.find(letter.id) or letter
        if current.content is not None:
            return current.content.shown
        held = None if current.message is None else await self._read(lambda cache: cache.message(current.message or ""))
        if held is not None:
            return held
        # The policy lets this machine hold no such message any more; its id is all that is left.
        return Message(
            current.message or current.id, current.conversation, Direction.OUTGOING, Text(""), session.clock.now(), key=current.key
        )
