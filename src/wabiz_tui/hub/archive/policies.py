"""The versions of the policy in the archive: the text, its signature, and whether it is in force or waits."""

from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.archive.times import perhaps_from_ms, to_ms
from wabiz_tui.hub.processes.bus import POLICY
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.wire import SignedPolicy

_policy = schema.policy.c
FEED_ID = "policy"
"""The feed has one policy: the one in force."""


class StoredPolicy(NamedTuple):
    """`state` is in_force, superseded, waiting (for a second person or the grace period) or withdrawn."""

    version: int
    text: str
    signed: SignedPolicy
    state: str
    by: str
    approved_by: str | None
    waits_until: datetime | None


def policy_in_force(reading: Reading) -> StoredPolicy | None:
    return _first(reading, _policy.state == "in_force")


def find_policy(reading: Reading, version: int) -> StoredPolicy | None:
    return _first(reading, _policy.version == version)


def waiting_policies(reading: Reading) -> list[StoredPolicy]:
    return [_stored(row) for row in reading.connection.execute(_select(reading).where(_policy.state == "waiting"))]


def all_policies(reading: Reading) -> list[StoredPolicy]:
    """Every version, newest first."""
    return [_stored(row) for row in reading.connection.execute(_select(reading).order_by(_policy.version.desc()))]


def next_version(reading: Reading) -> int:
    last = reading.connection.execute(sa.select(sa.func.max(_policy.version)).where(_policy.tenant == reading.tenant)).scalar()
    return (last or 0) + 1


def add_policy(
    writing: Writing, version: int, text: str, signed: SignedPolicy, *, state: str, by: str, waits_until: datetime | None = None
) -> None:
    if state == "in_force":
        _supersede(writing)
    writing.connection.execute(
        sa.insert(schema.policy).values(
            tenant=writing.tenant,
            version=version,
            text=text,
            signed=encode(signed).decode(),
            state=state,
            by=by,
            at_ms=writing.now_ms,
            waits_until_ms=None if waits_until is None else to_ms(waits_until),
        )
    )
    if state == "in_force":
        _tell(writing)


def approve_policy(writing: Writing, version: int, *, by: str, waits_until: datetime) -> None:
    _update(writing, version, {"approved_by": by, "waits_until_ms": to_ms(waits_until)})


def enforce_policy(writing: Writing, version: int) -> None:
    """Put a waiting version in force."""
    _supersede(writing)
    _update(writing, version, {"state": "in_force"})
    _tell(writing)


def withdraw_waiting(writing: Writing) -> None:
    """A newer document takes the place of those that wait: an approval is for one text against one policy."""
    writing.connection.execute(
        sa.update(schema.policy).where(_policy.tenant == writing.tenant, _policy.state == "waiting").values(state="withdrawn")
    )


def _tell(writing: Writing) -> None:
    writing.touch("policy", FEED_ID)
    writing.tell(POLICY)


def _supersede(writing: Writing) -> None:
    writing.connection.execute(
        sa.update(schema.policy).where(_policy.tenant == writing.tenant, _policy.state == "in_force").values(state="superseded")
    )


def _update(writing: Writing, version: int, values: dict[str, Any]) -> None:
    writing.connection.execute(
        sa.update(schema.policy).where(_policy.tenant == writing.tenant, _policy.version == version).values(**values)
    )


def _select(reading: Reading) -> sa.Select[Any]:
    return sa.select(schema.policy).where(_policy.tenant == reading.tenant).order_by(_policy.version)


def _first(reading: Reading, condition: sa.ColumnElement[bool]) -> StoredPolicy | None:
    row = reading.connection.execute(_select(reading).where(condition)).first()
    return None if row is None else _stored(row)


def _stored(row: sa.Row[Any]) -> StoredPolicy:
    signed = decode(row.signed, SignedPolicy)
    return StoredPolicy(row.version, row.text, signed, row.state, row.by, row.approved_by, perhaps_from_ms(row.waits_until_ms))
