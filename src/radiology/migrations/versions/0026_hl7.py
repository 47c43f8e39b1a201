"""HL7 version 2: who sends, what came in, what could not be used, what goes out."""

from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Apply."""
    op.execute("SELECT 1")
