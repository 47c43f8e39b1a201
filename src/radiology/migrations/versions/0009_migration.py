"""Copying a foreign archive: what is still to be listed of it, and its studies with what became of each."""

from alembic import op

revision = "0009"
down_revision = "0008"

TABLES = """
CREATE TABLE takeover_sources (
    source text PRIMARY KEY,
    answers_queries boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE takeover_sources IS 'foreign archives that are copied, by AE title or the URL of their DICOMweb';
COMMENT ON COLUMN takeover_sources.answers_queries IS 'whether it is asked for studies that have not come yet';

CREATE TABLE takeover_slices (
    source text NOT NULL,
    first_date text NOT NULL,
    last_date text NOT NULL,
    first_time text NOT NULL,
    last_time text NOT NULL,
    patient_id text NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'listed', 'split', 'incomplete')),
    PRIMARY KEY (source, first_date, last_date, first_time, last_time, patient_id)
);
COMMENT ON TABLE takeover_slices IS 'queries that list a foreign archive; an empty key asks for any value';
COMMENT ON COLUMN takeover_slices.first_time IS 'hours and minutes, as 0930';
COMMENT ON COLUMN takeover_slices.patient_id IS 'as it is matched: AB* or AB';
COMMENT ON COLUMN takeover_slices.state IS 'split: its parts have all of it; incomplete: that is not proven';

CREATE INDEX takeover_slices_waiting ON takeover_slices (source, last_date DESC, last_time DESC, patient_id)
    WHERE state = 'waiting';

CREATE TABLE takeover_studies (
    source text NOT NULL,
    study_instance_uid text NOT NULL,
    patient_id text NOT NULL,
    accession_number text NOT NULL,
    study_date text NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'copied', 'differs', 'failed')),
    instances integer,
    missing integer,
    verified text NOT NULL DEFAULT '' CHECK (verified IN ('', 'uids', 'count', 'bytes')),
    detail text NOT NULL DEFAULT '',
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, study_instance_uid)
);
COMMENT ON COLUMN takeover_studies.source IS 'AE title of the foreign archive, or the URL of its DICOMweb';
COMMENT ON COLUMN takeover_studies.instances IS 'how many the foreign archive lists; null before they were asked for';
COMMENT ON COLUMN takeover_studies.missing IS 'how many of them are not here';
CREATE INDEX takeover_studies_newest ON takeover_studies (source, state, study_date DESC);
"""


def upgrade() -> None:
    op.execute(TABLES)
