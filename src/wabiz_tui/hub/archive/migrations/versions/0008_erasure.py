"""Which keys were renewed, whether a restore is under way, and where the feed begins after one."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "key_epoch",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant"),
    )
    op.create_table(
        "restoration",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("begun_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant"),
    )
    op.add_column("feed_head", sa.Column("begins", sa.BigInteger(), server_default="0", nullable=False))
    op.create_index("media_use_by_message", "media_use", ["tenant", "message"], unique=False)
