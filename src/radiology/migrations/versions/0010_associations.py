"""What happened at the DICOM port, for the person who connects a modality.

A row is written when an association opens, and again when it ends. `position` grows with each writing, so that whoever
watches reads on from where he is. The table is kept small by the timetable.
"""

from alembic import op

revision = "0010"
down_revision = "0009"

TABLES = """
CREATE SEQUENCE association_positions;

CREATE TABLE associations (
    id uuid PRIMARY KEY,
    position bigint NOT NULL,
    opened_at timestamptz NOT NULL,
    calling_ae_title text NOT NULL,
    called_ae_title text NOT NULL,
    host text NOT NULL,
    outcome text NOT NULL,
    refusal text NOT NULL DEFAULT '',
    trace jsonb NOT NULL
);
COMMENT ON COLUMN associations.outcome IS 'open, rejected, or how it ended';
COMMENT ON COLUMN associations.refusal IS 'code of the reason why there was no association; empty where there was one';
CREATE INDEX associations_opened ON associations (opened_at DESC, id DESC);
CREATE INDEX associations_calling ON associations (calling_ae_title, opened_at DESC, id DESC);
CREATE INDEX associations_position ON associations (position);
"""


def upgrade() -> None:
    op.execute(TABLES)
