"""Teams in the archive; who belongs to one stands with the person."""

from collections.abc import Iterable

import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.model.errors import Conflict, NotFound
from wabiz_tui.model.naming import name_key, spelled
from wabiz_tui.model.work import Team

LONGEST_NAME = 64
_team = schema.team.c


def add_team(writing: Writing, name: str) -> Team:
    """Raises BadInput for what is no name, Conflict (`team_exists`) where a team has it, whatever its case."""
    team = Team(id=writing.new_id(), name=_free_name(writing, name, of=None))
    writing.connection.execute(
        sa.insert(schema.team).values(
            tenant=writing.tenant, id=team.id, name=team.name, name_key=name_key(team.name), created_ms=writing.now_ms
        )
    )
    writing.touch("team", team.id)
    return team


def rename_team(writing: Writing, team: str, name: str) -> Team:
    """Raises NotFound, and what adding raises."""
    if team not in load_teams(writing, [team]):
        raise NotFound("There is no such team.")
    renamed = Team(id=team, name=_free_name(writing, name, of=team))
    writing.connection.execute(
        sa.update(schema.team)
        .where(_team.tenant == writing.tenant, _team.id == team)
        .values(name=renamed.name, name_key=name_key(renamed.name))
    )
    writing.touch("team", team)
    return renamed


def load_teams(reading: Reading, ids: Iterable[str] | None = None) -> dict[str, Team]:
    """Those of the ids that are there, or all; oldest first."""
    query = sa.select(_team.id, _team.name).where(_team.tenant == reading.tenant)
    if ids is not None:
        query = query.where(_team.id.in_(sorted(set(ids))))
    rows = reading.connection.execute(query.order_by(_team.created_ms, _team.id))
    return {row.id: Team(id=row.id, name=row.name) for row in rows}


def conversations_of_team(reading: Reading, team: str) -> dict[str, str]:
    """Conversations whose current episode is with the team → its status."""
    conversation, episode = schema.conversation.c, schema.episode.c
    rows = reading.connection.execute(
        sa.select(conversation.id, episode.status)
        .join(schema.episode, (episode.tenant == conversation.tenant) & (episode.id == conversation.episode))
        .where(conversation.tenant == reading.tenant, episode.team == team)
    )
    return {row.id: row.status for row in rows}


def remove_team(writing: Writing, team: str) -> None:
    """Forget it. What was its is the caller's to move first."""
    writing.connection.execute(sa.delete(schema.team).where(_team.tenant == writing.tenant, _team.id == team))
    writing.touch("team", team)


def names_of_teams(reading: Reading) -> dict[str, str]:
    return {team.id: team.name for team in load_teams(reading).values()}


def _free_name(reading: Reading, name: str, *, of: str | None) -> str:
    wanted = spelled(name, limit=LONGEST_NAME, what="team's name")
    held = reading.connection.execute(
        sa.select(_team.id).where(_team.tenant == reading.tenant, _team.name_key == name_key(wanted))
    ).scalar()
    if held not in (None, of):
        raise Conflict("There is a team of this name already.", code="team_exists")
    return wanted
