"""Who asks the gateway, and what they may do and see."""

from typing import NamedTuple

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.hub.archive.conversations import StoredConversation, load_conversation
from wabiz_tui.hub.archive.store import Reading
from wabiz_tui.hub.feed import Viewer
from wabiz_tui.model.values import Person
from wabiz_tui.policy.permissions import can


class Sender(NamedTuple):
    """Who asks: a person at a device."""

    person: Person
    viewer: Viewer


def require(sender: Sender, action: str) -> None:
    if not can(sender.person.role, action):
        raise graph_error(10, f"The role {sender.person.role} may not do this")


def visible(reading: Reading, sender: Sender, conversation: str) -> StoredConversation:
    stored = load_conversation(reading, conversation)
    if stored is None or not sender.viewer.can_see_conversation(stored.value.assignee):
        raise graph_error(131009, "recipient names no conversation you can see")
    return stored
