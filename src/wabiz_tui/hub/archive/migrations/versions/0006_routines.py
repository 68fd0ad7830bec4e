"""Canned responses, macros, service levels."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("canned", "macro"):
        op.create_table(
            name,
            sa.Column("tenant", sa.String(length=64), nullable=False),
            sa.Column("id", sa.String(length=64), nullable=False),
            sa.Column("name_hash", sa.LargeBinary(length=16), nullable=False),
            sa.Column("sealed", sa.LargeBinary(), nullable=False),
            sa.PrimaryKeyConstraint("tenant", "id"),
        )
        op.create_index(f"{name}_by_name", name, ["tenant", "name_hash"], unique=True)
    op.create_table(
        "macro_run",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("caller", sa.String(length=64), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("run", sa.String(length=64), nullable=False),
        sa.Column("macro", sa.String(length=64), nullable=False),
        sa.Column("conversation", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "caller", "key_hash"),
    )
    op.create_table(
        "episode_clock",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("episode", sa.String(length=64), nullable=False),
        sa.Column("conversation", sa.String(length=64), nullable=False),
        sa.Column("running_ms", sa.BigInteger(), nullable=True),
        sa.Column("spent_ms", sa.BigInteger(), nullable=True),
        sa.Column("waiting_ms", sa.BigInteger(), nullable=True),
        sa.Column("response_due_ms", sa.BigInteger(), nullable=True),
        sa.Column("resolution_due_ms", sa.BigInteger(), nullable=True),
        sa.Column("alarm_ms", sa.BigInteger(), nullable=True),
        sa.Column("had_by", sa.String(length=64), nullable=True),
        sa.Column("queued_ms", sa.BigInteger(), nullable=True),
        sa.Column("let_go_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "episode"),
    )
    op.create_index("episode_clock_by_alarm", "episode_clock", ["tenant", "alarm_ms"], unique=False)
    op.create_index("episode_clock_by_queue", "episode_clock", ["tenant", "queued_ms"], unique=False)
    op.create_table(
        "breach",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("episode", sa.String(length=64), nullable=False),
        sa.Column("clock", sa.String(length=16), nullable=False),
        sa.Column("begun_ms", sa.BigInteger(), nullable=False),
        sa.Column("conversation", sa.String(length=64), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "episode", "clock", "begun_ms"),
    )
    op.create_index("breach_by_time", "breach", ["tenant", "due_ms"], unique=False)
    op.create_table(
        "turn",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "person"),
    )
    op.create_table(
        "auto_reply",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("conversation", sa.String(length=64), nullable=False),
        sa.Column("asked_ms", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("message", sa.String(length=64), nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "conversation", "asked_ms"),
    )
    op.create_index("auto_reply_by_state", "auto_reply", ["tenant", "state", "at_ms"], unique=False)
    op.add_column("episode", sa.Column("asked_ms", sa.BigInteger(), nullable=True))
    op.add_column("episode", sa.Column("first_response_ms", sa.BigInteger(), nullable=True))
    op.create_index("episode_by_status", "episode", ["tenant", "status", "assignee"], unique=False)
    op.create_index("episode_by_snooze", "episode", ["tenant", "snoozed_until_ms"], unique=False)
