"""The desk as its clients see it: every call of the Protocol as one frame over the socket. Imports nothing heavy."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import msgspec

from wabiz_tui.desk.process.frames import Event, FromDesk, Hello, Reply, Request, error_of, frame, pack, read_frame, unpack
from wabiz_tui.desk.process.socket_file import connect
from wabiz_tui.model.acts import WorkAct, WorkDone
from wabiz_tui.model.desk import (
    DeskEvent,
    DeskStatus,
    Draft,
    PurgeOutcome,
    QueuePage,
    SearchHit,
    TimelinePage,
    View,
)
from wabiz_tui.model.errors import BadInput, Unreachable, WabizError
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.values import Conversation, Message
from wabiz_tui.model.values import Event as BusinessEvent
from wabiz_tui.model.wire import SignedReceipt
from wabiz_tui.model.work import Doing, Presence

ENDED = "desk_ended"
"""The code of Unreachable when the desk went away under a call: whether the call was done is not known."""
_ENDED = "The desk has ended; start wabiz again."
_QUEUED_EVENTS = 256


class DeskClient:
    """One connection to the desk. All calls may run at once; each raises Unreachable when the desk is gone."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hello: Hello) -> None:
        self.hello = hello
        self._reader, self._writer = reader, writer
        self._waiting: dict[int, asyncio.Future[msgspec.Raw]] = {}
        self._listeners: set[asyncio.Queue[DeskEvent | None]] = set()
        self._last_id = 0
        self._ended = False
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Connect to the desk that listens at `path`. Raises FileNotFoundError or ConnectionRefusedError where none does."""
        reader, writer = await asyncio.open_unix_connection(sock=connect(path))
        hello = unpack(await read_frame(reader), FromDesk)
        if not isinstance(hello, Hello):
            raise BadInput("What listens on the desk's socket is no desk; remove it and start wabiz again.")
        return cls(reader, writer, hello)

    async def _read(self) -> None:
        try:
            while True:
                self._heard(unpack(await read_frame(self._reader), FromDesk))
        except WabizError:
            # The stream ended or lost its form: whoever waits is told below, whoever asks later by `_call`.
            pass
        finally:
            self._end()

    def _heard(self, told: FromDesk) -> None:
        if isinstance(told, Reply):
            waiting = self._waiting.pop(told.id, None)
            if waiting is None or waiting.done():
                return
            if told.failure is not None:
                waiting.set_exception(error_of(told.failure))
            else:
                waiting.set_result(told.ok)
        elif isinstance(told, Event):
            for queue in self._listeners:
                if queue.full():
                    # A listener that fell behind only needs to know that something changed: it asks again anyway.
                    queue.get_nowait()
                queue.put_nowait(told.event)

    def _end(self) -> None:
        self._ended = True
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(Unreachable(_ENDED, code=ENDED))
        self._waiting.clear()
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(None)

    async def _call(self, call: str, kind: Any, /, **args: object) -> Any:
        if self._ended:
            raise Unreachable(_ENDED, code=ENDED)
        self._last_id += 1
        number = self._last_id
        waiting: asyncio.Future[msgspec.Raw] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiting
        try:
            self._writer.write(frame(Request(number, call, msgspec.Raw(pack(args)))))
            await self._writer.drain()
            raw = await waiting
        except ConnectionError as error:
            raise Unreachable(_ENDED, code=ENDED) from error
        finally:
            self._waiting.pop(number, None)
        return unpack(raw, kind)

    async def status(self) -> DeskStatus:
        return await self._call("status", DeskStatus)

    async def unlock(self, passphrase: Secret | None = None) -> DeskStatus:
        return await self._call("unlock", DeskStatus, passphrase=passphrase)

    async def lock(self, reason: str = "asked") -> None:
        await self._call("lock", None, reason=reason)

    async def queue(self, view: View = "open", *, offset: int = 0, limit: int = 100) -> QueuePage:
        return await self._call("queue", QueuePage, view=view, offset=offset, limit=limit)

    async def counts(self) -> dict[str, int]:
        return await self._call("counts", dict[str, int])

    async def conversations(self) -> list[Conversation]:
        return await self._call("conversations", list[Conversation])

    async def conversation(self, conversation: str) -> Conversation:
        return await self._call("conversation", Conversation, conversation=conversation)

    async def timeline(self, conversation: str, *, before: str | None = None, after: str | None = None, limit: int = 50) -> TimelinePage:
        return await self._call("timeline", TimelinePage, conversation=conversation, before=before, after=after, limit=limit)

    async def messages(self, conversation: str, *, whole: bool = False) -> list[Message]:
        return await self._call("messages", list[Message], conversation=conversation, whole=whole)

    async def events(self, *, limit: int = 1000) -> list[BusinessEvent]:
        return await self._call("events", list[BusinessEvent], limit=limit)

    async def search(self, words: str, *, limit: int = 50) -> list[SearchHit]:
        return await self._call("search", list[SearchHit], words=words, limit=limit)

    async def draft(self, conversation: str) -> Draft | None:
        return await self._call("draft", Draft | None, conversation=conversation)

    async def save_draft(self, conversation: str, text: str, *, reply_to: str | None = None) -> None:
        await self._call("save_draft", None, conversation=conversation, text=text, reply_to=reply_to)

    async def send_text(
        self, conversation: str, text: str, *, key: str | None = None, reply_to: str | None = None, undo: bool = False
    ) -> Message:
        return await self._call("send_text", Message, conversation=conversation, text=text, key=key, reply_to=reply_to, undo=undo)

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
        return await self._call(
            "send_now", Message, conversation=conversation, text=text, key=key, reply_to=reply_to, queue=queue, timeout=timeout
        )

    async def recall(self, message: str) -> bool:
        return await self._call("recall", bool, message=message)

    async def retry(self, message: str) -> Message:
        return await self._call("retry", Message, message=message)

    async def await_accepted(self, message: str, *, timeout: float) -> Message:
        return await self._call("await_accepted", Message, message=message, timeout=timeout)

    async def set_status(self, conversation: str, status: str, *, until: datetime | None = None, reason: str = "") -> Conversation:
        return await self._call("set_status", Conversation, conversation=conversation, status=status, until=until, reason=reason)

    async def assign(self, conversation: str, person: str | None, *, expected: str | None = None) -> Conversation:
        return await self._call("assign", Conversation, conversation=conversation, person=person, expected=expected)

    async def work(self, act: WorkAct) -> WorkDone:
        return await self._call("work", WorkDone, act=act)

    async def mark_read(self, conversation: str, up_to: str | None = None) -> None:
        await self._call("mark_read", None, conversation=conversation, up_to=up_to)

    async def mark_unread(self, conversation: str) -> None:
        await self._call("mark_unread", None, conversation=conversation)

    async def sync(self) -> int:
        return await self._call("sync", int)

    async def purge(self) -> PurgeOutcome:
        return await self._call("purge", PurgeOutcome)

    async def receipts(self) -> list[SignedReceipt]:
        return await self._call("receipts", list[SignedReceipt])

    async def media(self, message: str) -> bytes:
        return await self._call("media", bytes, message=message)

    async def watch(self, conversation: str, doing: Doing) -> list[Presence]:
        return await self._call("watch", list[Presence], conversation=conversation, doing=doing)

    async def activity(self) -> None:
        await self._call("activity", None)

    async def end(self) -> None:
        """Ask the desk's process to end in order: outbox parked, cache closed. Not part of the Protocol: for `launch` and `wipe`."""
        with suppress(Unreachable):
            await self._call("end", None)
        await self._reading

    async def listen(self) -> AsyncIterator[DeskEvent]:
        """Events from now on; the iteration ends when the desk ends."""
        queue: asyncio.Queue[DeskEvent | None] = asyncio.Queue(_QUEUED_EVENTS)
        if self._ended:
            return
        self._listeners.add(queue)
        try:
            while (event := await queue.get()) is not None:
                yield event
        finally:
            self._listeners.discard(queue)

    async def close(self) -> None:
        self._reading.cancel()
        with suppress(asyncio.CancelledError):
            await self._reading
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()
