"""Facilities, their devices, operators and licences, and the places of the country."""

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Apply."""
