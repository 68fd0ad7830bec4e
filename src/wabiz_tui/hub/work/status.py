"""The status of an episode: open, pending, snoozed, resolved; and snoozes that end."""

from datetime import UTC, timedelta

from wabiz_tui.hub.archive.conversations import StoredConversation, due_snoozes, load_conversation, set_status
from wabiz_tui.hub.archive.people import load_people
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.audit import Act, record
from wabiz_tui.hub.feed.viewer import Viewer
from wabiz_tui.hub.ingest.folding import add_activity
from wabiz_tui.hub.work.reasons import short
from wabiz_tui.hub.work.recipients import check_recipient, may_have
from wabiz_tui.hub.work.sight import visible_conversation
from wabiz_tui.model.content import Activity
from wabiz_tui.model.errors import BadInput
from wabiz_tui.model.values import Conversation, Person
from wabiz_tui.model.wire import StatusChange

LONGEST_SNOOZE = timedelta(days=3660)
_VERBS = {"resolved": "resolved", "open": "reopened", "snoozed": "snoozed", "pending": "set pending"}


def change_status(writing: Writing, viewer: Viewer, person: Person, conversation: str, change: StatusChange) -> StoredConversation | None:
    """Set the status; as it is already, nothing is done. None when it has left the caller's sight by that.

    What was resolved goes on as a new episode with its team, and with whoever had it if they may still be given it. Raises BadInput
    for a snooze that ends in the past."""
    stored = visible_conversation(writing, viewer, conversation)
    _check_until(writing, change)
    value = stored.value
    if value.status == change.status and value.snoozed_until == change.until:
        return stored
    set_status(writing, conversation, change.status, until=change.until, assignee=_still_with(writing, person, value))
    activity = Activity(verb=_VERBS[change.status], by=person.name, reason=_told(change))
    add_activity(writing, conversation, activity, author=person.id)
    record(writing, Act("conversation.status", by=person.id, device=viewer.device, about=conversation, details={"status": change.status}))
    after = load_conversation(writing, conversation)
    return after if after is not None and viewer.can_see_conversation(*after.assigned) else None


def wake_snoozed(writing: Writing) -> int:
    """Reopen what was snoozed until now."""
    due = due_snoozes(writing)
    for conversation in due:
        set_status(writing, conversation, "open")
        add_activity(writing, conversation, Activity(verb="reopened", reason="the snooze ended"))
    return len(due)


def _check_until(reading: Reading, change: StatusChange) -> None:
    if change.until is None:
        return
    if change.status != "snoozed":
        raise BadInput("Only a snooze has an 'until'.")
    if change.until.tzinfo is None or change.until <= reading.now:
        raise BadInput("A snooze ends at a time in the future, given with its zone; without 'until' it ends when the customer writes.")
    if change.until > reading.now + LONGEST_SNOOZE:
        raise BadInput("A snooze ends within ten years; without 'until' it ends when the customer writes.")


def _still_with(reading: Reading, person: Person, value: Conversation) -> str | None:
    """Who goes on with what was resolved."""
    if value.assignee is None or value.status != "resolved":
        return value.assignee
    try:
        had = check_recipient(load_people(reading).get(value.assignee), is_self=value.assignee == person.id)
    except BadInput:
        return None
    return had.id if may_have(had, value.team) else None


def _told(change: StatusChange) -> str:
    """A snooze says until when; in UTC, since those who read it may sit in other zones."""
    if change.status != "snoozed":
        return short(change.reason)
    until = "until the customer writes" if change.until is None else f"until {change.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return f"{until}; {short(change.reason)}" if change.reason.strip() else until
