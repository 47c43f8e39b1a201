"""Unified procedure steps."""

from alembic import op

revision = "0006"
down_revision = "0005"

TABLES = """
SELECT 1;
"""


def upgrade() -> None:
    op.execute(TABLES)
