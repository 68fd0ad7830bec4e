"""The still desk: the desk's calls over still data in memory, recording every call that would change something."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import msgspec

from tests.support import tui_data as still
from wabiz_tui.model.acts import WorkAct, WorkDone
from wabiz_tui.model.content import Text, plain_text
from wabiz_tui.model.desk import (
    DeskEvent,
    DeskStatus,
    Draft,
    Lent,
    MediaFile,
    MediaUse,
    OutboxLetter,
    PurgeOutcome,
    QueuePage,
    SearchHit,
    TimelinePage,
    View,
)
from wabiz_tui.model.errors import Conflict, Locked, NotFound, WabizError, WrongKey
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.values import Conversation, Delivery, DeliveryState, Direction, Event, Message
from wabiz_tui.model.wire import SignedReceipt
from wabiz_tui.model.work import Doing, Presence

PASSPHRASE = "open sesame"


class StillClock:
    """A clock that stands until it is moved."""

    def __init__(self, at: datetime = still.NOW) -> None:
        self.at, self.seconds = at, 0.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.seconds

    def move(self, **span: float) -> None:
        self.at += timedelta(**span)
        self.seconds += timedelta(**span).total_seconds()


class StillDesk:
    """`calls` lists what was asked for, newest last; `fail_next` makes the next changing call raise."""

    def __init__(self, rows: list[Conversation] | None = None, *, status: DeskStatus | None = None, needs: str = "") -> None:
        given = still.conversations() if rows is None else rows
        self.rows = {row.id: row for row in given}
        self.now_status = status or still.status()
        self.threads: dict[str, list[Message]] = {}
        self.drafts: dict[str, Draft] = {}
        self.calls: list[tuple[Any, ...]] = []
        self.passphrase = needs
        self.fail_next: WabizError | None = None
        self.listeners: list[asyncio.Queue[DeskEvent | None]] = []
        self.watched: list[tuple[str, Doing]] = []
        self.others: dict[str, list[Presence]] = {}
        self.reads = 0
        self.pages: list[int] = []
        """How many messages each slice of a talk might have had."""
        self._sent = 0

    def _record(self, *call: Any) -> None:
        self.calls.append(call)
        if self.fail_next is not None:
            error, self.fail_next = self.fail_next, None
            raise error

    def _check_open(self) -> None:
        self.reads += 1
        if self.now_status.locked:
            raise Locked("The desk is locked.")

    def named(self, name: str) -> list[tuple[Any, ...]]:
        return [call for call in self.calls if call[0] == name]

    def _thread(self, conversation: str) -> list[Message]:
        if conversation not in self.rows:
            raise NotFound("That conversation is not here.")
        if conversation not in self.threads:
            makers = {still.identity(1): still.parcel_thread, still.identity(2): still.every_kind, still.identity(11): still.hostile_thread}
            maker = makers.get(conversation)
            self.threads[conversation] = maker(conversation) if maker else still.long_thread(conversation, 6)
        return self.threads[conversation]

    def tell(self, event: DeskEvent) -> None:
        for listener in self.listeners:
            listener.put_nowait(event)

    def replace(self, conversation: str, **changes: Any) -> Conversation:
        row = self.rows[conversation] = msgspec.structs.replace(self.rows[conversation], **changes)
        self.tell(DeskEvent(kind="changed", conversations=(conversation,)))
        return row

    def arrive(self, conversation: str, text: str) -> Message:
        """A customer writes."""
        thread = self._thread(conversation)
        number = len(thread) + 1
        message = Message(
            id=f"{int(conversation, 16):08x}{number:024x}",
            conversation=conversation,
            direction=Direction.INCOMING,
            content=Text(text),
            sent_at=still.NOW,
            wamid=f"wamid.{number}",
        )
        thread.append(message)
        row = self.rows[conversation]
        self.replace(conversation, preview=text, last_at=still.NOW, unread=row.unread + 1, preview_direction=Direction.INCOMING)
        return message

    def purge_messages(self, conversation: str, *, until: int) -> None:
        """Policy takes the oldest `until` messages of a conversation."""
        del self._thread(conversation)[:until]
        self.tell(DeskEvent(kind="changed", conversations=(conversation,)))

    def purge_conversation(self, conversation: str) -> None:
        """Policy takes a conversation."""
        del self.rows[conversation]
        self.tell(DeskEvent(kind="changed", conversations=(conversation,)))

    async def status(self) -> DeskStatus:
        return self.now_status

    async def unlock(self, passphrase: Secret | None = None) -> DeskStatus:
        self._record("unlock", None if passphrase is None else passphrase.text())
        if self.passphrase and (passphrase is None or passphrase.text() != self.passphrase):
            raise WrongKey("That passphrase does not open the key store; try again.")
        self.now_status = msgspec.structs.replace(self.now_status, locked=False)
        self.tell(DeskEvent(kind="unlocked"))
        return self.now_status

    async def lock(self, reason: str = "asked") -> None:
        self._record("lock", reason)
        self.now_status = msgspec.structs.replace(self.now_status, locked=True, needs_passphrase=bool(self.passphrase))
        self.tell(DeskEvent(kind="locked", reason=reason))

    def _view(self, view: View) -> list[Conversation]:
        me = self.now_status.person
        chosen = {
            "mine": lambda row: row.assignee == me and row.status in ("open", "pending"),
            "unassigned": lambda row: row.assignee is None and row.status in ("open", "pending"),
            "open": lambda row: row.status in ("open", "pending"),
            "unread": lambda row: row.unread > 0,
            "all": lambda row: True,
        }.get(view, lambda row: row.status == view)
        return sorted((row for row in self.rows.values() if chosen(row)), key=lambda row: row.last_at or still.NOW, reverse=True)

    async def queue(self, view: View = "open", *, offset: int = 0, limit: int = 100) -> QueuePage:
        self._check_open()
        rows = self._view(view)
        return QueuePage(rows[offset : offset + limit], len(rows), offset)

    async def counts(self) -> dict[str, int]:
        self._check_open()
        views: tuple[View, ...] = ("mine", "unassigned", "open", "pending", "snoozed", "resolved", "unread", "all")
        return {view: len(self._view(view)) for view in views}

    async def conversations(self) -> list[Conversation]:
        self._check_open()
        return self._view("all")

    async def conversation(self, conversation: str) -> Conversation:
        self._check_open()
        if conversation not in self.rows:
            raise NotFound("That conversation is not here.")
        return self.rows[conversation]

    async def timeline(self, conversation: str, *, before: str | None = None, after: str | None = None, limit: int = 50) -> TimelinePage:
        self._check_open()
        thread = self._thread(conversation)
        at = {message.id: number for number, message in enumerate(thread)}
        # As at the desk, an unknown message counts as the newest place.
        end = at.get(before, len(thread)) if before else len(thread)
        begin = at.get(after, len(thread)) + 1 if after else max(0, end - limit)
        begin = min(begin, len(thread))
        end = min(end, begin + limit)
        self.pages.append(limit)
        row = self.rows[conversation]
        incoming = [message.id for message in thread if message.direction is Direction.INCOMING]
        return TimelinePage(
            conversation=row,
            contact=still.contact_of(row),
            messages=thread[begin:end],
            has_earlier=begin > 0,
            has_later=end < len(thread),
            first_unread=incoming[-row.unread] if 0 < row.unread <= len(incoming) else None,
            leaves_at=thread[0].sent_at + timedelta(days=14) if thread else None,
        )

    async def messages(self, conversation: str) -> list[Message]:
        self._check_open()
        return list(self._thread(conversation))

    async def events(self, *, limit: int = 1000) -> list[Event]:
        return []

    async def search(self, words: str, *, limit: int = 50, ranked: bool = False) -> list[SearchHit]:
        del ranked
        self._check_open()
        wanted = words.casefold().split()
        hits = [
            SearchHit(message, self.rows[conversation].name)
            for conversation in self.rows
            for message in self._thread(conversation)
            if all(word in plain_text(message.content).casefold() for word in wanted)
        ]
        return sorted(hits, key=lambda hit: hit.message.sent_at, reverse=True)[:limit]

    async def draft(self, conversation: str) -> Draft | None:
        self._check_open()
        return self.drafts.get(conversation)

    async def save_draft(self, conversation: str, text: str, *, reply_to: str | None = None) -> None:
        self._record("save_draft", conversation, text, reply_to)
        if text:
            self.drafts[conversation] = Draft(conversation, text, reply_to, still.NOW)
        else:
            self.drafts.pop(conversation, None)

    async def send_text(
        self, conversation: str, text: str, *, key: str | None = None, reply_to: str | None = None, undo: bool = False
    ) -> Message:
        self._record("send_text", conversation, text, reply_to, undo)
        self._sent += 1
        thread = self._thread(conversation)
        message = Message(
            id=f"{int(conversation, 16):08x}{len(thread) + 1:024x}",
            conversation=conversation,
            direction=Direction.OUTGOING,
            content=Text(text),
            sent_at=still.NOW,
            delivery=Delivery(DeliveryState.QUEUED),
            author=still.ME,
            author_name="Ana Lima",
            reply_to=reply_to,
            key=key or f"key-{self._sent}",
            origin="wabiz",
        )
        thread.append(message)
        self.replace(
            conversation, preview=text, last_at=still.NOW, preview_direction=Direction.OUTGOING, preview_delivery=DeliveryState.QUEUED
        )
        return message

    def deliver(self, message: Message, state: str) -> None:
        thread = self._thread(message.conversation)
        at = next(number for number, each in enumerate(thread) if each.id == message.id)
        thread[at] = msgspec.structs.replace(message, delivery=Delivery(DeliveryState(state)))
        self.replace(message.conversation, preview_delivery=DeliveryState(state))

    async def send_file(
        self, conversation: str, path: str, *, caption: str = "", key: str | None = None, reply_to: str | None = None, undo: bool = False
    ) -> Message:
        self._record("send_file", conversation, path)
        return await self.send_text(conversation, caption, reply_to=reply_to, undo=undo)

    async def send_template(
        self, conversation: str, name: str, language: str, *, values: dict[str, str], key: str | None = None
    ) -> Message:
        self._record("send_template", conversation, name, language, values)
        return await self.send_text(conversation, name)

    async def await_sent(self, message: str, *, queue: bool = False, timeout: float = 30.0) -> Message:
        return await self.await_accepted(message, timeout=timeout)

    async def outbox(self) -> list[OutboxLetter]:
        return []

    async def discard(self, message: str) -> bool:
        self._record("discard", message)
        return False

    async def recall(self, message: str) -> bool:
        self._record("recall", message)
        for thread in self.threads.values():
            for each in thread:
                if each.id == message and each.delivery is not None and each.delivery.state is DeliveryState.QUEUED:
                    thread.remove(each)
                    self.tell(DeskEvent(kind="changed", conversations=(each.conversation,)))
                    return True
        return False

    async def retry(self, message: str) -> Message:
        self._record("retry", message)
        for thread in self.threads.values():
            for each in thread:
                if each.id == message and each.delivery is not None:
                    if each.delivery.state not in (DeliveryState.FAILED, DeliveryState.UNCERTAIN):
                        raise Conflict("That message is on its way; there is nothing to send again.")
                    self.deliver(each, "queued")
                    return each
        raise NotFound("That message is not here.")

    async def await_accepted(self, message: str, *, timeout: float) -> Message:
        return next(each for thread in self.threads.values() for each in thread if each.id == message)

    async def set_status(self, conversation: str, status: Any, *, until: datetime | None = None, reason: str = "") -> Conversation:
        self._record("set_status", conversation, status, until, reason)
        return self.replace(conversation, status=status, snoozed_until=until if status == "snoozed" else None)

    async def assign(self, conversation: str, person: str | None, *, expected: str | None = None) -> Conversation:
        self._record("assign", conversation, person)
        mine = person == "me"
        return self.replace(conversation, assignee=still.ME if mine else person, assignee_name="Ana Lima" if mine else "")

    async def work(self, act: WorkAct) -> WorkDone:
        self._record("work", act)
        return WorkDone()

    async def mark_read(self, conversation: str, up_to: str | None = None) -> None:
        self._record("mark_read", conversation, up_to)
        self.replace(conversation, unread=0)

    async def mark_unread(self, conversation: str) -> None:
        self._record("mark_unread", conversation)
        self.replace(conversation, unread=max(1, self.rows[conversation].unread))

    async def sync(self) -> int:
        return self.now_status.head

    async def purge(self) -> PurgeOutcome:
        return PurgeOutcome(0, self.now_status.epoch)

    async def rekey(self, passphrase: Secret | None = None, new_passphrase: Secret | None = None) -> DeskStatus:
        self._record("rekey")
        return self.now_status

    async def receipts(self) -> list[SignedReceipt]:
        return []

    async def fetch_media(self, message: str) -> MediaFile:
        self._record("fetch_media", message)
        return MediaFile(message, "image/png", "", 4, "")

    async def read_media(self, message: str, *, offset: int = 0, limit: int = 1 << 20, use: MediaUse = "inline") -> bytes:
        self._record("read_media", message, use)
        return b"\x89PNG"[offset : offset + limit]

    async def lend_media(self, message: str) -> Lent:
        self._record("lend_media", message)
        return Lent(f"/nowhere/{message}.png", still.NOW)

    async def return_media(self, message: str) -> None:
        self._record("return_media", message)

    async def watch(self, conversation: str, doing: Doing) -> list[Presence]:
        self.watched.append((conversation, doing))
        return [] if doing == "left" else self.others.get(conversation, [])

    def meet(self, conversation: str, *others: Presence) -> None:
        """From now on these are at the conversation."""
        self.others[conversation] = list(others)
        self.tell(DeskEvent(kind="presence", conversations=(conversation,), others=others))

    async def activity(self) -> None:
        self.calls.append(("activity",))

    async def listen(self) -> AsyncIterator[DeskEvent]:
        listener: asyncio.Queue[DeskEvent | None] = asyncio.Queue()
        self.listeners.append(listener)
        while (event := await listener.get()) is not None:
            yield event

    def end(self) -> None:
        """The desk's process is gone."""
        for listener in self.listeners:
            listener.put_nowait(None)

    async def close(self) -> None:
        self.calls.append(("close",))
