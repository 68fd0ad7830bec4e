"""The desk as its clients see it: every call of the Protocol as one frame over the socket. Imports nothing heavy."""

from datetime import datetime

from wabiz_tui.desk.process.connection import DeskConnection
from wabiz_tui.model.acts import WorkAct, WorkDone
from wabiz_tui.model.desk import (
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
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.values import Conversation, Message
from wabiz_tui.model.values import Event as BusinessEvent
from wabiz_tui.model.wire import SignedReceipt
from wabiz_tui.model.work import Doing, Presence


class _Reading(DeskConnection):
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

    async def search(self, words: str, *, limit: int = 50, ranked: bool = False) -> list[SearchHit]:
        return await self._call("search", list[SearchHit], words=words, limit=limit, ranked=ranked)


class _Sending(DeskConnection):
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

    async def send_file(
        self, conversation: str, path: str, *, caption: str = "", key: str | None = None, reply_to: str | None = None, undo: bool = False
    ) -> Message:
        return await self._call(
            "send_file", Message, conversation=conversation, path=path, caption=caption, key=key, reply_to=reply_to, undo=undo
        )

    async def send_template(
        self, conversation: str, name: str, language: str, *, values: dict[str, str], key: str | None = None
    ) -> Message:
        return await self._call("send_template", Message, conversation=conversation, name=name, language=language, values=values, key=key)

    async def await_sent(self, message: str, *, queue: bool = False, timeout: float = 30.0) -> Message:
        return await self._call("await_sent", Message, message=message, queue=queue, timeout=timeout)

    async def outbox(self) -> list[OutboxLetter]:
        return await self._call("outbox", list[OutboxLetter])

    async def discard(self, message: str) -> bool:
        return await self._call("discard", bool, message=message)

    async def recall(self, message: str) -> bool:
        return await self._call("recall", bool, message=message)

    async def retry(self, message: str) -> Message:
        return await self._call("retry", Message, message=message)

    async def await_accepted(self, message: str, *, timeout: float) -> Message:
        return await self._call("await_accepted", Message, message=message, timeout=timeout)


class _Working(DeskConnection):
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

    async def watch(self, conversation: str, doing: Doing) -> list[Presence]:
        return await self._call("watch", list[Presence], conversation=conversation, doing=doing)


class _Media(DeskConnection):
    async def fetch_media(self, message: str) -> MediaFile:
        return await self._call("fetch_media", MediaFile, message=message)

    async def read_media(self, message: str, *, offset: int = 0, limit: int = 1 << 20, use: MediaUse = "inline") -> bytes:
        return await self._call("read_media", bytes, message=message, offset=offset, limit=limit, use=use)

    async def lend_media(self, message: str) -> Lent:
        return await self._call("lend_media", Lent, message=message)

    async def return_media(self, message: str) -> None:
        await self._call("return_media", None, message=message)


class _Keeping(DeskConnection):
    async def status(self) -> DeskStatus:
        return await self._call("status", DeskStatus)

    async def unlock(self, passphrase: Secret | None = None) -> DeskStatus:
        return await self._call("unlock", DeskStatus, passphrase=passphrase)

    async def lock(self, reason: str = "asked") -> None:
        await self._call("lock", None, reason=reason)

    async def sync(self) -> int:
        return await self._call("sync", int)

    async def purge(self) -> PurgeOutcome:
        return await self._call("purge", PurgeOutcome)

    async def rekey(self, passphrase: Secret | None = None, new_passphrase: Secret | None = None) -> DeskStatus:
        return await self._call("rekey", DeskStatus, passphrase=passphrase, new_passphrase=new_passphrase)

    async def receipts(self) -> list[SignedReceipt]:
        return await self._call("receipts", list[SignedReceipt])

    async def activity(self) -> None:
        await self._call("activity", None)


class DeskClient(_Reading, _Sending, _Working, _Media, _Keeping):
    """One connection to the desk, with the calls of model.desk.Desk."""
