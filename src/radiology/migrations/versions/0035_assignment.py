"""Offers of studies to readers, and their escalation."""

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    """Apply."""
