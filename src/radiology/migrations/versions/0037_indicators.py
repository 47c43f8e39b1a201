"""Indicators of quality: what was counted from events, by day."""

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    """Apply."""
