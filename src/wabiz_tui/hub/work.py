"""The work on conversations: status, assignment, what was read. Each act is one transaction with its entry in the log."""

from datetime import datetime

from wabiz_tui.hub.archive.conversations import (
    StoredConversation,
    due_snoozes,
    load_conversation,
    refresh_unread,
    set_assignee,
    set_status,
)
from wabiz_tui.hub.archive.messages import ids_sent_since, load_message, mark_last_unread, mark_read_up_to
from wabiz_tui.hub.archive.people import load_people
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.archive.times import to_ms
from wabiz_tui.hub.audit import Act, record
from wabiz_tui.hub.feed import Viewer
from wabiz_tui.hub.folding import add_activity
from wabiz_tui.model.content import Activity
from wabiz_tui.model.errors import BadInput, Conflict, NotFound
from wabiz_tui.model.values import Message, Person
from wabiz_tui.model.wire import Assignment, ReadMark, StatusChange
from wabiz_tui.policy.document import Policy
from wabiz_tui.policy.permissions import can

_VERBS = {"resolved": "resolved", "open": "reopened", "snoozed": "snoozed", "pending": "set pending"}
_LONGEST_REASON = 500


def visible_conversation(reading: Reading, viewer: Viewer, conversation: str) -> StoredConversation:
    """Raises NotFound alike for what is not there and for what the viewer may not see."""
    stored = load_conversation(reading, conversation)
    if stored is None or not viewer.can_see_conversation(stored.value.assignee):
        raise NotFound("There is no such conversation.")
    return stored


def change_status(writing: Writing, viewer: Viewer, person: Person, conversation: str, change: StatusChange) -> StoredConversation:
    stored = visible_conversation(writing, viewer, conversation)
    _check_until(writing, change)
    if stored.value.status == change.status and change.status != "snoozed":
        return stored
    set_status(writing, conversation, change.status, until=change.until)
    reason = change.reason[:_LONGEST_REASON]
    add_activity(writing, conversation, Activity(verb=_VERBS[change.status], by=person.name, reason=reason), author=person.id)
    record(writing, Act("conversation.status", by=person.id, device=viewer.device, about=conversation, details={"status": change.status}))
    return visible_conversation(writing, viewer, conversation)


def assign(
    writing: Writing, viewer: Viewer, person: Person, conversation: str, wanted: Assignment, *, policy: Policy
) -> StoredConversation | None:
    """Give the conversation to somebody or nobody. Raises Conflict when it is not with whom the caller expected.

    Letting go of one's own needs no expectation. None when it has left the caller's sight by that."""
    stored = visible_conversation(writing, viewer, conversation)
    current = stored.value.assignee
    if current == wanted.person:
        return stored
    if current != wanted.expected and not (current == person.id and wanted.expected is None):
        raise Conflict(f"{stored.value.assignee_name or 'Nobody'} has this conversation now; look again before you take it.", code="taken")
    people = load_people(writing)
    if wanted.person is not None and not can(people[wanted.person].role if wanted.person in people else "", "message.send"):
        raise BadInput("A conversation can be given to an agent or a supervisor only.")
    set_assignee(writing, conversation, wanted.person)
    name = people[wanted.person].name if wanted.person is not None else ""
    add_activity(writing, conversation, Activity(verb="assigned" if name else "unassigned", by=person.name, to=name), author=person.id)
    if current is not None:
        _show_again(writing, stored, policy)
    details = {"from": current or "", "to": wanted.person or ""}
    record(writing, Act("conversation.assigned", by=person.id, device=viewer.device, about=conversation, details=details))
    after = load_conversation(writing, conversation)
    return after if after is not None and viewer.can_see_conversation(after.value.assignee) else None


def mark(writing: Writing, viewer: Viewer, conversation: str, wanted: ReadMark) -> Message | None:
    """Mark read or unread; the newest message that was unread and is read now, for telling Meta."""
    visible_conversation(writing, viewer, conversation)
    if wanted.unread:
        if mark_last_unread(writing, conversation):
            refresh_unread(writing, conversation)
        return None
    place: tuple[int, str] | None = None
    if wanted.up_to is not None:
        message = load_message(writing, wanted.up_to)
        if message is None or message.conversation != conversation:
            raise NotFound("There is no such message in this conversation.")
        place = (to_ms(message.sent_at), message.id)
    newest = mark_read_up_to(writing, conversation, place)
    if newest is not None:
        refresh_unread(writing, conversation)
    return newest


def wake_snoozed(writing: Writing) -> int:
    """Reopen what was snoozed until now."""
    due = due_snoozes(writing)
    for conversation in due:
        set_status(writing, conversation, "open")
        add_activity(writing, conversation, Activity(verb="reopened", reason="the snooze ended"))
    return len(due)


def _show_again(writing: Writing, stored: StoredConversation, policy: Policy) -> None:
    """Others may see it from now on: what a cache may hold of it comes to them through the feed, and goes from whom it left."""
    since: datetime = writing.now - policy.cache.window
    writing.touch("contact", stored.value.contact)
    for message in ids_sent_since(writing, stored.value.id, since):
        writing.touch("message", message)


def _check_until(reading: Reading, change: StatusChange) -> None:
    if change.status == "snoozed":
        if change.until is None or change.until.tzinfo is None or change.until <= reading.now:
            raise BadInput("A snooze needs a time in the future, with its zone.")
    elif change.until is not None:
        raise BadInput("Only a snooze has an 'until'.")
