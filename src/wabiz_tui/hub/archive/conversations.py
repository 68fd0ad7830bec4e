"""Conversations in the archive and their episodes: what a contact and a number have said, and how the work on it stands."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.contacts import CONTACTS, load_contacts
from wabiz_tui.hub.archive.engine.direct import DirectLookup
from wabiz_tui.hub.archive.facts import Answered, Arrived
from wabiz_tui.hub.archive.messages import Filed, count_unread, load_messages
from wabiz_tui.hub.archive.people import names_of
from wabiz_tui.hub.archive.shelves import Row, Shelved
from wabiz_tui.hub.archive.sight import Assigned, note_reassigned
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.archive.times import from_ms, perhaps_from_ms, to_ms
from wabiz_tui.model.codec import decode
from wabiz_tui.model.content import Edit, Revoke, kind_of, plain_text
from wabiz_tui.model.values import Contact, Conversation, Direction, Message, Priority, Status
from wabiz_tui.model.work import Clock
from wabiz_tui.policy.window import window_until

_conversation, _episode, _message = schema.conversation.c, schema.episode.c, schema.message.c
_clock, _auto_reply = schema.episode_clock.c, schema.auto_reply.c
_PREVIEW = 160
CONVERSATIONS: Shelved[None] = Shelved(schema.conversation, "id", group="contact")
EPISODES: Shelved[None] = Shelved(schema.episode, "id")


class _Joined(NamedTuple):
    """A conversation's row with what of its current episode and of that one's clock is told. Each field is a column of that name."""

    id: str
    number: str
    contact: str
    episode: str
    unread: int
    last_ms: int | None
    last_message: str | None
    window_until_ms: int | None
    waiting_since_ms: int | None
    status: Status
    assignee: str | None
    team: str | None
    priority: Priority
    labels: str
    resolved_ms: int | None
    snoozed_until_ms: int | None
    first_response_ms: int | None
    response_due_ms: int | None
    resolution_due_ms: int | None


_FROM = (schema.conversation, schema.episode, schema.episode_clock)
_JOINED = DirectLookup(
    sa.select(*(next(table.c[name] for table in _FROM if name in table.c) for name in _Joined._fields))
    .select_from(schema.conversation)
    .join(schema.episode, (_episode.tenant == _conversation.tenant) & (_episode.id == _conversation.episode))
    .outerjoin(schema.episode_clock, (_clock.tenant == _conversation.tenant) & (_clock.episode == _conversation.episode))
    .where(_conversation.tenant == sa.bindparam("of_tenant")),
    _conversation.id,
)
_WITH = DirectLookup(
    sa.select(_conversation.id, _conversation.contact).where(_conversation.tenant == sa.bindparam("of_tenant")), _conversation.contact
)


class StoredConversation(NamedTuple):
    """A conversation as the archive has it: unmasked name and contact apart, so that whoever tells it can mask."""

    value: Conversation
    contact: Contact | None

    @property
    def assigned(self) -> Assigned:
        return Assigned(self.value.assignee, self.value.team)


def conversation_of(writing: Writing, number: str, contact: str) -> str:
    """The conversation of contact and number, made if it is the first; after a merge the one with the latest activity."""
    shelf = writing.shelf(CONVERSATIONS)
    known = [row for row in shelf.group(contact, is_new=writing.shelf(CONTACTS).is_new(contact)) if row["number"] == number]
    if known:
        return min(known, key=lambda row: (-(row["last_ms"] or 0), row["id"]))["id"]
    conversation = writing.new_id()
    episode = _new_episode(writing, conversation)
    shelf.add({"id": conversation, "number": number, "contact": contact, "episode": episode, "unread": 0, "created_ms": writing.now_ms})
    writing.touch("conversation", conversation)
    return conversation


def load_conversations(reading: Reading, ids: Iterable[str]) -> dict[str, StoredConversation]:
    """Conversations with the state of their current episode, name and preview; names and previews are unmasked."""
    rows = [_Joined._make(row) for row in _JOINED.rows(reading.connection, {"of_tenant": reading.tenant}, sorted(set(ids)))]
    contacts = load_contacts(reading, (row.contact for row in rows))
    previews = load_messages(reading, (row.last_message for row in rows if row.last_message))
    names = names_of(reading, (row.assignee for row in rows if row.assignee))
    found: dict[str, StoredConversation] = {}
    for row in rows:
        stored = contacts.get(row.contact)
        contact = None if stored is None else stored.value()
        found[row.id] = StoredConversation(_value(row, contact, previews.get(row.last_message or ""), names), contact)
    return found


def load_conversation(reading: Reading, conversation: str) -> StoredConversation | None:
    return load_conversations(reading, [conversation]).get(conversation)


def conversations_with(reading: Reading, contacts: Iterable[str]) -> dict[str, list[str]]:
    """Contact id → the ids of its conversations."""
    found: dict[str, list[str]] = {}
    for conversation, contact in _WITH.rows(reading.connection, {"of_tenant": reading.tenant}, sorted(set(contacts))):
        found.setdefault(contact, []).append(conversation)
    return found


def note_message(writing: Writing, message: Message) -> None:
    """Move the conversation's clock and preview on to this message, if it is the newest."""
    row = _row(writing, message.conversation)
    _change(writing, row, _newest(row, message))


def note_incoming(writing: Writing, message: Message, *, window_until: datetime | None, counts_unread: bool) -> None:
    """What a customer's message does: clock, preview, window, unread, waiting time."""
    row = _row(writing, message.conversation)
    values = _newest(row, message)
    if window_until is not None:
        values["window_until_ms"] = max(row["window_until_ms"] or 0, to_ms(window_until))
    if counts_unread:
        values["unread"] = row["unread"] + 1
        values["waiting_since_ms"] = min(to_ms(message.sent_at), row["waiting_since_ms"] or to_ms(message.sent_at))
        episode = writing.shelf(EPISODES).get(row["episode"])
        if episode is not None and episode["asked_ms"] is None:
            writing.shelf(EPISODES).change(episode["id"], asked_ms=to_ms(message.sent_at))
        writing.facts.append(Arrived(message.conversation, message.sent_at))
    _change(writing, row, values)


def note_call(writing: Writing, conversation: str, *, at: datetime) -> None:
    """What a call does that opens the window: clock and window, whenever it is told."""
    row = _row(writing, conversation)
    until = max(row["window_until_ms"] or 0, to_ms(window_until(at)))
    _change(writing, row, {"last_ms": max(row["last_ms"] or 0, to_ms(at)), "window_until_ms": until})


def status_of(reading: Reading, conversation: str) -> str:
    """The status of the current episode, at the cost of one row."""
    return current_episode(reading, conversation)["status"]


def note_answered(writing: Writing, conversation: str, *, at: datetime | None = None) -> None:
    """Nobody waits any more: somebody of ours wrote, now or at an instant that a webhook tells later. A customer who wrote since
    then waits all the same."""
    row, answered_ms = _row(writing, conversation), writing.now_ms if at is None else to_ms(at)
    episode, waiting_ms = writing.shelf(EPISODES).get(row["episode"]), row["waiting_since_ms"]
    if at is not None and waiting_ms is not None and answered_ms < waiting_ms:
        return
    if episode is not None and waiting_ms is not None:
        is_first = episode["first_response_ms"] is None
        writing.facts.append(Answered(conversation, episode["id"], is_first=is_first, waiting_ms=waiting_ms, at_ms=answered_ms))
    if episode is not None and episode["asked_ms"] is not None and episode["first_response_ms"] is None:
        writing.shelf(EPISODES).change(episode["id"], first_response_ms=answered_ms)
    _update(writing, conversation, {"waiting_since_ms": None})
    writing.touch("conversation", conversation)


def refresh_unread(writing: Writing, conversation: str) -> None:
    _update(writing, conversation, {"unread": count_unread(writing, conversation)})
    writing.touch("conversation", conversation)


def refresh_state(writing: Writing, conversation: str) -> None:
    """Reckon clock, preview, window, unread and waiting time anew from the messages that are there."""
    rows = writing.connection.execute(
        sa.select(_message.id, _message.sent_ms, _message.direction, _message.kind)
        .where(_message.tenant == writing.tenant, _message.conversation == conversation)
        .where(_message.direction.in_(("incoming", "outgoing")))
        .where(_message.id.not_in(_automatic(writing)))
        .order_by(_message.sent_ms.desc(), _message.id.desc())
    ).all()
    written = [row for row in rows if row.direction == "incoming" and row.kind not in ("system", "revoke")]
    answered = next((row.sent_ms for row in rows if row.direction == "outgoing"), 0)
    waiting = [row.sent_ms for row in written if row.sent_ms > answered]
    values = {
        "last_ms": rows[0].sent_ms if rows else None,
        "last_message": rows[0].id if rows else None,
        "window_until_ms": to_ms(window_until(from_ms(written[0].sent_ms))) if written else None,
        "waiting_since_ms": min(waiting, default=None),
        "unread": count_unread(writing, conversation),
    }
    _update(writing, conversation, values)
    writing.touch("conversation", conversation)


def _automatic(reading: Reading) -> sa.Select[Any]:
    """The replies out of hours: they answer nobody."""
    return sa.select(_auto_reply.message).where(_auto_reply.tenant == reading.tenant, _auto_reply.message.is_not(None))


def set_status(writing: Writing, conversation: str, status: Status, *, until: datetime | None = None, assignee: str | None = None) -> None:
    """Change the current episode. Reopening a resolved one begins a new episode with its team and `assignee`, and nothing else of
    the old, and tells the contact anew: machines let go of a resolved conversation with its contact. Snoozed without `until` is until
    the customer writes."""
    current = current_episode(writing, conversation)
    current_id = current["id"]
    if current["status"] == "resolved" and status != "resolved":
        current_id = _new_episode(writing, conversation, team=current["team"], assignee=assignee)
        _update(writing, conversation, {"episode": current_id})
        note_reassigned(writing, conversation, Assigned(current["assignee"], current["team"]))
        writing.touch("contact", _row(writing, conversation)["contact"])
    resolved_ms = writing.now_ms if status == "resolved" else None
    snoozed_ms = to_ms(until) if status == "snoozed" and until is not None else None
    change_episode(writing, current_id, status=status, resolved_ms=resolved_ms, snoozed_until_ms=snoozed_ms)
    if status == "resolved":
        _update(writing, conversation, {"waiting_since_ms": None})
    writing.touch("conversation", conversation)


def set_assignee(writing: Writing, conversation: str, person: str | None, *, by: str | None = None) -> None:
    """Give it to somebody or nobody; `by` is who did that, None for the hub itself."""
    _reassign(writing, conversation, assignee=person, assigned_by=by)


def set_team(writing: Writing, conversation: str, team: str | None) -> None:
    _reassign(writing, conversation, team=team)


def _reassign(writing: Writing, conversation: str, **values: str | None) -> None:
    episode = current_episode(writing, conversation)
    before = Assigned(episode["assignee"], episode["team"])
    change_episode(writing, episode["id"], **values)
    note_reassigned(writing, conversation, before)


def touch_preview_of(writing: Writing, message: Message | Filed) -> None:
    """Say that the conversation changed if this message is the one its row in the queue shows."""
    row = writing.shelf(CONVERSATIONS).get(message.conversation)
    if row is not None and row["last_message"] == message.id:
        writing.touch("conversation", message.conversation)


def due_snoozes(reading: Reading) -> list[str]:
    """Conversations whose snooze has ended."""
    rows = reading.connection.execute(
        sa.select(_conversation.id)
        .join(schema.episode, (_episode.tenant == _conversation.tenant) & (_episode.id == _conversation.episode))
        .where(_conversation.tenant == reading.tenant, _episode.status == "snoozed", _episode.snoozed_until_ms <= reading.now_ms)
    )
    return [row.id for row in rows]


def _new_episode(writing: Writing, conversation: str, *, team: str | None = None, assignee: str | None = None) -> str:
    episode = writing.new_id()
    row = {
        "id": episode,
        "conversation": conversation,
        "status": "open",
        "assignee": assignee,
        "team": team,
        "priority": "none",
        "labels": "[]",
        "opened_ms": writing.now_ms,
    }
    writing.shelf(EPISODES).add(row)
    return episode


def current_episode(reading: Reading, conversation: str) -> Row:
    """Of a conversation that is there; at the cost of two rows."""
    episode = reading.shelf(EPISODES).get(_row(reading, conversation)["episode"])
    assert episode is not None, "a conversation always has an episode"  # noqa: S101 the archive's own rule
    return episode


def change_episode(writing: Writing, episode: str, **values: Any) -> None:
    """Set columns of an episode; its conversation is the caller's to touch."""
    writing.shelf(EPISODES).change(episode, **values)


def _row(reading: Reading, conversation: str) -> Row:
    row = reading.shelf(CONVERSATIONS).get(conversation)
    assert row is not None, "whoever names a conversation here has found it before"  # noqa: S101 likewise
    return row


def _newest(row: Row, message: Message) -> dict[str, Any]:
    sent_ms = to_ms(message.sent_at)
    if row["last_ms"] is not None and row["last_ms"] > sent_ms:
        return {}
    if message.direction is Direction.ACTIVITY or isinstance(message.content, Edit | Revoke):
        return {"last_ms": sent_ms}
    return {"last_ms": sent_ms, "last_message": message.id}


def _change(writing: Writing, row: Row, values: dict[str, Any]) -> None:
    episode = writing.shelf(EPISODES).get(row["episode"])
    if episode is not None and episode["status"] == "resolved":
        # It goes on without being opened, also at machines that have let go of it and its contact.
        writing.touch("contact", row["contact"])
    if values:
        _update(writing, row["id"], values)
    writing.touch("conversation", row["id"])


def _update(writing: Writing, conversation: str, values: dict[str, Any]) -> None:
    writing.shelf(CONVERSATIONS).change(conversation, **values)


def _next_due(row: _Joined) -> tuple[int | None, Clock]:
    response: Clock = "first_response" if row.first_response_ms is None else "next_response"
    if row.resolution_due_ms is not None and (row.response_due_ms is None or row.resolution_due_ms < row.response_due_ms):
        return row.resolution_due_ms, "resolution"
    return row.response_due_ms, response


def _value(row: _Joined, contact: Contact | None, preview: Message | None, names: dict[str, str]) -> Conversation:
    due_ms, due_for = _next_due(row)
    return Conversation(
        id=row.id,
        number=row.number,
        contact=row.contact,
        name="" if contact is None else contact.name or contact.username or contact.phone or contact.user_id or "",
        status=row.status,
        assignee=row.assignee,
        assignee_name=names.get(row.assignee or "", ""),
        team=row.team,
        unread=row.unread,
        last_at=perhaps_from_ms(row.last_ms),
        window_until=perhaps_from_ms(row.window_until_ms),
        labels=decode(row.labels, tuple[str, ...]),
        priority=row.priority,
        preview="" if preview is None or preview.revoked_at else plain_text(preview.content)[:_PREVIEW],
        preview_kind="" if preview is None else kind_of(preview.content),
        preview_direction=None if preview is None else preview.direction,
        preview_delivery=None if preview is None or preview.delivery is None else preview.delivery.state,
        waiting_since=perhaps_from_ms(row.waiting_since_ms),
        snoozed_until=perhaps_from_ms(row.snoozed_until_ms),
        resolved_at=perhaps_from_ms(row.resolved_ms),
        episode=row.episode,
        due_at=perhaps_from_ms(due_ms),
        due_for="" if due_ms is None else due_for,
        is_masked_contact=False,
    )
