"""The desk: the Protocol of model/desk.py over cache, outbox, link and purge; locked until it is unlocked."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec

from wabiz_tui.desk.acts import perform
from wabiz_tui.desk.cache.letters import Letter
from wabiz_tui.desk.cache.store import Cache
from wabiz_tui.desk.enrolment import mark_revoked
from wabiz_tui.desk.history import messages_with_history, timeline_with_history
from wabiz_tui.desk.keys import warm
from wabiz_tui.desk.listeners import Listeners
from wabiz_tui.desk.merging import merged
from wabiz_tui.desk.opening import Setting, open_session
from wabiz_tui.desk.purge import Reason
from wabiz_tui.desk.session import Hears, Session
from wabiz_tui.desk.summary import locked_status, open_status
from wabiz_tui.desk.wipe import destroy_keys_and_files
from wabiz_tui.model.acts import WorkAct, WorkDone
from wabiz_tui.model.codec import decode
from wabiz_tui.model.content import Text
from wabiz_tui.model.desk import DeskEvent, DeskStatus, Draft, PurgeOutcome, QueuePage, SearchHit, TimelinePage, View
from wabiz_tui.model.errors import Conflict, Denied, Locked, NotFound, Revoked, Unreachable, UsageError, WabizError
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.shift import OFF_SHIFT
from wabiz_tui.model.values import Conversation, DeliveryState, Direction, Event, Message
from wabiz_tui.model.wire import Assignment, ReadMark, Receipt, SignedReceipt, StatusChange
from wabiz_tui.model.work import Doing, Presence
from wabiz_tui.policy.window import is_open

T = TypeVar("T")
_LONGEST_TEXT = 4096
_MOST_ROWS = 1000
_STATUSES = ("open", "pending", "snoozed", "resolved")
_NOT_ON_ITS_WAY = (DeliveryState.FAILED, DeliveryState.UNCERTAIN)


class LocalDesk(Hears):
    """Implements model.desk.Desk. `begin` before the first call; `close` when the process ends."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._session: Session | None = None
        self._listeners = Listeners()
        self._turn = asyncio.Lock()
        self._used_at = setting.clock.monotonic()
        self._why_locked: WabizError | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self) -> None:
        """Unlock if the kernel keeps the keys; watch for idleness."""
        with suppress(WabizError):
            await self._unlock_warm()
        self._keep(self._watch_idleness())

    async def close(self) -> None:
        """End: what is due is destroyed if the hub can be reached; the kernel keeps the keys for the lease."""
        async with self._turn:
            for task in list(self._tasks):
                if task is not asyncio.current_task():
                    task.cancel()
            session, self._session = self._session, None
            if session is not None:
                await session.close("exit")
                session.vault.close()
        self._listeners.close()

    async def is_settled(self) -> bool:
        """Whether nothing would be lost or late if the process ended now: no letter is on its way."""
        session = self._session
        if session is None:
            return True
        return session.link_state != "online" or await session.outbox.pending() == 0

    async def status(self) -> DeskStatus:
        session = self._session
        lock_after = int(self._idle_time().total_seconds())
        if session is None:
            return locked_status(self._setting, self._why_locked, lock_after=lock_after)
        try:
            return await open_status(session, lock_after=lock_after)
        except Locked:
            return locked_status(self._setting, self._why_locked, lock_after=lock_after)

    async def unlock(self, passphrase: Secret | None = None) -> DeskStatus:
        async with self._turn:
            if self._session is None:
                if isinstance(self._why_locked, Revoked):
                    raise self._why_locked
                try:
                    self._session = await open_session(self._setting, self, passphrase)
                except Revoked as error:
                    await self._destroy_all(error)
                    raise
                except Denied as error:
                    if error.code == OFF_SHIFT:
                        self._why_locked = error
                    raise
                self._opened()
            elif passphrase is not None:
                await self._session.vault.check(passphrase)
        return await self.status()

    async def lock(self, reason: str = "asked") -> None:
        await self._lock(reason, None)

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

    async def search(self, words: str, *, limit: int = 50) -> list[SearchHit]:
        return await self._read(lambda cache: cache.search(words, limit=_bounded(limit)))

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

    async def sync(self) -> int:
        session = self._opened_session()
        return await session.mended(session.sync.catch_up)

    async def purge(self) -> PurgeOutcome:
        session = self._used()
        signed = await session.mended(lambda: session.purger.purge("asked"))
        return PurgeOutcome(decode(signed.receipt, Receipt).removed.messages, session.cache.epoch, signed)

    async def receipts(self) -> list[SignedReceipt]:
        return self._opened_session().purger.receipts.chain

    async def media(self, message: str) -> bytes:
        return await self._opened_session().link.media(message)

    async def watch(self, conversation: str, doing: Doing) -> list[Presence]:
        return self._opened_session().company.watch(conversation, doing)

    async def activity(self) -> None:
        self._used_at = self._setting.clock.monotonic()

    def listen(self) -> AsyncIterator[DeskEvent]:
        return self._listeners.listen()

    # What the session tells

    def changed(self, conversations: frozenset[str]) -> None:
        self._listeners.tell(DeskEvent("changed", tuple(sorted(conversations))))

    def met(self, conversation: str, others: list[Presence]) -> None:
        self._listeners.tell(DeskEvent("presence", (conversation,), others=tuple(others)))

    def status_changed(self) -> None:
        self._listeners.tell(DeskEvent("status"))

    def ended(self, error: WabizError) -> None:
        self._keep(self._end_session(error))

    # How it is done

    def _opened_session(self) -> Session:
        if self._session is None:
            if isinstance(self._why_locked, Revoked):
                raise self._why_locked
            raise Locked("The desk is locked; unlock it first.")
        return self._session

    def _used(self) -> Session:
        """The session, for an act of a person: idleness counts from here."""
        self._used_at = self._setting.clock.monotonic()
        return self._opened_session()

    async def _read(self, read: Callable[[Cache], Awaitable[T]]) -> T:
        return await self._opened_session().use(read)

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

    async def _act(self, conversation: str, ask: Callable[[Session], Awaitable[Conversation | None]]) -> Conversation:
        """Ask the hub; the conversation as it is afterwards, and in the cache too when this returns."""
        session = self._used()
        before = await self.conversation(conversation)
        after = await ask(session)
        with suppress(Unreachable):
            await session.sync.catch_up()
        # Nothing comes back when the act took the conversation out of this person's sight.
        return after or before

    def _opened(self) -> None:
        self._why_locked = None
        self._used_at = self._setting.clock.monotonic()
        self._listeners.tell(DeskEvent("unlocked"))

    async def _unlock_warm(self) -> None:
        async with self._turn:
            self._session = await open_session(self._setting, self, None, only_warm=True)
            self._opened()

    async def _lock(self, reason: str, error: WabizError | None) -> None:
        """Calls are refused from the first moment on; then what is due is destroyed, then the keys."""
        async with self._turn:
            session, self._session = self._session, None
            if session is None:
                # The kernel may hold keys of an earlier run that this one could not use.
                warm.drop(self._setting.enrolment.device)
                return
            self._why_locked = error
            self._listeners.tell(DeskEvent("locked", reason=reason))
            try:
                await session.close(_purge_reason(reason))
            finally:
                session.vault.forget()

    async def _end_session(self, error: WabizError) -> None:
        if not isinstance(error, Revoked):
            await self._lock(error.code, error)
            return
        async with self._turn:
            session, self._session = self._session, None
            if session is not None:
                await session.drop()
                session.vault.forget()
            await self._destroy_all(error)

    async def _destroy_all(self, error: Revoked) -> None:
        self._why_locked = error
        enrolment, config, paths = self._setting[:3]
        await asyncio.to_thread(destroy_keys_and_files, enrolment, config, paths)
        await asyncio.to_thread(mark_revoked, enrolment, paths)
        self._listeners.tell(DeskEvent("locked", reason="revoked"))
        self._listeners.tell(DeskEvent("status"))

    async def _watch_idleness(self) -> None:
        while True:
            idle = self._setting.clock.monotonic() - self._used_at
            left = self._idle_time().total_seconds() - idle
            if left <= 0 and self._session is not None:
                await self._lock("idle", None)
            await asyncio.sleep(min(max(left, 0.5), 30.0) if self._session is not None else 1.0)

    def _idle_time(self) -> timedelta:
        policy = self._session.policy if self._session is not None else None
        return self._setting.config.idle_lock(policy.cache.idle_lock) if policy is not None else self._setting.config.desk.idle_lock

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _bounded(limit: int) -> int:
    return min(max(limit, 1), _MOST_ROWS)


def _purge_reason(reason: str) -> Reason:
    return "exit" if reason == "exit" else "lock"
