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
    services text[] DEFAULT '{echo,store,find,move,get}'::text[] NOT NULL,
    facility_code text,
    max_associations integer,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT application_entities_ae_title_check CHECK (((ae_title = btrim(ae_title)) AND ((length(ae_title) >= 1) AND (length(ae_title) <= 16)))),
    CONSTRAINT application_entities_max_associations_check CHECK ((max_associations > 0)),
    CONSTRAINT application_entities_port_check CHECK (((port >= 1) AND (port <= 65535)))
);

CREATE TABLE public.audit_events (
    id uuid NOT NULL,
    occurred_at timestamp with time zone DEFAULT now() NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    outcome text DEFAULT 'success'::text NOT NULL,
    detail jsonb
);

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
    CONSTRAINT quarantine_reason_check CHECK ((reason = ANY (ARRAY['conflicting_duplicate'::text, 'patient_conflict'::text, 'series_conflict'::text, 'unindexable'::text])))
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

ALTER TABLE ONLY public.patients
    ADD CONSTRAINT patients_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.patients
    ADD CONSTRAINT patients_reference_key UNIQUE (reference);

ALTER TABLE ONLY public.quarantine
    ADD CONSTRAINT quarantine_object_key_key UNIQUE (object_key);

ALTER TABLE ONLY public.quarantine
    ADD CONSTRAINT quarantine_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.radiology_reports
    ADD CONSTRAINT radiology_reports_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.radiology_reports
    ADD CONSTRAINT radiology_reports_report_id_key UNIQUE (report_id);

ALTER TABLE ONLY public.report_versions
    ADD CONSTRAINT report_versions_pkey PRIMARY KEY (report_id, version_no);

ALTER TABLE ONLY public.study_transitions
    ADD CONSTRAINT study_transitions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_token_sha256_key UNIQUE (token_sha256);

ALTER TABLE ONLY public.worker_marks
    ADD CONSTRAINT worker_marks_pkey PRIMARY KEY (name);

CREATE INDEX audit_events_subject ON public.audit_events USING btree (subject, occurred_at);

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

CREATE INDEX quarantine_open ON public.quarantine USING btree (received_at) WHERE (resolved_at IS NULL);

CREATE INDEX radiology_reports_newest ON public.radiology_reports USING btree (created_at DESC, id DESC);

CREATE INDEX study_transitions_study ON public.study_transitions USING btree (study_id);

CREATE TRIGGER report_versions_insert_only BEFORE DELETE OR UPDATE ON public.report_versions FOR EACH ROW EXECUTE FUNCTION public.refuse_change_of_signed_version();

ALTER TABLE ONLY public.imaging_series
    ADD CONSTRAINT imaging_series_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.imaging_studies(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.imaging_studies
    ADD CONSTRAINT imaging_studies_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES public.patients(id);

ALTER TABLE ONLY public.instances
    ADD CONSTRAINT instances_series_id_fkey FOREIGN KEY (series_id) REFERENCES public.imaging_series(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.radiology_reports
    ADD CONSTRAINT radiology_reports_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES public.patients(id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.radiology_reports
    ADD CONSTRAINT radiology_reports_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.imaging_studies(id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.report_versions
    ADD CONSTRAINT report_versions_report_id_fkey FOREIGN KEY (report_id) REFERENCES public.radiology_reports(id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.study_transitions
    ADD CONSTRAINT study_transitions_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.imaging_studies(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;
