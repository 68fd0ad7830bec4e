"""People who left, their buddies, who made a code, and what a device is overdue with."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("person", sa.Column("buddy", sa.String(length=64), nullable=True))
    op.add_column("person", sa.Column("revoked_ms", sa.BigInteger(), nullable=True))
    op.add_column("enrolment_code", sa.Column("made_ms", sa.BigInteger(), nullable=True))
    op.add_column("enrolment_code", sa.Column("made_by", sa.String(length=64), nullable=True))
    op.add_column("device", sa.Column("overdue_ms", sa.BigInteger(), nullable=True))
    op.create_table(
        "lease",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "device", "from_ms"),
    )
    op.create_table(
        "uptime",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "from_ms"),
    )
