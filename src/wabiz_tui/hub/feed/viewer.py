"""Who reads, and what they may see of the work."""

from typing import NamedTuple

from wabiz_tui.model.values import Role
from wabiz_tui.policy.permissions import can


class Viewer(NamedTuple):
    """Who reads: what they may see depends on role and on what is assigned to them."""

    person: str
    role: Role
    device: str = ""

    def can_see_conversation(self, assignee: str | None) -> bool:
        return can(self.role, "conversation.read_all") or (can(self.role, "conversation.read") and assignee in (None, self.person))
