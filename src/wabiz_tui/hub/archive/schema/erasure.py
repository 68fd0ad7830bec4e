"""What erasing and restoring leave behind in the content; tombstones themselves stand with the keys."""

import sqlalchemy as sa

from wabiz_tui.hub.archive.schema.base import metadata, ms, tenant_key

# Rises with every erasure, so that other processes read again the keys that they have in memory.
key_epoch = sa.Table("key_epoch", metadata, tenant_key(), sa.Column("number", sa.BigInteger, nullable=False))

# A row stands here from the first step of a restore to its last: the archive is half there.
restoration = sa.Table("restoration", metadata, tenant_key(), ms("begun_ms", nullable=False))
