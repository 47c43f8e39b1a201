"""Scheduled and performed procedure steps."""

from alembic import op

revision = "0005"
down_revision = "0004"

TABLES = """
SELECT 1;
"""


def upgrade() -> None:
    op.execute(TABLES)
