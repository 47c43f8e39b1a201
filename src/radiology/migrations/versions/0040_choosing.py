"""What is known of facilities for the choice among them, and the ways between them.

Figures are written from what was counted; a facility without a row is chosen from by assumptions that say so.
"""

from alembic import op

revision = "0040"
down_revision = "0039"

STATEMENTS = """
CREATE TABLE facility_figures (
    facility_code text NOT NULL,
    modality text NOT NULL,
    wait_minutes double precision CHECK (wait_minutes >= 0),
    turnaround_hours double precision CHECK (turnaround_hours >= 0),
    reject_rate double precision CHECK (reject_rate BETWEEN 0 AND 1),
    sla_met double precision CHECK (sla_met BETWEEN 0 AND 1),
    dose_ratio double precision CHECK (dose_ratio >= 0),
    subsidy numeric(12, 2) NOT NULL DEFAULT 0 CHECK (subsidy >= 0),
    counted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (modality, facility_code)
);
COMMENT ON TABLE facility_figures IS 'how a facility does examinations of a modality; NULL is not known';
COMMENT ON COLUMN facility_figures.subsidy IS 'BDT that somebody else pays of each examination';

CREATE TABLE figures_version (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    version bigint NOT NULL
);
INSERT INTO figures_version (version) VALUES (1);
COMMENT ON TABLE figures_version IS 'changes with figures and ways, so that a process knows when to read them anew';

CREATE TABLE facility_ways (
    from_facility text NOT NULL,
    to_facility text NOT NULL,
    minutes double precision NOT NULL CHECK (minutes >= 0),
    km double precision NOT NULL CHECK (km >= 0),
    cost numeric(12, 2) CHECK (cost >= 0),
    PRIMARY KEY (from_facility, to_facility),
    CHECK (from_facility <> to_facility)
);
CREATE INDEX facility_ways_back ON facility_ways (to_facility);
COMMENT ON TABLE facility_ways IS 'measured ways, good for both directions unless the other one is here, too';
COMMENT ON COLUMN facility_ways.cost IS 'BDT there and back; NULL is reckoned from the kilometres';
"""


def upgrade() -> None:
    """Apply."""
    op.execute(STATEMENTS)
