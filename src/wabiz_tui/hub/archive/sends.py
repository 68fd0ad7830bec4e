"""Sends in the archive: one row for each idempotency key of a caller, from queued to settled.

`queued` has not left; `leaving` is committed before the first byte goes out, so a crash there is seen as what it is:
nobody knows (security.md §8); `settled` has its answer.
"""

import hashlib
from typing import Any, NamedTuple

import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.shelves import Shelved
from wabiz_tui.hub.archive.store import Reading, Writing

_outgoing = schema.outgoing.c
SENDS: Shelved[None] = Shelved(schema.outgoing, "message")


class StoredSend(NamedTuple):
    body_hash: bytes
    message: str
    state: str
    http_status: int | None
    answer: bytes | None


def find_send(reading: Reading, caller: str, key: str) -> StoredSend | None:
    row = reading.connection.execute(
        sa.select(schema.outgoing).where(
            _outgoing.tenant == reading.tenant, _outgoing.caller == caller, _outgoing.key_hash == digest(key.encode())
        )
    ).first()
    return None if row is None else _stored(row)


def add_send(writing: Writing, caller: str, key: str, body_hash: bytes, message: str, *, has_to_wait: bool) -> None:
    """Queued where others go first, else leaving with this commit."""
    writing.connection.execute(
        sa.insert(schema.outgoing).values(
            tenant=writing.tenant,
            caller=caller,
            key_hash=digest(key.encode()),
            body_hash=body_hash,
            message=message,
            state="queued" if has_to_wait else "leaving",
            at_ms=writing.now_ms,
        )
    )


def settle_send(writing: Writing, message: str, *, http_status: int | None, answer: bytes | None) -> None:
    writing.connection.execute(
        sa.update(schema.outgoing)
        .where(_outgoing.tenant == writing.tenant, _outgoing.message == message)
        .values(state="settled", http_status=http_status, answer=answer)
    )


def let_leave(writing: Writing, message: str) -> bool:
    """From queued to leaving; False when somebody else has done so."""
    changed = writing.connection.execute(
        sa.update(schema.outgoing)
        .where(_outgoing.tenant == writing.tenant, _outgoing.message == message, _outgoing.state == "queued")
        .values(state="leaving")
    ).rowcount
    return bool(changed)


def sends_in(reading: Reading, state: str) -> list[str]:
    """The messages whose sends are `queued` or `leaving`, oldest first."""
    rows = reading.connection.execute(
        sa.select(_outgoing.message).where(_outgoing.tenant == reading.tenant, _outgoing.state == state).order_by(_outgoing.message)
    )
    return [row.message for row in rows]


def is_ours(reading: Reading, message: str) -> bool:
    """Whether a message with this id was sent through the gateway."""
    return reading.shelf(SENDS).get(message) is not None


def digest(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()


def _stored(row: sa.Row[Any]) -> StoredSend:
    return StoredSend(row.body_hash, row.message, row.state, row.http_status, row.answer)
