"""Putting right: repairs, each with what it replaced, and groups of studies that are one examination."""

from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Apply."""
    op.execute("SELECT 1")
