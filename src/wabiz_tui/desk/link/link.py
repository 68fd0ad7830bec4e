"""What the desk asks of the hub: /v1 and the gateway, as typed calls on the line."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from urllib.parse import quote

from wabiz_tui.desk.link.line import Line
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.errors import BadInput, Revoked
from wabiz_tui.model.feed import ChangesPage
from wabiz_tui.model.shift import ShiftStanding
from wabiz_tui.model.values import Conversation
from wabiz_tui.model.wire import (
    IDEMPOTENCY_KEY,
    MESSAGE_HEADER,
    Assignment,
    EnrollReply,
    EnrollRequest,
    ReadMark,
    ReceiptReply,
    ShareReply,
    SignedPolicy,
    SignedReceipt,
    StatusChange,
    WhoAmI,
    address_of,
)
from wabiz_tui.model.work import Presence


class Accepted(tuple[str, str | None]):
    """The gateway's answer: the wamid, and the hub's own id of the message where it told it."""

    __slots__ = ()

    @property
    def wamid(self) -> str:
        return self[0]

    @property
    def message(self) -> str | None:
        return self[1]


class Link(Line):
    """Raises what the line raises: Unreachable, Revoked, and the hub's refusals."""

    async def me(self) -> WhoAmI:
        return self._hear(decode(await self.request("GET", "/v1/me"), WhoAmI))

    async def share(self, epoch: int | None = None) -> ShareReply:
        """The share of the current epoch, or of an earlier one that no receipt has ended yet. Raises NotFound for a dead one."""
        asked = "" if epoch is None else f"?epoch={epoch}"
        return self._hear(decode(await self.request("GET", f"/v1/device/share{asked}"), ShareReply))

    async def begin_epoch(self, after: int) -> ShareReply:
        """Begin the epoch after `after`; asked twice, the same answer."""
        return self._hear(decode(await self.request("POST", "/v1/device/epochs", encode({"after": after})), ShareReply))

    async def policy(self) -> SignedPolicy:
        return decode(await self.request("GET", "/v1/policy"), SignedPolicy)

    async def changes(self, since: int, *, limit: int = 1000) -> ChangesPage:
        return self._hear(decode(await self.request("GET", f"/v1/changes?since={since}&limit={limit}"), ChangesPage))

    async def send_receipt(self, receipt: SignedReceipt) -> ReceiptReply:
        return decode(await self.request("POST", "/v1/receipts", encode(receipt)), ReceiptReply)

    async def receipts(self, device: str) -> list[SignedReceipt]:
        """What the hub has of this device's, oldest first."""
        return decode(await self.request("GET", f"/v1/receipts?device={device}"), list[SignedReceipt])

    async def set_status(self, conversation: str, change: StatusChange) -> Conversation:
        return decode(await self.request("POST", f"/v1/conversations/{quote(conversation, safe='')}/status", encode(change)), Conversation)

    async def assign(self, conversation: str, assignment: Assignment) -> Conversation | None:
        """The conversation afterwards; None when giving it away took it out of this person's sight."""
        raw = await self.request("POST", f"/v1/conversations/{quote(conversation, safe='')}/assignee", encode(assignment))
        return None if raw == b"null" else decode(raw, Conversation)

    async def mark(self, conversation: str, mark: ReadMark) -> None:
        await self.request("POST", f"/v1/conversations/{quote(conversation, safe='')}/read", encode(mark))

    def media(self, message: str, *, start: int = 0) -> AsyncGenerator[bytes]:
        """A message's file from byte `start` on. Raises NotFound with what became of it, Unreachable."""
        return self.download(f"/v1/media/{quote(message, safe='')}", start=start)

    async def stream(self, since: int) -> AsyncIterator[ChangesPage | ShiftStanding | Presence]:
        """Pages as the hub makes them, how the shift stands each time that it turns, and what others do at conversations. Ends when the
        hub ends it; raises Unreachable after 45 seconds of silence, Revoked."""
        async for kind, data in self.events(f"/v1/changes/stream?since={since}"):
            if kind == "revoked":
                raise Revoked("An administrator has revoked this device; what it held is destroyed.")
            if kind == "shift":
                yield decode(data, ShiftStanding)
            if kind == "presence":
                # A kind of doing that this version does not know must not end the stream.
                with suppress(BadInput):
                    yield decode(data, Presence)
            if kind == "changes":
                yield self._hear(decode(data, ChangesPage))

    async def send_text(self, conversation: str, number: str, text: str, *, key: str, reply_to: str | None) -> Accepted:
        """Through the gateway. Raises Unreachable when no answer came (ask again with the same key), CloudError with the hub's
        or Meta's refusal."""
        from wabiz_tui.graph.requests import build_text
        from wabiz_tui.graph.responses import parse_accepted

        body = build_text(recipient=address_of(conversation), body=text, reply_to=reply_to)
        answer = await self.gateway("POST", f"{quote(number, safe='')}/messages", body=body, headers={IDEMPOTENCY_KEY: key})
        return Accepted((parse_accepted(answer.body).wamid, answer.headers.get(MESSAGE_HEADER.lower())))

    async def enroll(self, request: EnrollRequest) -> EnrollReply:
        return decode(await self._exchange("POST", "/v1/enroll", encode(request), token=None), EnrollReply)
