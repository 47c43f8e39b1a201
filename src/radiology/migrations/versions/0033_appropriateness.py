"""Rules of the check at order time, what was answered, and what was overridden."""

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    """Apply."""
