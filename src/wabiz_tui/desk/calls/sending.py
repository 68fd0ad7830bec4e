"""Drafts, and what goes out."""

from datetime import timedelta
from pathlib import Path

from wabiz_tui.desk.cache.letters import Letter
from wabiz_tui.desk.calls.reading import Reading
from wabiz_tui.desk.outbox.templates import filled_template
from wabiz_tui.desk.outbox.windows import WINDOW_CLOSED
from wabiz_tui.model.content import Media, Template, Text
from wabiz_tui.model.desk import Draft, OutboxLetter
from wabiz_tui.model.errors import Conflict, Denied, NotFound, Unreachable, UsageError, WabizError
from wabiz_tui.model.shift import OFF_SHIFT
from wabiz_tui.model.values import Conversation, DeliveryState, Direction, Message
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
        letter = await self._write(conversation, text, key=key, reply_to=reply_to, undo=False)
        return await self.await_sent(letter.id, queue=queue, timeout=timeout)

    async def send_file(
        self, conversation: str, path: str, *, caption: str = "", key: str | None = None, reply_to: str | None = None, undo: bool = False
    ) -> Message:
        session = self._used()
        file = Path(path)
        if not file.is_absolute():
            raise UsageError("The path of a file must be absolute: the desk has a folder of its own.")
        held = await self._open_conversation(conversation, key)
        delay = session.policy.sending.undo if undo else timedelta()
        letter = await session.outbox.write_file(conversation, held.number, file, caption=caption, key=key, reply_to=reply_to, undo=delay)
        return await self._shown(letter)

    async def send_template(
        self, conversation: str, name: str, language: str, *, values: dict[str, str], key: str | None = None
    ) -> Message:
        session = self._used()
        held = await self.conversation(conversation)
        template = await filled_template(session.link, session.enrolment.tenant, name, language, values)
        letter = await session.outbox.write(conversation, held.number, template, key=key, reply_to=None)
        return await self._shown(letter)

    async def await_sent(self, message: str, *, queue: bool = False, timeout: float = 30.0) -> Message:
        session = self._used()
        letter = await session.outbox.await_left(message, timeout=timeout, or_silence=True)
        if letter.has_to_go and not queue:
            why = await session.outbox.why_waiting(letter)
            if await session.outbox.recall(letter.id):
                raise _given_up(why)
            letter = await session.outbox.await_left(letter.id, timeout=0)
            if letter.has_to_go:
                raise Unreachable(
                    "The hub did not answer in time; the message may have been sent and stays in the outbox until that is known."
                )
        return await self._shown(letter)

    async def outbox(self) -> list[OutboxLetter]:
        letters = await self._opened_session().letters.all_open()
        return [
            OutboxLetter(letter.content.shown, letter.state, letter.not_before, letter.attempts > 0)
            for letter in letters
            if letter.content is not None
        ]

    async def discard(self, message: str) -> bool:
        session = self._used()
        if await session.letters.find(message) is None:
            raise NotFound("There is no such message in the outbox.")
        return await session.outbox.discard(message)

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
        if held.delivery is None or held.delivery.state not in _NOT_ON_ITS_WAY:
            raise Conflict("Only a message that failed, or that was found to be unsent, can be sent again.")
        if isinstance(held.content, Text):
            return await self.send_text(held.conversation, held.content.body, reply_to=held.reply_to)
        if not isinstance(held.content, Template) and not (isinstance(held.content, Media) and held.content.id):
            raise Conflict("A message of this kind cannot be sent again from here.")
        # Meta keeps an uploaded file for 30 days, and says so when it is gone.
        place = await self._open_conversation(held.conversation, None, is_template=isinstance(held.content, Template))
        return await self._shown(
            await session.outbox.write(held.conversation, place.number, held.content, key=None, reply_to=held.reply_to)
        )

    async def await_accepted(self, message: str, *, timeout: float) -> Message:
        session = self._opened_session()
        return await self._shown(await session.outbox.await_left(message, timeout=timeout))

    async def _write(self, conversation: str, text: str, *, key: str | None, reply_to: str | None, undo: bool) -> Letter:
        session = self._used()
        if not text.strip() or len(text) > _LONGEST_TEXT:
            raise UsageError(f"A message has between 1 and {_LONGEST_TEXT} characters.")
        held = await self._open_conversation(conversation, key)
        delay = session.policy.sending.undo
        return await session.outbox.write(conversation, held.number, text, key=key, reply_to=reply_to, undo=delay if undo else delay * 0)

    async def _open_conversation(self, conversation: str, key: str | None, *, is_template: bool = False) -> Conversation:
        """Raises Denied where its window is closed, save for what was written before under the same key."""
        session = self._used()
        known = None if key is None else await session.letters.find_by_key(key)
        held = await self.conversation(conversation)
        if known is None and not is_template and not is_open(held.window_until, session.clock.now()):
            raise Denied("The 24-hour window is closed: only a template may be sent until the customer writes again.", code=WINDOW_CLOSED)
        return held

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


def _given_up(why: WabizError | None) -> WabizError:
    """What is told of a message that was taken back because it could not go now."""
    if why is None or type(why) is Unreachable:
        return Unreachable("The hub does not answer; nothing was sent and nothing is kept.")
    kind = Denied if why.code == OFF_SHIFT else Unreachable
    return kind(f"{why.sentence.rstrip('.')}; nothing was sent and nothing is kept.", code=why.code)
