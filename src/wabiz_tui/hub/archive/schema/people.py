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
    sa.Column("buddy", sa.String(64)),
    ms("revoked_ms"),
)

enrolment_code = sa.Table(
    "enrolment_code",
    metadata,
    tenant_key(),
    sa.Column("hash", sa.LargeBinary(32), primary_key=True),
    sa.Column("person", sa.String(64), nullable=False),
    ms("expires_ms", nullable=False),
    ms("used_ms"),
    ms("made_ms"),
    sa.Column("made_by", sa.String(64)),
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
    ms("overdue_ms"),
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

# When a device held a share, by its leases, and when the hub could be reached: what the time to a receipt is counted by.
lease = sa.Table(
    "lease",
    metadata,
    tenant_key(),
    sa.Column("device", sa.String(64), primary_key=True),
    sa.Column("from_ms", sa.BigInteger, primary_key=True),
    ms("until_ms", nullable=False),
)

uptime = sa.Table("uptime", metadata, tenant_key(), sa.Column("from_ms", sa.BigInteger, primary_key=True), ms("until_ms", nullable=False))

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
