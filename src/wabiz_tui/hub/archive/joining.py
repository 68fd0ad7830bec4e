"""When two contacts turn out to be one person, their conversations on one number become one."""

from typing import Any, get_args

import msgspec
import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.messages import load_messages, move_message
from wabiz_tui.hub.archive.sealing import month_of, text_unit
from wabiz_tui.hub.archive.sight import assigned_of, note_reassigned
from wabiz_tui.hub.archive.store import Writing
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.naming import name_key
from wabiz_tui.model.values import Message, Priority
from wabiz_tui.model.work import MOST_LABELS

_PRIORITIES: tuple[Priority, ...] = get_args(Priority)
_conversation, _episode, _message, _status = schema.conversation.c, schema.episode.c, schema.message.c, schema.status.c


def join_conversations(writing: Writing, kept: str, merged: str) -> dict[str, list[str]]:
    """Give the merged contact's conversations to the kept one; what moved: conversation id → its message ids.

    Where both had one on a number, the younger's messages are sealed anew under the older and it is gone."""
    moved: dict[str, list[str]] = {}
    for row in _conversations_of(writing, merged):
        same = next((one for one in _conversations_of(writing, kept) if one.number == row.number), None)
        if same is None:
            _update(writing, row.id, contact=kept)
            moved[row.id] = []
        else:
            moved[row.id] = _move_messages(writing, row.id, same.id)
            _take_over(writing, row, same)
        writing.touch("conversation", row.id)
    return moved


def _conversations_of(writing: Writing, contact: str) -> list[sa.Row[Any]]:
    query = sa.select(schema.conversation).where(_conversation.tenant == writing.tenant, _conversation.contact == contact)
    return list(writing.connection.execute(query.order_by(_conversation.created_ms, _conversation.id)))


def _move_messages(writing: Writing, source: str, target: str) -> list[str]:
    rows = writing.connection.execute(sa.select(_message.id).where(_message.tenant == writing.tenant, _message.conversation == source))
    ids = [row.id for row in rows]
    for start in range(0, len(ids), 500):
        for message in load_messages(writing, ids[start : start + 500]).values():
            moved = msgspec.structs.replace(message, conversation=target)
            move_message(writing, moved)
            move_statuses(writing, moved)
    return ids


def move_statuses(writing: Writing, message: Message) -> None:
    rows = writing.connection.execute(sa.select(schema.status).where(_status.tenant == writing.tenant, _status.message == message.id)).all()
    unit = text_unit(message.conversation, month_of(message.sent_at))
    for row in rows:
        about = f"status/{row.identity.hex()}"
        plain = writing.sealer.open(row.unit, row.sealed, about=about)
        if plain is not None:
            writing.connection.execute(
                sa.update(schema.status)
                .where(_status.tenant == writing.tenant, _status.identity == row.identity)
                .values(unit=unit, sealed=writing.sealer.seal(unit, plain, about=about))
            )


def _take_over(writing: Writing, gone: sa.Row[Any], kept: sa.Row[Any]) -> None:
    """The kept conversation goes on with the later of both, and with the episode that is not resolved. Of two such one goes on with
    the labels of both and the higher priority, and with whom either is; the other ends here."""
    newest = max((gone, kept), key=lambda row: (row.last_ms or 0, row.id))
    waiting = [row.waiting_since_ms for row in (gone, kept) if row.waiting_since_ms is not None]
    query = sa.select(schema.episode).where(_episode.tenant == writing.tenant, _episode.id.in_([gone.episode, kept.episode]))
    states = {row.id: row for row in writing.connection.execute(query)}
    before = assigned_of(writing, [kept.id])[kept.id]
    mine, other = states[kept.episode], states[gone.episode]
    episode = other.id if mine.status == "resolved" and other.status != "resolved" else mine.id
    if "resolved" not in (mine.status, other.status):
        _join_episodes(writing, mine, other)
    _update(
        writing,
        kept.id,
        episode=episode,
        unread=kept.unread + gone.unread,
        last_ms=newest.last_ms,
        last_message=newest.last_message or kept.last_message,
        window_until_ms=max((row.window_until_ms for row in (gone, kept) if row.window_until_ms is not None), default=None),
        waiting_since_ms=min(waiting, default=None),
    )
    writing.connection.execute(
        sa.update(schema.episode).where(_episode.tenant == writing.tenant, _episode.conversation == gone.id).values(conversation=kept.id)
    )
    writing.connection.execute(sa.delete(schema.conversation).where(_conversation.tenant == writing.tenant, _conversation.id == gone.id))
    note_reassigned(writing, kept.id, before)


def _join_episodes(writing: Writing, kept: sa.Row[Any], ended: sa.Row[Any]) -> None:
    had = kept if kept.assignee or kept.team or not (ended.assignee or ended.team) else ended
    _update_episode(
        writing,
        kept.id,
        assignee=had.assignee,
        team=had.team,
        labels=encode(_both_labels(kept.labels, ended.labels)).decode(),
        priority=min(kept.priority, ended.priority, key=_PRIORITIES.index),
    )
    _update_episode(writing, ended.id, status="resolved", resolved_ms=writing.now_ms, snoozed_until_ms=None)


def _both_labels(kept: str, ended: str) -> tuple[str, ...]:
    mine, other = ({name_key(label): label for label in decode(text, tuple[str, ...])} for text in (kept, ended))
    joined = other | mine
    return tuple(joined[key] for key in sorted(joined))[:MOST_LABELS]


def _update_episode(writing: Writing, episode: str, **values: Any) -> None:
    writing.connection.execute(sa.update(schema.episode).where(_episode.tenant == writing.tenant, _episode.id == episode).values(**values))


def _update(writing: Writing, conversation: str, **values: Any) -> None:
    writing.connection.execute(
        sa.update(schema.conversation).where(_conversation.tenant == writing.tenant, _conversation.id == conversation).values(**values)
    )
