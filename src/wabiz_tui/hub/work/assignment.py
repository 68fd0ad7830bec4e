"""Who has a conversation, and which team's it is: taken, given, transferred, let go; whoever was first has it."""

from msgspec import UNSET

from wabiz_tui.hub.archive.conversations import StoredConversation, load_conversation, set_assignee, set_team
from wabiz_tui.hub.archive.episodes import assigned_by
from wabiz_tui.hub.archive.people import load_people
from wabiz_tui.hub.archive.store import Writing
from wabiz_tui.hub.archive.teams import load_teams
from wabiz_tui.hub.audit import Act, record
from wabiz_tui.hub.feed.viewer import Viewer
from wabiz_tui.hub.ingest.folding import add_activity
from wabiz_tui.hub.work.reasons import short
from wabiz_tui.hub.work.recipients import check_recipient, may_have
from wabiz_tui.hub.work.sight import visible_conversation
from wabiz_tui.model.content import Activity
from wabiz_tui.model.errors import BadInput, Conflict, NotFound
from wabiz_tui.model.values import Person
from wabiz_tui.model.wire import Assignment
from wabiz_tui.model.work import TeamAssignment


def assign(writing: Writing, viewer: Viewer, person: Person, conversation: str, wanted: Assignment) -> StoredConversation | None:
    """Give the conversation to somebody or nobody, and to a team where one is named. None when it has left the caller's sight by that.

    Letting go of one's own needs no expectation; what is as wanted already is left as it is. Raises Conflict (`taken`, with the name
    of who has it) when it is not with whom the caller expected, BadInput for whom it cannot be given to."""
    stored = _before(writing, viewer, person, conversation, wanted)
    if stored is None:
        return None
    current = stored.value.assignee
    if current not in (wanted.person, wanted.expected) and not (current == person.id and wanted.expected is None):
        raise _taken(stored)
    team = stored.value.team if wanted.team is UNSET else wanted.team
    recipient = None
    if wanted.person is not None and (current, stored.value.team) != (wanted.person, team):
        recipient = _recipient(writing, wanted.person, team, is_self=wanted.person == person.id)
    move(writing, viewer, person, stored, team, reason=wanted.reason, keeps=wanted.person)
    if current != wanted.person:
        _give(writing, viewer, person, stored, recipient, reason=wanted.reason)
    return _afterwards(writing, viewer, conversation)


def assign_team(writing: Writing, viewer: Viewer, person: Person, conversation: str, wanted: TeamAssignment) -> StoredConversation | None:
    """Move the conversation to a team or to none; an assignee who does not belong to it is let go. None when it has left the caller's
    sight by that. Raises Conflict (`moved`) when it is not with the team the caller expected."""
    stored = visible_conversation(writing, viewer, conversation)
    if wanted.expected is not UNSET and stored.value.team not in (wanted.expected, wanted.team):
        raise Conflict("This conversation is with another team now; look again before you move it.", code="moved")
    move(writing, viewer, person, stored, wanted.team, reason=wanted.reason)
    return _afterwards(writing, viewer, conversation)


def _before(writing: Writing, viewer: Viewer, person: Person, conversation: str, wanted: Assignment) -> StoredConversation | None:
    """The conversation as the caller sees it; None where they gave it away just so before, and have it in sight no more."""
    try:
        return visible_conversation(writing, viewer, conversation)
    except NotFound:
        stored = load_conversation(writing, conversation)
        # Whoever saw it lie in a queue and was late learns who was first; to all others it does not exist.
        if stored is None or wanted.person is None or not may_have(person, stored.value.team):
            raise
        if stored.value.assignee == wanted.person and assigned_by(writing, conversation) == person.id:
            return None
        if wanted.person != person.id:
            raise
        raise _taken(stored) from None


def _taken(stored: StoredConversation) -> Conflict:
    return Conflict(f"{stored.value.assignee_name or 'Nobody'} has this conversation now; look again before you take it.", code="taken")


def _recipient(writing: Writing, to: str, team: str | None, *, is_self: bool) -> Person:
    recipient = check_recipient(load_people(writing).get(to), is_self=is_self)
    if not may_have(recipient, team):
        named = load_teams(writing, [team or ""]).get(team or "")
        raise BadInput(
            f"{recipient.name} does not belong to {'its team' if named is None else named.name}; move the conversation to one of their"
            " teams with it, or give it to somebody else.",
            code="not_in_team",
        )
    return recipient


def _give(writing: Writing, viewer: Viewer, person: Person, stored: StoredConversation, to: Person | None, *, reason: str) -> None:
    conversation = stored.value.id
    set_assignee(writing, conversation, None if to is None else to.id, by=person.id)
    verb, name = ("assigned", to.name) if to is not None else ("unassigned", "")
    add_activity(writing, conversation, Activity(verb=verb, by=person.name, to=name, reason=short(reason)), author=person.id)
    details = {"from": stored.value.assignee or "", "to": "" if to is None else to.id}
    record(writing, Act("conversation.assigned", by=person.id, device=viewer.device, about=conversation, details=details))


def move(
    writing: Writing,
    viewer: Viewer,
    person: Person,
    stored: StoredConversation,
    team: str | None,
    *,
    reason: str,
    keeps: str | None = None,
) -> None:
    """Change the team, and let an assignee outside it go, save one it is given to in the same act (`keeps`)."""
    if team == stored.value.team:
        return
    named = None if team is None else load_teams(writing, [team]).get(team)
    if team is not None and named is None:
        raise BadInput("There is no such team; `GET /v1/teams` names them all.", code="unknown_team")
    conversation, assignee = stored.value.id, stored.value.assignee
    set_team(writing, conversation, team)
    is_let_go = assignee is not None and assignee != keeps and team is not None and not _belongs(writing, assignee, team)
    if is_let_go:
        set_assignee(writing, conversation, None, by=person.id)
    verb, to = ("moved", named.name) if named is not None else ("taken from its team", "")
    add_activity(writing, conversation, Activity(verb=verb, by=person.name, to=to, reason=short(reason)), author=person.id)
    details = {"from": stored.value.team or "", "to": team or "", "let_go": assignee if is_let_go else ""}
    record(writing, Act("conversation.team", by=person.id, device=viewer.device, about=conversation, details=details))


def _belongs(writing: Writing, assignee: str, team: str) -> bool:
    found = load_people(writing).get(assignee)
    return found is not None and team in found.teams


def _afterwards(writing: Writing, viewer: Viewer, conversation: str) -> StoredConversation | None:
    after = load_conversation(writing, conversation)
    return after if after is not None and viewer.can_see_conversation(*after.assigned) else None
