"""The desk's calls: the door between the screen (or a script) and everything the agent's computer does.

`Desk` is implemented by the desk's socket client (desk/process) and by the still desk of the tests. All calls raise errors
of model.errors; `Locked` when the desk is locked, `Unreachable` when the desk's process is gone. Lists come newest first
where that is said, and are plain values: asking again is the only way to see a later state.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from wabiz_tui.model.acts import WorkAct, WorkDone
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.values import Contact, Conversation, Event, Message
from wabiz_tui.model.wire import SignedReceipt
from wabiz_tui.model.work import Doing, Presence

Link = Literal["online", "connecting", "offline", "refused", "revoked"]
View = Literal["mine", "unassigned", "all", "open", "pending", "snoozed", "resolved", "unread"]


class DeskStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """The desk at a glance; field names as `wabiz status --json` prints them."""

    link: Link
    locked: bool
    lease_until: datetime | None = None
    policy: int = 0
    policy_name: str = ""
    epoch: int = 0
    messages: int = 0
    conversations: int = 0
    outbox: int = 0
    next_purge: datetime | None = None
    key_store: str = ""
    head: int = 0
    cursor: int = 0
    is_syncing: bool = False
    person: str = ""
    person_name: str = ""
    role: str = ""
    business: str = ""
    shift: str = ""
    last_receipt_at: datetime | None = None
    needs_passphrase: bool = False
    notice: str = ""
    """One sentence the agent must see: offline within the lease, disk full, cache rebuilt …"""
    skew_seconds: float = 0.0
    lock_after: int = 0
    """Idle seconds after which the desk locks itself, by policy."""


class QueuePage(msgspec.Struct, frozen=True):
    """A slice of the queue in its order (newest activity first), with the number of rows the view has in all."""

    rows: list[Conversation]
    total: int
    offset: int


class TimelinePage(msgspec.Struct, frozen=True):
    """Messages of one conversation in rising time. `has_earlier` / `has_later`: more are in the cache beyond the slice."""

    conversation: Conversation
    contact: Contact | None
    messages: list[Message]
    has_earlier: bool
    has_later: bool
    first_unread: str | None = None
    leaves_at: datetime | None = None
    """When the first of what the cache holds of this conversation falls due here."""


class Draft(msgspec.Struct, frozen=True, omit_defaults=True):
    conversation: str
    text: str
    reply_to: str | None = None
    saved_at: datetime | None = None


class SearchHit(msgspec.Struct, frozen=True, omit_defaults=True):
    message: Message
    conversation_name: str = ""


class PurgeOutcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a purge did; `receipt` is None when nothing was due and the epoch was kept."""

    removed: int
    epoch: int
    receipt: SignedReceipt | None = None


class DeskEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something happened at the desk: `changed` (what moved, by ids), `status`, `locked`, `unlocked`, `closing` (the desk ends),
    `presence` (the `others` who are at the one conversation now)."""

    kind: Literal["changed", "status", "locked", "unlocked", "closing", "presence"]
    conversations: tuple[str, ...] = ()
    reason: str = ""
    others: tuple[Presence, ...] = ()


class Desk(Protocol):
    """What a desk does for its clients. Cost: reads are a few milliseconds whatever the cache's size; `sync` and `purge` take long."""

    async def status(self) -> DeskStatus: ...

    async def unlock(self, passphrase: Secret | None = None) -> DeskStatus:
        """Open the cache, from the kernel keyring or from local secret and hub share.

        Raises WrongKey, NoKeyStore, LeaseEnded, Unreachable, Revoked."""
        ...

    async def lock(self, reason: str = "asked") -> None:
        """Close the database, drop the keys, tell every client."""
        ...

    async def queue(self, view: View = "open", *, offset: int = 0, limit: int = 100) -> QueuePage: ...

    async def counts(self) -> dict[str, int]:
        """Rows of each view."""
        ...

    async def conversations(self) -> list[Conversation]:
        """All that the cache holds, newest activity first."""
        ...

    async def conversation(self, conversation: str) -> Conversation:
        """Raises NotFound."""
        ...

    async def timeline(self, conversation: str, *, before: str | None = None, after: str | None = None, limit: int = 50) -> TimelinePage:
        """The newest `limit` messages, or those next to the message id given. Raises NotFound."""
        ...

    async def messages(self, conversation: str, *, whole: bool = False) -> list[Message]:
        """All messages of a conversation in rising time: the cached, after the hub's older ones where it can be reached. With `whole`
        raises Unreachable where it cannot. Raises NotFound."""
        ...

    async def events(self, *, limit: int = 1000) -> list[Event]: ...

    async def search(self, words: str, *, limit: int = 50) -> list[SearchHit]:
        """Newest first."""
        ...

    async def draft(self, conversation: str) -> Draft | None: ...

    async def save_draft(self, conversation: str, text: str, *, reply_to: str | None = None) -> None:
        """Durable when it returns; an empty text discards the draft."""
        ...

    async def send_text(
        self, conversation: str, text: str, *, key: str | None = None, reply_to: str | None = None, undo: bool = False
    ) -> Message:
        """Durable in the outbox when it returns, with delivery `queued`. The same `key` gives the same message again.
        `undo` keeps it back for the policy's undo time. Raises Denied when policy or window forbids it."""
        ...

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
        """Send and wait until the message is accepted, failed or uncertain (what scripts do; no undo time).

        Hub unreachable: raises Unreachable with nothing kept, or with `queue` returns the message still queued. Raises Denied when
        policy, permission or window refuses it."""
        ...

    async def recall(self, message: str) -> bool:
        """Take back a message still in its undo time; False when it is too late."""
        ...

    async def retry(self, message: str) -> Message:
        """A new attempt, with its own key, of a message that failed or that a person found to be unsent. Raises Conflict otherwise."""
        ...

    async def await_accepted(self, message: str, *, timeout: float) -> Message:
        """Wait until the message left `queued` (or `timeout` seconds passed) and return it as it then is."""
        ...

    async def set_status(self, conversation: str, status: str, *, until: datetime | None = None, reason: str = "") -> Conversation:
        """Resolve, reopen, snooze at the hub. Raises Unreachable: triage is not queued."""
        ...

    async def assign(self, conversation: str, person: str | None, *, expected: str | None = None) -> Conversation:
        """`person` "me" is the desk's own. Raises Conflict when somebody else was first."""
        ...

    async def work(self, act: WorkAct) -> WorkDone:
        """Any act of the work at the hub; what it changed is in the cache too when this returns. Raises Unreachable (no act is queued),
        Conflict when somebody else was first, UsageError for names that do not name one person or team, and the hub's refusals."""
        ...

    async def mark_read(self, conversation: str, up_to: str | None = None) -> None: ...

    async def mark_unread(self, conversation: str) -> None: ...

    async def sync(self) -> int:
        """Return once the cache has reached the sequence the hub had at the call; that sequence. Raises Unreachable."""
        ...

    async def purge(self) -> PurgeOutcome:
        """Rebuild under the next epoch key now, whether or not anything is due."""
        ...

    async def receipts(self) -> list[SignedReceipt]:
        """This device's chain, oldest first."""
        ...

    async def media(self, message: str) -> bytes:
        """The file of a message, through the hub. Raises NotFound, Unreachable."""
        ...

    async def watch(self, conversation: str, doing: Doing) -> list[Presence]:
        """Say what this client's person does there, for colleagues who may see the conversation; who else is there, by name.

        Said again at least every PRESENCE_SECONDS / 2, or it ends; `typing` becomes `viewing` after some seconds. Waits for nothing:
        off shift and without the hub it is not told on, and nobody else is known."""
        ...

    async def activity(self) -> None:
        """A person pressed a key: the idle lock counts from here."""
        ...

    def listen(self) -> AsyncIterator[DeskEvent]:
        """Events from now on; ends when the desk ends."""
        ...

    async def close(self) -> None: ...
