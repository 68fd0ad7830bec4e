"""Who reads, and what they may see of the work: the one place that decides it."""

from typing import NamedTuple

from wabiz_tui.model.values import Person, Role
from wabiz_tui.policy.permissions import can


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
        """Those who lead see all. Others see what is assigned to them, and what nobody has: of their teams, and of no team.

        Being mentioned in a note widens nothing."""
        if self.sees_all:
            return True
        if not can(self.role, "conversation.read"):
            return False
        return assignee == self.person if assignee is not None else team is None or team in self.teams


def viewer_of(person: Person, device: str = "") -> Viewer:
    return Viewer(person.id, person.role, device, frozenset(person.teams))
