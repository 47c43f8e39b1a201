"""Rejection of instances by key objects, storage commitment, and notices of availability.

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
COMMENT ON COLUMN rejections.key_object_uid IS 'SOP Instance UID of the key object that rejected, or was written for the rejection';
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
    PRIMARY KEY (object_key, sop_instance_uid)
);
CREATE INDEX rejected_instances_rejection ON rejected_instances (rejection_id);
"""

COMMITMENT = """
CREATE TABLE commitment_requests (
    id uuid PRIMARY KEY,
    transaction_uid text NOT NULL,
    ae_title text NOT NULL,
    sop_class_uids text[] NOT NULL,
    sop_instance_uids text[] NOT NULL,
    duplicate boolean NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'reported', 'given-up')),
    attempts integer NOT NULL DEFAULT 0,
    failures jsonb,
    sentence text NOT NULL DEFAULT '',
    claimed_until timestamptz,
    requested_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE commitment_requests IS 'storage commitment that peers ask of us (PS3.4 J)';
COMMENT ON COLUMN commitment_requests.duplicate IS 'its Transaction UID was that of a request not yet answered';
COMMENT ON COLUMN commitment_requests.failures IS 'what was reported as not committed: SOP Instance UID and Failure Reason (0008,1197)';
COMMENT ON COLUMN commitment_requests.claimed_until IS 'so long somebody is reporting the result';
CREATE INDEX commitment_requests_open ON commitment_requests (ae_title, transaction_uid) WHERE state = 'open';
CREATE INDEX commitment_requests_newest ON commitment_requests (requested_at DESC, id DESC);

CREATE TABLE commitment_inquiries (
    id uuid PRIMARY KEY,
    transaction_uid text NOT NULL UNIQUE,
    ae_title text NOT NULL,
    cause_id uuid,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'asked', 'answered', 'given-up')),
    attempts integer NOT NULL DEFAULT 0,
    sentence text NOT NULL DEFAULT '',
    caused_at timestamptz NOT NULL,
    asked_at timestamptz,
    changed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE commitment_inquiries IS 'storage commitment that we ask of receivers (PS3.4 J)';
COMMENT ON COLUMN commitment_inquiries.cause_id IS 'the move or the delivery by which the instances were sent';
CREATE INDEX commitment_inquiries_cause ON commitment_inquiries (cause_id);
CREATE INDEX commitment_inquiries_newest ON commitment_inquiries (caused_at DESC, id DESC);

CREATE TABLE commitment_outcomes (
    inquiry_id uuid NOT NULL REFERENCES commitment_inquiries (id) ON DELETE CASCADE,
    sop_class_uid text NOT NULL,
    sop_instance_uid text NOT NULL,
    outcome text NOT NULL DEFAULT 'awaited' CHECK (outcome IN ('awaited', 'committed', 'failed')),
    failure_reason integer,
    PRIMARY KEY (inquiry_id, sop_instance_uid)
);
COMMENT ON COLUMN commitment_outcomes.failure_reason IS 'Failure Reason (0008,1197) that the receiver gave';
CREATE INDEX commitment_outcomes_instance ON commitment_outcomes (sop_instance_uid);

CREATE INDEX quarantine_open_instance ON quarantine (sop_instance_uid) WHERE resolved_at IS NULL;
"""

AVAILABILITY = """
ALTER TABLE worker_marks ALTER COLUMN at DROP NOT NULL, ADD COLUMN position bigint;
COMMENT ON COLUMN worker_marks.position IS 'up to which place of the outbox a reader has had the events';

CREATE TABLE availability_notices (
    id uuid PRIMARY KEY,
    sop_instance_uid text NOT NULL,
    ae_title text NOT NULL,
    study_instance_uid text NOT NULL,
    rejection_id uuid REFERENCES rejections (id),
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'sent', 'given-up')),
    attempts integer NOT NULL DEFAULT 0,
    sentence text NOT NULL DEFAULT '',
    caused_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE availability_notices IS 'Instance Availability Notifications (PS3.4 R) to application entities with the service ian';
COMMENT ON COLUMN availability_notices.rejection_id IS 'told of are the instances of this rejection; null for the whole study';
CREATE INDEX availability_notices_newest ON availability_notices (caused_at DESC, id DESC);
"""


def upgrade() -> None:
    op.execute(REJECTION)
    op.execute(COMMITMENT)
    op.execute(AVAILABILITY)
