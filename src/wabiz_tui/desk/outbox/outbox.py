"""Send what the agent wrote: durable before it is shown, in order within each conversation, never twice.

A letter is marked `sending` on the disk before its first byte leaves. Whatever happens then (a cut line, a killed desk),
it is asked again under the same idempotency key: the hub keeps the answer to each key, so a repeat of what had arrived
is answered and not sent once more. Whether *Meta* got it is the hub's to know; where it cannot, the letter is `uncertain`.
"""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from wabiz_tui.desk.cache.attachments import Attachment
from wabiz_tui.desk.cache.letters import KEPT_AFTER, Content, Letter, Letters
from wabiz_tui.desk.files import destroy
from wabiz_tui.desk.outbox import windows
from wabiz_tui.desk.outbox.attaching import seal_file
from wabiz_tui.desk.outbox.carrying import Carrier, Send
from wabiz_tui.desk.outbox.rests import Rest, Rests
from wabiz_tui.model.content import Content as Said
from wabiz_tui.model.content import Text, plain_text
from wabiz_tui.model.errors import Conflict, NotFound, WabizError
from wabiz_tui.model.identifiers import new_id
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.values import Delivery, DeliveryState, Direction, Message

_LONGEST_PAUSE = 60.0
_SHORTEST_PAUSE = 0.5


class Author(msgspec.Struct, frozen=True):
    person: str
    name: str


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
        self._author, self._now, self._random = author, now, random_bytes
        self._changed, self._window_of = changed, window_of
        self._noticed, self._dropped = noticed, dropped
        self.notice = ""
        """What whoever waits for the letters must see."""
        self._sealing: set[str] = set()
        self._has_residue = False
        self._keeps_back = True
        self._wake = asyncio.Event()
        self._moved = asyncio.Event()
        self._rests = Rests(now)
        self._carrier = Carrier(letters, send, self._rests, now=now, moved=self._tell, refused=refused, freed=self._note_residue)
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
        self._rests.end_all()
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

    async def _ask_at_once(self, identifier: str) -> Rest | None:
        """Somebody waits for the letter: what rests in front of it is asked for now. The rest that this ended, which tells nothing new."""
        letter = await self.letters.find(identifier)
        head = None if letter is None or not letter.has_to_go else await self._head(letter.conversation)
        ended = None if head is None else self._rests.cut_short(head.id)
        if ended is not None:
            self._wake.set()
        return ended

    async def _rest_before(self, letter: Letter) -> Rest | None:
        """The rest that keeps a letter waiting: letters of a conversation go in order, so it is that of the conversation's next one."""
        head = await self._head(letter.conversation)
        return None if head is None else self._rests.of(head.id)

    async def _head(self, conversation: str) -> Letter | None:
        return next((letter for letter in await self.letters.heads() if letter.conversation == conversation), None)

    async def pending(self) -> int:
        """How many letters still have to go."""
        return sum(letter.has_to_go for letter in await self.letters.all_open())

    def _note_residue(self) -> None:
        self._has_residue = True

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
                task = asyncio.create_task(self._carrier.carry(letter), name="send")
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
                await self._carrier.fail(letter, "failed", windows.shut(), has_left=False)
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
        # A file that was being sealed when they were listed may belong to a letter by now: those that nobody seals are looked up again.
        unsealed = {path for path in await self.letters.stray_files() if path.stem not in self._sealing}
        for path in unsealed & set(await self.letters.stray_files() if unsealed else ()):
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
        rest = self._rests.of(letter.id)
        return earliest if rest is None else max(earliest, rest.until)

    def _done(self, conversation: str) -> None:
        self._running.pop(conversation, None)
        self._wake.set()


def as_message(letter: Letter) -> Message | None:
    """How the letter is shown; None once the feed has brought it and its words are gone."""
    return None if letter.content is None else letter.content.shown
