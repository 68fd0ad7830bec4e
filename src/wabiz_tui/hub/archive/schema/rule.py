"""The policy's versions and the audit log."""

import sqlalchemy as sa

from wabiz_tui.hub.archive.schema.base import metadata, ms, tenant_key

policy = sa.Table(
    "policy",
    metadata,
    tenant_key(),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("signed", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("by", sa.String(64), nullable=False),
    sa.Column("approved_by", sa.String(64)),
    ms("at_ms", nullable=False),
    ms("waits_until_ms"),
)

audit_entry = sa.Table(
    "audit_entry",
    metadata,
    tenant_key(),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("salt", sa.LargeBinary(32), nullable=False),
    sa.Column("commitment", sa.LargeBinary(32), nullable=False),
    ms("at_ms", nullable=False),
)

audit_node = sa.Table(
    "audit_node",
    metadata,
    tenant_key(),
    sa.Column("level", sa.Integer, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("hash", sa.LargeBinary(32), nullable=False),
)

# Readings that the log tells once a day: a hash of who, what and when.
audit_once = sa.Table("audit_once", metadata, tenant_key(), sa.Column("hash", sa.LargeBinary(32), primary_key=True))
