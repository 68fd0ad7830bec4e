"""Send what the agent wrote: durable before it is shown, in order within each conversation, never twice.

A letter is marked `sending` on the disk before its first byte leaves. Whatever happens then (a cut line, a killed desk),
it is asked again under the same idempotency key: the hub keeps the answer to each key, so a repeat of what had arrived
is answered and not sent once more. Whether *Meta* got it is the hub's to know; where it cannot, the letter is `uncertain`.
"""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from wabiz_tui.desk.cache.letters import KEPT_AFTER, Content, Letter, Letters, State
from wabiz_tui.desk.link.link import Accepted
from wabiz_tui.model.content import MetaError, Text
from wabiz_tui.model.errors import CloudError, Conflict, Locked, NotFound, Revoked, Unreachable, WabizError
from wabiz_tui.model.identifiers import new_id
from wabiz_tui.model.shift import OFF_SHIFT
from wabiz_tui.model.values import Delivery, DeliveryState, Direction, Message

Send = Callable[[Letter], Awaitable[Accepted]]
_LONGEST_PAUSE = 60.0
_MOST_TRANSIENT = 6
_SHOWN: dict[State, DeliveryState] = {
    "queued": DeliveryState.QUEUED,
    "sending": DeliveryState.QUEUED,
    "accepted": DeliveryState.ACCEPTED,
    "settled": DeliveryState.ACCEPTED,
    "uncertain": DeliveryState.UNCERTAIN,
    "failed": DeliveryState.FAILED,
}


class Author(msgspec.Struct, frozen=True):
    person: str
    name: str


class _Rest(NamedTuple):
    """Until when a letter is not asked for again; `is_silence`: because the hub did not answer."""

    tries: int
    until: datetime
    is_silence: bool


class Outbox:
    """Letters and the one task that sends them. `changed` is called with the conversation of every letter that moved;
    `refused` with a failure that is not the letter's (revoked, locked)."""

    def __init__(
        self,
        letters: Letters,
        send: Send,
        *,
        author: Author,
        now: Callable[[], datetime],
        changed: Callable[[str], None],
        refused: Callable[[WabizError], None],
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.letters = letters
        self._send, self._author, self._now, self._random = send, author, now, random_bytes
        self._changed, self._refused = changed, refused
        self._wake = asyncio.Event()
        self._moved = asyncio.Event()
        self._rests: dict[str, _Rest] = {}
        self._task: asyncio.Task[None] | None = None
        self._running: dict[str, asyncio.Task[None]] = {}

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="outbox")

    async def stop(self) -> None:
        """Stop sending; a letter that is on its way is asked for again at the next start."""
        tasks = [task for task in (self._task, *self._running.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._task = None

    def hurry(self) -> None:
        """The hub can be reached again: what waits for that goes now."""
        self._rests.clear()
        self._wake.set()

    async def write(
        self, conversation: str, number: str, text: str, *, key: str | None, reply_to: str | None, undo: timedelta = timedelta()
    ) -> Letter:
        """Durable when it returns. The same key gives the same letter; with other words it raises Conflict."""
        now = self._now()
        identifier = new_id(now, self._random)
        shown = Message(
            id=identifier,
            conversation=conversation,
            direction=Direction.OUTGOING,
            content=Text(text),
            sent_at=now,
            delivery=Delivery(DeliveryState.QUEUED, {"queued": now}),
            author=self._author.person,
            author_name=self._author.name,
            reply_to=reply_to,
            key=key or identifier,
            origin="wabiz",
        )
        content = Content(number, text, shown, reply_to)
        letter, is_new = await self.letters.add(Letter(identifier, key or identifier, conversation, "queued", now + undo, 0, content, None))
        if is_new:
            self._tell(letter)
        return letter

    async def recall(self, identifier: str) -> bool:
        letter = await self.letters.find(identifier)
        if letter is None or letter.state != "queued":
            return False
        is_back = await self.letters.take_back(letter.id)
        if is_back:
            self._tell(letter)
        return is_back

    async def retry(self, letter: Letter) -> Letter:
        """A new letter with a key of its own; the one it replaces leaves the outbox. Raises Conflict unless it failed or is uncertain."""
        if letter.state not in ("failed", "uncertain") or letter.content is None:
            raise Conflict("Only a message that failed, or that was found to be unsent, can be sent again.")
        content = letter.content
        again = await self.write(letter.conversation, content.number, content.text, key=None, reply_to=content.reply_to)
        await self.letters.discard(letter.id)
        return again

    async def await_left(self, identifier: str, *, timeout: float, or_silence: bool = False) -> Letter:
        """Wait until the letter is no longer on its way, or the time is over; the letter as it then is. Raises NotFound.

        With `or_silence` also no longer than until the hub was found not to answer."""
        deadline = asyncio.get_running_loop().time() + timeout
        while True:
            moved = self._moved
            letter = await self.letters.find(identifier)
            if letter is None:
                raise NotFound("There is no such message in the outbox.")
            left = deadline - asyncio.get_running_loop().time()
            is_silent = or_silence and letter.id in self._rests and self._rests[letter.id].is_silence
            if not letter.has_to_go or left <= 0 or is_silent:
                return letter
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await moved.wait()

    async def pending(self) -> int:
        """How many letters still have to go."""
        return sum(letter.has_to_go for letter in await self.letters.all_open())

    def _tell(self, letter: Letter) -> None:
        # Each waiter holds the event of the moment it looked, so that none misses a move.
        self._moved.set()
        self._moved = asyncio.Event()
        self._wake.set()
        self._changed(letter.conversation)

    async def _run(self) -> None:
        await self._take_up()
        while True:
            self._wake.clear()
            pause = _LONGEST_PAUSE
            for letter in await self.letters.heads():
                if letter.conversation in self._running:
                    continue
                wait = (max(letter.not_before, self._resting_until(letter)) - self._now()).total_seconds()
                if wait > 0:
                    pause = min(pause, wait)
                    continue
                task = asyncio.create_task(self._send_one(letter), name="send")
                self._running[letter.conversation] = task
                task.add_done_callback(lambda _, conversation=letter.conversation: self._done(conversation))
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    async def _take_up(self) -> None:
        """Letters that were on their way when the desk ended may have arrived: asked again, but not taken back any more."""
        for letter in await self.letters.all_open():
            if letter.state == "sending":
                await self.letters.move(msgspec.structs.replace(letter, state="queued"), has_left=True)
        await self.letters.forget_settled(self._now() - KEPT_AFTER)

    def _resting_until(self, letter: Letter) -> datetime:
        return self._rests[letter.id].until if letter.id in self._rests else letter.not_before

    def _done(self, conversation: str) -> None:
        self._running.pop(conversation, None)
        self._wake.set()

    async def _send_one(self, letter: Letter) -> None:
        try:
            letter = msgspec.structs.replace(letter, state="sending")
            await self.letters.move(letter)
            try:
                accepted = await self._send(letter)
            except Revoked as error:
                await self._rest(letter, has_left=False)
                self._refused(error)
            except Unreachable as error:
                await self._rest(letter, has_left=_may_have_left(error), is_silence=True)
            except CloudError as error:
                await self._refuse(letter, error)
            except WabizError as error:
                await self._fail(letter, "failed", error)
            else:
                await self._accept(letter, accepted)
        except Locked:
            # The outbox was closed under us; what is marked as sending is asked for again at the next start.
            return

    async def _accept(self, letter: Letter, accepted: Accepted) -> None:
        self._rests.pop(letter.id, None)
        content = letter.content
        assert content is not None  # noqa: S101 only letters with words are sent
        delivery = _delivery(content.shown, DeliveryState.ACCEPTED, self._now())
        shown = msgspec.structs.replace(content.shown, id=accepted.message or letter.id, wamid=accepted.wamid, delivery=delivery)
        moved = msgspec.structs.replace(
            letter, state="accepted", message=accepted.message, content=msgspec.structs.replace(content, shown=shown)
        )
        await self.letters.move(moved, has_left=True)
        self._tell(moved)

    async def _rest(self, letter: Letter, *, has_left: bool, is_silence: bool = False) -> None:
        """Ask again after a pause that doubles, spread so that a hundred desks do not come back at once."""
        tried = self._tries(letter) + 1
        pause = min(_LONGEST_PAUSE, 2.0 ** min(tried, 10) / 2) * random.uniform(0.5, 1.0)  # noqa: S311 spreading load is no secret
        self._rests[letter.id] = _Rest(tried, self._now() + timedelta(seconds=pause), is_silence)
        waiting = msgspec.structs.replace(letter, state="queued")
        await self.letters.move(waiting, has_left=has_left)
        self._tell(waiting)

    def _tries(self, letter: Letter) -> int:
        return self._rests[letter.id].tries if letter.id in self._rests else 0

    async def _refuse(self, letter: Letter, error: CloudError) -> None:
        if error.code == OFF_SHIFT:
            # It stays as it is, and goes when work resumes.
            await self._rest(letter, has_left=False)
            return
        if error.is_transient and self._tries(letter) < _MOST_TRANSIENT:
            await self._rest(letter, has_left=True)
            return
        await self._fail(letter, "uncertain" if error.is_uncertain else "failed", error)

    async def _fail(self, letter: Letter, state: State, error: WabizError) -> None:
        self._rests.pop(letter.id, None)
        content = letter.content
        assert content is not None  # noqa: S101 only letters with words are sent
        meta = MetaError(error.graph_code or 0, details=error.details) if isinstance(error, CloudError) else None
        delivery = msgspec.structs.replace(_delivery(content.shown, _SHOWN[state], self._now()), error=meta, sentence=error.sentence)
        shown = msgspec.structs.replace(content.shown, delivery=delivery)
        moved = msgspec.structs.replace(letter, state=state, content=msgspec.structs.replace(content, shown=shown))
        await self.letters.move(moved, has_left=True)
        self._tell(moved)


def as_message(letter: Letter) -> Message | None:
    """How the letter is shown; None once the feed has brought it and its words are gone."""
    return None if letter.content is None else letter.content.shown


def _delivery(shown: Message, state: DeliveryState, now: datetime) -> Delivery:
    earlier = {} if shown.delivery is None else shown.delivery.at
    return Delivery(state, {**earlier, str(state): now})


def _may_have_left(error: Unreachable) -> bool:
    cause = error.__cause__
    return isinstance(cause, CloudError) and cause.is_uncertain
