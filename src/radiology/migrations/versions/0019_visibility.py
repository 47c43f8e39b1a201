"""What is sensitive about a study, who takes care of which patient, and accounts of people who work in several places.

`sensitive` is derived, so that a label can never be set without its effect. The order of studies carries it, its reasons
and the patient, so that a page is read and counted from the index alone. `cares_for` is a function so that a statement is
planned without it: it is called for sensitive studies of who has a relation to the patient, and keeps its own plan.
"""

from alembic import op

revision = "0019"
down_revision = "0018"

STUDIES = """
ALTER TABLE imaging_studies
    ADD COLUMN sensitive_classes text[] NOT NULL DEFAULT '{}'
        CHECK (sensitive_classes <@ ARRAY['S1', 'S2', 'S3', 'S4', 'S5', 'S6', 'S7']),
    ADD COLUMN confidentiality text NOT NULL DEFAULT 'N' CHECK (confidentiality IN ('N', 'R', 'V')),
    ADD COLUMN sensitive boolean NOT NULL
        GENERATED ALWAYS AS (confidentiality <> 'N' OR sensitive_classes <> '{}') STORED;
COMMENT ON COLUMN imaging_studies.sensitive_classes IS 'why it is sensitive: S1 reproductive, S2 breast, S3 genito-urinary, '
    'S4 forensic, S5 stigma, S6 psychiatric or substance, S7 restricted person';
COMMENT ON COLUMN imaging_studies.confidentiality IS 'v3-Confidentiality: N normal, R restricted, V very restricted';

DROP INDEX imaging_studies_order;
CREATE INDEX imaging_studies_order ON imaging_studies (study_date DESC NULLS LAST, study_time DESC NULLS LAST, study_instance_uid)
    INCLUDE (facility_code, sensitive, patient_id, sensitive_classes) WHERE findable;
-- Masked studies have their place in lists by the day, in the default time zone.
CREATE INDEX imaging_studies_days ON imaging_studies (((coalesce(started, created_at) AT TIME ZONE 'Asia/Dhaka')::date) DESC);
CREATE INDEX radiology_reports_days ON radiology_reports (((created_at AT TIME ZONE 'Asia/Dhaka')::date) DESC);
CREATE INDEX imaging_studies_sensitive ON imaging_studies (patient_id) WHERE sensitive;
"""

RELATIONS = """
CREATE TABLE care_relations (
    id uuid PRIMARY KEY,
    actor text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('orderer', 'performer', 'reader', 'approver', 'ward', 'self', 'break-glass')),
    patient_id uuid NOT NULL REFERENCES patients (id),
    facility_code text,
    study_instance_uid text,
    begins_at timestamptz NOT NULL DEFAULT now(),
    ends_at timestamptz NOT NULL,
    ended_at timestamptz,
    source text NOT NULL,
    made_by text NOT NULL
);
COMMENT ON COLUMN care_relations.actor IS 'as the audit names who acts, such as account:rahim or ae:CT1';
COMMENT ON COLUMN care_relations.facility_code IS 'the studies of this facility only; NULL means of every facility';
COMMENT ON COLUMN care_relations.study_instance_uid IS 'this study only; NULL means all of the patient';
COMMENT ON COLUMN care_relations.ended_at IS 'when it was ended before its time';
CREATE INDEX care_relations_actor_patient ON care_relations (actor, patient_id);
CREATE INDEX care_relations_patient ON care_relations (patient_id);

CREATE FUNCTION cares_for(carer text, breaks_glass boolean, patient uuid, study text, facility text, classes text[])
RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM care_relations
        WHERE actor = carer
          AND patient_id = patient
          AND (study_instance_uid IS NULL OR study_instance_uid = study)
          AND (facility_code IS NULL OR facility_code = facility)
          AND ended_at IS NULL
          AND now() >= begins_at
          AND now() < ends_at
          AND (kind <> 'break-glass' OR (breaks_glass AND NOT classes @> ARRAY['S4']))
    );
END
$$;
COMMENT ON FUNCTION cares_for IS 'whether a running relation lets somebody see a sensitive study; by break-glass only '
    'where that counts, and never forensic ones';
"""

ACCOUNTS = """
ALTER TABLE accounts ADD COLUMN facility_codes text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN accounts.facility_codes IS 'further facilities of somebody who has one; without any, every one';
"""


def upgrade() -> None:
    op.execute(STUDIES)
    op.execute(RELATIONS)
    op.execute(ACCOUNTS)
