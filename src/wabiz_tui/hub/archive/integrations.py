"""Integrations in the archive: other programs that send through the gateway. Of their key only a hash is kept."""

from typing import Any, NamedTuple

import sqlalchemy as sa

from wabiz_tui.hub.archive import schema
from wabiz_tui.hub.archive.store import Reading, Writing
from wabiz_tui.hub.archive.times import from_ms, perhaps_from_ms
from wabiz_tui.model.codec import decode, encode
from wabiz_tui.model.wire import IntegrationInfo

_row = schema.integration.c


class Integration(NamedTuple):
    """A program as the hub knows it; `numbers` are the phone_number_ids its key may use, `rate` its requests a second."""

    id: str
    name: str
    key_hash: bytes
    numbers: tuple[str, ...]
    permissions: frozenset[str]
    rate: int
    any_hour: bool
    is_revoked: bool


def add_integration(writing: Writing, integration: Integration, *, by: str) -> None:
    writing.connection.execute(
        sa.insert(schema.integration).values(
            tenant=writing.tenant,
            id=integration.id,
            name=integration.name,
            hash=integration.key_hash,
            numbers=encode(integration.numbers).decode(),
            permissions=encode(sorted(integration.permissions)).decode(),
            rate=integration.rate,
            any_hour=integration.any_hour,
            created_by=by,
            created_ms=writing.now_ms,
        )
    )


def find_integration(reading: Reading, integration: str) -> Integration | None:
    """Revoked ones too: the caller says so in its refusal."""
    found = reading.connection.execute(
        sa.select(schema.integration).where(_row.tenant == reading.tenant, _row.id == integration)
    ).first()  # fmt: skip
    return None if found is None else _integration(found)


def list_integrations(reading: Reading) -> list[IntegrationInfo]:
    rows = reading.connection.execute(
        sa.select(schema.integration).where(_row.tenant == reading.tenant).order_by(_row.created_ms, _row.id)
    )  # fmt: skip
    return [_info(found) for found in rows]


def revoke_integration(writing: Writing, integration: str) -> bool:
    """False when it was revoked before, or never was."""
    changed = writing.connection.execute(
        sa.update(schema.integration)
        .where(_row.tenant == writing.tenant, _row.id == integration, _row.revoked_ms.is_(None))
        .values(revoked_ms=writing.now_ms)
    ).rowcount
    return bool(changed)


def _integration(found: sa.Row[Any]) -> Integration:
    return Integration(
        id=found.id,
        name=found.name,
        key_hash=bytes(found.hash),
        numbers=decode(found.numbers, tuple[str, ...]),
        permissions=frozenset(decode(found.permissions, tuple[str, ...])),
        rate=found.rate,
        any_hour=bool(found.any_hour),
        is_revoked=found.revoked_ms is not None,
    )


def _info(found: sa.Row[Any]) -> IntegrationInfo:
    return IntegrationInfo(
        id=found.id,
        name=found.name,
        numbers=decode(found.numbers, tuple[str, ...]),
        permissions=decode(found.permissions, tuple[str, ...]),
        rate=found.rate,
        any_hour=bool(found.any_hour),
        created_at=from_ms(found.created_ms),
        created_by=found.created_by,
        revoked_at=perhaps_from_ms(found.revoked_ms),
    )
