"""The catalogue of procedures: entries by effective date, prices, turnaround per facility."""

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Apply."""
