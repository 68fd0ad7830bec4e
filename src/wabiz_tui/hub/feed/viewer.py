"""Who reads, and what they may see of the work."""

from typing import NamedTuple

from wabiz_tui.hub.archive.readers import Reader
from wabiz_tui.model.values import Person, Role
from wabiz_tui.policy.permissions import can
from wabiz_tui.policy.sight import can_see_conversation


class Viewer(NamedTuple):
    """Who reads: what they may see depends on their role, their teams and on what is assigned to them."""

    person: str
    role: Role
    device: str = ""
    teams: frozenset[str] = frozenset()

    @property
    def sees_all(self) -> bool:
        return can(self.role, "conversation.read_all")

    def can_see_conversation(self, assignee: str | None, team: str | None) -> bool:
        """As policy/sight.py decides."""
        return can_see_conversation(self.role, self.person, self.teams, assignee=assignee, team=team)

    def as_now(self, reader: Reader) -> "Viewer":
        """Of the role and in the teams that the archive gives them; itself where these are the same."""
        return self if reader == (self.role, self.teams) else self._replace(role=reader.role, teams=reader.teams)


def viewer_of(person: Person, device: str = "") -> Viewer:
    return Viewer(person.id, person.role, device, frozenset(person.teams))
