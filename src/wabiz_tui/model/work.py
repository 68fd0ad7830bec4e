"""The work on conversations as it travels under /v1 and in the feed: teams, notes, labels, canned responses, macros, presence."""

from datetime import datetime
from typing import Literal

import msgspec

from wabiz_tui.model.values import Priority

Clock = Literal["first_response", "next_response", "resolution"]
"""What a service level counts: to the first answer of an episode, to each later one, to its end."""

LONGEST_LABEL = 64
MOST_LABELS = 32
LONGEST_NOTE = 16_000
MOST_MENTIONS = 20
MOST_FIELDS = 64


class Team(msgspec.Struct, frozen=True, omit_defaults=True):
    """Feed entity `team`. Who belongs to it stands in `Person.teams` (ids)."""

    id: str
    name: str


class TeamAssignment(msgspec.Struct, frozen=True, omit_defaults=True):
    """POST /v1/conversations/{id}/team: a team's id or none; `expected` is the team the caller saw, and makes it conflict-free.

    The assignee is let go where they do not belong to the new team."""

    team: str | None
    expected: str | None = None
    reason: str = ""


class LabelChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """POST /v1/conversations/{id}/labels: labels of the episode, compared without regard to case; adding and removing commute."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


class PriorityChange(msgspec.Struct, frozen=True):
    """POST /v1/conversations/{id}/priority."""

    priority: Priority


class NewNote(msgspec.Struct, frozen=True, omit_defaults=True):
    """POST /v1/conversations/{id}/notes: a private note; never sent to the customer. `mentions` are ids of people who may see the
    conversation; `key` makes a repeat harmless."""

    text: str
    mentions: tuple[str, ...] = ()
    reply_to: str | None = None
    key: str | None = None


class FieldsChange(msgspec.Struct, frozen=True):
    """POST /v1/contacts/{id}/fields: names and texts the business keeps of a contact; null removes one."""

    fields: dict[str, str | None]


class Block(msgspec.Struct, frozen=True, omit_defaults=True):
    """POST /v1/contacts/{id}/block and …/unblock: at the hub and at Meta."""

    reason: str = ""


class Handover(msgspec.Struct, frozen=True, omit_defaults=True):
    """POST /v1/people/{id}/handover: all open work of a person to `to`, or to their buddy where it is null, or else to nobody."""

    to: str | None = None
    reason: str = ""


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
    """One step: `value` is a person's id ("me", "" for nobody), a team's id, a label, a status, a priority, a note's text or the id of
    a canned response to send."""

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
