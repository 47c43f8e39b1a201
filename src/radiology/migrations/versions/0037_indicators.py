"""Indicators of quality: what is known of each study, and by day what the indicators are made of.

A percentile of a year cannot be made of percentiles of days. So a day keeps every value, packed: numbers one behind the
other, as the database writes them with `int4send` and `float8send`, and beside them the cell of each. A year of a
million studies is 365 sheets of each measure, which are read and put into order in a few milliseconds. All of it is
derived: it can be counted again.
"""

from alembic import op

revision = "0037"
down_revision = "0036"

STUDIES = """
CREATE TABLE indicator_cells (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_code text NOT NULL,
    modality text NOT NULL,
    priority text NOT NULL,
    subspecialty text NOT NULL,
    sensitive boolean NOT NULL,
    UNIQUE (facility_code, modality, priority, subspecialty, sensitive)
);
COMMENT ON TABLE indicator_cells IS 'what figures can be asked for by; sheets name a cell by its number';

CREATE TABLE indicator_studies (
    study_id uuid PRIMARY KEY,
    cell_id integer NOT NULL REFERENCES indicator_cells (id),
    ordered_at timestamptz,
    scheduled_at timestamptz,
    arrived_at timestamptz,
    started_at timestamptz,
    completed_at timestamptz,
    preliminary_at timestamptz,
    final_at timestamptz,
    deadline timestamptz,
    sla_hours double precision NOT NULL,
    rvu double precision NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX indicator_studies_open ON indicator_studies (deadline) WHERE final_at IS NULL AND deadline IS NOT NULL;
CREATE INDEX indicator_studies_moments ON indicator_studies USING brin
    (ordered_at, scheduled_at, started_at, completed_at, preliminary_at, final_at, deadline)
    WITH (pages_per_range = 16, autosummarize = on);
COMMENT ON TABLE indicator_studies IS 'no row: cancelled or entered in error. The row stays when a study is removed by age';
COMMENT ON COLUMN indicator_studies.completed_at IS 'all images were there, for the first time';
COMMENT ON COLUMN indicator_studies.deadline IS 'when the first final report is due; NULL: there is nothing to read';

CREATE TABLE indicator_protocols (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_code text NOT NULL,
    modality text NOT NULL,
    protocol text NOT NULL,
    procedure_key text NOT NULL,
    patient_group text NOT NULL,
    quantity text NOT NULL,
    UNIQUE (facility_code, modality, protocol, procedure_key, patient_group, quantity)
);
COMMENT ON TABLE indicator_protocols IS 'the cells of doses';

CREATE INDEX order_history_moments ON order_history USING brin (occurred_at) WITH (autosummarize = on);
CREATE INDEX report_versions_signed ON report_versions USING brin (signed_at) WITH (autosummarize = on);
"""

DAYS = """
CREATE TABLE indicator_days (
    measure text NOT NULL,
    day date NOT NULL,
    cells bytea NOT NULL,
    amounts bytea NOT NULL,
    counted_at timestamptz NOT NULL,
    PRIMARY KEY (measure, day)
);
ALTER TABLE indicator_days ALTER COLUMN cells SET STORAGE EXTERNAL, ALTER COLUMN amounts SET STORAGE EXTERNAL;
COMMENT ON COLUMN indicator_days.day IS 'in the zone of the service';

CREATE TABLE indicator_months (
    measure text NOT NULL,
    month date NOT NULL,
    cells bytea NOT NULL,
    amounts bytea NOT NULL,
    PRIMARY KEY (measure, month)
);
ALTER TABLE indicator_months ALTER COLUMN cells SET STORAGE EXTERNAL, ALTER COLUMN amounts SET STORAGE EXTERNAL;
COMMENT ON TABLE indicator_months IS 'what the sheets of numbers that can be added up come to in a whole month';

CREATE TABLE indicator_days_due (
    source text NOT NULL,
    day date NOT NULL,
    due_at timestamptz NOT NULL,
    PRIMARY KEY (source, day)
);
COMMENT ON TABLE indicator_days_due IS 'days whose sheets are to be counted again, since something changed that happened then';

CREATE TABLE availability (
    component text NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    up boolean NOT NULL,
    PRIMARY KEY (component, since)
);
CREATE INDEX availability_until ON availability (component, until);
COMMENT ON TABLE availability IS 'spans in which a part was seen to work, or not to; between spans nobody looked';

CREATE TABLE trainee_agreements (
    report_id uuid PRIMARY KEY REFERENCES radiology_reports (id) ON DELETE CASCADE,
    difference text NOT NULL CHECK (difference IN ('none', 'minor', 'major')),
    said_by text NOT NULL,
    said_at timestamptz NOT NULL
);
COMMENT ON TABLE trainee_agreements IS 'how far the preliminary report of a trainee was from the final one, by who signed it';
"""


def upgrade() -> None:
    """Apply."""
    for statements in (STUDIES, DAYS):
        op.execute(statements)
