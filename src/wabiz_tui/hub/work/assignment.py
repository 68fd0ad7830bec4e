"""Who has a conversation: taken, given, let go; whoever was first has it."""

from wabiz_tui.hub.archive.conversations import StoredConversation, load_conversation, set_assignee
from wabiz_tui.hub.archive.people import load_people
from wabiz_tui.hub.archive.store import Writing
from wabiz_tui.hub.audit import Act, record
from wabiz_tui.hub.feed.viewer import Viewer
from wabiz_tui.hub.ingest.folding import add_activity
from wabiz_tui.hub.work.sight import visible_conversation
from wabiz_tui.model.content import Activity
from wabiz_tui.model.errors import BadInput, Conflict
from wabiz_tui.model.values import Person
from wabiz_tui.model.wire import Assignment
from wabiz_tui.policy.document import Policy
from wabiz_tui.policy.permissions import can


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
    details = {"from": current or "", "to": wanted.person or ""}
    record(writing, Act("conversation.assigned", by=person.id, device=viewer.device, about=conversation, details=details))
    after = load_conversation(writing, conversation)
    return after if after is not None and viewer.can_see_conversation(*after.assigned) else None
