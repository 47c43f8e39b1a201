"""Dose by irradiation event, tests of devices, incidents.

What a study exposed is read from its dose report, its performed procedure step or its images, and can be read again at
any time: `dose_events`, `dose_examinations` and `image_exposures` are derived, and replaced as a whole. Notes, tests
and incidents are what people said and did, and stay.
"""

from alembic import op

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    """Apply."""
    op.execute(_DOSE)
    op.execute(_COMPARISON)
    op.execute(_TESTS)
    op.execute(_INCIDENTS)


_DOSE = """
CREATE TABLE dose_events (
    study_id uuid NOT NULL REFERENCES imaging_studies (id) ON DELETE CASCADE,
    event_uid text NOT NULL,
    told_by text NOT NULL,
    started_at timestamptz,
    protocol text NOT NULL DEFAULT '',
    acquisition text NOT NULL DEFAULT '',
    region text NOT NULL DEFAULT '',
    laterality text NOT NULL DEFAULT '',
    view text NOT NULL DEFAULT '',
    plane text NOT NULL DEFAULT '',
    kvp double precision,
    tube_current_ma double precision,
    exposure_mas double precision,
    exposure_time_seconds double precision,
    fluoroscopy_seconds double precision,
    ctdi_vol_mgy double precision,
    phantom_cm smallint,
    dlp_mgy_cm double precision,
    effective_dose_msv double precision,
    kap_gy_cm2 double precision,
    air_kerma_mgy double precision,
    entrance_mgy double precision,
    glandular_dose_mgy double precision,
    PRIMARY KEY (study_id, event_uid)
);

CREATE TABLE dose_examinations (
    study_id uuid PRIMARY KEY REFERENCES imaging_studies (id) ON DELETE CASCADE,
    source text NOT NULL CHECK (source IN ('rdsr', 'mpps', 'header')),
    events integer NOT NULL,
    performed_at timestamptz NOT NULL,
    ae_title text NOT NULL,
    modality text NOT NULL,
    procedure_key text NOT NULL DEFAULT '',
    protocol text NOT NULL,
    patient_group text NOT NULL,
    standard_size boolean NOT NULL,
    age_years double precision,
    weight_kg double precision,
    height_m double precision,
    doses jsonb NOT NULL,
    effective_dose_msv double precision,
    effective_dose_method text NOT NULL,
    explain jsonb NOT NULL,
    read_at timestamptz NOT NULL
);
CREATE INDEX dose_examinations_protocol ON dose_examinations (protocol, performed_at);
CREATE INDEX dose_examinations_performed ON dose_examinations (performed_at);

CREATE TABLE image_exposures (
    study_id uuid NOT NULL REFERENCES imaging_studies (id) ON DELETE CASCADE,
    sop_instance_uid text NOT NULL,
    ae_title text NOT NULL,
    modality text NOT NULL,
    body_part text NOT NULL DEFAULT '',
    laterality text NOT NULL DEFAULT '',
    view text NOT NULL DEFAULT '',
    operator text NOT NULL DEFAULT '',
    taken_at timestamptz NOT NULL,
    stored_at timestamptz NOT NULL,
    rejected text NOT NULL DEFAULT '',
    exposure_index double precision,
    target_exposure_index double precision,
    deviation_index double precision,
    PRIMARY KEY (study_id, sop_instance_uid)
);
CREATE INDEX image_exposures_taken ON image_exposures (taken_at);
"""

_COMPARISON = """
CREATE TABLE reference_levels (
    id uuid PRIMARY KEY,
    procedure_key text NOT NULL,
    quantity text NOT NULL,
    patient_group text NOT NULL,
    facility_code text,
    valid_from date NOT NULL,
    value double precision CHECK (value > 0),
    source text NOT NULL,
    set_by text NOT NULL,
    set_at timestamptz NOT NULL,
    UNIQUE NULLS NOT DISTINCT (procedure_key, quantity, patient_group, facility_code, valid_from)
);

CREATE TABLE dose_notes (
    id uuid PRIMARY KEY,
    study_id uuid NOT NULL REFERENCES imaging_studies (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('over-twice-reference', 'air-kerma', 'skin-dose')),
    quantity text NOT NULL,
    value double precision NOT NULL,
    over double precision NOT NULL,
    made_at timestamptz NOT NULL,
    closed_at timestamptz,
    closed_by text,
    comment text NOT NULL DEFAULT '',
    UNIQUE (study_id, kind, quantity)
);
CREATE INDEX dose_notes_open ON dose_notes (made_at) WHERE closed_at IS NULL;
"""

_TESTS = """
CREATE TABLE device_test_plans (
    device_number bigint NOT NULL REFERENCES devices (number) ON DELETE CASCADE,
    test text NOT NULL,
    begun_on date NOT NULL,
    active boolean NOT NULL DEFAULT true,
    reason text NOT NULL DEFAULT '',
    changed_by text NOT NULL DEFAULT '',
    warned_on date,
    PRIMARY KEY (device_number, test)
);

CREATE TABLE device_tests (
    id uuid PRIMARY KEY,
    device_number bigint NOT NULL REFERENCES devices (number) ON DELETE CASCADE,
    test text NOT NULL,
    done_on date NOT NULL,
    results jsonb NOT NULL,
    passed boolean NOT NULL,
    remark text NOT NULL DEFAULT '',
    done_by text NOT NULL,
    recorded_at timestamptz NOT NULL
);
CREATE INDEX device_tests_device ON device_tests (device_number, test, done_on DESC, recorded_at DESC, id DESC);
"""

_INCIDENTS = """
CREATE TABLE incidents (
    id uuid PRIMARY KEY,
    facility_code text NOT NULL,
    cause text NOT NULL
        CHECK (cause IN ('wrong-patient', 'wrong-side', 'pregnant-unknowingly', 'dose-over-expected', 'other')),
    status text NOT NULL CHECK (status IN ('open', 'assessed', 'notified', 'closed', 'not-an-incident')),
    study_id uuid REFERENCES imaging_studies (id) ON DELETE SET NULL,
    device_number bigint REFERENCES devices (number) ON DELETE SET NULL,
    occurred_at timestamptz NOT NULL,
    description text NOT NULL,
    found_by text NOT NULL,
    found_at timestamptz NOT NULL,
    dose_msv double precision,
    foetal_estimate text NOT NULL CHECK (foetal_estimate IN ('not-needed', 'requested', 'given')),
    foetal_dose_mgy double precision,
    officer_told_at timestamptz,
    authority_told_at timestamptz,
    authority_needed boolean,
    version integer NOT NULL DEFAULT 1
);
CREATE INDEX incidents_found ON incidents (found_at);
CREATE UNIQUE INDEX incidents_dose_once ON incidents (study_id) WHERE cause = 'dose-over-expected';

CREATE TABLE incident_steps (
    incident_id uuid NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    number integer NOT NULL,
    verb text NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    text text NOT NULL DEFAULT '',
    PRIMARY KEY (incident_id, number)
);
"""
