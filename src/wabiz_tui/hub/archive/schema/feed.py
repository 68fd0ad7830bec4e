"""The feed: its head and its rows."""

import sqlalchemy as sa

from wabiz_tui.hub.archive.schema.base import id_key, metadata, tenant_key

head = sa.Table("feed_head", metadata, tenant_key(), sa.Column("seq", sa.BigInteger, nullable=False))

change = sa.Table(
    "change",
    metadata,
    tenant_key(),
    sa.Column("entity", sa.String(16), primary_key=True),
    id_key(),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Index("change_by_seq", "tenant", "seq", unique=True),
)
