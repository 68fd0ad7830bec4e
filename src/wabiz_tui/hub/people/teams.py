"""Teams: made, renamed, and removed once nothing waits in them or what waits goes elsewhere."""

from msgspec.structs import replace

from wabiz_tui.hub.archive import people as people_rows
from wabiz_tui.hub.archive import teams as rows
from wabiz_tui.hub.archive.conversations import load_conversation, set_team
from wabiz_tui.hub.archive.sight import note_person_changed
from wabiz_tui.hub.archive.store import Writing
from wabiz_tui.hub.audit import Act, record
from wabiz_tui.hub.feed.viewer import Viewer
from wabiz_tui.hub.work.assignment import move
from wabiz_tui.model.errors import BadInput, Conflict, NotFound
from wabiz_tui.model.work import Team

_MOST_TEAMS = 1000


def add(writing: Writing, name: str, *, by: Viewer) -> Team:
    """Raises BadInput for what is no name, Conflict (`team_exists`) where a team has it."""
    if len(rows.load_teams(writing)) >= _MOST_TEAMS:
        raise Conflict(f"A hub has {_MOST_TEAMS} teams at most.", code="too_many_teams")
    team = rows.add_team(writing, name)
    record(writing, Act("team.added", by=by.person, device=by.device, about=team.id))
    return team


def rename(writing: Writing, team: str, name: str, *, by: Viewer) -> Team:
    """Raises NotFound, and what adding raises."""
    renamed = rows.rename_team(writing, team, name)
    record(writing, Act("team.renamed", by=by.person, device=by.device, about=team))
    return renamed


def remove(writing: Writing, team: str, *, move_to: str | None, by: Viewer) -> int:
    """Remove a team; its conversations go to `move_to`, and how many of them were open. Without `move_to` none may be open. What is
    open is moved as a person would move it: told in the conversation, and let go by whoever is not in that team.

    Its members are in it no more. Raises NotFound, BadInput for another team that is none, and Conflict (`team_has_work`)."""
    if team not in rows.load_teams(writing, [team]):
        raise NotFound("There is no such team.")
    if move_to is not None and (move_to == team or move_to not in rows.load_teams(writing, [move_to])):
        raise BadInput("What waits in the team can be moved to another team that there is.")
    held = rows.conversations_of_team(writing, team)
    waiting = sum(status != "resolved" for status in held.values())
    if waiting and move_to is None:
        raise Conflict(f"{waiting} conversations of this team are not resolved; name the team that gets them.", code="team_has_work")
    people = people_rows.load_people(writing)
    for conversation, status in held.items():
        stored = None if status == "resolved" else load_conversation(writing, conversation)
        if stored is None:
            set_team(writing, conversation, move_to)
        else:
            move(writing, by, people[by.person], stored, move_to, reason="")
    for person in people.values():
        if team in person.teams:
            after = replace(person, teams=tuple(one for one in person.teams if one != team))
            people_rows.save_person(writing, after)
            note_person_changed(writing, person, after)
    rows.remove_team(writing, team)
    details = {"to": move_to or "", "open": waiting, "conversations": len(held)}
    record(writing, Act("team.removed", by=by.person, device=by.device, about=team, details=details))
    return waiting
