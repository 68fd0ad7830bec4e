"""People, their devices, and the programs that send through the gateway."""

import sqlalchemy as sa

from wabiz_tui.hub.archive.schema.base import id_key, metadata, ms, tenant_key

person = sa.Table(
    "person",
    metadata,
    tenant_key(),
    id_key(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("teams", sa.Text, nullable=False),
    ms("created_ms", nullable=False),
)

enrolment_code = sa.Table(
    "enrolment_code",
    metadata,
    tenant_key(),
    sa.Column("hash", sa.LargeBinary(32), primary_key=True),
    sa.Column("person", sa.String(64), nullable=False),
    ms("expires_ms", nullable=False),
    ms("used_ms"),
)

device = sa.Table(
    "device",
    metadata,
    tenant_key(),
    id_key(),
    sa.Column("person", sa.String(64), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("public_key", sa.LargeBinary(32), nullable=False),
    sa.Column("cache_id", sa.String(32), nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("policy", sa.Integer, nullable=False),
    sa.Column("receipt_number", sa.Integer, nullable=False),
    sa.Column("receipt_hash", sa.String(64), nullable=False),
    ms("enrolled_ms", nullable=False),
    ms("seen_ms"),
    ms("lease_until_ms"),
    ms("last_receipt_ms"),
    ms("revoked_ms"),
)

epoch = sa.Table(
    "epoch",
    metadata,
    tenant_key(),
    sa.Column("device", sa.String(64), primary_key=True),
    sa.Column("epoch", sa.Integer, primary_key=True),
    ms("begun_ms", nullable=False),
    ms("destroyed_ms"),
    sa.Column("reason", sa.String(32)),
)

token = sa.Table(
    "token",
    metadata,
    tenant_key(),
    sa.Column("hash", sa.LargeBinary(32), primary_key=True),
    sa.Column("device", sa.String(64), nullable=False),
    ms("expires_ms", nullable=False),
    sa.Index("token_by_device", "tenant", "device"),
)

assertion = sa.Table(
    "assertion", metadata, tenant_key(), sa.Column("hash", sa.LargeBinary(32), primary_key=True), ms("expires_ms", nullable=False)
)

receipt = sa.Table(
    "receipt",
    metadata,
    tenant_key(),
    sa.Column("device", sa.String(64), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("signed", sa.Text, nullable=False),
    ms("received_ms", nullable=False),
)

# Other programs that send through the gateway. Of their key only a hash is here; numbers and permissions are JSON lists.
integration = sa.Table(
    "integration",
    metadata,
    tenant_key(),
    id_key(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("hash", sa.LargeBinary(32), nullable=False),
    sa.Column("numbers", sa.Text, nullable=False),
    sa.Column("permissions", sa.Text, nullable=False),
    sa.Column("rate", sa.Integer, nullable=False),
    sa.Column("any_hour", sa.Boolean, nullable=False),
    sa.Column("created_by", sa.String(64), nullable=False),
    ms("created_ms", nullable=False),
    ms("revoked_ms"),
)
