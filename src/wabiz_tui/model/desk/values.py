"""What the desk's calls give and tell."""

from datetime import datetime
from typing import Literal

import msgspec

from wabiz_tui.model.values import Contact, Conversation, Message
from wabiz_tui.model.wire import SignedReceipt
from wabiz_tui.model.work import Presence

Link = Literal["online", "connecting", "offline", "refused", "revoked"]
Earlier = Literal["none", "hub", "unreachable"]
"""`hub`: what may have been said before is read there when asked for; `unreachable`: it cannot be asked now."""
MediaUse = Literal["inline", "save"]
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
    clipboard: Literal["off", "masked", "on"] = "masked"
    """What may be copied from the screen, by policy."""


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
    earlier: Earlier = "none"
    """Where anything before the slice is once the cache has no more of it."""


class Draft(msgspec.Struct, frozen=True, omit_defaults=True):
    conversation: str
    text: str
    reply_to: str | None = None
    saved_at: datetime | None = None


class OutboxLetter(msgspec.Struct, frozen=True):
    """A message of the outbox. `state` is queued, sending, accepted (the feed has not brought it yet), failed or uncertain;
    `may_have_left`: whether it may have reached the hub already, so that it cannot be taken back."""

    message: Message
    state: str
    not_before: datetime
    may_have_left: bool


class SearchHit(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message that was found, or a conversation that was found by its name: one of the two is there."""

    message: Message | None = None
    conversation_name: str = ""
    conversation: Conversation | None = None

    @property
    def place(self) -> str:
        """The id of the conversation that it leads to."""
        return self.message.conversation if self.message is not None else self.conversation.id if self.conversation is not None else ""


class PurgeOutcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a purge did; `receipt` is None when nothing was due and the epoch was kept."""

    removed: int
    epoch: int
    receipt: SignedReceipt | None = None


class MediaFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file that is on this machine, sealed. `filename` is as its sender wrote it, `sha256` hexadecimal."""

    message: str
    mime_type: str = ""
    filename: str = ""
    size: int = 0
    sha256: str = ""


class Lent(msgspec.Struct, frozen=True):
    """A file in memory that a viewer may open, until `until`."""

    path: str
    until: datetime


class DeskEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something happened at the desk: `changed` (what moved, by ids), `status`, `locked`, `unlocked`, `closing` (the desk ends),
    `presence` (the `others` who are at the one conversation now)."""

    kind: Literal["changed", "status", "locked", "unlocked", "closing", "presence"]
    conversations: tuple[str, ...] = ()
    reason: str = ""
    others: tuple[Presence, ...] = ()
