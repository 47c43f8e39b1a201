"""The reading worklist: what waits to be read, claims, notes, second opinions, and filters that people keep.

One row a study, made when there is something to read and kept when it is read, since what was due and when tells of
quality later. What the list is sorted and filtered by is copied from study and order, so that 10,000 that wait are
looked through in one scan; whoever is shown a row is shown what the study itself says. What the order of the list is
made of stands first in a row, where it is read soonest.
"""

from alembic import op

revision = "0034"
down_revision = "0033"

READING = """
CREATE TABLE reading_items (
    study_id uuid PRIMARY KEY REFERENCES imaging_studies (id) ON DELETE CASCADE,
    patient_id uuid NOT NULL,
    received_at timestamptz NOT NULL,
    sla_hours double precision NOT NULL,
    standing integer GENERATED ALWAYS AS (
        CASE priority WHEN 'stat' THEN 1000 WHEN 'asap' THEN 700 WHEN 'urgent' THEN 500 ELSE 100 END
        + CASE WHEN inpatient THEN 30 ELSE 0 END + CASE WHEN critical THEN 50 ELSE 0 END) STORED,
    sensitive boolean NOT NULL,
    inpatient boolean NOT NULL DEFAULT false,
    critical boolean NOT NULL DEFAULT false,
    arriving boolean NOT NULL,
    completed_at timestamptz,
    deadline timestamptz,
    state text NOT NULL CHECK (state IN ('waiting', 'offered', 'claimed', 'drafted', 'preliminary', 'final', 'removed')),
    priority text NOT NULL CHECK (priority IN ('stat', 'asap', 'urgent', 'routine')),
    facility_code text NOT NULL,
    assigned_to text,
    claimed_by text,
    locked_until timestamptz,
    author text,
    study_instance_uid text NOT NULL,
    sensitive_classes text[] NOT NULL,
    version integer NOT NULL DEFAULT 1,
    at_once boolean NOT NULL DEFAULT false,
    modality text NOT NULL,
    modalities text[] NOT NULL,
    procedure_key text NOT NULL DEFAULT '',
    region text NOT NULL DEFAULT '',
    subspecialty text NOT NULL,
    rvu double precision NOT NULL,
    certificates text[] NOT NULL DEFAULT '{}',
    age_group text NOT NULL CHECK (age_group IN ('neonate', 'child', 'adult')),
    patient_sex text NOT NULL DEFAULT '',
    half_at timestamptz,
    half_told_at timestamptz,
    breach_told_at timestamptz,
    offer_expires_at timestamptz,
    claimed_at timestamptz,
    approver_differs boolean NOT NULL DEFAULT false,
    finished_at timestamptz,
    CHECK ((completed_at IS NULL) = (deadline IS NULL) AND (completed_at IS NULL) = (half_at IS NULL)),
    CHECK ((claimed_by IS NULL) = (locked_until IS NULL)),
    CHECK ((state = 'offered') = (offer_expires_at IS NOT NULL))
);
COMMENT ON COLUMN reading_items.at_once IS 'stroke or trauma: a STAT study is due in half an hour';
COMMENT ON COLUMN reading_items.arriving IS 'images are still coming';
COMMENT ON COLUMN reading_items.received_at IS 'when its first image came';
COMMENT ON COLUMN reading_items.completed_at IS 'when all images were there for the first time: the clock runs from then on';
COMMENT ON COLUMN reading_items.half_at IS 'when half of the hours of its clock have passed';
COMMENT ON COLUMN reading_items.assigned_to IS 'whose queue it stands in, as account:<name>: offered, handed over, claimed or drafted';
COMMENT ON COLUMN reading_items.locked_until IS 'a claim that nobody renewed until then keeps nobody out';
COMMENT ON COLUMN reading_items.standing IS 'the part of its urgency that time does not change';
CREATE INDEX reading_items_open ON reading_items (facility_code) WHERE state NOT IN ('final', 'removed');
CREATE INDEX reading_items_assigned ON reading_items (assigned_to) WHERE state NOT IN ('final', 'removed');
CREATE INDEX reading_items_patient ON reading_items (patient_id);
CREATE INDEX reading_items_half ON reading_items (half_at)
    WHERE state NOT IN ('final', 'removed') AND half_told_at IS NULL;
CREATE INDEX reading_items_due ON reading_items (deadline)
    WHERE state NOT IN ('final', 'removed') AND breach_told_at IS NULL;
CREATE INDEX reading_items_locked ON reading_items (locked_until) WHERE state NOT IN ('final', 'removed');

CREATE TABLE reading_notes (
    id uuid PRIMARY KEY,
    study_id uuid NOT NULL REFERENCES imaging_studies (id) ON DELETE CASCADE,
    author text NOT NULL,
    author_display text NOT NULL,
    written_at timestamptz NOT NULL,
    text text NOT NULL
);
CREATE INDEX reading_notes_study ON reading_notes (study_id, written_at);

CREATE TABLE second_opinions (
    id uuid PRIMARY KEY,
    study_id uuid NOT NULL REFERENCES imaging_studies (id) ON DELETE CASCADE,
    facility_code text NOT NULL,
    status text NOT NULL CHECK (status IN ('asked', 'given', 'declined', 'withdrawn')),
    version integer NOT NULL DEFAULT 1,
    asked_by text NOT NULL,
    asked_of text NOT NULL,
    asked_at timestamptz NOT NULL,
    question text NOT NULL,
    answer text,
    answered_at timestamptz,
    CHECK ((status IN ('given', 'declined')) = (answer IS NOT NULL)),
    CHECK (asked_by <> asked_of)
);
CREATE INDEX second_opinions_study ON second_opinions (study_id, asked_at);
CREATE INDEX second_opinions_asked_of ON second_opinions (asked_of, asked_at) WHERE status = 'asked';
CREATE UNIQUE INDEX second_opinions_once ON second_opinions (study_id, asked_of) WHERE status = 'asked';

CREATE TABLE reading_filters (
    owner text NOT NULL,
    name text NOT NULL,
    filter jsonb NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (owner, name)
);
COMMENT ON TABLE reading_filters IS 'filters of the reading worklist that people keep for themselves, by account';
"""


def upgrade() -> None:
    """Apply."""
    op.execute(READING)
