"""What the gateway sent and was given."""

from typing import Any

import sqlalchemy as sa

from wabiz_tui.hub.archive.schema.base import metadata, ms, tenant_key

OPEN: dict[str, Any] = {f"{engine}_where": sa.text("state <> 'settled'") for engine in ("sqlite", "postgresql")}

# A send under its caller's idempotency key. `answer` is the Graph-shaped answer once there is one; `owner` the hub process that
# sends it until then.
outgoing = sa.Table(
    "outgoing",
    metadata,
    tenant_key(),
    sa.Column("caller", sa.String(64), primary_key=True),
    sa.Column("key_hash", sa.LargeBinary(32), primary_key=True),
    sa.Column("body_hash", sa.LargeBinary(32), nullable=False),
    sa.Column("message", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("http_status", sa.Integer),
    sa.Column("answer", sa.LargeBinary),
    ms("at_ms", nullable=False),
    sa.Column("owner", sa.String(64), nullable=False, server_default=""),
    sa.Index("outgoing_by_message", "tenant", "message", unique=True),
    sa.Index("outgoing_open", "tenant", "owner", **OPEN),
)

# Files uploaded through the gateway, found by a keyed hash of Meta's media id; type, size and hash of the file are sealed.
upload = sa.Table(
    "upload",
    metadata,
    tenant_key(),
    sa.Column("media_hash", sa.LargeBinary(16), primary_key=True),
    sa.Column("caller", sa.String(64), nullable=False),
    sa.Column("number", sa.String(64), nullable=False),
    sa.Column("unit", sa.String(160), nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    ms("at_ms", nullable=False),
)
