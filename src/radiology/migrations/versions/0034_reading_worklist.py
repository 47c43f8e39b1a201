"""The reading worklist: claims, due times, second opinions, hand-overs, saved filters."""

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    """Apply."""
