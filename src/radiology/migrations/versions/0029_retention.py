"""Retention: rules, removal by two persons, the recycle bin, verified objects, the growth of the disk.

Without a version of the rules those that come with the service hold. What is verified is kept by object, because
several instances may share one. Every deletion of an object asks by its key whether a row still names it.
"""

from alembic import op

revision = "0029"
down_revision = "0028"

RULES = """
CREATE TABLE retention_versions (
    version integer PRIMARY KEY,
    rules jsonb NOT NULL,
    reason text NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL
);

CREATE TABLE retention_state (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    removes boolean NOT NULL DEFAULT false,
    bin_days integer NOT NULL DEFAULT 30 CHECK (bin_days BETWEEN 1 AND 3650),
    proof_days integer NOT NULL DEFAULT 7 CHECK (proof_days BETWEEN 1 AND 365),
    reason text NOT NULL DEFAULT '',
    changed_by text,
    changed_at timestamptz
);
COMMENT ON COLUMN retention_state.removes IS 'whether anything may be removed at all';
COMMENT ON COLUMN retention_state.bin_days IS 'how long what is removed lies in the recycle bin';
COMMENT ON COLUMN retention_state.proof_days IS 'how old the proof may be that another archive has a copy';
INSERT INTO retention_state DEFAULT VALUES;

CREATE TABLE retention_marks (
    study_id uuid PRIMARY KEY REFERENCES imaging_studies (id) ON DELETE CASCADE,
    reason text NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL
);
COMMENT ON TABLE retention_marks IS 'studies that somebody has marked to be kept for ever';
"""

REMOVAL = """
CREATE TABLE retention_batches (
    id uuid PRIMARY KEY,
    reason text NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL,
    rules_version integer NOT NULL,
    state text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'approved', 'refused')),
    last_copies boolean NOT NULL DEFAULT false,
    decided_by text CHECK (decided_by <> proposed_by),
    decided_at timestamptz,
    answer text NOT NULL DEFAULT ''
);
COMMENT ON COLUMN retention_batches.last_copies IS 'who approved knows that no other copy is known';
CREATE INDEX retention_batches_newest ON retention_batches (proposed_at DESC, id DESC);

CREATE TABLE retention_items (
    id uuid PRIMARY KEY,
    batch_id uuid NOT NULL REFERENCES retention_batches (id),
    study_id uuid NOT NULL,
    study_instance_uid text NOT NULL,
    facility_code text NOT NULL,
    size_bytes bigint NOT NULL,
    verdict jsonb NOT NULL,
    kept_elsewhere text NOT NULL DEFAULT '',
    state text NOT NULL DEFAULT 'proposed'
        CHECK (state IN ('proposed', 'approved', 'refused', 'binned', 'restored', 'kept', 'purged')),
    sentence text NOT NULL DEFAULT '',
    rejection_id uuid,
    key_object_uid text,
    due_at timestamptz,
    changed_at timestamptz NOT NULL
);
COMMENT ON COLUMN retention_items.kept_elsewhere IS 'AE title: only the images go, where that archive has them';
COMMENT ON COLUMN retention_items.due_at IS 'when it is looked at next: to hide it, or to purge it';
CREATE INDEX retention_items_batch ON retention_items (batch_id);
CREATE INDEX retention_items_due ON retention_items (due_at) WHERE state IN ('approved', 'binned');
CREATE INDEX retention_items_bin ON retention_items (changed_at DESC, id DESC) WHERE state = 'binned';
CREATE UNIQUE INDEX retention_items_study ON retention_items (study_id) WHERE state IN ('proposed', 'approved', 'binned');

CREATE TABLE proven_copies (
    ae_title text NOT NULL,
    sop_instance_uid text NOT NULL,
    data_set_sha256 bytea NOT NULL,
    proven_at timestamptz NOT NULL,
    PRIMARY KEY (ae_title, sop_instance_uid)
);
COMMENT ON TABLE proven_copies IS 'instances that were fetched from another archive and were byte for byte what is here';

ALTER TABLE tombstones
    ALTER COLUMN erasure_id DROP NOT NULL,
    ADD COLUMN retention_batch_id uuid REFERENCES retention_batches (id),
    ADD CHECK (num_nonnulls(erasure_id, retention_batch_id) = 1);

CREATE OR REPLACE FUNCTION refuse_change_of_signed_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND (EXISTS (
        SELECT FROM radiology_reports AS report
        JOIN erasure_studies AS chosen ON chosen.study_id = report.study_id
        JOIN erasures AS erasure ON erasure.id = chosen.erasure_id
        WHERE report.id = OLD.report_id AND erasure.state = 'decided' AND chosen.erased_at IS NULL
    ) OR EXISTS (
        SELECT FROM radiology_reports AS report
        JOIN retention_items AS item ON item.study_id = report.study_id
        WHERE report.id = OLD.report_id AND item.state = 'binned' AND item.kept_elsewhere = ''
    )) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'a version of a report cannot be changed or removed';
END
$$;
"""

OBJECTS = """
-- Keys are given in the order of time, so that a new one is always the last.
CREATE INDEX instances_object_key ON instances (object_key);

CREATE TABLE object_verifications (
    object_key text PRIMARY KEY,
    verified_at timestamptz NOT NULL,
    result text NOT NULL CHECK (result IN ('intact', 'missing', 'truncated', 'altered', 'unreadable'))
);

CREATE TABLE verification_passes (
    id uuid PRIMARY KEY,
    began_at timestamptz NOT NULL,
    ended_at timestamptz,
    last_key text NOT NULL DEFAULT '',
    objects bigint NOT NULL DEFAULT 0,
    size_bytes bigint NOT NULL DEFAULT 0,
    damaged bigint NOT NULL DEFAULT 0
);
COMMENT ON COLUMN verification_passes.last_key IS 'how far it has come, in the order of the keys';

CREATE TABLE damaged_objects (
    id uuid PRIMARY KEY,
    object_key text NOT NULL,
    sop_instance_uid text NOT NULL,
    study_id uuid NOT NULL,
    study_instance_uid text NOT NULL,
    facility_code text NOT NULL,
    problem text NOT NULL CHECK (problem IN ('missing', 'truncated', 'altered', 'unreadable')),
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'repaired', 'lost')),
    sentence text NOT NULL DEFAULT '',
    repaired_from text,
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    found_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    closed_by text
);
COMMENT ON COLUMN damaged_objects.state IS 'lost: a person has said that there is no copy to repair it from';
CREATE UNIQUE INDEX damaged_objects_open ON damaged_objects (object_key) WHERE state = 'open';
CREATE INDEX damaged_objects_study ON damaged_objects (study_id) WHERE state = 'open';
CREATE INDEX damaged_objects_newest ON damaged_objects (found_at DESC, id DESC);
"""

DISK = """
CREATE TABLE storage_days (
    day date PRIMARY KEY,
    free_bytes bigint NOT NULL,
    total_bytes bigint NOT NULL,
    uncompressed_bytes bigint NOT NULL,
    due_bytes bigint NOT NULL
);
COMMENT ON COLUMN storage_days.uncompressed_bytes IS 'of images that compression at rest could compress';
COMMENT ON COLUMN storage_days.due_bytes IS 'of studies whose time is over by the rules of retention';

CREATE TABLE storage_samples (
    day date NOT NULL REFERENCES storage_days (day) ON DELETE CASCADE,
    facility_code text NOT NULL,
    modality text NOT NULL,
    studies bigint NOT NULL,
    size_bytes bigint NOT NULL,
    PRIMARY KEY (day, facility_code, modality)
);
COMMENT ON COLUMN storage_samples.modality IS 'the first of a study that makes images';
"""


def upgrade() -> None:
    """Apply."""
    for statements in (RULES, REMOVAL, OBJECTS, DISK):
        op.execute(statements)
