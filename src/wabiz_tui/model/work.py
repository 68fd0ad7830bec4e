"""The work on conversations as it travels under /v1 and in the feed: teams, notes, labels, canned responses, macros, presence."""

from datetime import datetime
from typing import Literal

import msgspec

from wabiz_tui.model.values import Priority, Status

Clock = Literal["first_response", "next_response", "resolution"]
"""What a service level counts: to the first answer of an episode, to each later one, to its end."""

LONGEST_LABEL = 64
MOST_LABELS = 32
LONGEST_NOTE = 16_000
MOST_MENTIONS = 20
MOST_FIELDS = 64
LONGEST_FIELD_NAME = 64
LONGEST_FIELD = 1_000
LONGEST_REASON = 500


class Team(msgspec.Struct, frozen=True, omit_defaults=True):
    """Feed entity `team`. Who belongs to it stands in `Person.teams` (ids)."""

    id: str
    name: str


class TeamAssignment(msgspec.Struct, frozen=True, omit_defaults=True):
    """POST /v1/conversations/{id}/team: a team's id, or null for none. `expected` is the team the caller saw (null: none); given, it
    makes the act conflict-free, left out, the last one wins.

    The assignee is let go where they do not belong to the new team."""

    team: str | None
    expected: str | msgspec.UnsetType | None = msgspec.UNSET
    reason: str = ""


class Episode(msgspec.Struct, frozen=True, omit_defaults=True):
    """GET /v1/conversations/{id}/episodes, the first first: a stretch of the conversation from open to resolved."""

    id: str
    opened_at: datetime
    status: Status
    resolved_at: datetime | None = None
    snoozed_until: datetime | None = None
    assignee: str | None = None
    assignee_name: str = ""
    team: str | None = None
    team_name: str = ""
    labels: tuple[str, ...] = ()
    priority: Priority = "none"


class LabelChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """POST /v1/conversations/{id}/labels: labels of the episode, compared without regard to case. What concerns different labels
    commutes, so that two who change them at once both have their way; a label in both lists is refused."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


class PriorityChange(msgspec.Struct, frozen=True):
    """POST /v1/conversations/{id}/priority."""

    priority: Priority


class NewNote(msgspec.Struct, frozen=True, omit_defaults=True):
    """POST /v1/conversations/{id}/notes: a private note; never sent to the customer. `mentions` are ids of people who may see the
    conversation; `reply_to` is the id or wamid of a message in it; `key` makes a repeat harmless. The answer is the note."""

    text: str
    mentions: tuple[str, ...] = ()
    reply_to: str | None = None
    key: str | None = None


class FieldsChange(msgspec.Struct, frozen=True):
    """POST /v1/contacts/{id}/fields: names and texts the business keeps of a contact; null removes one, what is not named stays. The
    answer is the contact."""

    fields: dict[str, str | None]


class Block(msgspec.Struct, frozen=True, omit_defaults=True):
    """POST /v1/contacts/{id}/block and …/unblock: at the hub and at Meta, for every number the contact has a conversation on."""

    reason: str = ""


class BlockAtMeta(msgspec.Struct, frozen=True, omit_defaults=True):
    """What Meta said of one business number: `refused` with its sentence (it blocks only who wrote within 24 hours), `unknown` where
    no answer came; asking again is safe."""

    number: str
    state: Literal["done", "refused", "unknown"]
    sentence: str = ""


class BlockOutcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """At the hub it is done; `sentence` is for the person where Meta did not do it on every number."""

    contact: str
    blocked: bool
    at_meta: tuple[BlockAtMeta, ...] = ()
    sentence: str = ""


class Handover(msgspec.Struct, frozen=True, omit_defaults=True):
    """POST /v1/people/{id}/handover: all open work of a person to `to`, or to their buddy where it is null, or else to nobody."""

    to: str | None = None
    reason: str = ""


class HandoverOutcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """`given` went to the person `to`, `queued` to nobody, where their team finds them: conversations, by count."""

    person: str
    to: str | None = None
    to_name: str = ""
    given: int = 0
    queued: int = 0


class Canned(msgspec.Struct, frozen=True, omit_defaults=True):
    """Feed entity `canned`: a text to answer with. `text` may hold variables, see model/canned.py; `team` narrows who sees it."""

    id: str
    shortcut: str
    text: str
    team: str | None = None
    by: str = ""
    updated_at: datetime | None = None


class NewCanned(msgspec.Struct, frozen=True, omit_defaults=True):
    """POST /v1/canned, PUT /v1/canned/{id}."""

    shortcut: str
    text: str
    team: str | None = None


Step = Literal["assign", "team", "label", "unlabel", "status", "priority", "note", "canned"]


class MacroStep(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step: `value` is a person's id ("me", "" for nobody), a team's id ("" for none), a label, a status ("snoozed" is until the
    customer writes, "snoozed 4h" for so long), a priority, a note's text or the id of a canned response to send."""

    do: Step
    value: str = ""


class Macro(msgspec.Struct, frozen=True, omit_defaults=True):
    """Feed entity `macro`: steps taken in their order as one act."""

    id: str
    name: str
    steps: tuple[MacroStep, ...]
    team: str | None = None
    by: str = ""
    updated_at: datetime | None = None


class NewMacro(msgspec.Struct, frozen=True, omit_defaults=True):
    """POST /v1/macros, PUT /v1/macros/{id}."""

    name: str
    steps: tuple[MacroStep, ...]
    team: str | None = None


StepState = Literal["done", "sent", "refused", "uncertain"]


class StepOutcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a step. `code` and `sentence` say why a text was not sent (as the gateway's `wabiz_code` or Meta's number does),
    `message` is the id of one that was, or may have been."""

    do: Step
    state: StepState = "done"
    code: str = ""
    sentence: str = ""
    message: str = ""


class MacroOutcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to a run. Its work stands, all of it; `sentence` is for the person where a text was not sent."""

    run: str
    macro: str
    conversation: str
    steps: tuple[StepOutcome, ...]
    sentence: str = ""


class RunMacro(msgspec.Struct, frozen=True, omit_defaults=True):
    """POST /v1/conversations/{id}/macros/{macro}; `key` makes a repeat harmless."""

    key: str | None = None


Doing = Literal["viewing", "typing", "left"]


class PresenceMark(msgspec.Struct, frozen=True):
    """POST /v1/conversations/{id}/presence. Never stored; a mark that is not renewed within PRESENCE_SECONDS counts as `left`."""

    doing: Doing


class Presence(msgspec.Struct, frozen=True):
    """Event `presence` of the stream, to everybody else who may see the conversation."""

    conversation: str
    person: str
    name: str
    doing: Doing
    at: datetime


PRESENCE_SECONDS = 30
