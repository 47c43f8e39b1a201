"""What happened at the DICOM port, for the person who connects a modality."""

from alembic import op

revision = "0010"
down_revision = "0009"

TABLES = """
SELECT 1;
"""


def upgrade() -> None:
    op.execute(TABLES)
