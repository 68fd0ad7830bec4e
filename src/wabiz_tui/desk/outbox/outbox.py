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
from pathlib import Path
from typing import NamedTuple

import msgspec

from wabiz_tui.desk.cache.attachments import Attachment
from wabiz_tui.desk.cache.letters import KEPT_AFTER, Content, Letter, Letters, State
from wabiz_tui.desk.files import destroy
from wabiz_tui.desk.link.link import Accepted
from wabiz_tui.desk.outbox import windows
from wabiz_tui.desk.outbox.attaching import seal_file
from wabiz_tui.model.content import Content as Said
from wabiz_tui.model.content import MetaError, Text, plain_text
from wabiz_tui.model.errors import CloudError, Conflict, Locked, NotFound, Revoked, Unreachable, WabizError
from wabiz_tui.model.identifiers import new_id
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.shift import OFF_SHIFT
from wabiz_tui.model.values import Delivery, DeliveryState, Direction, Message

Send = Callable[[Letter], Awaitable[Accepted]]
_LONGEST_PAUSE = 60.0
_SHORTEST_PAUSE = 0.5
_MOST_TRANSIENT = 6
_NOT_NOW = frozenset({OFF_SHIFT, "busy", "too_many", "wrong_tokens", "no_room"})
"""The hub has taken nothing yet and says to come again: however often, that is no failure."""
_TOO_FAST = frozenset({"rate_limited", "pair_rate"})
_MOST_TOO_FAST = 30
"""Nothing was taken either, as a rule; but where the hub gave up waiting for a turn, its answer under this key stays what it is."""
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
    """Until when a letter is not asked for again, and why."""

    tries: int
    until: datetime
    why: WabizError

    @property
    def is_long(self) -> bool:
        """Whether whoever waits for the letter would wait in vain: the hub does not answer, or the shift is over."""
        return isinstance(self.why, Unreachable) or self.why.code == OFF_SHIFT


class Outbox:
    """Letters and the one task that sends them. `changed` is called with the conversation of every letter that moved;
    `refused` with a failure that is not the letter's (revoked, locked). `window_of` tells when a conversation's window shuts, `noticed` is
    called when `notice` changed, `dropped` with a file that was given up and may have been brought to the hub in part."""

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
        window_of: windows.WindowOf | None = None,
        noticed: Callable[[], None] = lambda: None,
        dropped: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.letters = letters
        self._send, self._author, self._now, self._random = send, author, now, random_bytes
        self._changed, self._refused, self._window_of = changed, refused, window_of
        self._noticed, self._dropped = noticed, dropped
        self.notice = ""
        """What whoever waits for the letters must see."""
        self._sealing: set[str] = set()
        self._has_residue = False
        self._keeps_back = True
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

    async def end_undo(self, seconds: float) -> None:
        """Nobody is there to take anything back any more: what only its undo time keeps goes now. Waits for it no longer than `seconds`;
        what has not gone by then goes after the next start."""
        self._keeps_back = False
        self._wake.set()
        resting = {letter.conversation for letter in await self.letters.heads() if letter.id in self._rests}
        kept_back = [each for each in await self.letters.all_open() if each.not_before > self._now() and each.conversation not in resting]
        with suppress(TimeoutError, NotFound):
            async with asyncio.timeout(seconds):
                for letter in kept_back:
                    await self.await_left(letter.id, timeout=seconds, or_silence=True)

    async def write(
        self, conversation: str, number: str, said: str | Said, *, key: str | None, reply_to: str | None, undo: timedelta = timedelta()
    ) -> Letter:
        """Durable when it returns. The same key gives the same letter; with other content it raises UsageError."""
        return await self._add(self._letter(conversation, number, said, key=key, reply_to=reply_to, undo=undo))

    async def write_file(
        self, conversation: str, number: str, path: Path, *, caption: str, key: str | None, reply_to: str | None, undo: timedelta
    ) -> Letter:
        """As `write`, of a file that is read once and lies sealed until it has gone. Raises what seal_file raises."""
        identifier = new_id(self._now(), self._random)
        self._sealing.add(identifier)
        is_added = False
        try:
            sealed = await asyncio.to_thread(
                seal_file, path, self.letters.files, identifier=identifier, key=Secret(self._random(32)), caption=caption
            )
            letter = self._letter(conversation, number, sealed.content, key=key, reply_to=reply_to, undo=undo, attachment=sealed.attachment)
            added = await self._add(letter, sealed.attachment)
            is_added = added.id == letter.id
            return added
        finally:
            self._sealing.discard(identifier)
            if not is_added:
                self._has_residue = True
                self._wake.set()

    async def _add(self, letter: Letter, attachment: Attachment | None = None) -> Letter:
        added, is_new = await self.letters.add(letter, attachment)
        if is_new:
            self._tell(added)
        return added

    def _letter(
        self,
        conversation: str,
        number: str,
        said: str | Said,
        *,
        key: str | None,
        reply_to: str | None,
        undo: timedelta = timedelta(),
        attachment: Attachment | None = None,
    ) -> Letter:
        now = self._now()
        identifier = new_id(now, self._random)
        content = Text(said) if isinstance(said, str) else said
        shown = Message(
            id=identifier,
            conversation=conversation,
            direction=Direction.OUTGOING,
            content=content,
            sent_at=now,
            delivery=Delivery(DeliveryState.QUEUED, {"queued": now}),
            author=self._author.person,
            author_name=self._author.name,
            reply_to=reply_to,
            key=key or identifier,
            origin="wabiz",
        )
        file, sha256 = ("", "") if attachment is None else (attachment.id, attachment.sha256)
        words = Content(number, plain_text(content), shown, reply_to, file, sha256)
        return Letter(identifier, key or identifier, conversation, "queued", now + undo, 0, words, None)

    async def recall(self, identifier: str) -> bool:
        """Take back what has certainly not left."""
        letter = await self.letters.find(identifier)
        if letter is None or letter.state != "queued":
            return False
        return self._gone(letter, is_gone=await self.letters.take_back(letter.id))

    async def discard(self, identifier: str) -> bool:
        """Give up a letter that has not left, failed, or is uncertain; False for one that is on its way or with the hub."""
        letter = await self.letters.find(identifier)
        if letter is None or letter.state not in ("failed", "uncertain"):
            return await self.recall(identifier)
        return self._gone(letter, is_gone=await self.letters.discard(letter.id))

    async def retry(self, letter: Letter) -> Letter:
        """A new letter with a key of its own; the one it replaces leaves the outbox. Raises Conflict unless it failed or is uncertain."""
        content = letter.content
        if letter.state in ("failed", "uncertain") and content is not None:
            new = self._letter(letter.conversation, content.number, content.shown.content, key=None, reply_to=content.reply_to)
            words = new.content
            assert words is not None  # noqa: S101 just written
            new = msgspec.structs.replace(new, content=msgspec.structs.replace(words, file=content.file, sha256=content.sha256))
            if await self.letters.replace(letter.id, new):
                self._tell(new)
                return new
        raise Conflict("Only a message that failed, or that was found to be unsent, can be sent again.")

    async def await_left(self, identifier: str, *, timeout: float, or_silence: bool = False) -> Letter:
        """Wait until the letter is no longer on its way, or the time is over; the letter as it then is. Raises NotFound.

        With `or_silence` also no longer than until the hub was found not to answer, to this letter or to the one before it."""
        deadline = asyncio.get_running_loop().time() + timeout
        known = await self._ask_at_once(identifier) if or_silence else None
        while True:
            moved = self._moved
            letter = await self.letters.find(identifier)
            if letter is None:
                raise NotFound("There is no such message in the outbox.")
            left = deadline - asyncio.get_running_loop().time()
            if not letter.has_to_go or left <= 0:
                return letter
            rest = await self._rest_before(letter) if or_silence else None
            if rest is not None and rest.is_long and rest is not known:
                return letter
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await moved.wait()

    async def why_waiting(self, letter: Letter) -> WabizError | None:
        """What the hub, or the silence in its place, said last of a letter that still has to go, or of the one it waits behind."""
        rest = await self._rest_before(letter)
        return None if rest is None else rest.why

    async def _ask_at_once(self, identifier: str) -> _Rest | None:
        """Somebody waits for the letter: what rests in front of it is asked for now. The rest that this ended, which tells nothing new."""
        letter = await self.letters.find(identifier)
        head = None if letter is None or not letter.has_to_go else await self._head(letter.conversation)
        if head is None or head.id not in self._rests or not self._rests[head.id].is_long:
            return None
        ended = self._rests[head.id] = self._rests[head.id]._replace(until=self._now())
        self._wake.set()
        return ended

    async def _rest_before(self, letter: Letter) -> _Rest | None:
        """The rest that keeps a letter waiting: letters of a conversation go in order, so it is that of the conversation's next one."""
        head = await self._head(letter.conversation)
        return None if head is None else self._rests.get(head.id)

    async def _head(self, conversation: str) -> Letter | None:
        return next((letter for letter in await self.letters.heads() if letter.conversation == conversation), None)

    async def pending(self) -> int:
        """How many letters still have to go."""
        return sum(letter.has_to_go for letter in await self.letters.all_open())

    def _gone(self, letter: Letter, *, is_gone: bool) -> bool:
        if is_gone:
            self._has_residue = True
            self._tell(letter)
            is_unbegun = letter.state == "queued" and letter.not_before > self._now()
            if letter.content is not None and letter.content.file and not is_unbegun:
                self._dropped(letter.content.file)
        return is_gone

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
            await self._tidy()
            pause = await self._watch_windows()
            for letter in await self.letters.heads():
                if letter.conversation in self._running:
                    continue
                wait = (self._due(letter) - self._now()).total_seconds()
                if wait > 0:
                    pause = min(pause, wait)
                    continue
                task = asyncio.create_task(self._send_one(letter), name="send")
                self._running[letter.conversation] = task
                task.add_done_callback(lambda _, conversation=letter.conversation: self._done(conversation))
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    async def _watch_windows(self) -> float:
        """Tell of windows that close over what waits, give back what they closed over; seconds until there is more to tell."""
        if self._window_of is None:
            return _LONGEST_PAUSE
        letters = await self.letters.all_open()
        looked = await windows.look(letters, self._window_of, self._now())
        closed, kept = {letter.id for letter in looked.closed}, set[str]()
        for letter in letters:
            # In order: none is given back while one before it may still be on its way.
            if letter.id in closed and letter.conversation not in self._running and letter.conversation not in kept:
                await self._fail(letter, "failed", windows.shut(), has_left=False)
            elif letter.has_to_go:
                kept.add(letter.conversation)
        # What goes in a moment needs no warning.
        waiting = {letter.conversation for letter in await self.letters.heads() if letter.id in self._rests} - set(self._running)
        for letter in looked.closing:
            if letter.conversation in waiting:
                await self.letters.move(letter)
                self._tell(letter)
        told = windows.notice(await self.letters.all_open())
        if told != self.notice:
            self.notice = told
            self._noticed()
        again = _LONGEST_PAUSE if looked.look_again is None else (looked.look_again - self._now()).total_seconds()
        return min(max(again, _SHORTEST_PAUSE), _LONGEST_PAUSE)

    async def _tidy(self) -> None:
        """Destroy what is left of files whose letters have gone, and of the words that were in the database."""
        if not self._has_residue:
            return
        self._has_residue = False
        for path in await self.letters.stray_files():
            if path.stem not in self._sealing:
                await asyncio.to_thread(destroy, path)
        await self.letters.scrub()

    async def _take_up(self) -> None:
        """Letters that were on their way when the desk ended may have arrived: asked again, but not taken back any more."""
        for letter in await self.letters.all_open():
            if letter.state == "sending":
                await self.letters.move(msgspec.structs.replace(letter, state="queued"), has_left=True)
        await self.letters.forget_settled(self._now() - KEPT_AFTER)
        # A kill may have come between the end of a letter and the end of its file.
        self._has_residue = bool(await self.letters.stray_files())

    def _due(self, letter: Letter) -> datetime:
        earliest = letter.not_before if self._keeps_back else self._now()
        return max(earliest, self._rests[letter.id].until) if letter.id in self._rests else earliest

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
                await self._rest(letter, error, has_left=False)
                self._refused(error)
            except Unreachable as error:
                await self._rest(letter, error, has_left=_may_have_left(error))
            except CloudError as error:
                await self._refuse(letter, error)
            except WabizError as error:
                if error.code in _NOT_NOW:
                    await self._rest(letter, error, has_left=False)
                else:
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
            letter, state="accepted", message=accepted.message, content=msgspec.structs.replace(content, shown=shown, file="")
        )
        await self.letters.move(moved, has_left=True)
        self._has_residue = self._has_residue or bool(content.file)
        self._tell(moved)

    async def _rest(self, letter: Letter, error: WabizError, *, has_left: bool, at_least: timedelta | None = None) -> None:
        """Ask again after a pause that doubles, spread so that a hundred desks do not come back at once."""
        tried = self._tries(letter) + 1
        pause = min(_LONGEST_PAUSE, 2.0 ** min(tried, 10) / 2) * random.uniform(0.5, 1.0)  # noqa: S311 spreading load is no secret
        wait = max(timedelta(seconds=pause), at_least or timedelta())
        self._rests[letter.id] = _Rest(tried, self._now() + wait, error)
        waiting = msgspec.structs.replace(letter, state="queued")
        await self.letters.move(waiting, has_left=has_left)
        self._tell(waiting)

    def _tries(self, letter: Letter) -> int:
        return self._rests[letter.id].tries if letter.id in self._rests else 0

    async def _refuse(self, letter: Letter, error: CloudError) -> None:
        is_too_fast = error.code in _TOO_FAST and self._tries(letter) < _MOST_TOO_FAST
        if error.code in _NOT_NOW or is_too_fast:
            # It stays as it is, and goes when it may.
            await self._rest(letter, error, has_left=False, at_least=error.retry_after)
            return
        if error.is_transient and self._tries(letter) < _MOST_TRANSIENT:
            await self._rest(letter, error, has_left=True)
            return
        await self._fail(letter, "uncertain" if error.is_uncertain else "failed", error)

    async def _fail(self, letter: Letter, state: State, error: WabizError, *, has_left: bool = True) -> None:
        self._rests.pop(letter.id, None)
        content = letter.content
        assert content is not None  # noqa: S101 only letters with words are sent
        meta = MetaError(error.graph_code or 0, details=error.details) if isinstance(error, CloudError) else None
        delivery = msgspec.structs.replace(_delivery(content.shown, _SHOWN[state], self._now()), error=meta, sentence=error.sentence)
        shown = msgspec.structs.replace(content.shown, delivery=delivery)
        moved = msgspec.structs.replace(letter, state=state, content=msgspec.structs.replace(content, shown=shown))
        await self.letters.move(moved, has_left=has_left)
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
