"""Dose by irradiation event, tests of devices, incidents."""

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    """Apply."""
