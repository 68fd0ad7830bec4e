"""The status of an episode: open, pending, snoozed, resolved; and snoozes that end."""

from wabiz_tui.hub.archive.conversations import StoredConversation, due_snoozes, set_status
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.audit import Act, record
from wabiz_tui.hub.feed.viewer import Viewer
from wabiz_tui.hub.ingest.folding import add_activity
from wabiz_tui.hub.work.sight import visible_conversation
from wabiz_tui.model.content import Activity
from wabiz_tui.model.errors import BadInput
from wabiz_tui.model.values import Person
from wabiz_tui.model.wire import StatusChange

_VERBS = {"resolved": "resolved", "open": "reopened", "snoozed": "snoozed", "pending": "set pending"}
_LONGEST_REASON = 500


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


def wake_snoozed(writing: Writing) -> int:
    """Reopen what was snoozed until now."""
    due = due_snoozes(writing)
    for conversation in due:
        set_status(writing, conversation, "open")
        add_activity(writing, conversation, Activity(verb="reopened", reason="the snooze ended"))
    return len(due)


def _check_until(reading: Reading, change: StatusChange) -> None:
    if change.status == "snoozed":
        if change.until is None or change.until.tzinfo is None or change.until <= reading.now:
            raise BadInput("A snooze needs a time in the future, with its zone.")
    elif change.until is not None:
        raise BadInput("Only a snooze has an 'until'.")
