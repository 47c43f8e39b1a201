"""What the registry of practitioners knows of readers, and the rota."""

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    """Apply."""
