"""Links to one study or one report, and the rights of the people whose data are held.

A PIN is kept as a hash. Each attempt is counted before it is looked at, so that guessing side by side gains nothing.
A signed version of a report is removed only with a study whose erasure two persons decided.
"""

from alembic import op

revision = "0023"
down_revision = "0022"

SHARING = """
ALTER TABLE study_links
    ADD COLUMN report_id uuid REFERENCES radiology_reports (id) ON DELETE CASCADE,
    ADD COLUMN pin_hash text,
    ADD COLUMN most_openings integer CHECK (most_openings > 0),
    ADD COLUMN wrong_pins integer NOT NULL DEFAULT 0,
    ADD COLUMN closed_until timestamptz,
    ADD COLUMN ended_by text;
COMMENT ON COLUMN study_links.report_id IS 'the report that it opens, and no images; NULL means the images';
COMMENT ON COLUMN study_links.wrong_pins IS 'wrong PINs of its whole life';
CREATE INDEX study_links_report ON study_links (report_id) WHERE report_id IS NOT NULL;

CREATE TABLE link_openings (
    link_id uuid NOT NULL REFERENCES study_links (id) ON DELETE CASCADE,
    opened_at timestamptz NOT NULL,
    network text NOT NULL
);
COMMENT ON COLUMN link_openings.network IS 'the network, not the address: the first 24 bits of IPv4, 48 of IPv6';
CREATE INDEX link_openings_link ON link_openings (link_id, opened_at DESC);
"""

DATA_SUBJECTS = """
CREATE TABLE record_copies (
    id uuid PRIMARY KEY,
    patient_id uuid NOT NULL REFERENCES patients (id),
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    for_patient boolean NOT NULL,
    status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'completed', 'failed', 'expired')),
    sentence text NOT NULL DEFAULT '',
    job bigint,
    size_bytes bigint,
    sha256 text,
    expires_at timestamptz
);
COMMENT ON COLUMN record_copies.for_patient IS 'what the patient may see: released studies and reports, accesses without names';
CREATE INDEX record_copies_patient ON record_copies (patient_id, asked_at DESC);
CREATE INDEX record_copies_expires_at ON record_copies (expires_at) WHERE status = 'completed';

CREATE TABLE patient_notes (
    id uuid PRIMARY KEY,
    patient_id uuid NOT NULL REFERENCES patients (id),
    kind text NOT NULL CHECK (kind IN ('correction', 'restriction')),
    about text NOT NULL DEFAULT '',
    text text NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'accepted', 'refused', 'ended')),
    answer text NOT NULL DEFAULT '',
    answered_by text,
    answered_at timestamptz,
    restriction_id uuid REFERENCES patient_restrictions (id)
);
COMMENT ON COLUMN patient_notes.restriction_id IS 'the restriction of the person that it led to';
COMMENT ON COLUMN patient_notes.about IS 'a Study Instance UID, a reportId, or empty for the person';
CREATE INDEX patient_notes_patient ON patient_notes (patient_id, made_at DESC);

CREATE TABLE legal_holds (
    id uuid PRIMARY KEY,
    patient_id uuid NOT NULL REFERENCES patients (id),
    study_instance_uid text,
    reason text NOT NULL,
    set_by text NOT NULL,
    set_at timestamptz NOT NULL,
    lifted_by text,
    lifted_at timestamptz,
    lift_reason text
);
COMMENT ON COLUMN legal_holds.study_instance_uid IS 'this study only; NULL means all of the patient';
CREATE INDEX legal_holds_in_force ON legal_holds (patient_id) WHERE lifted_at IS NULL;

CREATE TABLE erasures (
    id uuid PRIMARY KEY,
    patient_id uuid NOT NULL REFERENCES patients (id),
    reason text NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'decided', 'done', 'refused')),
    last_copies boolean NOT NULL DEFAULT false,
    decided_by text CHECK (decided_by <> asked_by),
    decided_at timestamptz,
    answer text NOT NULL DEFAULT '',
    job bigint,
    done_at timestamptz
);
COMMENT ON COLUMN erasures.last_copies IS 'who decided knows that no other copy is known';
CREATE INDEX erasures_patient ON erasures (patient_id, asked_at DESC);

CREATE TABLE erasure_studies (
    erasure_id uuid NOT NULL REFERENCES erasures (id),
    study_id uuid NOT NULL,
    verdict jsonb NOT NULL,
    erased_at timestamptz,
    PRIMARY KEY (erasure_id, study_id)
);
COMMENT ON COLUMN erasure_studies.verdict IS 'as it was when it was asked for; after erasure without the UID';
CREATE INDEX erasure_studies_study ON erasure_studies (study_id);

CREATE TABLE tombstones (
    uid_sha256 bytea PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('study', 'series', 'instance', 'report')),
    erasure_id uuid NOT NULL REFERENCES erasures (id),
    erased_at timestamptz NOT NULL
);
COMMENT ON TABLE tombstones IS 'that something was here and was erased, for whoever knows its UID';

CREATE OR REPLACE FUNCTION refuse_change_of_signed_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (
        SELECT FROM radiology_reports AS report
        JOIN erasure_studies AS chosen ON chosen.study_id = report.study_id
        JOIN erasures AS erasure ON erasure.id = chosen.erasure_id
        WHERE report.id = OLD.report_id AND erasure.state = 'decided' AND chosen.erased_at IS NULL
    ) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'a version of a report cannot be changed or removed';
END
$$;
"""


def upgrade() -> None:
    """Add the columns and the tables."""
    op.execute(SHARING)
    op.execute(DATA_SUBJECTS)
