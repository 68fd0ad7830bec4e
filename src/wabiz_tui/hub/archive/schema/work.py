"""The work on conversations: teams, and which notes were written already."""

import sqlalchemy as sa

from wabiz_tui.hub.archive.schema.base import id_key, metadata, ms, tenant_key

# `name_key` is the name without regard to case: no two teams share one.
team = sa.Table(
    "team",
    metadata,
    tenant_key(),
    id_key(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_key", sa.Text, nullable=False),
    ms("created_ms", nullable=False),
    sa.Index("team_by_name", "tenant", "name_key", unique=True),
)

# A note under its writer's idempotency key. The hash of what it said is keyed: a repeat is told from another note of the same key.
note_key = sa.Table(
    "note_key",
    metadata,
    tenant_key(),
    sa.Column("author", sa.String(64), primary_key=True),
    sa.Column("key_hash", sa.LargeBinary(32), primary_key=True),
    sa.Column("body_hash", sa.LargeBinary(16), nullable=False),
    sa.Column("message", sa.String(64), nullable=False),
    ms("at_ms", nullable=False),
)
