"""The first schema: who may come in, patients, studies, reports, events.

The three tables of the specification keep the names of all their columns. Corrected: moments carry a zone; what was
there twice (`subject_id`, `encounter_reference`) is generated from its twin; encounters belong to another service, so
their references are text without a foreign key; a report holds its study back from deletion instead of going with it.
"""

from alembic import op

revision = "0001"
down_revision = None

ACCESS = """
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TABLE accounts (
    id uuid PRIMARY KEY,
    name text NOT NULL UNIQUE,
    role text NOT NULL,
    password_hash text,
    must_change_password boolean NOT NULL DEFAULT false,
    practitioner_reference text,
    display text NOT NULL DEFAULT '',
    facility_code text,
    created_at timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz
);

CREATE TABLE tokens (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    token_sha256 bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz
);

CREATE TABLE application_entities (
    ae_title text PRIMARY KEY CHECK (ae_title = btrim(ae_title) AND length(ae_title) BETWEEN 1 AND 16),
    host text NOT NULL DEFAULT '',
    port integer CHECK (port BETWEEN 1 AND 65535),
    services text[] NOT NULL DEFAULT '{echo,store,find,move,get}',
    facility_code text,
    max_associations integer CHECK (max_associations > 0),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE audit_events (
    id uuid PRIMARY KEY,
    occurred_at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    outcome text NOT NULL DEFAULT 'success',
    detail jsonb
);
CREATE INDEX audit_events_subject ON audit_events (subject, occurred_at);
"""

PATIENTS = """
CREATE TABLE patients (
    id uuid PRIMARY KEY,
    reference text NOT NULL UNIQUE,
    patient_id text NOT NULL DEFAULT '',
    issuer_of_patient_id text NOT NULL DEFAULT '',
    patient_name text NOT NULL DEFAULT '',
    birth_date text NOT NULL DEFAULT '',
    sex text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),

    version integer NOT NULL DEFAULT 1,
    facility_code text NOT NULL DEFAULT '',
    birth_date_estimated boolean NOT NULL DEFAULT false,
    phone text NOT NULL DEFAULT '',
    details jsonb NOT NULL DEFAULT '{}',
    temporary boolean NOT NULL DEFAULT false,
    merged_into uuid REFERENCES patients (id) CHECK (merged_into <> id),
    checked_at timestamptz,
    name_search text NOT NULL DEFAULT '',
    name_keys text[] NOT NULL DEFAULT '{}'
);
CREATE INDEX patients_patient_id ON patients (patient_id, issuer_of_patient_id);
CREATE INDEX patients_merged_into ON patients (merged_into) WHERE merged_into IS NOT NULL;
COMMENT ON COLUMN patients.facility_code IS 'where the patient was registered';
COMMENT ON COLUMN patients.details IS 'address, guardians, flags: as the API has them';
COMMENT ON COLUMN patients.temporary IS 'whether nobody knows yet who it is';
COMMENT ON COLUMN patients.merged_into IS 'the patient that this one was found to be; its numbers lead there';
COMMENT ON COLUMN patients.checked_at IS 'when the patient registry elsewhere last said what is known here';
COMMENT ON COLUMN patients.name_search IS 'the words of the name as written and as searched';
COMMENT ON COLUMN patients.name_keys IS 'the words of the name by their sound';

CREATE FUNCTION surviving_patient(patient uuid) RETURNS uuid LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$
    WITH RECURSIVE chain AS (
        SELECT id, merged_into FROM patients WHERE id = patient
        UNION
        SELECT next.id, next.merged_into FROM patients AS next JOIN chain ON next.id = chain.merged_into
    )
    SELECT id FROM chain WHERE merged_into IS NULL
$$;
COMMENT ON FUNCTION surviving_patient IS 'the patient itself, or who it was merged into in the end';
COMMENT ON COLUMN patients.patient_name IS 'as (0010,0010) gave it, component groups joined by =';
COMMENT ON COLUMN patients.birth_date IS 'as (0010,0030) gave it: YYYYMMDD or empty';
"""

STUDIES = """
CREATE FUNCTION name_match_text(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT normalize(regexp_replace(regexp_replace(regexp_replace(
        normalize(lower(name), NFKD), '[\\u0300-\\u036F\\u200C\\u200D]', '', 'g'), '\\s+', ' ', 'g'), '\\^+(=|$)', '\\1', 'g'), NFC)
$$;
COMMENT ON FUNCTION name_match_text IS 'a person name as PS3.4 C.2.2.2.1 compares it: case, accents, spaces and trailing carets do not count';

CREATE FUNCTION usual_answer(study_instance_uid text, dicom jsonb, modalities text[], series integer, instances integer)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (
        '{"00080020": {"vr": "DA"}, "00080030": {"vr": "TM"}, "00080050": {"vr": "SH"},
          "00080056": {"vr": "CS", "Value": ["ONLINE"]}, "00080090": {"vr": "PN"}, "00081030": {"vr": "LO"},
          "00100010": {"vr": "PN"}, "00100020": {"vr": "LO"}, "00100030": {"vr": "DA"}, "00100040": {"vr": "CS"},
          "0020000D": {"vr": "UI"}, "00200010": {"vr": "SH"}}'
        || coalesce((
            SELECT jsonb_object_agg(key, value)
            FROM jsonb_each(dicom)
            WHERE key IN ('00080005', '00080020', '00080030', '00080050', '00080090', '00080201', '00081030', '00100010',
                '00100020', '00100030', '00100040', '00200010')
        ), '{}')
        || jsonb_build_object(
            '00080061', jsonb_build_object('vr', 'CS', 'Value', to_jsonb(modalities)),
            '00081190', jsonb_build_object('vr', 'UR', 'Value', jsonb_build_array('@/studies/' || study_instance_uid)),
            '0020000D', jsonb_build_object('vr', 'UI', 'Value', jsonb_build_array(study_instance_uid)),
            '00201206', jsonb_build_object('vr', 'IS', 'Value', jsonb_build_array(series)),
            '00201208', jsonb_build_object('vr', 'IS', 'Value', jsonb_build_array(instances))
        )
    )::text
$$;
COMMENT ON FUNCTION usual_answer IS 'a study as searches answer it where nothing else is asked for (PS3.18 table 10.6.3-3); '
    'its Retrieve URL begins with @';

CREATE SEQUENCE study_number;

CREATE TABLE imaging_studies (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    study_id varchar(50) UNIQUE NOT NULL DEFAULT 'study-' || nextval('study_number'),
    patient_id uuid NOT NULL REFERENCES patients (id),
    encounter_id text,
    status varchar(20) NOT NULL DEFAULT 'registered' CHECK (status IN ('registered', 'scheduled', 'arrived',
        'in-progress', 'completed', 'cancelled', 'entered-in-error', 'unknown')),
    modality jsonb NOT NULL DEFAULT '[]',
    subject_type varchar(20) NOT NULL DEFAULT 'patient',
    subject_id uuid NOT NULL GENERATED ALWAYS AS (patient_id) STORED,
    encounter_reference text GENERATED ALWAYS AS (encounter_id) STORED,
    started timestamptz,
    based_on jsonb,
    referrer jsonb,
    interpreter jsonb,
    endpoint jsonb,
    location jsonb,
    reason_code jsonb,
    reason_reference jsonb,
    series jsonb,
    instance jsonb,
    procedure_code jsonb,
    study_description text,
    accession_number varchar(50),
    study_instance_uid varchar(64) UNIQUE NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    metadata jsonb,

    version integer NOT NULL DEFAULT 1,
    facility_code text NOT NULL,
    completed timestamptz,
    reason_no_images text,
    service_request text,
    match text CHECK (match IN ('exact', 'probable', 'none', 'confirmed')),
    planned_study_instance_uid text,
    withdrawal_asked_by text,
    study_group_id uuid,
    flags text[] NOT NULL DEFAULT '{}',
    corrections jsonb,
    modalities_in_study text[] NOT NULL DEFAULT '{}',
    procedure_codes text[] NOT NULL DEFAULT '{}',
    performers text[] NOT NULL DEFAULT '{}',
    interpreters text[] NOT NULL DEFAULT '{}',
    dicom_patient_id text NOT NULL DEFAULT '',
    issuer_of_patient_id text NOT NULL DEFAULT '',
    patient_name text NOT NULL DEFAULT '',
    patient_name_search text NOT NULL DEFAULT '',
    patient_name_alphabetic text NOT NULL GENERATED ALWAYS AS (split_part(name_match_text(patient_name), '=', 1)) STORED,
    patient_name_ideographic text NOT NULL GENERATED ALWAYS AS (split_part(name_match_text(patient_name), '=', 2)) STORED,
    patient_name_phonetic text NOT NULL GENERATED ALWAYS AS (split_part(name_match_text(patient_name), '=', 3)) STORED,
    patient_birth_date text NOT NULL DEFAULT '',
    patient_sex text NOT NULL DEFAULT '',
    dicom_study_id text NOT NULL DEFAULT '',
    study_date date,
    study_time time,
    referring_physician_search text NOT NULL DEFAULT '',
    dicom jsonb NOT NULL DEFAULT '{}',
    number_of_series integer NOT NULL DEFAULT 0,
    number_of_instances integer NOT NULL DEFAULT 0,
    size_bytes bigint NOT NULL DEFAULT 0,
    last_instance_at timestamptz,
    findable boolean NOT NULL GENERATED ALWAYS AS (status <> 'entered-in-error' AND number_of_instances > 0) STORED,
    answer text GENERATED ALWAYS AS (CASE WHEN number_of_instances > 0 THEN
        usual_answer(study_instance_uid, dicom, modalities_in_study, number_of_series, number_of_instances) END) STORED
);
COMMENT ON COLUMN imaging_studies.findable IS 'whether DICOM searches and retrievals see the study';
COMMENT ON COLUMN imaging_studies.answer IS 'see usual_answer; made when written, since building a page of them is most of a search';
COMMENT ON COLUMN imaging_studies.service_request IS 'the order it belongs to, as ServiceRequest/111';
COMMENT ON COLUMN imaging_studies.match IS 'how sure its order is; null where no images came, or another archive answers for it';
COMMENT ON COLUMN imaging_studies.planned_study_instance_uid IS 'of the worklist item whose images came under another UID';
COMMENT ON COLUMN imaging_studies.study_group_id IS 'studies that are one examination, read and reported together, have the same';
COMMENT ON COLUMN imaging_studies.withdrawal_asked_by IS 'who wants it withdrawn, while a second person must agree';
COMMENT ON COLUMN imaging_studies.series IS 'planned series as whoever created the study gave them; stored series are rows of imaging_series';
COMMENT ON COLUMN imaging_studies.dicom_patient_id IS '(0010,0020) as the first object of the study gave it';
COMMENT ON COLUMN imaging_studies.dicom IS 'patient and study attributes of the first object, DICOM JSON (PS3.18 F)';

CREATE INDEX idx_imaging_studies_patient ON imaging_studies (patient_id);
CREATE INDEX idx_imaging_studies_status ON imaging_studies (status, last_instance_at);
CREATE INDEX idx_imaging_studies_modality ON imaging_studies USING gin (modalities_in_study);
CREATE INDEX idx_imaging_studies_started ON imaging_studies (coalesce(started, created_at) DESC, id DESC);
CREATE INDEX idx_imaging_studies_accession ON imaging_studies (accession_number);
CREATE INDEX imaging_studies_newest ON imaging_studies (coalesce(started, created_at) DESC, id DESC);
CREATE INDEX imaging_studies_order ON imaging_studies (study_date DESC NULLS LAST, study_time DESC NULLS LAST, study_instance_uid)
    INCLUDE (facility_code) WHERE findable;
CREATE INDEX imaging_studies_dicom_patient_id ON imaging_studies (dicom_patient_id, study_date DESC);
CREATE INDEX imaging_studies_patient_name ON imaging_studies USING gin (patient_name_search gin_trgm_ops);
CREATE INDEX imaging_studies_alphabetic ON imaging_studies (patient_name_alphabetic text_pattern_ops);
CREATE INDEX imaging_studies_ideographic ON imaging_studies (patient_name_ideographic text_pattern_ops)
    WHERE patient_name_ideographic <> '';
CREATE INDEX imaging_studies_phonetic ON imaging_studies (patient_name_phonetic text_pattern_ops)
    WHERE patient_name_phonetic <> '';
CREATE INDEX imaging_studies_codes_and_readers ON imaging_studies USING gin (procedure_codes, performers, interpreters);
CREATE INDEX imaging_studies_encounter ON imaging_studies (encounter_id) WHERE encounter_id IS NOT NULL;

CREATE INDEX imaging_studies_service_request ON imaging_studies (service_request) WHERE service_request IS NOT NULL;
CREATE INDEX imaging_studies_planned ON imaging_studies (planned_study_instance_uid)
    WHERE planned_study_instance_uid IS NOT NULL;
CREATE INDEX imaging_studies_group ON imaging_studies (study_group_id) WHERE study_group_id IS NOT NULL;
CREATE INDEX imaging_studies_flagged ON imaging_studies (created_at, id)
    WHERE flags && '{identity_review,wrong_worklist_entry}';
CREATE INDEX imaging_studies_unmatched ON imaging_studies (created_at, id) WHERE match IN ('probable', 'none');

CREATE TABLE study_transitions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    study_id uuid NOT NULL REFERENCES imaging_studies (id) ON DELETE CASCADE,
    from_status text,
    to_status text NOT NULL,
    trigger text NOT NULL,
    actor text NOT NULL,
    reason text,
    occurred_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX study_transitions_study ON study_transitions (study_id);

CREATE TABLE imaging_series (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    series_id varchar(50) UNIQUE NOT NULL DEFAULT 'series-' || gen_random_uuid(),
    study_id uuid NOT NULL REFERENCES imaging_studies (id) ON DELETE CASCADE,
    series_instance_uid varchar(64) UNIQUE NOT NULL,
    modality varchar(16) NOT NULL,
    series_description text,
    series_number integer,
    body_site jsonb,
    laterality varchar(16),
    started timestamptz,
    performer jsonb,
    instance jsonb,
    protocol_name varchar(200),
    acquisition_parameters jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),

    dicom jsonb NOT NULL DEFAULT '{}',
    number_of_instances integer NOT NULL DEFAULT 0
);
CREATE INDEX idx_imaging_series_study ON imaging_series (study_id);
CREATE INDEX idx_imaging_series_modality ON imaging_series (modality);

CREATE TABLE instances (
    sop_instance_uid text PRIMARY KEY,
    series_id uuid NOT NULL REFERENCES imaging_series (id) ON DELETE CASCADE,
    study_id uuid NOT NULL,
    sop_class_uid text NOT NULL,
    transfer_syntax_uid text NOT NULL,
    instance_number integer,
    number_of_frames integer,
    pixel_rows integer,
    pixel_columns integer,
    bits_allocated integer,
    object_key text NOT NULL,
    size_bytes bigint NOT NULL,
    data_set_offset integer NOT NULL,
    pixel_data_offset bigint,
    pixel_data_length bigint,
    data_set_sha256 bytea NOT NULL,
    original_transfer_syntax_uid text,
    original_pixel_data_head bytea,
    object_sha256 bytea,
    flags text[] NOT NULL DEFAULT '{}',
    source_ae_title text NOT NULL DEFAULT '',
    stored_at timestamptz NOT NULL,
    attributes bytea NOT NULL,
    corrections jsonb
);
COMMENT ON COLUMN instances.attributes IS 'all attributes as DICOM JSON; binary values over 1 KiB by BulkDataURI "@/<tag path>"';
COMMENT ON COLUMN instances.data_set_sha256 IS 'of the data set as it was received, whatever it was compressed to since';
COMMENT ON COLUMN instances.original_transfer_syntax_uid IS 'what it was received in, where it was compressed at rest';
COMMENT ON COLUMN instances.original_pixel_data_head IS 'tag, VR and length that its pixel data had';
COMMENT ON COLUMN instances.object_sha256 IS 'of the data set in the present object, where that is not the one received';
COMMENT ON COLUMN instances.corrections IS 'what is served instead of what the object says: its own UIDs, where it is a copy that shares the object of another';
COMMENT ON COLUMN instances.pixel_data_length IS 'bytes of native pixel data; null where encapsulated';
CREATE INDEX instances_series ON instances (series_id, instance_number);
CREATE INDEX instances_study ON instances (study_id);
CREATE INDEX instances_stored_at ON instances USING brin (stored_at);

CREATE TABLE instance_revisions (
    object_key text PRIMARY KEY,
    sop_instance_uid text NOT NULL,
    study_id uuid NOT NULL REFERENCES imaging_studies (id) ON DELETE CASCADE,
    size_bytes bigint NOT NULL,
    data_set_sha256 bytea NOT NULL,
    source_ae_title text NOT NULL,
    stored_at timestamptz NOT NULL,
    replaced_at timestamptz NOT NULL,
    attributes bytea NOT NULL
);
COMMENT ON TABLE instance_revisions IS 'objects that came again with another header and the same pixels: those before the newest';
CREATE INDEX instance_revisions_instance ON instance_revisions (sop_instance_uid, replaced_at);
CREATE INDEX instance_revisions_study ON instance_revisions (study_id);

CREATE TABLE quarantine (
    id uuid PRIMARY KEY,
    reason text NOT NULL CHECK (reason IN ('conflicting_duplicate', 'patient_conflict', 'series_conflict', 'unindexable',
        'rejected')),
    detail text NOT NULL,
    object_key text NOT NULL UNIQUE,
    size_bytes bigint NOT NULL,
    study_instance_uid text NOT NULL,
    series_instance_uid text NOT NULL,
    sop_instance_uid text NOT NULL,
    data_set_sha256 bytea NOT NULL,
    source_ae_title text NOT NULL DEFAULT '',
    facility_code text NOT NULL DEFAULT '',
    received_at timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz,
    resolved_by text,
    resolution text
);
CREATE INDEX quarantine_open ON quarantine (received_at) WHERE resolved_at IS NULL;
"""

REPORTS = """
CREATE SEQUENCE report_number;

CREATE TABLE radiology_reports (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    report_id varchar(50) UNIQUE NOT NULL DEFAULT 'report-' || nextval('report_number'),
    study_id uuid NOT NULL REFERENCES imaging_studies (id) ON DELETE RESTRICT,
    patient_id uuid NOT NULL REFERENCES patients (id) ON DELETE RESTRICT,
    encounter_id text,
    status varchar(20) NOT NULL DEFAULT 'preliminary' CHECK (status IN ('registered', 'partial', 'preliminary', 'final',
        'amended', 'corrected', 'appended', 'cancelled', 'entered-in-error')),
    category jsonb NOT NULL,
    code jsonb NOT NULL,
    subject_type varchar(20) NOT NULL DEFAULT 'patient',
    subject_id uuid NOT NULL GENERATED ALWAYS AS (patient_id) STORED,
    encounter_reference text GENERATED ALWAYS AS (encounter_id) STORED,
    effective_date_time timestamptz,
    issued timestamptz,
    performer jsonb,
    results_interpreter jsonb,
    findings text,
    impression text,
    recommendation text,
    comparison text,
    technique text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    metadata jsonb,

    version integer NOT NULL DEFAULT 1,
    sections jsonb NOT NULL DEFAULT '[]',
    warnings jsonb NOT NULL DEFAULT '[]',
    author text NOT NULL,
    approver jsonb,
    self_approved boolean NOT NULL DEFAULT false
);
CREATE INDEX idx_radiology_reports_study ON radiology_reports (study_id);
CREATE INDEX radiology_reports_newest ON radiology_reports (created_at DESC, id DESC);
CREATE INDEX idx_radiology_reports_patient ON radiology_reports (patient_id);
CREATE INDEX idx_radiology_reports_status ON radiology_reports (status, issued);

CREATE TABLE report_versions (
    report_id uuid NOT NULL REFERENCES radiology_reports (id) ON DELETE RESTRICT,
    version_no integer NOT NULL,
    status varchar(20) NOT NULL,
    content_json jsonb NOT NULL,
    rendered_text text NOT NULL,
    sha256 bytea NOT NULL,
    prev_sha256 bytea,
    author_ids text[] NOT NULL,
    approver_id text,
    signed_at timestamptz NOT NULL,
    reason_code text,
    reason_text text,
    PRIMARY KEY (report_id, version_no)
);

CREATE TABLE outdated_reports (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    report_id uuid NOT NULL REFERENCES radiology_reports (id) ON DELETE CASCADE,
    study_id uuid NOT NULL REFERENCES imaging_studies (id) ON DELETE CASCADE,
    report_version integer NOT NULL,
    cause text NOT NULL CHECK (cause IN ('late-images', 'rejected-images')),
    instances integer NOT NULL,
    priority text NOT NULL CHECK (priority IN ('stat', 'urgent', 'routine')),
    assigned_to text,
    since timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    escalated_at timestamptz,
    closed_at timestamptz,
    closed_by text,
    resolution text CHECK (resolution IN ('reviewed-no-change', 'new-version', 'withdrawn')),
    comment text,
    signature_sha256 bytea,
    CHECK ((closed_at IS NULL) = (resolution IS NULL))
);
COMMENT ON TABLE outdated_reports IS 'signed reports whose images changed since: until somebody has looked again';
COMMENT ON COLUMN outdated_reports.report_version IS 'the version that was signed before';
COMMENT ON COLUMN outdated_reports.instances IS 'how many images came late, or were rejected';
COMMENT ON COLUMN outdated_reports.signature_sha256 IS 'over who found when that nothing changes, and the hash of the version that stays';
CREATE UNIQUE INDEX outdated_reports_open ON outdated_reports (report_id) WHERE closed_at IS NULL;
CREATE INDEX outdated_reports_study ON outdated_reports (study_id) WHERE closed_at IS NULL;
CREATE INDEX outdated_reports_due ON outdated_reports (due_at, id) WHERE closed_at IS NULL;
CREATE INDEX outdated_reports_closed ON outdated_reports (report_id, closed_at);

CREATE FUNCTION refuse_change_of_signed_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a version of a report cannot be changed or removed';
END
$$;
CREATE TRIGGER report_versions_insert_only BEFORE UPDATE OR DELETE ON report_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_signed_version();
"""

EVENTS = """
CREATE TABLE outbox (
    sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    position bigint UNIQUE,
    id uuid NOT NULL,
    type text NOT NULL,
    key text NOT NULL,
    body jsonb NOT NULL,
    facility_code text,
    occurred_at timestamptz NOT NULL DEFAULT now(),
    relayed_at timestamptz
);
CREATE INDEX outbox_unplaced ON outbox (sequence) WHERE position IS NULL;
CREATE INDEX outbox_unrelayed ON outbox (position) WHERE relayed_at IS NULL;
CREATE SEQUENCE outbox_position;
COMMENT ON COLUMN outbox.position IS 'order of the change feed, given once the row is committed, so that no reader ever misses one';

CREATE TABLE worker_marks (
    name text PRIMARY KEY,
    at timestamptz NOT NULL
);
COMMENT ON TABLE worker_marks IS 'until when a repeated task has done its work';
"""


def upgrade() -> None:
    """Create everything."""
    for part in (ACCESS, PATIENTS, STUDIES, REPORTS, EVENTS):
        op.execute(part)
