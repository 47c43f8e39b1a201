"""Charges, packages, schemes, and what readers earn."""

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    """Apply."""
