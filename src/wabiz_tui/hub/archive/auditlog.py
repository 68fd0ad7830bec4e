"""The audit log's rows and nodes in the archive. Entries are appended inside the transaction of the act they record."""

import hashlib
from typing import NamedTuple

import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.proof.commitments import commit, new_salt
from wabiz_tui.proof.merkle import grow, leaf_hash

_entry, _node = schema.audit_entry.c, schema.audit_node.c


class AuditRow(NamedTuple):
    """`record` is the canonical JSON that the commitment commits to, under `salt`; the tree's leaf is the commitment."""

    number: int
    record: str
    salt: bytes
    commitment: bytes


def append(writing: Writing, record: bytes) -> int:
    """Add a record to the log; its number, from 0."""
    number = log_size(writing)
    salt = new_salt(writing.archive.random_bytes)
    commitment = commit(salt, record)
    writing.connection.execute(
        sa.insert(schema.audit_entry).values(
            tenant=writing.tenant, number=number, record=record.decode(), salt=salt, commitment=commitment, at_ms=writing.now_ms
        )
    )
    nodes = grow(number, leaf_hash(commitment), lambda level, index: read_node(writing, level, index))
    writing.connection.execute(
        sa.insert(schema.audit_node),
        [{"tenant": writing.tenant, "level": node.level, "number": node.index, "hash": node.hash} for node in nodes],
    )
    return number


def log_size(reading: Reading) -> int:
    last = reading.connection.execute(sa.select(sa.func.max(_entry.number)).where(_entry.tenant == reading.tenant)).scalar()
    return 0 if last is None else last + 1


def read_node(reading: Reading, level: int, index: int) -> bytes:
    return reading.connection.execute(
        sa.select(_node.hash).where(_node.tenant == reading.tenant, _node.level == level, _node.number == index)
    ).scalar_one()


def read_entries(reading: Reading, start: int, limit: int) -> list[AuditRow]:
    rows = reading.connection.execute(
        sa.select(schema.audit_entry).where(_entry.tenant == reading.tenant, _entry.number >= start).order_by(_entry.number).limit(limit)
    )
    return [AuditRow(row.number, row.record, row.salt, row.commitment) for row in rows]


def was_recorded(writing: Writing, once: str) -> bool:
    """Whether something that is logged once (named by `once`) was; it counts as logged from now on."""
    column = schema.audit_once.c
    hashed = hashlib.sha256(once.encode()).digest()
    known = writing.connection.execute(sa.select(column.hash).where(column.tenant == writing.tenant, column.hash == hashed)).first()
    if known is None:
        writing.connection.execute(sa.insert(schema.audit_once).values(tenant=writing.tenant, hash=hashed))
    return known is not None
