"""Hub processes that share one archive: which of them has a send under way."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outgoing", sa.Column("owner", sa.String(length=64), nullable=False, server_default=""))
    op.execute("UPDATE outgoing SET owner = 'ended' WHERE state <> 'settled'")
    is_open = sa.text("state <> 'settled'")
    op.create_index("outgoing_open", "outgoing", ["tenant", "owner"], sqlite_where=is_open, postgresql_where=is_open)
