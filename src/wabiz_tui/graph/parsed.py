"""What a webhook says, as values: messages, echoes, history, statuses and everything else. Nothing of the original is lost."""

from datetime import datetime
from typing import Any, Literal

import msgspec

from wabiz_tui.model.content import Content, MetaError
from wabiz_tui.model.notices import Notice
from wabiz_tui.model.values import Referral

Forwarded = Literal["once", "often"]


class Identity(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A person (or group) as one webhook names them; any part may be missing. `username` and `name` are for display, never keys."""

    wa_id: str | None = None
    user_id: str | None = None
    parent_user_id: str | None = None
    username: str | None = None
    name: str | None = None
    group_id: str | None = None
    identity_key_hash: str | None = None

    @property
    def is_known(self) -> bool:
        """Whether at least one key is there by which a conversation could be found."""
        return bool(self.wa_id or self.user_id or self.parent_user_id or self.group_id)


class IdentityChange(msgspec.Struct, frozen=True):
    """The same person under a new number or id (cloud-api §14 rule 4), or with a new identity key (rule 5: the keys are equal)."""

    previous: Identity
    current: Identity


class IncomingMessage(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A customer's message. `number` is the phone_number_id; `extra` holds the keys of the original object that no field holds.

    In `extra`, what stood inside the object named like the type is under that name, and unknown keys of the matching entry of
    `contacts` are under `contact`. Where content is Unsupported its `json` is the whole original object and `extra` is None.
    """

    waba: str
    number: str
    wamid: str
    sender: Identity
    sent_at: datetime
    content: Content
    display_number: str = ""
    reply_to: str | None = None
    forwarded: Forwarded | None = None
    referral: Referral | None = None
    context: dict[str, Any] | None = None
    extra: dict[str, Any] | None = None
    opens_window: bool = True
    counts_unread: bool = True
    identity_change: IdentityChange | None = None


class EchoedMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """What staff sent from the WhatsApp Business app on a phone; `field` tells which webhook field told it."""

    waba: str
    number: str
    wamid: str
    recipient: Identity
    sent_at: datetime
    content: Content
    display_number: str = ""
    sender: str = ""
    reply_to: str | None = None
    forwarded: Forwarded | None = None
    referral: Referral | None = None
    context: dict[str, Any] | None = None
    extra: dict[str, Any] | None = None
    field: str = "smb_message_echoes"


class HistoryMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message from before the hub, told during coexistence onboarding: opens no window, raises no unread, notifies nobody.

    `contact` is always the customer, `is_ours` who wrote it, `status` the `history_context.status` (READ, DELIVERED …) as Meta spells it.
    """

    waba: str
    number: str
    wamid: str
    contact: Identity
    is_ours: bool
    sent_at: datetime
    content: Content
    display_number: str = ""
    status: str | None = None
    reply_to: str | None = None
    forwarded: Forwarded | None = None
    referral: Referral | None = None
    context: dict[str, Any] | None = None
    extra: dict[str, Any] | None = None


def name_status(wamid: str, state: str, group: str | None, who: str | None) -> str:
    """The fact that a status states, as one text that is equal for its repeats. No hash: whoever keeps it hashes it under a key."""
    group, who = group or "", who or ""
    return f"{len(wamid)} {len(state)} {len(group)} {wamid} {state} {group} {who}"


class StatusUpdate(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One status of one outgoing message. `identity` is equal for repeats of the same fact: (id, status, recipient or participant).

    `state` is Meta's word, unknown ones among it. For a group, `recipient.group_id` is the group and the rest the participant.
    """

    waba: str
    number: str
    wamid: str
    state: str
    at: datetime
    recipient: Identity
    identity: str
    display_number: str = ""
    callback_data: str | None = None
    error: MetaError | None = None
    pricing: dict[str, Any] | None = None
    conversation: dict[str, Any] | None = None
    extra: dict[str, Any] | None = None


class OtherEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """Any other part of a webhook, whole in `value`. `identity` is equal for repeats: a hash of (entry id, field, value).

    `summary` is one line of Meta's own enumerated words (event, decision, type …) and says why when the part could not be read;
    it holds no customer's text.
    """

    waba: str
    field: str
    value: dict[str, Any]
    identity: str
    number: str | None = None
    at: datetime | None = None
    summary: str = ""
    identity_change: IdentityChange | None = None
    subject: Identity | None = None
    """The person the event is about, where it names exactly one."""
    notices: tuple[Notice, ...] = ()
    """What the value says, typed, for the fields that are known; in the value's order."""


Parsed = IncomingMessage | EchoedMessage | HistoryMessage | StatusUpdate | OtherEvent
