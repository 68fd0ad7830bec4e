"""The nouns of wabiz as frozen values. Instants are aware UTC datetimes, ids are 32 hexadecimal digits made by the hub."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

import msgspec

from wabiz_tui.model.content import Content, MetaError

Role = Literal["agent", "supervisor", "compliance", "auditor", "admin"]
Status = Literal["open", "pending", "snoozed", "resolved"]
Priority = Literal["urgent", "high", "medium", "low", "none"]


class Direction(StrEnum):
    INCOMING = "incoming"
    OUTGOING = "outgoing"
    NOTE = "note"
    ACTIVITY = "activity"


class DeliveryState(StrEnum):
    """queued → accepted → sent → delivered → read → played │ failed │ uncertain (it may or may not have been sent)."""

    QUEUED = "queued"
    UNCERTAIN = "uncertain"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    PLAYED = "played"
    FAILED = "failed"


class Delivery(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of an outgoing message: the shown state, the first instant seen for each state, the failure if there was one."""

    state: DeliveryState
    at: dict[str, datetime] = {}
    error: MetaError | None = None
    sentence: str = ""


class Referral(msgspec.Struct, frozen=True, omit_defaults=True):
    """The advertisement a conversation began with."""

    source_url: str = ""
    source_id: str = ""
    source_type: str = ""
    headline: str = ""
    body: str = ""
    ctwa_clid: str = ""
    other: dict[str, Any] | None = None


# Thousands live at once, and what they hold came from JSON, so no cycle goes through them: the collector need not look.
class Message(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One message. `sent_at` is Meta's time for incoming and echoed ones, the hub's for ours."""

    id: str
    conversation: str
    direction: Direction
    content: Content
    sent_at: datetime
    wamid: str | None = None
    delivery: Delivery | None = None
    author: str | None = None
    author_name: str = ""
    reply_to: str | None = None
    """wamid of the quoted message; it may be unknown to us."""
    forwarded: Literal["once", "often"] | None = None
    referral: Referral | None = None
    context: dict[str, Any] | None = None
    """What Meta's `context` held beyond the quoted id."""
    edited_at: datetime | None = None
    revoked_at: datetime | None = None
    reactions: dict[str, str] = {}
    """Who (`customer` or a person's id) → emoji; the last one wins."""
    key: str | None = None
    """The caller's idempotency key, for our own outgoing messages."""
    origin: Literal["customer", "wabiz", "phone_app", "integration", "history"] = "customer"
    mentions: tuple[str, ...] = ()
    """Ids of the people a note names."""
    extra: dict[str, Any] | None = None
    """Keys of the original message object that no field above holds."""


class Contact(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person who writes to the business. Identities may be masked by the hub before they leave it."""

    id: str
    name: str = ""
    phone: str | None = None
    username: str | None = None
    user_id: str | None = None
    country: str | None = None
    is_group: bool = False
    is_masked: bool = True
    identity_changed_at: datetime | None = None
    marketing_opt_out: bool = False
    blocked_at: datetime | None = None
    fields: dict[str, str] = {}
    """What the business keeps of the contact, by the names it gave."""
    created_at: datetime | None = None


class Conversation(msgspec.Struct, frozen=True, omit_defaults=True):
    """A contact on one business number, for ever; status, assignee, labels and priority are those of the current episode."""

    id: str
    number: str
    contact: str
    name: str = ""
    status: Status = "open"
    assignee: str | None = None
    assignee_name: str = ""
    team: str | None = None
    unread: int = 0
    last_at: datetime | None = None
    window_until: datetime | None = None
    labels: tuple[str, ...] = ()
    held: bool = False
    priority: Priority = "none"
    preview: str = ""
    preview_kind: str = ""
    preview_direction: Direction | None = None
    preview_delivery: DeliveryState | None = None
    waiting_since: datetime | None = None
    snoozed_until: datetime | None = None
    resolved_at: datetime | None = None
    episode: str | None = None
    due_at: datetime | None = None
    """When the next of the service levels (`due_for`) runs out, in working time."""
    due_for: str = ""
    """`first_response`, `next_response` or `resolution`."""
    is_masked_contact: bool = False


class Number(msgspec.Struct, frozen=True, omit_defaults=True):
    """A business phone number; `id` is Meta's `phone_number_id`."""

    id: str
    display: str = ""
    name: str = ""
    quality: str = ""


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """A webhook that is no message and no status: `field` and `value` as Meta sent them."""

    id: str
    field: str
    at: datetime
    number: str | None = None
    summary: str = ""
    value: dict[str, Any] | None = None
    received_at: datetime | None = None
    """When the hub folded it in; `at` is what the webhook says, which may be long before or nothing at all."""


class Person(msgspec.Struct, frozen=True, omit_defaults=True):
    """`teams` are ids. `state` is how their shift stands."""

    id: str
    name: str
    role: Role
    teams: tuple[str, ...] = ()
    buddy: str | None = None
    """Who takes their work over."""
    state: Literal["working", "break", "off"] = "working"
    revoked_at: datetime | None = None


class Device(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    person: str
    person_name: str = ""
    name: str = ""
    enrolled_at: datetime | None = None
    seen_at: datetime | None = None
    lease_until: datetime | None = None
    policy: int = 0
    epoch: int = 0
    last_receipt_at: datetime | None = None
    revoked_at: datetime | None = None
    overdue: bool = False
    public_key: str = ""
    """Base64, as it was enrolled: what its receipts verify under."""
    receipts: int = 0
    """The number of its last receipt; they count from 1 without a gap."""
