"""Orders: requested procedures, accession numbers, attachments."""

from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Apply."""
    op.execute("SELECT 1")
