"""Pages of changes: each value read when it is sent, as its reader may see it."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from wabiz_tui.hub.archive.contacts import load_contacts
from wabiz_tui.hub.archive.conversations import conversations_with, load_conversations
from wabiz_tui.hub.archive.events import load_events, load_numbers, own_numbers
from wabiz_tui.hub.archive.messages import load_messages
from wabiz_tui.hub.archive.people import load_people
from wabiz_tui.hub.archive.sight import assigned_of
from wabiz_tui.hub.archive.store import ChangeRow, Reading, changes_since, feed_head
from wabiz_tui.hub.feed.seen import seen_conversation, seen_event, seen_message
from wabiz_tui.hub.feed.viewer import Viewer
from wabiz_tui.hub.policy import InForce
from wabiz_tui.model.codec import encode
from wabiz_tui.model.feed import Change, ChangesPage
from wabiz_tui.model.values import Number
from wabiz_tui.policy.permissions import can_see
from wabiz_tui.policy.privacy import mask_contact

MOST_CHANGES = 1000
MOST_BYTES = 8 * 1024 * 1024


def page_for(reading: Reading, viewer: Viewer, policy: InForce, *, since: int, limit: int) -> ChangesPage:
    """The next changes for this reader. What they may never see is left out; what left their sight comes without a value."""
    limit = min(max(limit, 1), MOST_CHANGES)
    rows = changes_since(reading, since, limit)
    head = feed_head(reading)
    values = _Values(reading, viewer, policy)
    values.load(rows)
    changes: list[Change] = []
    size, reached = 0, since
    for row in rows:
        if size > MOST_BYTES:
            break
        reached = row.seq
        if not can_see(viewer.role, row.entity):
            continue
        value = values.of(row)
        raw = None if value is None else encode(value)
        size += 0 if raw is None else len(raw)
        changes.append(Change(row.seq, row.entity, row.id, None if raw is None else msgspec.Raw(raw)))
    return ChangesPage(changes=changes, next=reached, head=head, more=reached < head, at=reading.now)


class _Values:
    """The values of one page, loaded a kind at a time."""

    def __init__(self, reading: Reading, viewer: Viewer, policy: InForce) -> None:
        self._reading, self._viewer, self._policy = reading, viewer, policy
        self._found: dict[str, dict[str, Any]] = {}

    def load(self, rows: Iterable[ChangeRow]) -> None:
        ids: dict[str, list[str]] = {}
        for row in rows:
            if can_see(self._viewer.role, row.entity):
                ids.setdefault(row.entity, []).append(row.id)
        loaders: dict[str, Callable[[list[str]], dict[str, Any]]] = {
            "contact": self._contacts,
            "conversation": self._conversations,
            "message": self._messages,
            "event": self._events,
            "number": self._numbers,
            "policy": lambda wanted: dict.fromkeys(wanted, self._policy.signed),
            "person": lambda _wanted: dict(load_people(self._reading)),
        }
        self._found = {entity: loaders[entity](wanted) for entity, wanted in ids.items()}

    def of(self, row: ChangeRow) -> Any | None:
        return self._found[row.entity].get(row.id)

    def _contacts(self, ids: list[str]) -> dict[str, Any]:
        stored = load_contacts(self._reading, ids)
        conversations = conversations_with(self._reading, stored)
        assigned = assigned_of(self._reading, (one for several in conversations.values() for one in several))
        visible = {
            contact
            for contact, several in conversations.items()
            if any(self._viewer.can_see_conversation(*assigned[one]) for one in several if one in assigned)
        }
        return {
            contact: mask_contact(found.value(), self._policy.policy, self._viewer.role)
            for contact, found in stored.items()
            if contact in visible
        }

    def _conversations(self, ids: list[str]) -> dict[str, Any]:
        stored = load_conversations(self._reading, ids)
        return {
            conversation: seen_conversation(found, self._policy.policy, self._viewer.role)
            for conversation, found in stored.items()
            if self._viewer.can_see_conversation(*found.assigned)
        }

    def _messages(self, ids: list[str]) -> dict[str, Any]:
        messages, ours = load_messages(self._reading, ids), own_numbers(self._reading)
        assigned = assigned_of(self._reading, (message.conversation for message in messages.values()))
        return {
            message.id: seen_message(message, self._policy.policy, ours)
            for message in messages.values()
            if message.conversation in assigned and self._viewer.can_see_conversation(*assigned[message.conversation])
        }

    def _events(self, ids: list[str]) -> dict[str, Any]:
        ours = own_numbers(self._reading)
        return {event: seen_event(found, self._policy.policy, ours) for event, found in load_events(self._reading, ids).items()}

    def _numbers(self, ids: list[str]) -> dict[str, Any]:
        found = load_numbers(self._reading, ids)
        return {number: Number(id=number, display=display, name=name) for number, (display, name) in found.items()}
