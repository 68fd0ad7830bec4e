"""How shifts stand: a worker's own word, an override, and what the hub has done about it so far."""

import sqlalchemy as sa

from wabiz_tui.hub.archive.schema.base import metadata, ms, tenant_key

# `state` is the state the hub last acted upon, which the feed tells; `is_handed_over` whether this absence gave work up already.
shift = sa.Table(
    "shift",
    metadata,
    tenant_key(),
    sa.Column("person", sa.String(64), primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("is_handed_over", sa.Boolean, nullable=False),
    sa.Column("own_state", sa.String(16)),
    ms("own_since_ms"),
    ms("own_until_ms"),
    sa.Column("own_reason", sa.Text),
    ms("override_since_ms"),
    ms("override_until_ms"),
    sa.Column("override_reason", sa.Text),
    sa.Column("override_by", sa.String(64)),
)
