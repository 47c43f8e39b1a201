"""Scheduled and performed procedure steps: what a modality is asked to do, and what it says that it did.

A scheduled step carries all that the worklist answers with, so that a query touches one table. It belongs to an order
by `service_request`; one order may have several. What a performed step references is kept as rows, because it is
compared with what is stored.
"""

from alembic import op

revision = "0005"
down_revision = "0004"

TABLES = """
CREATE SEQUENCE worklist_number;

CREATE TABLE station_pools (
    facility_code text NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 16),
    modality text NOT NULL,
    ae_titles text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (facility_code, name)
);
COMMENT ON TABLE station_pools IS 'stations that take each other''s work';

CREATE TABLE scheduled_procedure_steps (
    id uuid PRIMARY KEY,
    scheduled_procedure_step_id text NOT NULL CHECK (length(scheduled_procedure_step_id) BETWEEN 1 AND 16),
    facility_code text NOT NULL,
    status text NOT NULL DEFAULT 'SCHEDULED' CHECK (status IN ('SCHEDULED', 'ARRIVED', 'READY', 'STARTED', 'COMPLETED',
        'DISCONTINUED', 'CANCELED')),
    status_trigger text NOT NULL DEFAULT 'request',
    status_reason text,
    version integer NOT NULL DEFAULT 1,
    service_request text,
    accession_number text NOT NULL CHECK (length(accession_number) BETWEEN 1 AND 16),
    requested_procedure_id text NOT NULL CHECK (length(requested_procedure_id) BETWEEN 1 AND 16),
    study_instance_uid text NOT NULL CHECK (length(study_instance_uid) BETWEEN 1 AND 64),
    modality text NOT NULL,
    station_ae_titles text[] NOT NULL DEFAULT '{}',
    station_pool text,
    scheduled_start timestamptz NOT NULL,
    patient_id text NOT NULL,
    issuer_of_patient_id text NOT NULL,
    patient_name text NOT NULL,
    patient_name_match text[] NOT NULL,
    patient_name_keys text[] NOT NULL,
    performing_physician_match text[] NOT NULL DEFAULT '{}',
    details jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (facility_code, scheduled_procedure_step_id)
);
COMMENT ON COLUMN scheduled_procedure_steps.status_trigger IS 'what gave it the status: request, or a verb of its transitions';
COMMENT ON COLUMN scheduled_procedure_steps.service_request IS 'the order it belongs to, as ServiceRequest/111';
COMMENT ON COLUMN scheduled_procedure_steps.station_pool IS 'where no station is named: any station of this pool; without both, any of the modality';
COMMENT ON COLUMN scheduled_procedure_steps.patient_name_match IS 'component groups as PS3.4 C.2.2.2.1 compares them';
COMMENT ON COLUMN scheduled_procedure_steps.patient_name_keys IS 'the words of the name by their sound';
COMMENT ON COLUMN scheduled_procedure_steps.details IS 'the item as it was placed';
CREATE INDEX scheduled_procedure_steps_open ON scheduled_procedure_steps (facility_code, scheduled_start, id)
    WHERE status IN ('SCHEDULED', 'ARRIVED', 'READY');
CREATE INDEX scheduled_procedure_steps_unfinished ON scheduled_procedure_steps (scheduled_start)
    WHERE status IN ('SCHEDULED', 'ARRIVED', 'READY', 'STARTED');
CREATE INDEX scheduled_procedure_steps_start ON scheduled_procedure_steps (scheduled_start DESC, id DESC);
CREATE INDEX scheduled_procedure_steps_study ON scheduled_procedure_steps (study_instance_uid);
CREATE INDEX scheduled_procedure_steps_accession ON scheduled_procedure_steps (accession_number, facility_code);
CREATE INDEX scheduled_procedure_steps_patient ON scheduled_procedure_steps (patient_id, facility_code);
CREATE INDEX scheduled_procedure_steps_order ON scheduled_procedure_steps (service_request)
    WHERE service_request IS NOT NULL;

CREATE TABLE worklist_queries (
    ae_title text PRIMARY KEY,
    asked_at timestamptz NOT NULL,
    answers integer NOT NULL,
    modality text NOT NULL,
    station text NOT NULL,
    start_date text NOT NULL,
    others text[] NOT NULL
);
COMMENT ON TABLE worklist_queries IS 'what each application entity asked its worklist for last; nothing of patients';
COMMENT ON COLUMN worklist_queries.others IS 'keywords of other matching keys that had a value, without the value';

CREATE TABLE scheduled_procedure_step_transitions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    step_id uuid NOT NULL REFERENCES scheduled_procedure_steps (id) ON DELETE CASCADE,
    from_status text,
    to_status text NOT NULL,
    trigger text NOT NULL,
    actor text NOT NULL,
    reason text,
    occurred_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX scheduled_procedure_step_transitions_step ON scheduled_procedure_step_transitions (step_id);

CREATE TABLE performed_procedure_steps (
    id uuid PRIMARY KEY,
    sop_instance_uid text NOT NULL UNIQUE CHECK (length(sop_instance_uid) BETWEEN 1 AND 64),
    facility_code text NOT NULL,
    source_ae_title text NOT NULL,
    status text NOT NULL CHECK (status IN ('IN PROGRESS', 'COMPLETED', 'DISCONTINUED')),
    study_instance_uids text[] NOT NULL,
    modality text NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    received_end_at timestamptz,
    discontinuation_code text,
    attributes jsonb NOT NULL,
    number_of_instances integer NOT NULL DEFAULT 0,
    number_missing integer NOT NULL DEFAULT 0,
    missing_told_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN performed_procedure_steps.attributes IS 'the data sets of N-CREATE and N-SET, merged, DICOM JSON (PS3.18 F)';
COMMENT ON COLUMN performed_procedure_steps.received_end_at IS 'when COMPLETED or DISCONTINUED came; what is missing 15 minutes later is an incomplete transfer';
COMMENT ON COLUMN performed_procedure_steps.number_missing IS 'referenced instances that are not stored, as of updated_at';
COMMENT ON COLUMN performed_procedure_steps.missing_told_at IS 'when its facility was told of the incomplete transfer';
CREATE INDEX performed_procedure_steps_studies ON performed_procedure_steps USING gin (study_instance_uids);
CREATE INDEX performed_procedure_steps_missing ON performed_procedure_steps (received_end_at) WHERE number_missing > 0;

CREATE TABLE performed_instances (
    performed_step_id uuid NOT NULL REFERENCES performed_procedure_steps (id) ON DELETE CASCADE,
    series_instance_uid text NOT NULL,
    sop_class_uid text NOT NULL,
    sop_instance_uid text NOT NULL,
    PRIMARY KEY (performed_step_id, sop_instance_uid)
);
COMMENT ON TABLE performed_instances IS 'the Performed Series Sequence (0040,0340): what a modality says that it made';

CREATE TABLE performed_of_scheduled (
    performed_step_id uuid NOT NULL REFERENCES performed_procedure_steps (id) ON DELETE CASCADE,
    scheduled_step_id uuid NOT NULL REFERENCES scheduled_procedure_steps (id) ON DELETE CASCADE,
    unlinked_at timestamptz,
    PRIMARY KEY (performed_step_id, scheduled_step_id)
);
CREATE INDEX performed_of_scheduled_scheduled ON performed_of_scheduled (scheduled_step_id);
COMMENT ON COLUMN performed_of_scheduled.unlinked_at IS 'the wrong worklist entry had been selected (CID 9300, 110514)';
"""


def upgrade() -> None:
    op.execute(TABLES)
