"""Breaks, early ends and overrides of shifts."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shift",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("is_handed_over", sa.Boolean(), nullable=False),
        sa.Column("own_state", sa.String(length=16), nullable=True),
        sa.Column("own_since_ms", sa.BigInteger(), nullable=True),
        sa.Column("own_until_ms", sa.BigInteger(), nullable=True),
        sa.Column("own_reason", sa.Text(), nullable=True),
        sa.Column("override_since_ms", sa.BigInteger(), nullable=True),
        sa.Column("override_until_ms", sa.BigInteger(), nullable=True),
        sa.Column("override_reason", sa.Text(), nullable=True),
        sa.Column("override_by", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "person"),
    )
