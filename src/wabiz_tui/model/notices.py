"""What Meta tells a business beside messages and statuses: a closed union tagged by `kind`, one value a thing told.

Words in capitals (`event`, `decision`, `severity` …) are Meta's own enumerations, unknown future ones among them; ids are opaque text.
Each notice is a reading of a webhook that is kept whole beside it: what no field holds is found there. Absent text is empty.
"""

from datetime import datetime
from typing import Any

import msgspec

from wabiz_tui.model.content import MetaError


class _Notice(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag_field="kind"):
    pass


class _Template(_Notice, frozen=True, kw_only=True):
    template: str = ""
    """Meta's id of the template in this language."""
    name: str = ""
    language: str = ""
    """Always as `en_US`, though Meta writes `en-US` too."""


class TemplateStatus(_Template, frozen=True, kw_only=True, tag="template_status"):
    """A template was approved, rejected, paused, disabled …; `title` says which pause it is (FIRST_PAUSE, UNPAUSE …)."""

    event: str
    category: str = ""
    reason: str = ""
    """Empty where Meta says null or NONE."""
    title: str = ""
    description: str = ""
    recommendation: str = ""
    disable_date: str = ""


class TemplateQuality(_Template, frozen=True, kw_only=True, tag="template_quality"):
    """How customers take a template: GREEN, YELLOW, RED or UNKNOWN."""

    quality: str
    previous: str = ""


class TemplateComponents(_Template, frozen=True, kw_only=True, tag="template_components"):
    """A template's text was edited: what was cached of it is out of date."""

    title: str = ""
    body: str = ""
    footer: str = ""
    buttons: tuple[dict[str, Any], ...] = ()


class TemplateCategory(_Template, frozen=True, kw_only=True, tag="template_category"):
    """A template costs another price: at once, or from a coming day on while `upcoming` is set."""

    category: str
    """The category in force when this was told."""
    previous: str = ""
    upcoming: str = ""
    upcoming_at: datetime | None = None


class Restriction(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something the account may not do, for good where `until` is None."""

    type: str
    until: datetime | None = None


class AccountUpdate(_Notice, frozen=True, kw_only=True, tag="account_update"):
    """The WhatsApp Business Account was restricted, banned, reinstated, connected to a partner …"""

    event: str
    violation: str = ""
    restrictions: tuple[Restriction, ...] = ()
    ban_state: str = ""
    ban_date: str = ""
    """In words, as Meta writes it: `April 17, 2025`."""
    country: str = ""
    volume_tier: dict[str, Any] | None = None
    waba: dict[str, Any] | None = None


class AccountAlert(_Notice, frozen=True, kw_only=True, tag="account_alert"):
    alert: str
    severity: str = ""
    status: str = ""
    description: str = ""
    entity_type: str = ""
    entity: str = ""


class AccountReview(_Notice, frozen=True, kw_only=True, tag="account_review"):
    decision: str


class BusinessCapability(_Notice, frozen=True, kw_only=True, tag="business_capability"):
    """`daily_limit` is a number or a TIER_ word as Meta wrote it; -1 stands for no limit."""

    daily_limit: str = ""
    max_numbers: int | None = None


class NumberLimit(_Notice, frozen=True, kw_only=True, tag="number_limit"):
    """Of a business number: its messaging limit or throughput changed. Meta's field is called quality; it is none (cloud-api §10)."""

    event: str
    display_number: str = ""
    limit: str = ""
    previous: str = ""


class NumberName(_Notice, frozen=True, kw_only=True, tag="number_name"):
    """Whether the name that customers see was approved."""

    decision: str
    display_number: str = ""
    name: str = ""
    reason: str = ""


class SecurityEvent(_Notice, frozen=True, kw_only=True, tag="security"):
    """The two-step PIN of a business number was changed or asked to be reset; `requester` is who did."""

    event: str
    display_number: str = ""
    requester: str = ""


class Preference(_Notice, frozen=True, kw_only=True, tag="preference"):
    """A customer wants (resume, signup) or does not want (stop) messages of a category, `marketing_messages` so far."""

    value: str
    category: str = ""
    detail: str = ""
    signup: str = ""
    wa_id: str | None = None
    user_id: str | None = None
    parent_user_id: str | None = None
    at: datetime | None = None


class BusinessUsername(_Notice, frozen=True, kw_only=True, tag="business_username"):
    """`status` is approved, reserved or deleted."""

    status: str
    display_number: str = ""
    username: str = ""


class FlowEvent(_Notice, frozen=True, kw_only=True, tag="flow"):
    """A flow's status changed, or its endpoint became slow, faulty or unreachable."""

    event: str
    flow: str = ""
    message: str = ""
    previous: str = ""
    status: str = ""


class Call(_Notice, frozen=True, kw_only=True, tag="call"):
    """A step of a call. `event` is connect or terminate for calls, RINGING, ACCEPTED or REJECTED for a call of ours.

    The customer is `wa_id`, `user_id`, `parent_user_id`, whichever side they are on. `is_from_customer` is None where a step does
    not say so; True opens the window even when nobody answered (cloud-api §16).
    """

    call: str
    event: str
    is_from_customer: bool | None = None
    result: str = ""
    wa_id: str | None = None
    user_id: str | None = None
    parent_user_id: str | None = None
    at: datetime | None = None
    began_at: datetime | None = None
    ended_at: datetime | None = None
    seconds: int | None = None
    errors: tuple[MetaError, ...] = ()


class Participant(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person in a group; `input` is the number or id as the business typed it."""

    input: str = ""
    wa_id: str | None = None
    user_id: str | None = None
    username: str | None = None
    errors: tuple[MetaError, ...] = ()


class GroupEvent(_Notice, frozen=True, kw_only=True, tag="group"):
    """What became of a group: `event` is Meta's type (group_create, group_participants_add, group_suspend …).

    `request` ties it to the call that asked for it. `settings` are the parts of a settings update, each with `update_successful`.
    """

    event: str
    group: str = ""
    request: str = ""
    subject: str = ""
    description: str = ""
    invite_link: str = ""
    initiated_by: str = ""
    participants: tuple[Participant, ...] = ()
    """Those added, removed, asking to join or no longer asking, whichever the event is about."""
    failed: tuple[Participant, ...] = ()
    settings: dict[str, Any] | None = None
    at: datetime | None = None
    errors: tuple[MetaError, ...] = ()


class HistoryProgress(_Notice, frozen=True, kw_only=True, tag="history_progress"):
    """How far the phone app's history has come: `phase` 0, 1 or 2; done at `progress` 100. Chunks come in any order."""

    phase: int | None = None
    chunk: int | None = None
    progress: int | None = None


class PhoneBookEntry(_Notice, frozen=True, kw_only=True, tag="phone_book"):
    """A contact in the phone app's address book was added, edited (`add` both) or removed."""

    action: str
    name: str = ""
    first_name: str = ""
    phone: str = ""
    user_id: str | None = None
    username: str | None = None
    at: datetime | None = None


class ServiceError(_Notice, frozen=True, kw_only=True, tag="service_error"):
    """An error of the account or the platform that belongs to no message (130429, 131035, a refused history …)."""

    error: MetaError


Notice = (
    TemplateStatus
    | TemplateQuality
    | TemplateComponents
    | TemplateCategory
    | AccountUpdate
    | AccountAlert
    | AccountReview
    | BusinessCapability
    | NumberLimit
    | NumberName
    | SecurityEvent
    | Preference
    | BusinessUsername
    | FlowEvent
    | Call
    | GroupEvent
    | HistoryProgress
    | PhoneBookEntry
    | ServiceError
)
