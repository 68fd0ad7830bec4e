"""Who may see a conversation: decided here alone, from role, teams and whom the conversation is with."""

from collections.abc import Collection

from wabiz_tui.policy.permissions import can


def can_see_conversation(role: str, person: str, teams: Collection[str], *, assignee: str | None, team: str | None) -> bool:
    """Those who lead see all. Others see what is assigned to them, and what nobody has: of their teams, and of no team.

    Being mentioned in a note widens nothing."""
    if can(role, "conversation.read_all"):
        return True
    if not can(role, "conversation.read"):
        return False
    return assignee == person if assignee is not None else team is None or team in teams
