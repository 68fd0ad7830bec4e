"""The feed: its head and its rows."""

import sqlalchemy as sa

from wabiz_tui.hub.archive.schema.base import id_key, metadata, tenant_key

# `begins` is the number after which this feed begins: a restored archive goes on far above what anybody has seen of it.
head = sa.Table(
    "feed_head",
    metadata,
    tenant_key(),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("begins", sa.BigInteger, nullable=False, server_default="0"),
)

change = sa.Table(
    "change",
    metadata,
    tenant_key(),
    sa.Column("entity", sa.String(16), primary_key=True),
    id_key(),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Index("change_by_seq", "tenant", "seq", unique=True),
)
