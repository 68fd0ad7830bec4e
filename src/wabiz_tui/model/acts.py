"""The acts of the work as a closed set: what a screen or a script asks of the desk, and the desk of the hub."""

from typing import Any, NamedTuple

import msgspec

from wabiz_tui.model.values import Contact, Conversation, Message
from wabiz_tui.model.wire import Assignment, StatusChange
from wabiz_tui.model.work import (
    Block,
    BlockOutcome,
    FieldsChange,
    Handover,
    HandoverOutcome,
    LabelChange,
    NewNote,
    PriorityChange,
    TeamAssignment,
)


class Assign(msgspec.Struct, frozen=True, tag_field="act", tag="assign"):
    conversation: str
    change: Assignment


class MoveToTeam(msgspec.Struct, frozen=True, tag_field="act", tag="team"):
    conversation: str
    change: TeamAssignment


class SetStatus(msgspec.Struct, frozen=True, tag_field="act", tag="status"):
    conversation: str
    change: StatusChange


class ChangeLabels(msgspec.Struct, frozen=True, tag_field="act", tag="labels"):
    conversation: str
    change: LabelChange


class SetPriority(msgspec.Struct, frozen=True, tag_field="act", tag="priority"):
    conversation: str
    change: PriorityChange


class WriteNote(msgspec.Struct, frozen=True, tag_field="act", tag="note"):
    conversation: str
    change: NewNote


class SetFields(msgspec.Struct, frozen=True, tag_field="act", tag="fields"):
    contact: str
    change: FieldsChange


class BlockContact(msgspec.Struct, frozen=True, tag_field="act", tag="block"):
    contact: str
    change: Block


class UnblockContact(msgspec.Struct, frozen=True, tag_field="act", tag="unblock"):
    contact: str
    change: Block


class HandOver(msgspec.Struct, frozen=True, tag_field="act", tag="handover"):
    person: str
    change: Handover


OnConversation = Assign | MoveToTeam | SetStatus | ChangeLabels | SetPriority | WriteNote
WorkAct = OnConversation | SetFields | BlockContact | UnblockContact | HandOver
"""People and teams may be given by id or by name, and the desk's own person as `me`; the desk looks them up."""


class WorkDone(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of an act: the one that its kind changes. No conversation after an act on one: it is out of this person's sight."""

    conversation: Conversation | None = None
    note: Message | None = None
    contact: Contact | None = None
    block: BlockOutcome | None = None
    handover: HandoverOutcome | None = None


class HubRequest(NamedTuple):
    """How an act is asked of the hub: POST `path` with `body`; the answer is a `kind`, and goes into that field of WorkDone."""

    path: str
    body: msgspec.Struct
    kind: Any
    field: str


def request_of(act: WorkAct) -> HubRequest:
    """The request for an act whose people and teams are named by their ids."""
    match act:
        case WriteNote(conversation, change):
            return HubRequest(f"/v1/conversations/{conversation}/notes", change, Message, "note")
        case Assign(conversation, change):
            return HubRequest(f"/v1/conversations/{conversation}/assignee", change, Conversation | None, "conversation")
        case MoveToTeam(conversation, change):
            return HubRequest(f"/v1/conversations/{conversation}/team", change, Conversation | None, "conversation")
        case SetStatus(conversation, change):
            return HubRequest(f"/v1/conversations/{conversation}/status", change, Conversation | None, "conversation")
        case ChangeLabels(conversation, change):
            return HubRequest(f"/v1/conversations/{conversation}/labels", change, Conversation, "conversation")
        case SetPriority(conversation, change):
            return HubRequest(f"/v1/conversations/{conversation}/priority", change, Conversation, "conversation")
        case SetFields(contact, change):
            return HubRequest(f"/v1/contacts/{contact}/fields", change, Contact, "contact")
        case BlockContact(contact, change):
            return HubRequest(f"/v1/contacts/{contact}/block", change, BlockOutcome, "block")
        case UnblockContact(contact, change):
            return HubRequest(f"/v1/contacts/{contact}/unblock", change, BlockOutcome, "block")
        case HandOver(person, change):
            return HubRequest(f"/v1/people/{person}/handover", change, HandoverOutcome, "handover")
