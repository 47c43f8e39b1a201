"""What makes studies sensitive, break-glass with its reviews and notices, and whose family a patient is.

Of each series what rules look at is kept, so that rules may be changed later without opening a file. Rules of a
hospital stand beside those that come with the service, and in place of those with the same id.
"""

from alembic import op

revision = "0022"
down_revision = "0021"

SENSITIVITY = """
ALTER TABLE imaging_series ADD COLUMN sensitivity_evidence jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN imaging_series.sensitivity_evidence IS 'codes, body parts and texts of its first object that rules look at';
ALTER TABLE imaging_studies ADD COLUMN sensitivity_policies text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN imaging_studies.sensitivity_policies IS 'v3-ActCode: SEX, HIV, STD, SDV, PSY, SUD, TBOO';

CREATE TABLE sensitivity_rules (
    id uuid PRIMARY KEY,
    sensitive_class text NOT NULL CHECK (sensitive_class IN ('S1', 'S2', 'S3', 'S4', 'S5', 'S6', 'S7')),
    kind text NOT NULL,
    system text NOT NULL,
    value text NOT NULL,
    display text NOT NULL,
    policy text,
    modalities text[] NOT NULL,
    with_words text[] NOT NULL,
    enabled boolean NOT NULL,
    version integer NOT NULL
);
COMMENT ON TABLE sensitivity_rules IS 'rules that a hospital added or changed; all others come with the service';

CREATE TABLE sensitivity_rule_versions (
    rule_id uuid NOT NULL,
    version integer NOT NULL,
    body jsonb NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (rule_id, version)
);

CREATE TABLE sensitivity_state (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    version integer NOT NULL DEFAULT 0,
    shipped_sha256 text NOT NULL DEFAULT ''
);
COMMENT ON COLUMN sensitivity_state.version IS 'goes up with every change of a rule';
COMMENT ON COLUMN sensitivity_state.shipped_sha256 IS 'the rules of the service with which studies were last labelled';
INSERT INTO sensitivity_state DEFAULT VALUES;

CREATE TABLE relabellings (
    id uuid PRIMARY KEY,
    cause text NOT NULL CHECK (cause IN ('rules', 'restriction')),
    patient_id uuid REFERENCES patients (id),
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done')),
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    ended_at timestamptz,
    last_study uuid,
    studies integer NOT NULL,
    looked_at integer NOT NULL DEFAULT 0,
    changed integer NOT NULL DEFAULT 0
);
COMMENT ON COLUMN relabellings.patient_id IS 'the studies of this patient only; NULL means all';
COMMENT ON COLUMN relabellings.last_study IS 'how far it has come, in the order of ids';
CREATE INDEX relabellings_asked_at ON relabellings (asked_at DESC, id DESC);

CREATE TABLE study_marks (
    study_id uuid PRIMARY KEY REFERENCES imaging_studies (id) ON DELETE CASCADE,
    raised text[] NOT NULL DEFAULT '{}',
    cleared text[] NOT NULL DEFAULT '{}',
    at_least text NOT NULL DEFAULT 'N' CHECK (at_least IN ('N', 'R', 'V')),
    CHECK (NOT raised && cleared)
);
COMMENT ON TABLE study_marks IS 'what people said of a study: the rules neither lower what is raised nor raise what is cleared';

CREATE TABLE study_labellings (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    study_id uuid NOT NULL REFERENCES imaging_studies (id) ON DELETE CASCADE,
    cause text NOT NULL CHECK (cause IN ('stored', 'registered', 'rules', 'restriction', 'marked')),
    from_classes text[] NOT NULL,
    to_classes text[] NOT NULL,
    from_confidentiality text NOT NULL,
    to_confidentiality text NOT NULL,
    actor text NOT NULL,
    reason text,
    occurred_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX study_labellings_study ON study_labellings (study_id);

CREATE TABLE patient_restrictions (
    id uuid PRIMARY KEY,
    patient_id uuid NOT NULL REFERENCES patients (id),
    kind text NOT NULL CHECK (kind IN ('staff', 'vip', 'patient-request', 'safeguarding')),
    reason text NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_by text,
    end_reason text
);
CREATE INDEX patient_restrictions_patient ON patient_restrictions (patient_id) WHERE ended_at IS NULL;
"""

BREAK_GLASS = """
CREATE TABLE break_glass_uses (
    id uuid PRIMARY KEY,
    relation_id uuid NOT NULL UNIQUE REFERENCES care_relations (id),
    actor text NOT NULL,
    display text NOT NULL,
    patient_id uuid NOT NULL REFERENCES patients (id),
    facility_code text,
    reason_code text NOT NULL CHECK (reason_code IN ('emergency', 'unconscious-patient', 'continuity', 'other')),
    reason_text text NOT NULL,
    begins_at timestamptz NOT NULL DEFAULT now(),
    ends_at timestamptz NOT NULL,
    ended_at timestamptz,
    review_due_at timestamptz NOT NULL,
    overdue_told_at timestamptz,
    stop_told_at timestamptz,
    outcome text CHECK (outcome IN ('justified', 'not-justified')),
    note text,
    reviewed_by text,
    reviewed_at timestamptz
);
CREATE INDEX break_glass_uses_actor ON break_glass_uses (actor, begins_at);
CREATE INDEX break_glass_uses_patient ON break_glass_uses (patient_id);
CREATE INDEX break_glass_uses_unreviewed ON break_glass_uses (review_due_at) WHERE outcome IS NULL;
CREATE INDEX break_glass_uses_running ON break_glass_uses (ends_at) WHERE stop_told_at IS NULL;
COMMENT ON COLUMN break_glass_uses.ended_at IS 'when it was ended before its time';
COMMENT ON COLUMN break_glass_uses.stop_told_at IS 'when its end was written into the audit';

CREATE TABLE notices (
    id uuid PRIMARY KEY,
    recipient text NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    text text NOT NULL,
    about text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    read_at timestamptz,
    mailed_at timestamptz,
    mail_refused_at timestamptz
);
COMMENT ON TABLE notices IS 'the inbox of each account; texts name no procedure and no result';
COMMENT ON COLUMN notices.about IS 'what it is about, as BreakGlass/<id>';
COMMENT ON COLUMN notices.mail_refused_at IS 'when the mail server said that it never takes it';
CREATE INDEX notices_recipient ON notices (recipient, made_at DESC, id DESC);

CREATE TABLE notice_addresses (
    recipient text PRIMARY KEY,
    email text NOT NULL
);
COMMENT ON TABLE notice_addresses IS 'to which address an account has its notices sent, too';
"""

PRACTITIONERS = """
CREATE TABLE practitioners (
    reference text PRIMARY KEY,
    patient_references text[] NOT NULL DEFAULT '{}',
    name text,
    name_bangla text NOT NULL DEFAULT '',
    active boolean NOT NULL DEFAULT true,
    registration text,
    registered_from date,
    registered_until date,
    specialties text[] NOT NULL DEFAULT '{}',
    privileges jsonb NOT NULL DEFAULT '[]'
);
CREATE UNIQUE INDEX practitioners_registration ON practitioners (registration);
COMMENT ON TABLE practitioners IS 'what is known of practitioners beside their accounts';
COMMENT ON COLUMN practitioners.name IS 'NULL where only the family is noted: such a practitioner is not in the registry';
COMMENT ON COLUMN practitioners.registration IS 'of the BMDC, as A-12345';
COMMENT ON COLUMN practitioners.privileges IS 'facility, modalities, first and last day of each';
COMMENT ON COLUMN practitioners.patient_references IS 'the practitioner as a patient, and the family: never opened by break-glass';

CREATE TABLE approval_delegations (
    id uuid PRIMARY KEY,
    delegator text NOT NULL,
    delegate text NOT NULL,
    facility_code text NOT NULL,
    begins_at timestamptz NOT NULL DEFAULT now(),
    ends_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_by text,
    CHECK (delegator <> delegate)
);
CREATE INDEX approval_delegations_delegate ON approval_delegations (delegate, facility_code) WHERE ended_at IS NULL;
COMMENT ON COLUMN approval_delegations.delegator IS 'the consultant, as account:karim, on whose responsibility is approved';
COMMENT ON COLUMN approval_delegations.ended_at IS 'when it was ended before its time';
"""


def upgrade() -> None:
    op.execute(SENSITIVITY)
    op.execute(BREAK_GLASS)
    op.execute(PRACTITIONERS)
