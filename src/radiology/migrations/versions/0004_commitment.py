"""Rejection of instances by key objects.

A rejected instance leaves the table `instances` and lies in `rejected_instances`, so that no query has to know of
rejection to hide it. What was rejected, by whom and why stays in `rejections`, also after it was withdrawn.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

REJECTION = """
CREATE TABLE rejections (
    id uuid PRIMARY KEY,
    study_instance_uid text NOT NULL,
    facility_code text NOT NULL,
    title text NOT NULL CHECK (title IN ('113001', '113037', '113038', '113039')),
    category text NOT NULL CHECK (category IN ('positioning', 'exposure', 'motion', 'artefact', 'wrong-patient',
        'equipment', 'other')),
    reason text NOT NULL,
    actor text NOT NULL,
    key_object_uid text,
    rejected_at timestamptz NOT NULL
);
COMMENT ON COLUMN rejections.title IS 'document title of the key object, code of DCM (PS3.16 CID 7010)';
COMMENT ON COLUMN rejections.key_object_uid IS 'SOP Instance UID of the key object that rejected; null by REST';
CREATE INDEX rejections_newest ON rejections (rejected_at DESC, id DESC);
CREATE INDEX rejections_study ON rejections (study_instance_uid);

CREATE TABLE rejection_withdrawals (
    rejection_id uuid PRIMARY KEY REFERENCES rejections (id),
    reason text NOT NULL,
    actor text NOT NULL,
    withdrawn_at timestamptz NOT NULL
);

CREATE TABLE rejection_references (
    rejection_id uuid NOT NULL REFERENCES rejections (id),
    sop_instance_uid text NOT NULL,
    in_force boolean NOT NULL DEFAULT true,
    PRIMARY KEY (rejection_id, sop_instance_uid)
);
CREATE INDEX rejection_references_in_force ON rejection_references (sop_instance_uid) WHERE in_force;
COMMENT ON COLUMN rejection_references.in_force IS 'false once it was withdrawn, or stored anew after its retention had expired';

CREATE TABLE rejected_instances (
    LIKE instances,
    rejection_id uuid NOT NULL REFERENCES rejections (id),
    PRIMARY KEY (object_key)
);
CREATE INDEX rejected_instances_rejection ON rejected_instances (rejection_id);
"""


def upgrade() -> None:
    op.execute(REJECTION)
