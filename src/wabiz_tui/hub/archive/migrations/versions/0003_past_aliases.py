"""Find who held a number before without reading all that ever changed hands."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("alias_past_by_hash", "alias_past", ["tenant", "hash"], unique=False)
