"""Peer review: assignments, scores, arbitration."""

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    """Apply."""
