"""Sends in the archive: one row for each idempotency key of a caller, from queued to settled.

`queued` has not left; `leaving` is committed before the first byte goes out, so a crash there is seen as what it is:
nobody knows (security.md §8); `settled` has its answer. What is not settled has an owner: the hub process that sends it. What a
dead process had queued is nobody's, until its caller asks again.
"""

import hashlib
from typing import Any, NamedTuple

import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.shelves import Shelved
from wabiz_tui.hub.archive.store import Reading, Writing

_outgoing = schema.outgoing.c
NOBODY = ""
"""The owner of what a dead process had queued."""
SENDS: Shelved[None] = Shelved(schema.outgoing, "message")


ERASED = bytes(32)
"""The hash of the body of a send whose message was erased: its answer, which names the customer, must not come back."""


class StoredSend(NamedTuple):
    body_hash: bytes
    message: str
    state: str
    http_status: int | None
    answer: bytes | None
    owner: str


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
            owner=writing.archive.place.process,
        )
    )


def settle_send(writing: Writing, message: str, *, http_status: int | None, answer: bytes | None) -> None:
    writing.connection.execute(
        sa.update(schema.outgoing)
        .where(_outgoing.tenant == writing.tenant, _outgoing.message == message, _outgoing.body_hash != ERASED)
        .values(state="settled", http_status=http_status, answer=answer)
    )


def let_leave(writing: Writing, message: str, *, owner: str) -> bool:
    """From queued, by that owner, to leaving by this process; False when somebody else has it."""
    changed = writing.connection.execute(
        sa.update(schema.outgoing)
        .where(_outgoing.tenant == writing.tenant, _outgoing.message == message, _outgoing.state == "queued", _outgoing.owner == owner)
        .values(state="leaving", owner=writing.archive.place.process)
    ).rowcount
    return bool(changed)


def is_leaving(reading: Reading, message: str, *, owner: str) -> bool:
    """Whether it is still that process's to send: neither erased nor settled by another that took its sender for dead."""
    mine = (_outgoing.message == message, _outgoing.state == "leaving", _outgoing.owner == owner)
    return reading.connection.execute(sa.select(_outgoing.message).where(_outgoing.tenant == reading.tenant, *mine)).first() is not None


def disown(writing: Writing, message: str) -> None:
    """Nobody sends what is queued, until its caller asks again."""
    writing.connection.execute(
        sa.update(schema.outgoing)
        .where(_outgoing.tenant == writing.tenant, _outgoing.message == message, _outgoing.state == "queued")
        .values(owner=NOBODY)
    )


def give_back(writing: Writing, message: str) -> None:
    """What this process did not send after all is queued again, and nobody's until its caller asks again."""
    mine = (_outgoing.message == message, _outgoing.state.in_(("queued", "leaving")), _outgoing.owner == writing.archive.place.process)
    writing.connection.execute(
        sa.update(schema.outgoing).where(_outgoing.tenant == writing.tenant, *mine).values(state="queued", owner=NOBODY)
    )


def sends_in(reading: Reading, state: str, *, owner: str | None = None) -> list[str]:
    """The messages whose sends are `queued` or `leaving`, of one process or of all, oldest first."""
    query = sa.select(_outgoing.message).where(_outgoing.tenant == reading.tenant, _outgoing.state == state)
    if owner is not None:
        query = query.where(_outgoing.owner == owner)
    return [row.message for row in reading.connection.execute(query.order_by(_outgoing.message))]


def owners_of_open_sends(reading: Reading) -> list[str]:
    """The processes that have sends under way, the dead among them."""
    query = sa.select(_outgoing.owner).where(
        _outgoing.tenant == reading.tenant, sa.text("state <> 'settled'"), _outgoing.owner != NOBODY
    )  # fmt: skip
    return [row.owner for row in reading.connection.execute(query.distinct())]


def answer_of(reading: Reading, message: str) -> tuple[int, bytes] | None:
    """Status and body of what was answered; None while it is under way."""
    row = reading.connection.execute(
        sa.select(_outgoing.http_status, _outgoing.answer).where(_outgoing.tenant == reading.tenant, _outgoing.message == message)
    ).first()
    return None if row is None or row.http_status is None or row.answer is None else (row.http_status, bytes(row.answer))


def is_ours(reading: Reading, message: str) -> bool:
    """Whether a message with this id was sent through the gateway."""
    return reading.shelf(SENDS).get(message) is not None


def digest(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()


def _stored(row: sa.Row[Any]) -> StoredSend:
    return StoredSend(row.body_hash, row.message, row.state, row.http_status, row.answer, row.owner)
