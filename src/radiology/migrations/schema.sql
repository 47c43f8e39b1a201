CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;

COMMENT ON EXTENSION pg_trgm IS 'text similarity measurement and index searching based on trigrams';

CREATE FUNCTION public.name_match_text(name text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $_$
    SELECT normalize(regexp_replace(regexp_replace(regexp_replace(
        normalize(lower(name), NFKD), '[\u0300-\u036F\u200C\u200D]', '', 'g'), '\s+', ' ', 'g'), '\^+(=|$)', '\1', 'g'), NFC)
$_$;

COMMENT ON FUNCTION public.name_match_text(name text) IS 'a person name as PS3.4 C.2.2.2.1 compares it: case, accents, spaces and trailing carets do not count';

CREATE FUNCTION public.refuse_change_of_signed_version() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'a version of a report cannot be changed or removed';
END
$$;

CREATE TABLE public.accounts (
    id uuid NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    password_hash text,
    must_change_password boolean DEFAULT false NOT NULL,
    practitioner_reference text,
    display text DEFAULT ''::text NOT NULL,
    facility_code text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    disabled_at timestamp with time zone
);

CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);

CREATE TABLE public.application_entities (
    ae_title text NOT NULL,
    host text DEFAULT ''::text NOT NULL,
    port integer,
    services text[] DEFAULT '{echo,store,find,move,get,mwl,mpps,commit,ups}'::text[] NOT NULL,
    facility_code text,
    max_associations integer,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    hosts text[] DEFAULT '{}'::text[] NOT NULL,
    move_destination boolean DEFAULT false NOT NULL,
    tls text DEFAULT 'allowed'::text NOT NULL,
    certificate_fingerprint text DEFAULT ''::text NOT NULL,
    certificate_subject text DEFAULT ''::text NOT NULL,
    outgoing_associations integer DEFAULT 4 NOT NULL,
    transfer_syntaxes text[] DEFAULT '{}'::text[] NOT NULL,
    wide_area boolean DEFAULT false NOT NULL,
    default_charset text DEFAULT ''::text NOT NULL,
    utc_offset text DEFAULT ''::text NOT NULL,
    sensitive_access text DEFAULT 'none'::text NOT NULL,
    trusted_for_rejection boolean DEFAULT false NOT NULL,
    wants_warnings boolean DEFAULT true NOT NULL,
    offers_commitment boolean DEFAULT true NOT NULL,
    checks_user boolean DEFAULT false NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    CONSTRAINT application_entities_ae_title_check CHECK (((ae_title = btrim(ae_title)) AND ((length(ae_title) >= 1) AND (length(ae_title) <= 16)))),
    CONSTRAINT application_entities_max_associations_check CHECK ((max_associations > 0)),
    CONSTRAINT application_entities_outgoing_associations_check CHECK ((outgoing_associations > 0)),
    CONSTRAINT application_entities_port_check CHECK (((port >= 1) AND (port <= 65535))),
    CONSTRAINT application_entities_sensitive_access_check CHECK ((sensitive_access = ANY (ARRAY['none'::text, 'mask'::text, 'full'::text]))),
    CONSTRAINT application_entities_tls_check CHECK ((tls = ANY (ARRAY['required'::text, 'allowed'::text, 'off'::text])))
);

COMMENT ON COLUMN public.application_entities.host IS 'where it listens';

COMMENT ON COLUMN public.application_entities.hosts IS 'where it may call from: addresses, networks, names; empty: host';

COMMENT ON COLUMN public.application_entities.certificate_fingerprint IS 'SHA-256 of its certificate, 64 hexadecimal digits';

CREATE TABLE public.audit_events (
    id uuid NOT NULL,
    occurred_at timestamp with time zone DEFAULT now() NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    outcome text DEFAULT 'success'::text NOT NULL,
    detail jsonb
);

CREATE TABLE public.availability_notices (
    id uuid NOT NULL,
    ae_title text NOT NULL,
    study_instance_uid text NOT NULL,
    rejection_id uuid,
    requested_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    sent_at timestamp with time zone,
    given_up_at timestamp with time zone,
    last_error text
);

COMMENT ON COLUMN public.availability_notices.rejection_id IS 'tells that these instances are UNAVAILABLE; null: the study is ONLINE';

CREATE TABLE public.commitment_outcomes (
    transaction_uid text NOT NULL,
    sop_class_uid text NOT NULL,
    sop_instance_uid text NOT NULL,
    outcome text DEFAULT 'asked'::text NOT NULL,
    failure_reason integer,
    CONSTRAINT commitment_outcomes_outcome_check CHECK ((outcome = ANY (ARRAY['asked'::text, 'committed'::text, 'failed'::text])))
);

CREATE TABLE public.commitment_references (
    request_id uuid NOT NULL,
    place integer NOT NULL,
    sop_class_uid text NOT NULL,
    sop_instance_uid text NOT NULL,
    failure_reason integer
);

COMMENT ON COLUMN public.commitment_references.failure_reason IS '(0008,1197); null while undecided and where committed';

CREATE TABLE public.commitment_requests (
    id uuid NOT NULL,
    ae_title text NOT NULL,
    transaction_uid text NOT NULL,
    duplicate boolean DEFAULT false NOT NULL,
    requested_at timestamp with time zone NOT NULL,
    decided_at timestamp with time zone,
    attempts integer DEFAULT 0 NOT NULL,
    claimed_until timestamp with time zone,
    reported_at timestamp with time zone,
    given_up_at timestamp with time zone,
    last_error text
);

COMMENT ON TABLE public.commitment_requests IS 'what others ask us to keep (PS3.4 J), until it was reported to them';

CREATE TABLE public.commitments_asked (
    transaction_uid text NOT NULL,
    ae_title text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone,
    answered_at timestamp with time zone,
    given_up_at timestamp with time zone,
    attempts integer DEFAULT 0 NOT NULL,
    last_error text
);

COMMENT ON TABLE public.commitments_asked IS 'what we ask others to keep';

CREATE TABLE public.imaging_series (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    series_id character varying(50) DEFAULT ('series-'::text || gen_random_uuid()) NOT NULL,
    study_id uuid NOT NULL,
    series_instance_uid character varying(64) NOT NULL,
    modality character varying(16) NOT NULL,
    series_description text,
    series_number integer,
    body_site jsonb,
    laterality character varying(16),
    started timestamp with time zone,
    performer jsonb,
    instance jsonb,
    protocol_name character varying(200),
    acquisition_parameters jsonb,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    dicom jsonb DEFAULT '{}'::jsonb NOT NULL,
    number_of_instances integer DEFAULT 0 NOT NULL
);

CREATE SEQUENCE public.study_number
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE public.imaging_studies (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    study_id character varying(50) DEFAULT ('study-'::text || nextval('public.study_number'::regclass)) NOT NULL,
    patient_id uuid NOT NULL,
    encounter_id text,
    status character varying(20) DEFAULT 'registered'::character varying NOT NULL,
    modality jsonb DEFAULT '[]'::jsonb NOT NULL,
    subject_type character varying(20) DEFAULT 'patient'::character varying NOT NULL,
    subject_id uuid GENERATED ALWAYS AS (patient_id) STORED NOT NULL,
    encounter_reference text GENERATED ALWAYS AS (encounter_id) STORED,
    started timestamp with time zone,
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
    accession_number character varying(50),
    study_instance_uid character varying(64) NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    metadata jsonb,
    version integer DEFAULT 1 NOT NULL,
    facility_code text NOT NULL,
    completed timestamp with time zone,
    reason_no_images text,
    flags text[] DEFAULT '{}'::text[] NOT NULL,
    modalities_in_study text[] DEFAULT '{}'::text[] NOT NULL,
    procedure_codes text[] DEFAULT '{}'::text[] NOT NULL,
    performers text[] DEFAULT '{}'::text[] NOT NULL,
    interpreters text[] DEFAULT '{}'::text[] NOT NULL,
    dicom_patient_id text DEFAULT ''::text NOT NULL,
    issuer_of_patient_id text DEFAULT ''::text NOT NULL,
    patient_name text DEFAULT ''::text NOT NULL,
    patient_name_search text DEFAULT ''::text NOT NULL,
    patient_birth_date text DEFAULT ''::text NOT NULL,
    patient_sex text DEFAULT ''::text NOT NULL,
    dicom_study_id text DEFAULT ''::text NOT NULL,
    study_date date,
    study_time time without time zone,
    referring_physician_search text DEFAULT ''::text NOT NULL,
    dicom jsonb DEFAULT '{}'::jsonb NOT NULL,
    number_of_series integer DEFAULT 0 NOT NULL,
    number_of_instances integer DEFAULT 0 NOT NULL,
    size_bytes bigint DEFAULT 0 NOT NULL,
    last_instance_at timestamp with time zone,
    findable boolean GENERATED ALWAYS AS ((((status)::text <> 'entered-in-error'::text) AND (number_of_instances > 0))) STORED NOT NULL,
    CONSTRAINT imaging_studies_status_check CHECK (((status)::text = ANY ((ARRAY['registered'::character varying, 'scheduled'::character varying, 'arrived'::character varying, 'in-progress'::character varying, 'completed'::character varying, 'cancelled'::character varying, 'entered-in-error'::character varying, 'unknown'::character varying])::text[])))
);

COMMENT ON COLUMN public.imaging_studies.series IS 'planned series as whoever created the study gave them; stored series are rows of imaging_series';

COMMENT ON COLUMN public.imaging_studies.dicom_patient_id IS '(0010,0020) as the first object of the study gave it';

COMMENT ON COLUMN public.imaging_studies.dicom IS 'patient and study attributes of the first object, DICOM JSON (PS3.18 F)';

COMMENT ON COLUMN public.imaging_studies.findable IS 'whether DICOM searches and retrievals see the study';

CREATE TABLE public.instances (
    sop_instance_uid text NOT NULL,
    series_id uuid NOT NULL,
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
    flags text[] DEFAULT '{}'::text[] NOT NULL,
    source_ae_title text DEFAULT ''::text NOT NULL,
    stored_at timestamp with time zone NOT NULL,
    attributes bytea NOT NULL
);

COMMENT ON COLUMN public.instances.pixel_data_length IS 'bytes of native pixel data; null where encapsulated';

COMMENT ON COLUMN public.instances.attributes IS 'all attributes as DICOM JSON; binary values over 1 KiB by BulkDataURI "@/<tag path>"';

CREATE TABLE public.outbox (
    sequence bigint NOT NULL,
    "position" bigint,
    id uuid NOT NULL,
    type text NOT NULL,
    key text NOT NULL,
    body jsonb NOT NULL,
    facility_code text,
    occurred_at timestamp with time zone DEFAULT now() NOT NULL,
    relayed_at timestamp with time zone
);

COMMENT ON COLUMN public.outbox."position" IS 'order of the change feed, given once the row is committed, so that no reader ever misses one';

CREATE SEQUENCE public.outbox_position
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE public.outbox_readers (
    name text NOT NULL,
    "position" bigint NOT NULL
);

COMMENT ON TABLE public.outbox_readers IS 'how far each part of the service that acts on events has read the outbox';

ALTER TABLE public.outbox ALTER COLUMN sequence ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.outbox_sequence_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.patients (
    id uuid NOT NULL,
    reference text NOT NULL,
    patient_id text DEFAULT ''::text NOT NULL,
    issuer_of_patient_id text DEFAULT ''::text NOT NULL,
    patient_name text DEFAULT ''::text NOT NULL,
    birth_date text DEFAULT ''::text NOT NULL,
    sex text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON COLUMN public.patients.patient_name IS 'as (0010,0010) gave it, component groups joined by =';

COMMENT ON COLUMN public.patients.birth_date IS 'as (0010,0030) gave it: YYYYMMDD or empty';

CREATE TABLE public.performed_instances (
    performed_step_id uuid NOT NULL,
    series_instance_uid text NOT NULL,
    sop_class_uid text NOT NULL,
    sop_instance_uid text NOT NULL
);

COMMENT ON TABLE public.performed_instances IS 'the Performed Series Sequence (0040,0340): what a modality says that it made';

CREATE TABLE public.performed_of_scheduled (
    performed_step_id uuid NOT NULL,
    scheduled_step_id uuid NOT NULL,
    unlinked_at timestamp with time zone
);

COMMENT ON COLUMN public.performed_of_scheduled.unlinked_at IS 'the wrong worklist entry had been selected (CID 9300, 110514)';

CREATE TABLE public.performed_procedure_steps (
    id uuid NOT NULL,
    sop_instance_uid text NOT NULL,
    facility_code text NOT NULL,
    source_ae_title text NOT NULL,
    status text NOT NULL,
    study_instance_uids text[] NOT NULL,
    modality text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    received_end_at timestamp with time zone,
    discontinuation_code text,
    attributes jsonb NOT NULL,
    number_of_instances integer DEFAULT 0 NOT NULL,
    number_missing integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT performed_procedure_steps_sop_instance_uid_check CHECK (((length(sop_instance_uid) >= 1) AND (length(sop_instance_uid) <= 64))),
    CONSTRAINT performed_procedure_steps_status_check CHECK ((status = ANY (ARRAY['IN PROGRESS'::text, 'COMPLETED'::text, 'DISCONTINUED'::text])))
);

COMMENT ON COLUMN public.performed_procedure_steps.received_end_at IS 'when COMPLETED or DISCONTINUED came; what is missing 15 minutes later is an incomplete transfer';

COMMENT ON COLUMN public.performed_procedure_steps.attributes IS 'the data sets of N-CREATE and N-SET, merged, DICOM JSON (PS3.18 F)';

COMMENT ON COLUMN public.performed_procedure_steps.number_missing IS 'referenced instances that are not stored, as of updated_at';

CREATE TABLE public.quarantine (
    id uuid NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    object_key text NOT NULL,
    size_bytes bigint NOT NULL,
    study_instance_uid text NOT NULL,
    series_instance_uid text NOT NULL,
    sop_instance_uid text NOT NULL,
    data_set_sha256 bytea NOT NULL,
    source_ae_title text DEFAULT ''::text NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    resolved_at timestamp with time zone,
    resolved_by text,
    resolution text,
    CONSTRAINT quarantine_reason_check CHECK ((reason = ANY (ARRAY['conflicting_duplicate'::text, 'patient_conflict'::text, 'series_conflict'::text, 'unindexable'::text, 'rejected'::text])))
);

CREATE SEQUENCE public.report_number
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE public.radiology_reports (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    report_id character varying(50) DEFAULT ('report-'::text || nextval('public.report_number'::regclass)) NOT NULL,
    study_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    encounter_id text,
    status character varying(20) DEFAULT 'preliminary'::character varying NOT NULL,
    category jsonb NOT NULL,
    code jsonb NOT NULL,
    subject_type character varying(20) DEFAULT 'patient'::character varying NOT NULL,
    subject_id uuid GENERATED ALWAYS AS (patient_id) STORED NOT NULL,
    encounter_reference text GENERATED ALWAYS AS (encounter_id) STORED,
    effective_date_time timestamp with time zone,
    issued timestamp with time zone,
    performer jsonb,
    results_interpreter jsonb,
    findings text,
    impression text,
    recommendation text,
    comparison text,
    technique text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    metadata jsonb,
    version integer DEFAULT 1 NOT NULL,
    sections jsonb DEFAULT '[]'::jsonb NOT NULL,
    warnings jsonb DEFAULT '[]'::jsonb NOT NULL,
    author text NOT NULL,
    approver jsonb,
    self_approved boolean DEFAULT false NOT NULL,
    CONSTRAINT radiology_reports_status_check CHECK (((status)::text = ANY ((ARRAY['registered'::character varying, 'partial'::character varying, 'preliminary'::character varying, 'final'::character varying, 'amended'::character varying, 'corrected'::character varying, 'appended'::character varying, 'cancelled'::character varying, 'entered-in-error'::character varying])::text[])))
);

CREATE TABLE public.rejected_instances (
    sop_instance_uid text CONSTRAINT instances_sop_instance_uid_not_null NOT NULL,
    series_id uuid CONSTRAINT instances_series_id_not_null NOT NULL,
    study_id uuid CONSTRAINT instances_study_id_not_null NOT NULL,
    sop_class_uid text CONSTRAINT instances_sop_class_uid_not_null NOT NULL,
    transfer_syntax_uid text CONSTRAINT instances_transfer_syntax_uid_not_null NOT NULL,
    instance_number integer,
    number_of_frames integer,
    pixel_rows integer,
    pixel_columns integer,
    bits_allocated integer,
    object_key text CONSTRAINT instances_object_key_not_null NOT NULL,
    size_bytes bigint CONSTRAINT instances_size_bytes_not_null NOT NULL,
    data_set_offset integer CONSTRAINT instances_data_set_offset_not_null NOT NULL,
    pixel_data_offset bigint,
    pixel_data_length bigint,
    data_set_sha256 bytea CONSTRAINT instances_data_set_sha256_not_null NOT NULL,
    flags text[] CONSTRAINT instances_flags_not_null NOT NULL,
    source_ae_title text CONSTRAINT instances_source_ae_title_not_null NOT NULL,
    stored_at timestamp with time zone CONSTRAINT instances_stored_at_not_null NOT NULL,
    attributes bytea CONSTRAINT instances_attributes_not_null NOT NULL,
    rejection_id uuid NOT NULL
);

CREATE TABLE public.rejection_references (
    rejection_id uuid NOT NULL,
    sop_instance_uid text NOT NULL,
    in_force boolean DEFAULT true NOT NULL
);

COMMENT ON COLUMN public.rejection_references.in_force IS 'false once it was withdrawn, or stored anew after its retention had expired';

CREATE TABLE public.rejection_withdrawals (
    rejection_id uuid NOT NULL,
    reason text NOT NULL,
    actor text NOT NULL,
    withdrawn_at timestamp with time zone NOT NULL
);

CREATE TABLE public.rejections (
    id uuid NOT NULL,
    study_instance_uid text NOT NULL,
    facility_code text NOT NULL,
    title text NOT NULL,
    category text NOT NULL,
    reason text NOT NULL,
    actor text NOT NULL,
    key_object_uid text,
    rejected_at timestamp with time zone NOT NULL,
    CONSTRAINT rejections_category_check CHECK ((category = ANY (ARRAY['positioning'::text, 'exposure'::text, 'motion'::text, 'artefact'::text, 'wrong-patient'::text, 'equipment'::text, 'other'::text]))),
    CONSTRAINT rejections_title_check CHECK ((title = ANY (ARRAY['113001'::text, '113037'::text, '113038'::text, '113039'::text])))
);

COMMENT ON COLUMN public.rejections.title IS 'document title of the key object, code of DCM (PS3.16 CID 7010)';

COMMENT ON COLUMN public.rejections.key_object_uid IS 'SOP Instance UID of the key object that rejected; null by REST';

CREATE TABLE public.report_versions (
    report_id uuid NOT NULL,
    version_no integer NOT NULL,
    status character varying(20) NOT NULL,
    content_json jsonb NOT NULL,
    rendered_text text NOT NULL,
    sha256 bytea NOT NULL,
    prev_sha256 bytea,
    author_ids text[] NOT NULL,
    approver_id text,
    signed_at timestamp with time zone NOT NULL,
    reason_code text,
    reason_text text
);

CREATE TABLE public.scheduled_procedure_step_transitions (
    id bigint NOT NULL,
    step_id uuid NOT NULL,
    from_status text,
    to_status text NOT NULL,
    trigger text NOT NULL,
    actor text NOT NULL,
    reason text,
    occurred_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE public.scheduled_procedure_step_transitions ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.scheduled_procedure_step_transitions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.scheduled_procedure_steps (
    id uuid NOT NULL,
    scheduled_procedure_step_id text NOT NULL,
    facility_code text NOT NULL,
    status text DEFAULT 'SCHEDULED'::text NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    service_request text,
    accession_number text NOT NULL,
    requested_procedure_id text NOT NULL,
    study_instance_uid text NOT NULL,
    modality text NOT NULL,
    station_ae_titles text[] DEFAULT '{}'::text[] NOT NULL,
    station_pool text,
    scheduled_start timestamp with time zone NOT NULL,
    patient_id text NOT NULL,
    issuer_of_patient_id text NOT NULL,
    patient_name text NOT NULL,
    patient_name_match text[] NOT NULL,
    patient_name_keys text[] NOT NULL,
    performing_physician_match text[] DEFAULT '{}'::text[] NOT NULL,
    details jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT scheduled_procedure_steps_accession_number_check CHECK (((length(accession_number) >= 1) AND (length(accession_number) <= 16))),
    CONSTRAINT scheduled_procedure_steps_requested_procedure_id_check CHECK (((length(requested_procedure_id) >= 1) AND (length(requested_procedure_id) <= 16))),
    CONSTRAINT scheduled_procedure_steps_scheduled_procedure_step_id_check CHECK (((length(scheduled_procedure_step_id) >= 1) AND (length(scheduled_procedure_step_id) <= 16))),
    CONSTRAINT scheduled_procedure_steps_status_check CHECK ((status = ANY (ARRAY['SCHEDULED'::text, 'ARRIVED'::text, 'READY'::text, 'STARTED'::text, 'COMPLETED'::text, 'DISCONTINUED'::text, 'CANCELED'::text]))),
    CONSTRAINT scheduled_procedure_steps_study_instance_uid_check CHECK (((length(study_instance_uid) >= 1) AND (length(study_instance_uid) <= 64)))
);

COMMENT ON COLUMN public.scheduled_procedure_steps.service_request IS 'the order it belongs to, as ServiceRequest/111';

COMMENT ON COLUMN public.scheduled_procedure_steps.station_pool IS 'where no station is named: any station of this pool; without both, any of the modality';

COMMENT ON COLUMN public.scheduled_procedure_steps.patient_name_match IS 'component groups as PS3.4 C.2.2.2.1 compares them';

COMMENT ON COLUMN public.scheduled_procedure_steps.patient_name_keys IS 'the words of the name by their sound';

COMMENT ON COLUMN public.scheduled_procedure_steps.details IS 'the item as it was placed';

CREATE TABLE public.station_pools (
    facility_code text NOT NULL,
    name text NOT NULL,
    modality text NOT NULL,
    ae_titles text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT station_pools_name_check CHECK (((length(name) >= 1) AND (length(name) <= 16)))
);

COMMENT ON TABLE public.station_pools IS 'stations that take each other''s work';

CREATE TABLE public.study_transitions (
    id bigint NOT NULL,
    study_id uuid NOT NULL,
    from_status text,
    to_status text NOT NULL,
    trigger text NOT NULL,
    actor text NOT NULL,
    reason text,
    occurred_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE public.study_transitions ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.study_transitions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.tokens (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    token_sha256 bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone
);

CREATE TABLE public.worker_marks (
    name text NOT NULL,
    at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.worker_marks IS 'until when a repeated task has done its work';

CREATE SEQUENCE public.worklist_number
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_name_key UNIQUE (name);

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);

ALTER TABLE ONLY public.application_entities
    ADD CONSTRAINT application_entities_pkey PRIMARY KEY (ae_title);

ALTER TABLE ONLY public.audit_events
    ADD CONSTRAINT audit_events_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.availability_notices
    ADD CONSTRAINT availability_notices_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.commitment_outcomes
    ADD CONSTRAINT commitment_outcomes_pkey PRIMARY KEY (transaction_uid, sop_instance_uid);

ALTER TABLE ONLY public.commitment_references
    ADD CONSTRAINT commitment_references_pkey PRIMARY KEY (request_id, place);

ALTER TABLE ONLY public.commitment_requests
    ADD CONSTRAINT commitment_requests_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.commitments_asked
    ADD CONSTRAINT commitments_asked_pkey PRIMARY KEY (transaction_uid);

ALTER TABLE ONLY public.imaging_series
    ADD CONSTRAINT imaging_series_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.imaging_series
    ADD CONSTRAINT imaging_series_series_id_key UNIQUE (series_id);

ALTER TABLE ONLY public.imaging_series
    ADD CONSTRAINT imaging_series_series_instance_uid_key UNIQUE (series_instance_uid);

ALTER TABLE ONLY public.imaging_studies
    ADD CONSTRAINT imaging_studies_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.imaging_studies
    ADD CONSTRAINT imaging_studies_study_id_key UNIQUE (study_id);

ALTER TABLE ONLY public.imaging_studies
    ADD CONSTRAINT imaging_studies_study_instance_uid_key UNIQUE (study_instance_uid);

ALTER TABLE ONLY public.instances
    ADD CONSTRAINT instances_pkey PRIMARY KEY (sop_instance_uid);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (sequence);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_position_key UNIQUE ("position");

ALTER TABLE ONLY public.outbox_readers
    ADD CONSTRAINT outbox_readers_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.patients
    ADD CONSTRAINT patients_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.patients
    ADD CONSTRAINT patients_reference_key UNIQUE (reference);

ALTER TABLE ONLY public.performed_instances
    ADD CONSTRAINT performed_instances_pkey PRIMARY KEY (performed_step_id, sop_instance_uid);

ALTER TABLE ONLY public.performed_of_scheduled
    ADD CONSTRAINT performed_of_scheduled_pkey PRIMARY KEY (performed_step_id, scheduled_step_id);

ALTER TABLE ONLY public.performed_procedure_steps
    ADD CONSTRAINT performed_procedure_steps_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.performed_procedure_steps
    ADD CONSTRAINT performed_procedure_steps_sop_instance_uid_key UNIQUE (sop_instance_uid);

ALTER TABLE ONLY public.quarantine
    ADD CONSTRAINT quarantine_object_key_key UNIQUE (object_key);

ALTER TABLE ONLY public.quarantine
    ADD CONSTRAINT quarantine_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.radiology_reports
    ADD CONSTRAINT radiology_reports_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.radiology_reports
    ADD CONSTRAINT radiology_reports_report_id_key UNIQUE (report_id);

ALTER TABLE ONLY public.rejected_instances
    ADD CONSTRAINT rejected_instances_pkey PRIMARY KEY (object_key);

ALTER TABLE ONLY public.rejection_references
    ADD CONSTRAINT rejection_references_pkey PRIMARY KEY (rejection_id, sop_instance_uid);

ALTER TABLE ONLY public.rejection_withdrawals
    ADD CONSTRAINT rejection_withdrawals_pkey PRIMARY KEY (rejection_id);

ALTER TABLE ONLY public.rejections
    ADD CONSTRAINT rejections_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.report_versions
    ADD CONSTRAINT report_versions_pkey PRIMARY KEY (report_id, version_no);

ALTER TABLE ONLY public.scheduled_procedure_step_transitions
    ADD CONSTRAINT scheduled_procedure_step_transitions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.scheduled_procedure_steps
    ADD CONSTRAINT scheduled_procedure_steps_facility_code_scheduled_procedure_key UNIQUE (facility_code, scheduled_procedure_step_id);

ALTER TABLE ONLY public.scheduled_procedure_steps
    ADD CONSTRAINT scheduled_procedure_steps_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.station_pools
    ADD CONSTRAINT station_pools_pkey PRIMARY KEY (facility_code, name);

ALTER TABLE ONLY public.study_transitions
    ADD CONSTRAINT study_transitions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_token_sha256_key UNIQUE (token_sha256);

ALTER TABLE ONLY public.worker_marks
    ADD CONSTRAINT worker_marks_pkey PRIMARY KEY (name);

CREATE INDEX audit_events_subject ON public.audit_events USING btree (subject, occurred_at);

CREATE INDEX availability_notices_newest ON public.availability_notices USING btree (requested_at DESC, id DESC);

CREATE INDEX commitment_outcomes_instance ON public.commitment_outcomes USING btree (sop_instance_uid);

CREATE INDEX commitment_requests_newest ON public.commitment_requests USING btree (requested_at DESC, id DESC);

CREATE UNIQUE INDEX commitment_requests_transaction ON public.commitment_requests USING btree (ae_title, transaction_uid) WHERE (NOT duplicate);

CREATE INDEX commitments_asked_newest ON public.commitments_asked USING btree (asked_at DESC, transaction_uid DESC);

CREATE INDEX idx_imaging_series_modality ON public.imaging_series USING btree (modality);

CREATE INDEX idx_imaging_series_study ON public.imaging_series USING btree (study_id);

CREATE INDEX idx_imaging_studies_accession ON public.imaging_studies USING btree (accession_number);

CREATE INDEX idx_imaging_studies_modality ON public.imaging_studies USING gin (modalities_in_study);

CREATE INDEX idx_imaging_studies_patient ON public.imaging_studies USING btree (patient_id);

CREATE INDEX idx_imaging_studies_started ON public.imaging_studies USING btree (COALESCE(started, created_at) DESC, id DESC);

CREATE INDEX idx_imaging_studies_status ON public.imaging_studies USING btree (status, last_instance_at);

CREATE INDEX idx_radiology_reports_patient ON public.radiology_reports USING btree (patient_id);

CREATE INDEX idx_radiology_reports_status ON public.radiology_reports USING btree (status, issued);

CREATE INDEX idx_radiology_reports_study ON public.radiology_reports USING btree (study_id);

CREATE INDEX imaging_studies_codes_and_readers ON public.imaging_studies USING gin (procedure_codes, performers, interpreters);

CREATE INDEX imaging_studies_dicom_patient_id ON public.imaging_studies USING btree (dicom_patient_id, study_date DESC);

CREATE INDEX imaging_studies_encounter ON public.imaging_studies USING btree (encounter_id) WHERE (encounter_id IS NOT NULL);

CREATE INDEX imaging_studies_newest ON public.imaging_studies USING btree (COALESCE(started, created_at) DESC, id DESC);

CREATE INDEX imaging_studies_order ON public.imaging_studies USING btree (study_date DESC NULLS LAST, study_time DESC NULLS LAST, study_instance_uid) INCLUDE (facility_code) WHERE findable;

CREATE INDEX imaging_studies_patient_name ON public.imaging_studies USING gin (patient_name_search public.gin_trgm_ops);

CREATE INDEX instances_series ON public.instances USING btree (series_id, instance_number);

CREATE INDEX instances_stored_at ON public.instances USING brin (stored_at);

CREATE INDEX instances_study ON public.instances USING btree (study_id);

CREATE INDEX outbox_unplaced ON public.outbox USING btree (sequence) WHERE ("position" IS NULL);

CREATE INDEX outbox_unrelayed ON public.outbox USING btree ("position") WHERE (relayed_at IS NULL);

CREATE INDEX patients_patient_id ON public.patients USING btree (patient_id, issuer_of_patient_id);

CREATE INDEX performed_of_scheduled_scheduled ON public.performed_of_scheduled USING btree (scheduled_step_id);

CREATE INDEX performed_procedure_steps_missing ON public.performed_procedure_steps USING btree (received_end_at) WHERE (number_missing > 0);

CREATE INDEX performed_procedure_steps_studies ON public.performed_procedure_steps USING gin (study_instance_uids);

CREATE INDEX quarantine_open ON public.quarantine USING btree (received_at) WHERE (resolved_at IS NULL);

CREATE INDEX radiology_reports_newest ON public.radiology_reports USING btree (created_at DESC, id DESC);

CREATE INDEX rejected_instances_rejection ON public.rejected_instances USING btree (rejection_id);

CREATE INDEX rejection_references_in_force ON public.rejection_references USING btree (sop_instance_uid) WHERE in_force;

CREATE INDEX rejections_newest ON public.rejections USING btree (rejected_at DESC, id DESC);

CREATE INDEX rejections_study ON public.rejections USING btree (study_instance_uid);

CREATE INDEX scheduled_procedure_step_transitions_step ON public.scheduled_procedure_step_transitions USING btree (step_id);

CREATE INDEX scheduled_procedure_steps_accession ON public.scheduled_procedure_steps USING btree (accession_number, facility_code);

CREATE INDEX scheduled_procedure_steps_open ON public.scheduled_procedure_steps USING btree (facility_code, scheduled_start, id) WHERE (status = ANY (ARRAY['SCHEDULED'::text, 'ARRIVED'::text, 'READY'::text]));

CREATE INDEX scheduled_procedure_steps_order ON public.scheduled_procedure_steps USING btree (service_request) WHERE (service_request IS NOT NULL);

CREATE INDEX scheduled_procedure_steps_patient ON public.scheduled_procedure_steps USING btree (patient_id, facility_code);

CREATE INDEX scheduled_procedure_steps_start ON public.scheduled_procedure_steps USING btree (scheduled_start DESC, id DESC);

CREATE INDEX scheduled_procedure_steps_study ON public.scheduled_procedure_steps USING btree (study_instance_uid);

CREATE INDEX study_transitions_study ON public.study_transitions USING btree (study_id);

CREATE TRIGGER report_versions_insert_only BEFORE DELETE OR UPDATE ON public.report_versions FOR EACH ROW EXECUTE FUNCTION public.refuse_change_of_signed_version();

ALTER TABLE ONLY public.availability_notices
    ADD CONSTRAINT availability_notices_rejection_id_fkey FOREIGN KEY (rejection_id) REFERENCES public.rejections(id);

ALTER TABLE ONLY public.commitment_outcomes
    ADD CONSTRAINT commitment_outcomes_transaction_uid_fkey FOREIGN KEY (transaction_uid) REFERENCES public.commitments_asked(transaction_uid) ON DELETE CASCADE;

ALTER TABLE ONLY public.commitment_references
    ADD CONSTRAINT commitment_references_request_id_fkey FOREIGN KEY (request_id) REFERENCES public.commitment_requests(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.imaging_series
    ADD CONSTRAINT imaging_series_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.imaging_studies(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.imaging_studies
    ADD CONSTRAINT imaging_studies_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES public.patients(id);

ALTER TABLE ONLY public.instances
    ADD CONSTRAINT instances_series_id_fkey FOREIGN KEY (series_id) REFERENCES public.imaging_series(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.performed_instances
    ADD CONSTRAINT performed_instances_performed_step_id_fkey FOREIGN KEY (performed_step_id) REFERENCES public.performed_procedure_steps(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.performed_of_scheduled
    ADD CONSTRAINT performed_of_scheduled_performed_step_id_fkey FOREIGN KEY (performed_step_id) REFERENCES public.performed_procedure_steps(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.performed_of_scheduled
    ADD CONSTRAINT performed_of_scheduled_scheduled_step_id_fkey FOREIGN KEY (scheduled_step_id) REFERENCES public.scheduled_procedure_steps(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.radiology_reports
    ADD CONSTRAINT radiology_reports_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES public.patients(id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.radiology_reports
    ADD CONSTRAINT radiology_reports_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.imaging_studies(id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.rejected_instances
    ADD CONSTRAINT rejected_instances_rejection_id_fkey FOREIGN KEY (rejection_id) REFERENCES public.rejections(id);

ALTER TABLE ONLY public.rejection_references
    ADD CONSTRAINT rejection_references_rejection_id_fkey FOREIGN KEY (rejection_id) REFERENCES public.rejections(id);

ALTER TABLE ONLY public.rejection_withdrawals
    ADD CONSTRAINT rejection_withdrawals_rejection_id_fkey FOREIGN KEY (rejection_id) REFERENCES public.rejections(id);

ALTER TABLE ONLY public.report_versions
    ADD CONSTRAINT report_versions_report_id_fkey FOREIGN KEY (report_id) REFERENCES public.radiology_reports(id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.scheduled_procedure_step_transitions
    ADD CONSTRAINT scheduled_procedure_step_transitions_step_id_fkey FOREIGN KEY (step_id) REFERENCES public.scheduled_procedure_steps(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.study_transitions
    ADD CONSTRAINT study_transitions_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.imaging_studies(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;
