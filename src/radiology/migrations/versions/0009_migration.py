"""Copying a foreign archive: what is still to be listed of it, and its studies with what became of each."""

from alembic import op

revision = "0009"
down_revision = "0008"

TABLES = """
CREATE TABLE takeover_slices (
    source text NOT NULL,
    first_date text NOT NULL,
    last_date text NOT NULL,
    patient_prefix text NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'listed', 'split', 'incomplete')),
    PRIMARY KEY (source, first_date, last_date, patient_prefix)
);
COMMENT ON TABLE takeover_slices IS 'queries that list a foreign archive; empty dates ask for studies of any date';

CREATE TABLE takeover_studies (
    source text NOT NULL,
    study_instance_uid text NOT NULL,
    patient_id text NOT NULL,
    accession_number text NOT NULL,
    study_date text NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'copied', 'differs', 'failed')),
    instances integer,
    missing integer,
    verified text NOT NULL DEFAULT '' CHECK (verified IN ('', 'uids', 'bytes')),
    detail text NOT NULL DEFAULT '',
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, study_instance_uid)
);
COMMENT ON COLUMN takeover_studies.source IS 'AE title of the foreign archive';
COMMENT ON COLUMN takeover_studies.instances IS 'how many the foreign archive lists; null before they were asked for';
COMMENT ON COLUMN takeover_studies.missing IS 'how many of them are not here';
CREATE INDEX takeover_studies_newest ON takeover_studies (source, state, study_date DESC);
"""


def upgrade() -> None:
    op.execute(TABLES)
