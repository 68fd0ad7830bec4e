"""The permission matrix: what is printed is what is decided, and nobody without content sees any."""

from pathlib import Path
from typing import get_args

import pytest

from wabiz_tui.model.feed import Entity
from wabiz_tui.policy.permissions import ACTIONS, CONTENT_ACTIONS, ROLES, can, can_see, render_matrix, sees_content

DOCS = Path(__file__).parents[3] / "docs" / "policies.md"


def test_the_printed_matrix_is_the_one_decided_by():
    """docs/policies.md holds the matrix as it is."""
    assert render_matrix() in DOCS.read_text(encoding="utf-8")


@pytest.mark.parametrize(("role", "action"), [("agent", "nothing"), ("root", "message.send"), ("", ""), ("agent", "")])
def test_what_is_not_in_the_matrix_is_denied(role: str, action: str):
    """Unknown roles and actions are denied."""
    assert not can(role, action)


@pytest.mark.parametrize("role", ["auditor", "admin"])
def test_auditors_and_admins_see_no_content(role: str):
    """No action that shows content is theirs, and the feed carries them no contact, conversation, message or event."""
    assert not [action for action in ACTIONS if action in CONTENT_ACTIONS and can(role, action)]
    assert [entity for entity in get_args(Entity) if can_see(role, entity)] == ["number", "policy", "person", "team"]
    assert not sees_content(role)
    assert can(role, "feed.read")


def test_content_roles_get_the_whole_feed():
    """Agents, supervisors and compliance get every kind of entity."""
    for role in ("agent", "supervisor", "compliance"):
        assert all(can_see(role, entity) for entity in get_args(Entity))
    assert not can_see("agent", "unheard-of")


@pytest.mark.parametrize(
    ("action", "roles"),
    [
        ("message.send", {"agent", "supervisor"}),
        ("policy.apply", {"compliance", "admin"}),
        ("devices.revoke", {"admin"}),
        ("people.add", {"admin"}),
        ("share.read", set(ROLES)),
        ("audit.read", {"compliance", "auditor", "admin"}),
        ("contact.erase", {"compliance"}),
        ("conversation.read", {"agent", "supervisor", "compliance"}),
    ],
)
def test_who_may_do_what(action: str, roles: set[str]):
    """The cells that matter most, said a second time by hand."""
    assert {role for role in ROLES if can(role, action)} == roles


def test_every_action_is_somebodys():
    """No action is in the matrix that nobody may do."""
    assert all(any(can(role, action) for role in ROLES) for action in ACTIONS)
