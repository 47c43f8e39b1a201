CREATE SCHEMA jobs;

CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;

COMMENT ON EXTENSION pg_trgm IS 'text similarity measurement and index searching based on trigrams';

CREATE TYPE jobs.procrastinate_job_event_type AS ENUM (
    'deferred',
    'started',
    'deferred_for_retry',
    'failed',
    'succeeded',
    'cancelled',
    'abort_requested',
    'aborted',
    'scheduled',
    'retried'
);

CREATE TYPE jobs.procrastinate_job_status AS ENUM (
    'todo',
    'doing',
    'succeeded',
    'failed',
    'cancelled',
    'aborting',
    'aborted'
);

CREATE TYPE jobs.procrastinate_job_to_defer_v1 AS (
	queue_name character varying,
	task_name character varying,
	priority integer,
	lock text,
	queueing_lock text,
	args jsonb,
	scheduled_at timestamp with time zone
);

CREATE FUNCTION jobs.procrastinate_cancel_job_v1(job_id bigint, abort boolean, delete_job boolean) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'jobs', 'pg_catalog'
    AS $$
DECLARE
    _job_id bigint;
BEGIN
    IF delete_job THEN
        DELETE FROM procrastinate_jobs
        WHERE id = job_id AND status = 'todo'
        RETURNING id INTO _job_id;
    END IF;
    IF _job_id IS NULL THEN
        IF abort THEN
            UPDATE procrastinate_jobs
            SET abort_requested = true,
                status = CASE status
                    WHEN 'todo' THEN 'cancelled'::procrastinate_job_status ELSE status
                END
            WHERE id = job_id AND status IN ('todo', 'doing')
            RETURNING id INTO _job_id;
        ELSE
            UPDATE procrastinate_jobs
            SET status = 'cancelled'::procrastinate_job_status
            WHERE id = job_id AND status = 'todo'
            RETURNING id INTO _job_id;
        END IF;
    END IF;
    RETURN _job_id;
END;
$$;

CREATE FUNCTION jobs.procrastinate_defer_jobs_v1(jobs jobs.procrastinate_job_to_defer_v1[]) RETURNS bigint[]
    LANGUAGE plpgsql
    SET search_path TO 'jobs', 'pg_catalog'
    AS $$
DECLARE
    job_ids bigint[];
BEGIN
    WITH inserted_jobs AS (
        INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, queueing_lock, args, scheduled_at)
        SELECT (job).queue_name,
               (job).task_name,
               (job).priority,
               (job).lock,
               (job).queueing_lock,
               (job).args,
               (job).scheduled_at
        FROM unnest(jobs) AS job
        RETURNING id
    )
    SELECT array_agg(id) FROM inserted_jobs INTO job_ids;

    RETURN job_ids;
END;
$$;

CREATE FUNCTION jobs.procrastinate_defer_periodic_job_v2(_queue_name character varying, _lock character varying, _queueing_lock character varying, _task_name character varying, _priority integer, _periodic_id character varying, _defer_timestamp bigint, _args jsonb) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'jobs', 'pg_catalog'
    AS $$
DECLARE
	_job_id bigint;
	_defer_id bigint;
BEGIN
    INSERT
        INTO procrastinate_periodic_defers (task_name, periodic_id, defer_timestamp)
        VALUES (_task_name, _periodic_id, _defer_timestamp)
        ON CONFLICT DO NOTHING
        RETURNING id into _defer_id;

    IF _defer_id IS NULL THEN
        RETURN NULL;
    END IF;

    UPDATE procrastinate_periodic_defers
        SET job_id = (
            SELECT COALESCE((
                SELECT unnest(procrastinate_defer_jobs_v1(
                    ARRAY[
                        ROW(
                            _queue_name,
                            _task_name,
                            _priority,
                            _lock,
                            _queueing_lock,
                            _args,
                            NULL::timestamptz
                        )
                    ]::procrastinate_job_to_defer_v1[]
                ))
            ), NULL)
        )
        WHERE id = _defer_id
        RETURNING job_id INTO _job_id;

    DELETE
        FROM procrastinate_periodic_defers
        USING (
            SELECT id
            FROM procrastinate_periodic_defers
            WHERE procrastinate_periodic_defers.task_name = _task_name
            AND procrastinate_periodic_defers.periodic_id = _periodic_id
            AND procrastinate_periodic_defers.defer_timestamp < _defer_timestamp
            ORDER BY id
            FOR UPDATE
        ) to_delete
        WHERE procrastinate_periodic_defers.id = to_delete.id;

    RETURN _job_id;
END;
$$;

CREATE TABLE jobs.procrastinate_jobs (
    id bigint NOT NULL,
    queue_name character varying(128) NOT NULL,
    task_name character varying(128) NOT NULL,
    priority integer DEFAULT 0 NOT NULL,
    lock text,
    queueing_lock text,
    args jsonb DEFAULT '{}'::jsonb NOT NULL,
    status jobs.procrastinate_job_status DEFAULT 'todo'::jobs.procrastinate_job_status NOT NULL,
    scheduled_at timestamp with time zone,
    attempts integer DEFAULT 0 NOT NULL,
    abort_requested boolean DEFAULT false NOT NULL,
    worker_id bigint,
    CONSTRAINT check_not_todo_abort_requested CHECK ((NOT ((status = 'todo'::jobs.procrastinate_job_status) AND (abort_requested = true))))
);

CREATE FUNCTION jobs.procrastinate_fetch_job_v2(target_queue_names character varying[], p_worker_id bigint) RETURNS jobs.procrastinate_jobs
    LANGUAGE plpgsql
    SET search_path TO 'jobs', 'pg_catalog'
    AS $$
DECLARE
	found_jobs procrastinate_jobs;
BEGIN
    WITH candidate AS (
        SELECT jobs.*
            FROM procrastinate_jobs AS jobs
            WHERE
                -- reject the job if its lock has earlier or higher priority jobs
                NOT EXISTS (
                    SELECT 1
                        FROM procrastinate_jobs AS other_jobs
                        WHERE
                            jobs.lock IS NOT NULL
                            AND other_jobs.lock = jobs.lock
                            AND (
                                -- job with same lock is already running
                                other_jobs.status = 'doing'
                                OR
                                -- job with same lock is waiting and has higher priority (or same priority but was queued first)
                                (
                                    other_jobs.status = 'todo'
                                    AND (
                                        other_jobs.priority > jobs.priority
                                        OR (
                                        other_jobs.priority = jobs.priority
                                        AND other_jobs.id < jobs.id
                                        )
                                    )
                                )
                            )
                )
                AND jobs.status = 'todo'
                AND (target_queue_names IS NULL OR jobs.queue_name = ANY( target_queue_names ))
                AND (jobs.scheduled_at IS NULL OR jobs.scheduled_at <= now())
            ORDER BY jobs.priority DESC, jobs.id ASC LIMIT 1
            FOR UPDATE OF jobs SKIP LOCKED
    )
    UPDATE procrastinate_jobs
        SET status = 'doing', worker_id = p_worker_id
        FROM candidate
        WHERE procrastinate_jobs.id = candidate.id
        RETURNING procrastinate_jobs.* INTO found_jobs;

 RETURN found_jobs;
END;
$$;

CREATE FUNCTION jobs.procrastinate_finish_job_v1(job_id bigint, end_status jobs.procrastinate_job_status, delete_job boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'jobs', 'pg_catalog'
    AS $$
DECLARE
    _job_id bigint;
BEGIN
    IF end_status NOT IN ('succeeded', 'failed', 'aborted') THEN
        RAISE 'End status should be either "succeeded", "failed" or "aborted" (job id: %)', job_id;
    END IF;
    IF delete_job THEN
        DELETE FROM procrastinate_jobs
        WHERE id = job_id AND status IN ('todo', 'doing')
        RETURNING id INTO _job_id;
    ELSE
        UPDATE procrastinate_jobs
        SET status = end_status,
            abort_requested = false,
            attempts = CASE status
                WHEN 'doing' THEN attempts + 1 ELSE attempts
            END
        WHERE id = job_id AND status IN ('todo', 'doing')
        RETURNING id INTO _job_id;
    END IF;
    IF _job_id IS NULL THEN
        RAISE 'Job was not found or not in "doing" or "todo" status (job id: %)', job_id;
    END IF;
END;
$$;

CREATE FUNCTION jobs.procrastinate_notify_queue_abort_job_v1() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'jobs', 'pg_catalog'
    AS $$
DECLARE
    payload TEXT;
BEGIN
    SELECT json_build_object('type', 'abort_job_requested', 'job_id', NEW.id)::text INTO payload;
	PERFORM pg_notify('procrastinate_queue_v1#' || NEW.queue_name, payload);
	PERFORM pg_notify('procrastinate_any_queue_v1', payload);
	RETURN NEW;
END;
$$;

CREATE FUNCTION jobs.procrastinate_notify_queue_job_inserted_v1() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'jobs', 'pg_catalog'
    AS $$
DECLARE
    payload TEXT;
BEGIN
    SELECT json_build_object('type', 'job_inserted', 'job_id', NEW.id)::text INTO payload;
	PERFORM pg_notify('procrastinate_queue_v1#' || NEW.queue_name, payload);
	PERFORM pg_notify('procrastinate_any_queue_v1', payload);
	RETURN NEW;
END;
$$;

CREATE FUNCTION jobs.procrastinate_prune_stalled_workers_v1(seconds_since_heartbeat double precision) RETURNS TABLE(worker_id bigint)
    LANGUAGE plpgsql
    SET search_path TO 'jobs', 'pg_catalog'
    AS $$
BEGIN
    RETURN QUERY
    DELETE FROM procrastinate_workers
    WHERE last_heartbeat < NOW() - (seconds_since_heartbeat || 'SECOND')::INTERVAL
    RETURNING procrastinate_workers.id;
END;
$$;

CREATE FUNCTION jobs.procrastinate_register_worker_v1() RETURNS TABLE(worker_id bigint)
    LANGUAGE plpgsql
    SET search_path TO 'jobs', 'pg_catalog'
    AS $$
BEGIN
    RETURN QUERY
    INSERT INTO procrastinate_workers DEFAULT VALUES
    RETURNING procrastinate_workers.id;
END;
$$;

CREATE FUNCTION jobs.procrastinate_retry_job_v1(job_id bigint, retry_at timestamp with time zone, new_priority integer, new_queue_name character varying, new_lock character varying) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'jobs', 'pg_catalog'
    AS $$
DECLARE
    _job_id bigint;
    _abort_requested boolean;
BEGIN
    SELECT abort_requested FROM procrastinate_jobs
    WHERE id = job_id AND status = 'doing'
    FOR UPDATE
    INTO _abort_requested;
    IF _abort_requested THEN
        UPDATE procrastinate_jobs
        SET status = 'failed'::procrastinate_job_status
        WHERE id = job_id AND status = 'doing'
        RETURNING id INTO _job_id;
    ELSE
        UPDATE procrastinate_jobs
        SET status = 'todo'::procrastinate_job_status,
            attempts = attempts + 1,
            scheduled_at = retry_at,
            priority = COALESCE(new_priority, priority),
            queue_name = COALESCE(new_queue_name, queue_name),
            lock = COALESCE(new_lock, lock)
        WHERE id = job_id AND status = 'doing'
        RETURNING id INTO _job_id;
    END IF;

    IF _job_id IS NULL THEN
        RAISE 'Job was not found or not in "doing" status (job id: %)', job_id;
    END IF;
END;
$$;

CREATE FUNCTION jobs.procrastinate_retry_job_v2(job_id bigint, retry_at timestamp with time zone, new_priority integer, new_queue_name character varying, new_lock character varying) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'jobs', 'pg_catalog'
    AS $$
DECLARE
    _job_id bigint;
    _abort_requested boolean;
    _current_status procrastinate_job_status;
BEGIN
    SELECT status, abort_requested FROM procrastinate_jobs
    WHERE id = job_id AND status IN ('doing', 'failed')
    FOR UPDATE
    INTO _current_status, _abort_requested;
    IF _current_status = 'doing' AND _abort_requested THEN
        UPDATE procrastinate_jobs
        SET status = 'failed'::procrastinate_job_status
        WHERE id = job_id AND status = 'doing'
        RETURNING id INTO _job_id;
    ELSE
        UPDATE procrastinate_jobs
        SET status = 'todo'::procrastinate_job_status,
            attempts = attempts + 1,
            scheduled_at = retry_at,
            priority = COALESCE(new_priority, priority),
            queue_name = COALESCE(new_queue_name, queue_name),
            lock = COALESCE(new_lock, lock)
        WHERE id = job_id AND status IN ('doing', 'failed')
        RETURNING id INTO _job_id;
    END IF;

    IF _job_id IS NULL THEN
        RAISE 'Job was not found or has an invalid status to retry (job id: %)', job_id;
    END IF;

END;
$$;

CREATE FUNCTION jobs.procrastinate_trigger_abort_requested_events_procedure_v1() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'jobs', 'pg_catalog'
    AS $$
BEGIN
    INSERT INTO procrastinate_events(job_id, type)
        VALUES (NEW.id, 'abort_requested'::procrastinate_job_event_type);
    RETURN NEW;
END;
$$;

CREATE FUNCTION jobs.procrastinate_trigger_function_scheduled_events_v1() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'jobs', 'pg_catalog'
    AS $$
BEGIN
    INSERT INTO procrastinate_events(job_id, type, at)
        VALUES (NEW.id, 'scheduled'::procrastinate_job_event_type, NEW.scheduled_at);

	RETURN NEW;
END;
$$;

CREATE FUNCTION jobs.procrastinate_trigger_function_status_events_insert_v1() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'jobs', 'pg_catalog'
    AS $$
BEGIN
    INSERT INTO procrastinate_events(job_id, type)
        VALUES (NEW.id, 'deferred'::procrastinate_job_event_type);
	RETURN NEW;
END;
$$;

CREATE FUNCTION jobs.procrastinate_trigger_function_status_events_update_v1() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'jobs', 'pg_catalog'
    AS $$
BEGIN
    WITH t AS (
        SELECT CASE
            WHEN OLD.status = 'todo'::procrastinate_job_status
                AND NEW.status = 'doing'::procrastinate_job_status
                THEN 'started'::procrastinate_job_event_type
            WHEN OLD.status = 'doing'::procrastinate_job_status
                AND NEW.status = 'todo'::procrastinate_job_status
                THEN 'deferred_for_retry'::procrastinate_job_event_type
            WHEN OLD.status = 'doing'::procrastinate_job_status
                AND NEW.status = 'failed'::procrastinate_job_status
                THEN 'failed'::procrastinate_job_event_type
            WHEN OLD.status = 'doing'::procrastinate_job_status
                AND NEW.status = 'succeeded'::procrastinate_job_status
                THEN 'succeeded'::procrastinate_job_event_type
            WHEN OLD.status = 'todo'::procrastinate_job_status
                AND (
                    NEW.status = 'cancelled'::procrastinate_job_status
                    OR NEW.status = 'failed'::procrastinate_job_status
                    OR NEW.status = 'succeeded'::procrastinate_job_status
                )
                THEN 'cancelled'::procrastinate_job_event_type
            WHEN OLD.status = 'doing'::procrastinate_job_status
                AND NEW.status = 'aborted'::procrastinate_job_status
                THEN 'aborted'::procrastinate_job_event_type
            WHEN OLD.status = 'failed'::procrastinate_job_status
                AND NEW.status = 'todo'::procrastinate_job_status
                THEN 'retried'::procrastinate_job_event_type
            ELSE NULL
        END as event_type
    )
    INSERT INTO procrastinate_events(job_id, type)
        SELECT NEW.id, t.event_type
        FROM t
        WHERE t.event_type IS NOT NULL;
	RETURN NEW;
END;
$$;

CREATE FUNCTION jobs.procrastinate_unlink_periodic_defers_v1() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'jobs', 'pg_catalog'
    AS $$
BEGIN
    UPDATE procrastinate_periodic_defers
    SET job_id = NULL
    WHERE job_id = OLD.id;
    RETURN OLD;
END;
$$;

CREATE FUNCTION jobs.procrastinate_unregister_worker_v1(worker_id bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'jobs', 'pg_catalog'
    AS $$
BEGIN
    DELETE FROM procrastinate_workers
    WHERE id = worker_id;
END;
$$;

CREATE FUNCTION jobs.procrastinate_update_heartbeat_v1(worker_id bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'jobs', 'pg_catalog'
    AS $$
BEGIN
    UPDATE procrastinate_workers
    SET last_heartbeat = NOW()
    WHERE id = worker_id;
END;
$$;

CREATE FUNCTION public.audit_drop_month(name text) RETURNS void
    LANGUAGE plpgsql
    AS $_$
BEGIN
    IF name !~ '^audit_records_[0-9]{6}$' THEN
        RAISE EXCEPTION '% is no month of the audit record', name;
    END IF;
    EXECUTE format('DROP TABLE %I', name);
END
$_$;

CREATE FUNCTION public.audit_make_month(moment timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    first timestamptz := date_trunc('month', moment, 'UTC');
    name text := 'audit_records_' || to_char(moment AT TIME ZONE 'UTC', 'YYYYMM');
BEGIN
    IF to_regclass(name) IS NOT NULL THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE %I PARTITION OF audit_records FOR VALUES FROM (%L) TO (%L)', name, first,
        (first AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC');
    EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT '
        'EXECUTE FUNCTION audit_refuse()', name);
END
$$;

COMMENT ON FUNCTION public.audit_make_month(moment timestamp with time zone) IS 'make the partition of the month (UTC) that a moment lies in, where it is not there';

CREATE FUNCTION public.audit_only_sealed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (SELECT FROM gone WHERE NOT EXISTS (SELECT FROM audit_records WHERE audit_records.id = gone.id)) THEN
        RAISE EXCEPTION 'the audit record is append-only: DELETE of what is not sealed is refused'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION public.audit_refuse() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'the audit record is append-only: % of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE FUNCTION public.cares_for(carer text, breaks_glass boolean, patient uuid, study text, facility text, classes text[]) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$
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

COMMENT ON FUNCTION public.cares_for(carer text, breaks_glass boolean, patient uuid, study text, facility text, classes text[]) IS 'whether a running relation lets somebody see a sensitive study; by break-glass only where that counts, and never forensic ones';

CREATE FUNCTION public.forget_empty_visits() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM visits
    WHERE id IN (SELECT visit_id FROM gone)
      AND NOT EXISTS (SELECT FROM bookings WHERE bookings.visit_id = visits.id);
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION public.forget_empty_visits() IS 'who erases the item of a patient erases the telephone number, too';

CREATE FUNCTION public.is_held_for_payment(study uuid) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
    SELECT EXISTS (
        SELECT FROM charges AS c
        JOIN payment_holds AS held ON held.facility_code = c.facility_code AND held.hold
        JOIN facilities AS f ON f.code = c.facility_code AND f.ownership = 'private'
        JOIN orders AS o ON o.id = c.order_id
        WHERE c.study_id = study
          AND c.state <> 'credited'
          AND c.patient_share > (SELECT coalesce(sum(l.amount), 0) FROM receipt_lines AS l WHERE l.charge_id = c.id)
          AND o.priority <> 'stat'
          AND NOT EXISTS (
              SELECT FROM reading_items AS r
              WHERE r.study_id = study
                AND (r.critical OR r.inpatient OR r.priority = 'stat')
          )
          AND NOT EXISTS (
              SELECT FROM encounters AS visit
              JOIN imaging_studies AS s ON s.id = study AND s.patient_id = visit.patient_id
              WHERE visit.class = 'IMP'
                AND visit.status <> 'cancelled'
                AND visit.facility_code = c.facility_code
                AND visit.began_at <= coalesce(s.completed, now())
                AND coalesce(visit.ended_at, 'infinity') >= coalesce(s.started, s.created_at)
          )
    )
$$;

COMMENT ON FUNCTION public.is_held_for_payment(study uuid) IS 'whether a patient gets the report of a study only after paying; never STAT, critical or of an inpatient';

CREATE FUNCTION public.name_match_text(name text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $_$
    SELECT normalize(regexp_replace(regexp_replace(regexp_replace(
        normalize(lower(name), NFKD), '[\u0300-\u036F\u200C\u200D]', '', 'g'), '\s+', ' ', 'g'), '\^+(=|$)', '\1', 'g'), NFC)
$_$;

COMMENT ON FUNCTION public.name_match_text(name text) IS 'a person name as PS3.4 C.2.2.2.1 compares it: case, accents, spaces and trailing carets do not count';

CREATE FUNCTION public.refuse_change_of_ledger() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'a ledger is corrected by another entry, never changed';
END
$$;

CREATE FUNCTION public.refuse_change_of_signed_version() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.surviving_patient(patient uuid) RETURNS uuid
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    AS $$
    WITH RECURSIVE chain AS (
        SELECT id, merged_into FROM patients WHERE id = patient
        UNION
        SELECT next.id, next.merged_into FROM patients AS next JOIN chain ON next.id = chain.merged_into
    )
    SELECT id FROM chain WHERE merged_into IS NULL
$$;

COMMENT ON FUNCTION public.surviving_patient(patient uuid) IS 'the patient itself, or who it was merged into in the end';

CREATE FUNCTION public.usual_answer(study_instance_uid text, dicom jsonb, modalities text[], series integer, instances integer) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
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

COMMENT ON FUNCTION public.usual_answer(study_instance_uid text, dicom jsonb, modalities text[], series integer, instances integer) IS 'a study as searches answer it where nothing else is asked for (PS3.18 table 10.6.3-3); its Retrieve URL begins with @';

CREATE TABLE jobs.procrastinate_events (
    id bigint NOT NULL,
    job_id bigint NOT NULL,
    type jobs.procrastinate_job_event_type,
    at timestamp with time zone DEFAULT now()
);

CREATE SEQUENCE jobs.procrastinate_events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE jobs.procrastinate_events_id_seq OWNED BY jobs.procrastinate_events.id;

CREATE SEQUENCE jobs.procrastinate_jobs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE jobs.procrastinate_jobs_id_seq OWNED BY jobs.procrastinate_jobs.id;

CREATE TABLE jobs.procrastinate_periodic_defers (
    id bigint NOT NULL,
    task_name character varying(128) NOT NULL,
    defer_timestamp bigint,
    job_id bigint,
    periodic_id character varying(128) DEFAULT ''::character varying NOT NULL
);

CREATE SEQUENCE jobs.procrastinate_periodic_defers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE jobs.procrastinate_periodic_defers_id_seq OWNED BY jobs.procrastinate_periodic_defers.id;

CREATE TABLE jobs.procrastinate_workers (
    id bigint NOT NULL,
    last_heartbeat timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE jobs.procrastinate_workers ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME jobs.procrastinate_workers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

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
    disabled_at timestamp with time zone,
    totp_secret text,
    totp_confirmed_at timestamp with time zone,
    totp_step bigint DEFAULT 0 NOT NULL,
    facility_codes text[] DEFAULT '{}'::text[] NOT NULL
);

COMMENT ON COLUMN public.accounts.totp_secret IS 'shared with the app of the person, in base32 (RFC 6238)';

COMMENT ON COLUMN public.accounts.totp_confirmed_at IS 'since when signing in needs it';

COMMENT ON COLUMN public.accounts.totp_step IS 'the time step of the last code that was taken: none is taken twice';

COMMENT ON COLUMN public.accounts.facility_codes IS 'further facilities of somebody who has one; without any, every one';

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
    auto_complete boolean DEFAULT true NOT NULL,
    offers_commitment boolean DEFAULT false NOT NULL,
    checks_user boolean DEFAULT false NOT NULL,
    dicomweb_url text DEFAULT ''::text NOT NULL,
    dicomweb_user text DEFAULT ''::text NOT NULL,
    dicomweb_secret text DEFAULT ''::text NOT NULL,
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

COMMENT ON COLUMN public.application_entities.auto_complete IS 'whether a study is complete when nothing has come from it for a while';

CREATE TABLE public.appropriateness_rules (
    version text NOT NULL,
    effective_from date NOT NULL,
    content jsonb NOT NULL,
    reason text NOT NULL,
    accepted_cases text[] DEFAULT '{}'::text[] NOT NULL,
    made_by text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    withdrawn_by text,
    withdrawn_at timestamp with time zone,
    CONSTRAINT appropriateness_rules_check CHECK (((withdrawn_by IS NULL) = (withdrawn_at IS NULL))),
    CONSTRAINT appropriateness_rules_version_check CHECK (((length(version) >= 1) AND (length(version) <= 40)))
);

COMMENT ON COLUMN public.appropriateness_rules.accepted_cases IS 'golden cases that it answers otherwise, which was meant';

CREATE TABLE public.approval_delegations (
    id uuid NOT NULL,
    delegator text NOT NULL,
    delegate text NOT NULL,
    facility_code text NOT NULL,
    begins_at timestamp with time zone DEFAULT now() NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    ended_by text,
    CONSTRAINT approval_delegations_check CHECK ((delegator <> delegate))
);

COMMENT ON COLUMN public.approval_delegations.delegator IS 'the consultant, as account:karim, on whose responsibility is approved';

COMMENT ON COLUMN public.approval_delegations.ended_at IS 'when it was ended before its time';

CREATE SEQUENCE public.association_positions
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE public.associations (
    id uuid NOT NULL,
    "position" bigint NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    calling_ae_title text NOT NULL,
    called_ae_title text NOT NULL,
    host text NOT NULL,
    outcome text NOT NULL,
    refusal text DEFAULT ''::text NOT NULL,
    trace jsonb NOT NULL
);

COMMENT ON COLUMN public.associations.outcome IS 'open, rejected, or how it ended';

COMMENT ON COLUMN public.associations.refusal IS 'code of the reason why there was no association; empty where there was one';

CREATE TABLE public.audit_arrivals (
    id uuid NOT NULL,
    occurred_at timestamp with time zone DEFAULT now() NOT NULL,
    actor text NOT NULL,
    actor_kind text DEFAULT ''::text NOT NULL,
    actor_display text DEFAULT ''::text NOT NULL,
    actor_role text DEFAULT ''::text NOT NULL,
    on_behalf_of text DEFAULT ''::text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    outcome smallint DEFAULT 0 NOT NULL,
    purpose text DEFAULT ''::text NOT NULL,
    address text DEFAULT ''::text NOT NULL,
    source text DEFAULT ''::text NOT NULL,
    request_id text DEFAULT ''::text NOT NULL,
    connection jsonb,
    detail jsonb,
    CONSTRAINT audit_arrivals_outcome_check CHECK ((outcome = ANY (ARRAY[0, 4, 8, 12])))
);

COMMENT ON COLUMN public.audit_arrivals.outcome IS 'EventOutcomeIndicator of PS3.15 A.5: 0 success, 4 minor, 8 serious, 12 major failure';

COMMENT ON COLUMN public.audit_arrivals.connection IS 'AE titles, class of user agent, what the door knows besides; no secrets';

COMMENT ON COLUMN public.audit_arrivals.detail IS 'ids and codes only';

CREATE TABLE public.audit_checkpoints (
    sequence bigint NOT NULL,
    reason text NOT NULL,
    hash bytea NOT NULL,
    sealed_at timestamp with time zone NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT audit_checkpoints_reason_check CHECK ((reason = ANY (ARRAY['regular'::text, 'verified'::text, 'retention'::text])))
);

COMMENT ON TABLE public.audit_checkpoints IS 'places in the chain from which it can be verified';

CREATE TABLE public.audit_records (
    sequence bigint NOT NULL,
    sealed_at timestamp with time zone NOT NULL,
    id uuid NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    actor_kind text NOT NULL,
    actor_display text NOT NULL,
    actor_role text NOT NULL,
    on_behalf_of text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    outcome smallint NOT NULL,
    purpose text NOT NULL,
    address text NOT NULL,
    source text NOT NULL,
    request_id text NOT NULL,
    connection jsonb,
    detail jsonb,
    study_instance_uid text NOT NULL,
    patient_reference text NOT NULL,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL
)
PARTITION BY RANGE (sealed_at);

COMMENT ON COLUMN public.audit_records.study_instance_uid IS 'the study that the subject belonged to when the record was sealed';

CREATE VIEW public.audit_events AS
 SELECT audit_records.id,
    audit_records.occurred_at,
    audit_records.actor,
    audit_records.actor_kind,
    audit_records.actor_display,
    audit_records.actor_role,
    audit_records.on_behalf_of,
    audit_records.action,
    audit_records.subject,
    audit_records.outcome,
    audit_records.purpose,
    audit_records.address,
    audit_records.source,
    audit_records.request_id,
    audit_records.connection,
    audit_records.detail,
    audit_records.study_instance_uid,
    audit_records.patient_reference,
    audit_records.sequence
   FROM public.audit_records
UNION ALL
 SELECT audit_arrivals.id,
    audit_arrivals.occurred_at,
    audit_arrivals.actor,
    audit_arrivals.actor_kind,
    audit_arrivals.actor_display,
    audit_arrivals.actor_role,
    audit_arrivals.on_behalf_of,
    audit_arrivals.action,
    audit_arrivals.subject,
    audit_arrivals.outcome,
    audit_arrivals.purpose,
    audit_arrivals.address,
    audit_arrivals.source,
    audit_arrivals.request_id,
    audit_arrivals.connection,
    audit_arrivals.detail,
    ''::text AS study_instance_uid,
    ''::text AS patient_reference,
    NULL::bigint AS sequence
   FROM public.audit_arrivals;

CREATE VIEW public.audit_months AS
 SELECT (child.relname)::text AS name,
    ((to_date("right"((child.relname)::text, 6), 'YYYYMM'::text) + '1 mon'::interval) AT TIME ZONE 'UTC'::text) AS ends_at
   FROM (pg_inherits
     JOIN pg_class child ON ((child.oid = pg_inherits.inhrelid)))
  WHERE (pg_inherits.inhparent = ('public.audit_records'::regclass)::oid);

CREATE TABLE public.audit_repositories (
    name text NOT NULL,
    sequence bigint NOT NULL,
    sent_at timestamp with time zone,
    failed_at timestamp with time zone,
    failure text DEFAULT ''::text NOT NULL
);

COMMENT ON TABLE public.audit_repositories IS 'up to which record each audit repository has been sent the messages';

CREATE TABLE public.audit_spools (
    name text NOT NULL,
    "position" bigint NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE public.audit_spools IS 'how many bytes of each local spool file have become records';

CREATE TABLE public.availability (
    component text NOT NULL,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL,
    up boolean NOT NULL
);

COMMENT ON TABLE public.availability IS 'spans in which a part was seen to work, or not to; between spans nobody looked';

CREATE TABLE public.availability_notices (
    id uuid NOT NULL,
    sop_instance_uid text NOT NULL,
    ae_title text NOT NULL,
    study_instance_uid text NOT NULL,
    rejection_id uuid,
    state text DEFAULT 'open'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    sentence text DEFAULT ''::text NOT NULL,
    caused_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT availability_notices_state_check CHECK ((state = ANY (ARRAY['open'::text, 'sent'::text, 'given-up'::text])))
);

COMMENT ON TABLE public.availability_notices IS 'Instance Availability Notifications (PS3.4 R) to application entities with the service ian';

COMMENT ON COLUMN public.availability_notices.rejection_id IS 'told of are the instances of this rejection; null for the whole study';

CREATE TABLE public.billing_items (
    id uuid NOT NULL,
    body jsonb NOT NULL,
    accepted_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE public.billing_items IS 'the billing service of who has no other: every item once, as it was told';

CREATE TABLE public.billing_rules (
    kind text NOT NULL,
    code text NOT NULL,
    version integer NOT NULL,
    effective_from date NOT NULL,
    body jsonb NOT NULL,
    reason text NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT billing_rules_code_check CHECK ((code ~ '^[a-z0-9-]{1,32}$'::text)),
    CONSTRAINT billing_rules_kind_check CHECK ((kind = ANY (ARRAY['concession'::text, 'scheme'::text, 'package'::text])))
);

COMMENT ON TABLE public.billing_rules IS 'what was ever said of concessions, schemes and packages; the newest that has begun holds';

CREATE TABLE public.blocked_times (
    id uuid NOT NULL,
    facility_code text NOT NULL,
    room_id uuid,
    device_number bigint,
    begins timestamp with time zone NOT NULL,
    ends timestamp with time zone NOT NULL,
    kind text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    made_by text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    CONSTRAINT blocked_times_check CHECK ((ends > begins)),
    CONSTRAINT blocked_times_check1 CHECK ((num_nonnulls(room_id, device_number) > 0)),
    CONSTRAINT blocked_times_kind_check CHECK ((kind = ANY (ARRAY['maintenance'::text, 'power-cut'::text, 'quality-control'::text, 'staff'::text, 'other'::text])))
);

COMMENT ON COLUMN public.blocked_times.room_id IS 'NULL: planned downtime of the device, wherever it stands';

COMMENT ON COLUMN public.blocked_times.device_number IS 'NULL: the whole room';

CREATE TABLE public.booking_changes (
    id bigint NOT NULL,
    booking_id uuid NOT NULL,
    verb text NOT NULL,
    room_id uuid NOT NULL,
    device_number bigint NOT NULL,
    begins timestamp with time zone NOT NULL,
    ends timestamp with time zone NOT NULL,
    status text NOT NULL,
    actor text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    occurred_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.booking_changes IS 'what a booking was after each step';

ALTER TABLE public.booking_changes ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.booking_changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.bookings (
    id uuid NOT NULL,
    facility_code text NOT NULL,
    visit_id uuid NOT NULL,
    step_id uuid NOT NULL,
    room_id uuid NOT NULL,
    device_number bigint NOT NULL,
    begins timestamp with time zone NOT NULL,
    ends timestamp with time zone NOT NULL,
    during tstzrange GENERATED ALWAYS AS (tstzrange(begins, ends)) STORED NOT NULL,
    lane integer DEFAULT 0 NOT NULL,
    status text NOT NULL,
    priority text NOT NULL,
    facts jsonb NOT NULL,
    unbooked jsonb NOT NULL,
    external_id text,
    version integer DEFAULT 1 NOT NULL,
    made_by text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    moved_at timestamp with time zone NOT NULL,
    arrived_at timestamp with time zone,
    CONSTRAINT bookings_check CHECK ((ends > begins)),
    CONSTRAINT bookings_lane_check CHECK ((lane >= 0)),
    CONSTRAINT bookings_priority_check CHECK ((priority = ANY (ARRAY['stat'::text, 'urgent'::text, 'routine'::text]))),
    CONSTRAINT bookings_status_check CHECK ((status = ANY (ARRAY['held'::text, 'booked'::text, 'arrived'::text, 'no-show'::text, 'cancelled'::text])))
);

COMMENT ON COLUMN public.bookings.lane IS '0, or which of the bookings beside it this is';

COMMENT ON COLUMN public.bookings.facts IS 'what the examination asks for';

COMMENT ON COLUMN public.bookings.unbooked IS 'start and stations of the item before it was booked, to which it returns';

COMMENT ON COLUMN public.bookings.external_id IS 'under which another system booked it (HL7 SIU, SCH-1 or SCH-2)';

COMMENT ON COLUMN public.bookings.version IS 'the SEQUENCE of RFC 5545 is one less';

CREATE TABLE public.break_glass_uses (
    id uuid NOT NULL,
    relation_id uuid NOT NULL,
    actor text NOT NULL,
    display text NOT NULL,
    patient_id uuid NOT NULL,
    facility_code text,
    reason_code text NOT NULL,
    reason_text text NOT NULL,
    begins_at timestamp with time zone DEFAULT now() NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    review_due_at timestamp with time zone NOT NULL,
    overdue_told_at timestamp with time zone,
    stop_told_at timestamp with time zone,
    outcome text,
    note text,
    reviewed_by text,
    reviewed_at timestamp with time zone,
    CONSTRAINT break_glass_uses_outcome_check CHECK ((outcome = ANY (ARRAY['justified'::text, 'not-justified'::text]))),
    CONSTRAINT break_glass_uses_reason_code_check CHECK ((reason_code = ANY (ARRAY['emergency'::text, 'unconscious-patient'::text, 'continuity'::text, 'other'::text])))
);

COMMENT ON COLUMN public.break_glass_uses.ended_at IS 'when it was ended before its time';

COMMENT ON COLUMN public.break_glass_uses.stop_told_at IS 'when its end was written into the audit';

CREATE TABLE public.calendar_days (
    facility_code text NOT NULL,
    day date NOT NULL,
    kind text NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    name_bangla text DEFAULT ''::text NOT NULL,
    iftar time without time zone,
    CONSTRAINT calendar_days_kind_check CHECK ((kind = ANY (ARRAY['holiday'::text, 'ramadan'::text])))
);

CREATE TABLE public.care_relations (
    id uuid NOT NULL,
    actor text NOT NULL,
    kind text NOT NULL,
    patient_id uuid NOT NULL,
    facility_code text,
    study_instance_uid text,
    begins_at timestamp with time zone DEFAULT now() NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    source text NOT NULL,
    made_by text NOT NULL,
    CONSTRAINT care_relations_kind_check CHECK ((kind = ANY (ARRAY['orderer'::text, 'performer'::text, 'reader'::text, 'approver'::text, 'ward'::text, 'self'::text, 'break-glass'::text])))
);

COMMENT ON COLUMN public.care_relations.actor IS 'as the audit names who acts, such as account:rahim or ae:CT1';

COMMENT ON COLUMN public.care_relations.facility_code IS 'the studies of this facility only; NULL means of every facility';

COMMENT ON COLUMN public.care_relations.study_instance_uid IS 'this study only; NULL means all of the patient';

COMMENT ON COLUMN public.care_relations.ended_at IS 'when it was ended before its time';

CREATE TABLE public.charge_entries (
    id uuid NOT NULL,
    charge_id uuid NOT NULL,
    number integer NOT NULL,
    verb text NOT NULL,
    body jsonb NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    occurred_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.charge_entries IS 'the history of each charge; body is the charge as it was from then on';

CREATE TABLE public.charge_postings (
    entry_id uuid NOT NULL,
    status text NOT NULL,
    reference text NOT NULL,
    sentence text NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT charge_postings_status_check CHECK ((status = ANY (ARRAY['posted'::text, 'refused'::text])))
);

COMMENT ON TABLE public.charge_postings IS 'what the billing service said to each entry; those without a row are still to be told';

CREATE TABLE public.charges (
    id uuid NOT NULL,
    order_id uuid NOT NULL,
    procedure_id uuid NOT NULL,
    "position" integer NOT NULL,
    facility_code text NOT NULL,
    study_id uuid,
    state text NOT NULL,
    version integer NOT NULL,
    procedure_key text NOT NULL,
    modality text NOT NULL,
    item text NOT NULL,
    item_bangla text NOT NULL,
    sensitive boolean NOT NULL,
    priced_on date NOT NULL,
    captured_at timestamp with time zone,
    list_price numeric(12,2),
    own_price numeric(12,2),
    package text DEFAULT ''::text NOT NULL,
    discount numeric(12,2) DEFAULT 0 NOT NULL,
    vat numeric(12,2) DEFAULT 0 NOT NULL,
    scheme_share numeric(12,2) DEFAULT 0 NOT NULL,
    patient_share numeric(12,2) DEFAULT 0 NOT NULL,
    waived text DEFAULT ''::text NOT NULL,
    waived_reason text DEFAULT ''::text NOT NULL,
    repeats uuid,
    CONSTRAINT charges_check CHECK ((((COALESCE(own_price, list_price, (0)::numeric) - discount) + vat) = (scheme_share + patient_share))),
    CONSTRAINT charges_check1 CHECK (((waived = 'repeat'::text) = (repeats IS NOT NULL))),
    CONSTRAINT charges_discount_check CHECK ((discount >= (0)::numeric)),
    CONSTRAINT charges_list_price_check CHECK ((list_price >= (0)::numeric)),
    CONSTRAINT charges_own_price_check CHECK ((own_price >= (0)::numeric)),
    CONSTRAINT charges_patient_share_check CHECK ((patient_share >= (0)::numeric)),
    CONSTRAINT charges_scheme_share_check CHECK ((scheme_share >= (0)::numeric)),
    CONSTRAINT charges_state_check CHECK ((state = ANY (ARRAY['planned'::text, 'captured'::text, 'credited'::text]))),
    CONSTRAINT charges_vat_check CHECK ((vat >= (0)::numeric)),
    CONSTRAINT charges_waived_check CHECK ((waived = ANY (ARRAY[''::text, 'exempted'::text, 'repeat'::text])))
);

COMMENT ON COLUMN public.charges.procedure_id IS 'of requested_procedures: a procedure is charged once, whatever was repeated in it';

COMMENT ON COLUMN public.charges."position" IS 'of the procedure in its order';

COMMENT ON COLUMN public.charges.list_price IS 'BDT, of the day priced_on; NULL where nobody has said what it costs';

COMMENT ON COLUMN public.charges.own_price IS 'said by a person for this charge alone';

COMMENT ON COLUMN public.charges.repeats IS 'the charge whose images were all rejected for quality';

CREATE TABLE public.commitment_inquiries (
    id uuid NOT NULL,
    transaction_uid text NOT NULL,
    ae_title text NOT NULL,
    cause_id uuid,
    state text DEFAULT 'open'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    sentence text DEFAULT ''::text NOT NULL,
    caused_at timestamp with time zone NOT NULL,
    asked_at timestamp with time zone,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT commitment_inquiries_state_check CHECK ((state = ANY (ARRAY['open'::text, 'asked'::text, 'answered'::text, 'given-up'::text])))
);

COMMENT ON TABLE public.commitment_inquiries IS 'storage commitment that we ask of receivers (PS3.4 J)';

COMMENT ON COLUMN public.commitment_inquiries.cause_id IS 'the move or the delivery by which the instances were sent';

CREATE TABLE public.commitment_outcomes (
    inquiry_id uuid NOT NULL,
    sop_class_uid text NOT NULL,
    sop_instance_uid text NOT NULL,
    outcome text DEFAULT 'awaited'::text NOT NULL,
    failure_reason integer,
    CONSTRAINT commitment_outcomes_outcome_check CHECK ((outcome = ANY (ARRAY['awaited'::text, 'committed'::text, 'failed'::text])))
);

COMMENT ON COLUMN public.commitment_outcomes.failure_reason IS 'Failure Reason (0008,1197) that the receiver gave';

CREATE TABLE public.commitment_requests (
    id uuid NOT NULL,
    transaction_uid text NOT NULL,
    ae_title text NOT NULL,
    sop_class_uids text[] NOT NULL,
    sop_instance_uids text[] NOT NULL,
    duplicate boolean NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    failures jsonb,
    sentence text DEFAULT ''::text NOT NULL,
    claimed_until timestamp with time zone,
    requested_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT commitment_requests_state_check CHECK ((state = ANY (ARRAY['open'::text, 'reported'::text, 'given-up'::text])))
);

COMMENT ON TABLE public.commitment_requests IS 'storage commitment that peers ask of us (PS3.4 J)';

COMMENT ON COLUMN public.commitment_requests.duplicate IS 'its Transaction UID was that of a request not yet answered';

COMMENT ON COLUMN public.commitment_requests.failures IS 'what was reported as not committed: SOP Instance UID and Failure Reason (0008,1197)';

COMMENT ON COLUMN public.commitment_requests.claimed_until IS 'so long somebody is reporting the result';

CREATE TABLE public.damaged_objects (
    id uuid NOT NULL,
    object_key text NOT NULL,
    sop_instance_uid text NOT NULL,
    study_id uuid NOT NULL,
    study_instance_uid text NOT NULL,
    facility_code text NOT NULL,
    problem text NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    sentence text DEFAULT ''::text NOT NULL,
    repaired_from text,
    attempts integer DEFAULT 0 NOT NULL,
    next_attempt_at timestamp with time zone,
    found_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    closed_by text,
    CONSTRAINT damaged_objects_problem_check CHECK ((problem = ANY (ARRAY['missing'::text, 'truncated'::text, 'altered'::text, 'unreadable'::text]))),
    CONSTRAINT damaged_objects_state_check CHECK ((state = ANY (ARRAY['open'::text, 'repaired'::text, 'lost'::text])))
);

COMMENT ON COLUMN public.damaged_objects.state IS 'lost: a person has said that there is no copy to repair it from';

CREATE TABLE public.deidentification_projects (
    id uuid NOT NULL,
    name text NOT NULL,
    purpose text NOT NULL,
    profile text NOT NULL,
    options jsonb NOT NULL,
    sealed_key bytea NOT NULL,
    created_by text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    approved_by text,
    approved_at timestamp with time zone,
    ended_at timestamp with time zone,
    CONSTRAINT deidentification_projects_check CHECK ((approved_by <> created_by)),
    CONSTRAINT deidentification_projects_check1 CHECK (((approved_by IS NULL) = (approved_at IS NULL))),
    CONSTRAINT deidentification_projects_profile_check CHECK ((profile = ANY (ARRAY['research'::text, 'teaching'::text, 'teleradiology'::text])))
);

COMMENT ON COLUMN public.deidentification_projects.sealed_key IS 'what makes its pseudonyms, UIDs and dates; sealed by keys/deidentification.key';

CREATE TABLE public.deliveries (
    id uuid NOT NULL,
    study_id uuid NOT NULL,
    study_instance_uid text NOT NULL,
    facility_code text NOT NULL,
    ae_title text NOT NULL,
    rule_id uuid,
    rule_name text NOT NULL,
    priority integer NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    sentence text DEFAULT ''::text NOT NULL,
    caused_at timestamp with time zone NOT NULL,
    next_attempt_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    job bigint,
    CONSTRAINT deliveries_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'sending'::text, 'sent'::text, 'failed'::text, 'cancelled'::text])))
);

COMMENT ON TABLE public.deliveries IS 'a study that is sent to a destination by a routing rule';

COMMENT ON COLUMN public.deliveries.caused_at IS 'since when what waits is tried to be sent';

COMMENT ON COLUMN public.deliveries.job IS 'number of the job that sends it, in jobs.procrastinate_jobs';

CREATE TABLE public.delivery_instances (
    delivery_id uuid NOT NULL,
    sop_instance_uid text NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    sentence text DEFAULT ''::text NOT NULL,
    commitment_asked boolean DEFAULT false NOT NULL,
    CONSTRAINT delivery_instances_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'sent'::text, 'failed'::text])))
);

COMMENT ON COLUMN public.delivery_instances.commitment_asked IS 'whether the destination was asked to keep what it has taken';

CREATE TABLE public.device_history (
    id bigint NOT NULL,
    device_number bigint NOT NULL,
    verb text NOT NULL,
    state text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    until date,
    actor text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    CONSTRAINT device_history_verb_check CHECK ((verb = ANY (ARRAY['state'::text, 'block'::text, 'unblock'::text, 'override'::text, 'end-override'::text])))
);

COMMENT ON COLUMN public.device_history.state IS 'that the device is in from then on';

COMMENT ON COLUMN public.device_history.until IS 'the day it is expected back, or the last day of an override';

ALTER TABLE public.device_history ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.device_history_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.device_test_plans (
    device_number bigint NOT NULL,
    test text NOT NULL,
    begun_on date NOT NULL,
    active boolean DEFAULT true NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    changed_by text DEFAULT ''::text NOT NULL,
    warned_on date
);

CREATE TABLE public.device_tests (
    id uuid NOT NULL,
    device_number bigint NOT NULL,
    test text NOT NULL,
    done_on date NOT NULL,
    results jsonb NOT NULL,
    passed boolean NOT NULL,
    remark text DEFAULT ''::text NOT NULL,
    done_by text NOT NULL,
    recorded_at timestamp with time zone NOT NULL
);

CREATE TABLE public.devices (
    number bigint NOT NULL,
    facility_code text NOT NULL,
    room_id uuid,
    ae_title text,
    name text DEFAULT ''::text NOT NULL,
    modality text NOT NULL,
    active boolean DEFAULT true NOT NULL,
    manufacturer text DEFAULT ''::text NOT NULL,
    model text DEFAULT ''::text NOT NULL,
    serial_number text DEFAULT ''::text NOT NULL,
    installed_on date,
    procedures text[],
    contrast boolean DEFAULT false NOT NULL,
    mr_conditional boolean DEFAULT false NOT NULL,
    max_weight_kg double precision,
    youngest_months integer,
    licence_number text DEFAULT ''::text NOT NULL,
    licence_until date,
    radiation_control_officer text DEFAULT ''::text NOT NULL,
    tested_on date,
    state text DEFAULT 'up'::text NOT NULL,
    state_reason text DEFAULT ''::text NOT NULL,
    state_since timestamp with time zone DEFAULT now() NOT NULL,
    back_on date,
    blocked text,
    blocked_since timestamp with time zone,
    override_until date,
    override_reason text,
    override_by text,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT devices_ae_title_check CHECK (((length(ae_title) >= 1) AND (length(ae_title) <= 16))),
    CONSTRAINT devices_max_weight_kg_check CHECK ((max_weight_kg > (0)::double precision)),
    CONSTRAINT devices_state_check CHECK ((state = ANY (ARRAY['up'::text, 'down'::text, 'maintenance'::text, 'retired'::text]))),
    CONSTRAINT devices_youngest_months_check CHECK ((youngest_months >= 0))
);

COMMENT ON TABLE public.devices IS 'the registry of all devices, those with a room and an application entity and those without';

COMMENT ON COLUMN public.devices.active IS 'whether it is booked in its room';

COMMENT ON COLUMN public.devices.procedures IS 'keys of the catalogue that it can do; NULL: all of its modality';

COMMENT ON COLUMN public.devices.back_on IS 'the day from which it is expected to work again';

COMMENT ON COLUMN public.devices.blocked IS 'why nothing new is booked on it; NULL: nothing speaks against it';

COMMENT ON COLUMN public.devices.override_until IS 'the last day on which it is used in spite of a block or of its licence';

ALTER TABLE public.devices ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.devices_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.dose_events (
    study_id uuid NOT NULL,
    event_uid text NOT NULL,
    told_by text NOT NULL,
    started_at timestamp with time zone,
    protocol text DEFAULT ''::text NOT NULL,
    acquisition text DEFAULT ''::text NOT NULL,
    region text DEFAULT ''::text NOT NULL,
    laterality text DEFAULT ''::text NOT NULL,
    view text DEFAULT ''::text NOT NULL,
    plane text DEFAULT ''::text NOT NULL,
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
    glandular_dose_mgy double precision
);

CREATE TABLE public.dose_examinations (
    study_id uuid NOT NULL,
    source text NOT NULL,
    events integer NOT NULL,
    performed_at timestamp with time zone NOT NULL,
    ae_title text NOT NULL,
    modality text NOT NULL,
    procedure_key text DEFAULT ''::text NOT NULL,
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
    read_at timestamp with time zone NOT NULL,
    CONSTRAINT dose_examinations_source_check CHECK ((source = ANY (ARRAY['rdsr'::text, 'mpps'::text, 'header'::text])))
);

CREATE TABLE public.dose_notes (
    id uuid NOT NULL,
    study_id uuid NOT NULL,
    kind text NOT NULL,
    quantity text NOT NULL,
    value double precision NOT NULL,
    over double precision NOT NULL,
    made_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    closed_by text,
    comment text DEFAULT ''::text NOT NULL,
    CONSTRAINT dose_notes_kind_check CHECK ((kind = ANY (ARRAY['over-twice-reference'::text, 'air-kerma'::text, 'skin-dose'::text])))
);

CREATE TABLE public.duty_holders (
    duty text NOT NULL,
    facility_code text NOT NULL,
    account text NOT NULL,
    CONSTRAINT duty_holders_duty_check CHECK ((duty = ANY (ARRAY['head'::text, 'director'::text])))
);

COMMENT ON TABLE public.duty_holders IS 'heads of radiology and directors, as account:<name>, who are told when reading is late';

CREATE TABLE public.encounters (
    id uuid NOT NULL,
    patient_id uuid NOT NULL,
    facility_code text NOT NULL,
    number text NOT NULL,
    class text NOT NULL,
    status text NOT NULL,
    ward text DEFAULT ''::text NOT NULL,
    bed text DEFAULT ''::text NOT NULL,
    attending text DEFAULT ''::text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    began_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT encounters_check CHECK (((status = 'in-progress'::text) = (ended_at IS NULL))),
    CONSTRAINT encounters_class_check CHECK ((class = ANY (ARRAY['IMP'::text, 'AMB'::text, 'EMER'::text]))),
    CONSTRAINT encounters_number_check CHECK (((length(number) >= 1) AND (length(number) <= 64))),
    CONSTRAINT encounters_status_check CHECK ((status = ANY (ARRAY['in-progress'::text, 'finished'::text, 'cancelled'::text])))
);

COMMENT ON TABLE public.encounters IS 'visits: FHIR Encounter';

COMMENT ON COLUMN public.encounters.number IS 'Admission ID (0038,0010), unique in its facility';

COMMENT ON COLUMN public.encounters.class IS 'HL7 v3 ActCode: inpatient, ambulatory, emergency';

COMMENT ON COLUMN public.encounters.attending IS 'who is responsible, as Practitioner/222';

CREATE TABLE public.erasure_studies (
    erasure_id uuid NOT NULL,
    study_id uuid NOT NULL,
    verdict jsonb NOT NULL,
    erased_at timestamp with time zone
);

COMMENT ON COLUMN public.erasure_studies.verdict IS 'as it was when it was asked for; after erasure without the UID';

CREATE TABLE public.erasures (
    id uuid NOT NULL,
    patient_id uuid NOT NULL,
    reason text NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    state text DEFAULT 'asked'::text NOT NULL,
    last_copies boolean DEFAULT false NOT NULL,
    decided_by text,
    decided_at timestamp with time zone,
    answer text DEFAULT ''::text NOT NULL,
    job bigint,
    done_at timestamp with time zone,
    CONSTRAINT erasures_check CHECK ((decided_by <> asked_by)),
    CONSTRAINT erasures_state_check CHECK ((state = ANY (ARRAY['asked'::text, 'decided'::text, 'done'::text, 'refused'::text])))
);

COMMENT ON COLUMN public.erasures.last_copies IS 'who decided knows that no other copy is known';

CREATE TABLE public.export_instances (
    export_id uuid NOT NULL,
    place integer NOT NULL,
    study_instance_uid text NOT NULL,
    sop_instance_uid text NOT NULL,
    result text DEFAULT 'remaining'::text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    written jsonb,
    sealed bytea,
    CONSTRAINT export_instances_result_check CHECK ((result = ANY (ARRAY['remaining'::text, 'written'::text, 'withheld'::text])))
);

COMMENT ON COLUMN public.export_instances.written IS 'the line of the manifest';

COMMENT ON COLUMN public.export_instances.sealed IS 'old and new UIDs; sealed by keys/reidentification.key';

CREATE TABLE public.exports (
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    status text DEFAULT 'queued'::text NOT NULL,
    sentence text DEFAULT ''::text NOT NULL,
    skipped jsonb DEFAULT '[]'::jsonb NOT NULL,
    job bigint,
    size_bytes bigint,
    sha256 text,
    asked_by text NOT NULL,
    asked_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    CONSTRAINT exports_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'running'::text, 'completed'::text, 'failed'::text, 'cancelled'::text, 'expired'::text])))
);

COMMENT ON COLUMN public.exports.skipped IS 'studies that were asked for and are not exported, each with its reason';

CREATE TABLE public.facilities (
    code text NOT NULL,
    name text NOT NULL,
    name_bangla text DEFAULT ''::text NOT NULL,
    tier text DEFAULT ''::text NOT NULL,
    ownership text NOT NULL,
    division text,
    district text,
    upazila text,
    latitude double precision,
    longitude double precision,
    open_all_hours boolean DEFAULT false NOT NULL,
    sedation boolean DEFAULT false NOT NULL,
    test boolean DEFAULT false NOT NULL,
    active boolean DEFAULT true NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT facilities_code_check CHECK ((code ~ '^[A-Za-z0-9_-]{1,16}$'::text)),
    CONSTRAINT facilities_latitude_check CHECK (((latitude >= ('-90'::integer)::double precision) AND (latitude <= (90)::double precision))),
    CONSTRAINT facilities_longitude_check CHECK (((longitude >= ('-180'::integer)::double precision) AND (longitude <= (180)::double precision))),
    CONSTRAINT facilities_name_check CHECK ((name <> ''::text)),
    CONSTRAINT facilities_ownership_check CHECK ((ownership = ANY (ARRAY['public'::text, 'private'::text, 'ngo'::text])))
);

COMMENT ON COLUMN public.facilities.code IS 'http://hrm.dghs.gov.bd/facilities/code, or a code of its own';

COMMENT ON COLUMN public.facilities.tier IS 'a default for planning; never says what can be done';

COMMENT ON COLUMN public.facilities.test IS 'of tests and training: no figures are made of it';

CREATE TABLE public.facility_figures (
    facility_code text NOT NULL,
    modality text NOT NULL,
    wait_minutes double precision,
    turnaround_hours double precision,
    reject_rate double precision,
    sla_met double precision,
    dose_ratio double precision,
    subsidy numeric(12,2) DEFAULT 0 NOT NULL,
    counted_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT facility_figures_dose_ratio_check CHECK ((dose_ratio >= (0)::double precision)),
    CONSTRAINT facility_figures_reject_rate_check CHECK (((reject_rate >= (0)::double precision) AND (reject_rate <= (1)::double precision))),
    CONSTRAINT facility_figures_sla_met_check CHECK (((sla_met >= (0)::double precision) AND (sla_met <= (1)::double precision))),
    CONSTRAINT facility_figures_subsidy_check CHECK ((subsidy >= (0)::numeric)),
    CONSTRAINT facility_figures_turnaround_hours_check CHECK ((turnaround_hours >= (0)::double precision)),
    CONSTRAINT facility_figures_wait_minutes_check CHECK ((wait_minutes >= (0)::double precision))
);

COMMENT ON TABLE public.facility_figures IS 'how a facility does examinations of a modality; NULL is not known';

COMMENT ON COLUMN public.facility_figures.subsidy IS 'BDT that somebody else pays of each examination';

CREATE TABLE public.facility_ways (
    from_facility text NOT NULL,
    to_facility text NOT NULL,
    minutes double precision NOT NULL,
    km double precision NOT NULL,
    cost numeric(12,2),
    CONSTRAINT facility_ways_check CHECK ((from_facility <> to_facility)),
    CONSTRAINT facility_ways_cost_check CHECK ((cost >= (0)::numeric)),
    CONSTRAINT facility_ways_km_check CHECK ((km >= (0)::double precision)),
    CONSTRAINT facility_ways_minutes_check CHECK ((minutes >= (0)::double precision))
);

COMMENT ON TABLE public.facility_ways IS 'measured ways, good for both directions unless the other one is here, too';

COMMENT ON COLUMN public.facility_ways.cost IS 'BDT there and back; NULL is reckoned from the kilometres';

CREATE TABLE public.figures_version (
    single boolean DEFAULT true NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT figures_version_single_check CHECK (single)
);

COMMENT ON TABLE public.figures_version IS 'changes with figures and ways, so that a process knows when to read them anew';

CREATE TABLE public.film_orders (
    id uuid NOT NULL,
    study_id uuid NOT NULL,
    printer text NOT NULL,
    film jsonb NOT NULL,
    pictures jsonb NOT NULL,
    state text DEFAULT 'queued'::text NOT NULL,
    sheets integer NOT NULL,
    sheets_printed integer DEFAULT 0 NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    sentence text DEFAULT ''::text NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT film_orders_check CHECK (((sheets_printed >= 0) AND (sheets_printed <= sheets))),
    CONSTRAINT film_orders_sheets_check CHECK ((sheets > 0)),
    CONSTRAINT film_orders_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'printing'::text, 'printed'::text, 'failed'::text, 'cancelled'::text])))
);

COMMENT ON COLUMN public.film_orders.sheets_printed IS 'how many the printer has taken; printing goes on behind them';

CREATE TABLE public.geocodes (
    code text NOT NULL,
    level text NOT NULL,
    parent text,
    name text NOT NULL,
    name_bangla text DEFAULT ''::text NOT NULL,
    latitude double precision,
    longitude double precision,
    CONSTRAINT geocodes_code_check CHECK (((length(code) >= 1) AND (length(code) <= 16))),
    CONSTRAINT geocodes_latitude_check CHECK (((latitude >= ('-90'::integer)::double precision) AND (latitude <= (90)::double precision))),
    CONSTRAINT geocodes_level_check CHECK ((level = ANY (ARRAY['division'::text, 'district'::text, 'upazila'::text, 'city-corporation'::text, 'municipality'::text, 'union'::text]))),
    CONSTRAINT geocodes_longitude_check CHECK (((longitude >= ('-180'::integer)::double precision) AND (longitude <= (180)::double precision))),
    CONSTRAINT geocodes_name_check CHECK ((name <> ''::text))
);

COMMENT ON TABLE public.geocodes IS 'https://fhir.dghs.gov.bd/core/CodeSystem/bd-geocodes: codes are members of a list, nothing is read from their digits';

CREATE TABLE public.hl7_deliveries (
    id uuid NOT NULL,
    number bigint NOT NULL,
    receiver text NOT NULL,
    order_id uuid NOT NULL,
    facility_code text NOT NULL,
    study_instance_uids text[] NOT NULL,
    control_id text NOT NULL,
    status text NOT NULL,
    content bytea NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    code text DEFAULT ''::text NOT NULL,
    sentence text DEFAULT ''::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    caused_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT hl7_deliveries_state_check CHECK ((state = ANY (ARRAY['open'::text, 'sent'::text, 'refused'::text, 'given-up'::text, 'dismissed'::text])))
);

COMMENT ON TABLE public.hl7_deliveries IS 'messages about orders, sent to each receiver in the order of their numbers';

COMMENT ON COLUMN public.hl7_deliveries.status IS 'ORC-5 (table 0038)';

COMMENT ON COLUMN public.hl7_deliveries.code IS 'MSA-1 of the answer';

ALTER TABLE public.hl7_deliveries ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.hl7_deliveries_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.hl7_messages (
    id uuid NOT NULL,
    sender text,
    sending_application text NOT NULL,
    sending_facility text NOT NULL,
    control_id text NOT NULL,
    type text NOT NULL,
    facility_code text,
    host text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    state text NOT NULL,
    code text NOT NULL,
    error_code integer DEFAULT 0 NOT NULL,
    place text DEFAULT ''::text NOT NULL,
    sentence text DEFAULT ''::text NOT NULL,
    content bytea NOT NULL,
    corrected bytea,
    digest bytea NOT NULL,
    acknowledgement bytea NOT NULL,
    attempts integer DEFAULT 1 NOT NULL,
    effects jsonb DEFAULT '{}'::jsonb NOT NULL,
    study_instance_uids text[] DEFAULT '{}'::text[] NOT NULL,
    handled_at timestamp with time zone,
    handled_by text,
    reason text DEFAULT ''::text NOT NULL,
    CONSTRAINT hl7_messages_code_check CHECK ((code = ANY (ARRAY['AA'::text, 'AE'::text, 'AR'::text]))),
    CONSTRAINT hl7_messages_state_check CHECK ((state = ANY (ARRAY['processed'::text, 'failed'::text, 'quarantined'::text, 'dismissed'::text])))
);

COMMENT ON TABLE public.hl7_messages IS 'messages that came over MLLP; those that are failed or quarantined wait for a person';

COMMENT ON COLUMN public.hl7_messages.content IS 'the bytes as they came';

COMMENT ON COLUMN public.hl7_messages.corrected IS 'what a person made of it, and was used instead';

COMMENT ON COLUMN public.hl7_messages.digest IS 'SHA-256 without MSH-7, so that a message that is sent again is known';

COMMENT ON COLUMN public.hl7_messages.effects IS 'references of what was made or changed, and remarks';

CREATE TABLE public.hl7_receivers (
    name text NOT NULL,
    host text NOT NULL,
    port integer NOT NULL,
    tls boolean DEFAULT false NOT NULL,
    receiving_application text DEFAULT ''::text NOT NULL,
    receiving_facility text DEFAULT ''::text NOT NULL,
    facility_code text,
    form text DEFAULT 'ORM^O01'::text NOT NULL,
    version text DEFAULT '2.5.1'::text NOT NULL,
    charset text DEFAULT 'UNICODE UTF-8'::text NOT NULL,
    statuses text[] NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    CONSTRAINT hl7_receivers_form_check CHECK ((form = ANY (ARRAY['ORM^O01'::text, 'OMG^O19'::text]))),
    CONSTRAINT hl7_receivers_port_check CHECK (((port >= 1) AND (port <= 65535)))
);

COMMENT ON TABLE public.hl7_receivers IS 'systems that are told how orders fare';

COMMENT ON COLUMN public.hl7_receivers.facility_code IS 'whose orders it is told of; NULL for all';

COMMENT ON COLUMN public.hl7_receivers.statuses IS 'order statuses (table 0038) that it is told';

CREATE TABLE public.hl7_senders (
    name text NOT NULL,
    sending_application text NOT NULL,
    sending_facility text DEFAULT ''::text NOT NULL,
    facility_code text,
    hosts text[] DEFAULT '{}'::text[] NOT NULL,
    tls text DEFAULT 'allowed'::text NOT NULL,
    certificate_fingerprint text DEFAULT ''::text NOT NULL,
    certificate_subject text DEFAULT ''::text NOT NULL,
    messages text[] DEFAULT '{patients,orders,appointments}'::text[] NOT NULL,
    charset text DEFAULT ''::text NOT NULL,
    time_zone text DEFAULT ''::text NOT NULL,
    mappings jsonb DEFAULT '{}'::jsonb NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    CONSTRAINT hl7_senders_tls_check CHECK ((tls = ANY (ARRAY['required'::text, 'allowed'::text])))
);

COMMENT ON COLUMN public.hl7_senders.sending_facility IS 'MSH-4; empty for any';

COMMENT ON COLUMN public.hl7_senders.charset IS 'used whatever MSH-18 says; empty to believe it';

COMMENT ON COLUMN public.hl7_senders.mappings IS 'what its codes mean here';

CREATE TABLE public.identities (
    issuer text NOT NULL,
    subject text NOT NULL,
    account_id uuid NOT NULL,
    linked_at timestamp with time zone NOT NULL
);

CREATE TABLE public.image_exposures (
    study_id uuid NOT NULL,
    sop_instance_uid text NOT NULL,
    ae_title text NOT NULL,
    modality text NOT NULL,
    body_part text DEFAULT ''::text NOT NULL,
    laterality text DEFAULT ''::text NOT NULL,
    view text DEFAULT ''::text NOT NULL,
    operator text DEFAULT ''::text NOT NULL,
    taken_at timestamp with time zone NOT NULL,
    stored_at timestamp with time zone NOT NULL,
    rejected text DEFAULT ''::text NOT NULL,
    exposure_index double precision,
    target_exposure_index double precision,
    deviation_index double precision
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
    number_of_instances integer DEFAULT 0 NOT NULL,
    sensitivity_evidence jsonb DEFAULT '{}'::jsonb NOT NULL
);

COMMENT ON COLUMN public.imaging_series.sensitivity_evidence IS 'codes, body parts and texts of its first object that rules look at';

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
    service_request text,
    match text,
    planned_study_instance_uid text,
    withdrawal_asked_by text,
    study_group_id uuid,
    flags text[] DEFAULT '{}'::text[] NOT NULL,
    corrections jsonb,
    modalities_in_study text[] DEFAULT '{}'::text[] NOT NULL,
    procedure_codes text[] DEFAULT '{}'::text[] NOT NULL,
    performers text[] DEFAULT '{}'::text[] NOT NULL,
    interpreters text[] DEFAULT '{}'::text[] NOT NULL,
    dicom_patient_id text DEFAULT ''::text NOT NULL,
    issuer_of_patient_id text DEFAULT ''::text NOT NULL,
    patient_name text DEFAULT ''::text NOT NULL,
    patient_name_search text DEFAULT ''::text NOT NULL,
    patient_name_alphabetic text GENERATED ALWAYS AS (split_part(public.name_match_text(patient_name), '='::text, 1)) STORED NOT NULL,
    patient_name_ideographic text GENERATED ALWAYS AS (split_part(public.name_match_text(patient_name), '='::text, 2)) STORED NOT NULL,
    patient_name_phonetic text GENERATED ALWAYS AS (split_part(public.name_match_text(patient_name), '='::text, 3)) STORED NOT NULL,
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
    answer text GENERATED ALWAYS AS (
CASE
    WHEN (number_of_instances > 0) THEN public.usual_answer((study_instance_uid)::text, dicom, modalities_in_study, number_of_series, number_of_instances)
    ELSE NULL::text
END) STORED,
    sensitive_classes text[] DEFAULT '{}'::text[] NOT NULL,
    confidentiality text DEFAULT 'N'::text NOT NULL,
    sensitive boolean GENERATED ALWAYS AS (((confidentiality <> 'N'::text) OR (sensitive_classes <> '{}'::text[]))) STORED NOT NULL,
    sensitivity_policies text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT imaging_studies_confidentiality_check CHECK ((confidentiality = ANY (ARRAY['N'::text, 'R'::text, 'V'::text]))),
    CONSTRAINT imaging_studies_match_check CHECK ((match = ANY (ARRAY['exact'::text, 'probable'::text, 'none'::text, 'confirmed'::text]))),
    CONSTRAINT imaging_studies_sensitive_classes_check CHECK ((sensitive_classes <@ ARRAY['S1'::text, 'S2'::text, 'S3'::text, 'S4'::text, 'S5'::text, 'S6'::text, 'S7'::text])),
    CONSTRAINT imaging_studies_status_check CHECK (((status)::text = ANY ((ARRAY['registered'::character varying, 'scheduled'::character varying, 'arrived'::character varying, 'in-progress'::character varying, 'completed'::character varying, 'cancelled'::character varying, 'entered-in-error'::character varying, 'unknown'::character varying])::text[])))
);

COMMENT ON COLUMN public.imaging_studies.series IS 'planned series as whoever created the study gave them; stored series are rows of imaging_series';

COMMENT ON COLUMN public.imaging_studies.service_request IS 'the order it belongs to, as ServiceRequest/111';

COMMENT ON COLUMN public.imaging_studies.match IS 'how sure its order is; null where no images came, or another archive answers for it';

COMMENT ON COLUMN public.imaging_studies.planned_study_instance_uid IS 'of the worklist item whose images came under another UID';

COMMENT ON COLUMN public.imaging_studies.withdrawal_asked_by IS 'who wants it withdrawn, while a second person must agree';

COMMENT ON COLUMN public.imaging_studies.study_group_id IS 'studies that are one examination, read and reported together, have the same';

COMMENT ON COLUMN public.imaging_studies.dicom_patient_id IS '(0010,0020) as the first object of the study gave it';

COMMENT ON COLUMN public.imaging_studies.dicom IS 'patient and study attributes of the first object, DICOM JSON (PS3.18 F)';

COMMENT ON COLUMN public.imaging_studies.findable IS 'whether DICOM searches and retrievals see the study';

COMMENT ON COLUMN public.imaging_studies.answer IS 'see usual_answer; made when written, since building a page of them is most of a search';

COMMENT ON COLUMN public.imaging_studies.sensitive_classes IS 'why it is sensitive: S1 reproductive, S2 breast, S3 genito-urinary, S4 forensic, S5 stigma, S6 psychiatric or substance, S7 restricted person';

COMMENT ON COLUMN public.imaging_studies.confidentiality IS 'v3-Confidentiality: N normal, R restricted, V very restricted';

COMMENT ON COLUMN public.imaging_studies.sensitivity_policies IS 'v3-ActCode: SEX, HIV, STD, SDV, PSY, SUD, TBOO';

CREATE TABLE public.incident_steps (
    incident_id uuid NOT NULL,
    number integer NOT NULL,
    verb text NOT NULL,
    at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    text text DEFAULT ''::text NOT NULL
);

CREATE TABLE public.incidents (
    id uuid NOT NULL,
    facility_code text NOT NULL,
    cause text NOT NULL,
    status text NOT NULL,
    study_id uuid,
    device_number bigint,
    occurred_at timestamp with time zone NOT NULL,
    description text NOT NULL,
    found_by text NOT NULL,
    found_at timestamp with time zone NOT NULL,
    dose_msv double precision,
    foetal_estimate text NOT NULL,
    foetal_dose_mgy double precision,
    officer_told_at timestamp with time zone,
    authority_told_at timestamp with time zone,
    authority_needed boolean,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT incidents_cause_check CHECK ((cause = ANY (ARRAY['wrong-patient'::text, 'wrong-side'::text, 'pregnant-unknowingly'::text, 'dose-over-expected'::text, 'other'::text]))),
    CONSTRAINT incidents_foetal_estimate_check CHECK ((foetal_estimate = ANY (ARRAY['not-needed'::text, 'requested'::text, 'given'::text]))),
    CONSTRAINT incidents_status_check CHECK ((status = ANY (ARRAY['open'::text, 'assessed'::text, 'notified'::text, 'closed'::text, 'not-an-incident'::text])))
);

CREATE TABLE public.indicator_cells (
    id integer NOT NULL,
    facility_code text NOT NULL,
    modality text NOT NULL,
    priority text NOT NULL,
    subspecialty text NOT NULL,
    sensitive boolean NOT NULL
);

COMMENT ON TABLE public.indicator_cells IS 'what figures can be asked for by; sheets name a cell by its number';

ALTER TABLE public.indicator_cells ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.indicator_cells_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.indicator_days (
    measure text NOT NULL,
    day date NOT NULL,
    cells bytea NOT NULL,
    amounts bytea NOT NULL,
    counted_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY public.indicator_days ALTER COLUMN cells SET STORAGE EXTERNAL;
ALTER TABLE ONLY public.indicator_days ALTER COLUMN amounts SET STORAGE EXTERNAL;

COMMENT ON COLUMN public.indicator_days.day IS 'in the zone of the service';

CREATE TABLE public.indicator_days_due (
    source text NOT NULL,
    day date NOT NULL,
    due_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.indicator_days_due IS 'days whose sheets are to be counted again, since something changed that happened then';

CREATE TABLE public.indicator_months (
    measure text NOT NULL,
    month date NOT NULL,
    cells bytea NOT NULL,
    amounts bytea NOT NULL
);
ALTER TABLE ONLY public.indicator_months ALTER COLUMN cells SET STORAGE EXTERNAL;
ALTER TABLE ONLY public.indicator_months ALTER COLUMN amounts SET STORAGE EXTERNAL;

COMMENT ON TABLE public.indicator_months IS 'what the sheets of numbers that can be added up come to in a whole month';

CREATE TABLE public.indicator_protocols (
    id integer NOT NULL,
    facility_code text NOT NULL,
    modality text NOT NULL,
    protocol text NOT NULL,
    procedure_key text NOT NULL,
    patient_group text NOT NULL,
    quantity text NOT NULL
);

COMMENT ON TABLE public.indicator_protocols IS 'the cells of doses';

ALTER TABLE public.indicator_protocols ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.indicator_protocols_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.indicator_studies (
    study_id uuid NOT NULL,
    cell_id integer NOT NULL,
    ordered_at timestamp with time zone,
    scheduled_at timestamp with time zone,
    arrived_at timestamp with time zone,
    started_at timestamp with time zone,
    completed_at timestamp with time zone,
    preliminary_at timestamp with time zone,
    final_at timestamp with time zone,
    deadline timestamp with time zone,
    sla_hours double precision NOT NULL,
    rvu double precision NOT NULL
)
WITH (fillfactor='80');

COMMENT ON TABLE public.indicator_studies IS 'no row: cancelled or entered in error. The row stays when a study is removed by age';

COMMENT ON COLUMN public.indicator_studies.completed_at IS 'all images were there, for the first time';

COMMENT ON COLUMN public.indicator_studies.deadline IS 'when the first final report is due; NULL: there is nothing to read';

CREATE TABLE public.instance_revisions (
    object_key text NOT NULL,
    sop_instance_uid text NOT NULL,
    study_id uuid NOT NULL,
    size_bytes bigint NOT NULL,
    data_set_sha256 bytea NOT NULL,
    source_ae_title text NOT NULL,
    stored_at timestamp with time zone NOT NULL,
    replaced_at timestamp with time zone NOT NULL,
    attributes bytea NOT NULL
);

COMMENT ON TABLE public.instance_revisions IS 'objects that came again with another header and the same pixels: those before the newest';

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
    original_transfer_syntax_uid text,
    original_pixel_data_head bytea,
    object_sha256 bytea,
    flags text[] DEFAULT '{}'::text[] NOT NULL,
    source_ae_title text DEFAULT ''::text NOT NULL,
    stored_at timestamp with time zone NOT NULL,
    attributes bytea NOT NULL,
    corrections jsonb
);

COMMENT ON COLUMN public.instances.pixel_data_length IS 'bytes of native pixel data; null where encapsulated';

COMMENT ON COLUMN public.instances.data_set_sha256 IS 'of the data set as it was received, whatever it was compressed to since';

COMMENT ON COLUMN public.instances.original_transfer_syntax_uid IS 'what it was received in, where it was compressed at rest';

COMMENT ON COLUMN public.instances.original_pixel_data_head IS 'tag, VR and length that its pixel data had';

COMMENT ON COLUMN public.instances.object_sha256 IS 'of the data set in the present object, where that is not the one received';

COMMENT ON COLUMN public.instances.attributes IS 'all attributes as DICOM JSON; binary values over 1 KiB by BulkDataURI "@/<tag path>"';

COMMENT ON COLUMN public.instances.corrections IS 'what is served instead of what the object says: its own UIDs, where it is a copy that shares the object of another';

CREATE TABLE public.legal_holds (
    id uuid NOT NULL,
    patient_id uuid NOT NULL,
    study_instance_uid text,
    reason text NOT NULL,
    set_by text NOT NULL,
    set_at timestamp with time zone NOT NULL,
    lifted_by text,
    lifted_at timestamp with time zone,
    lift_reason text
);

COMMENT ON COLUMN public.legal_holds.study_instance_uid IS 'this study only; NULL means all of the patient';

CREATE TABLE public.licence_warnings (
    subject text NOT NULL,
    licence_until date NOT NULL,
    days integer NOT NULL,
    warned_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.licence_warnings IS 'of which licences somebody was warned, so many days before they expire';

CREATE TABLE public.link_openings (
    link_id uuid NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    network text NOT NULL
);

COMMENT ON COLUMN public.link_openings.network IS 'the network, not the address: the first 24 bits of IPv4, 48 of IPv6';

CREATE TABLE public.masked_regions (
    manufacturer text NOT NULL,
    model text NOT NULL,
    rows integer NOT NULL,
    columns integer NOT NULL,
    rectangles jsonb NOT NULL,
    set_by text NOT NULL,
    set_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT masked_regions_columns_check CHECK ((columns > 0)),
    CONSTRAINT masked_regions_rows_check CHECK ((rows > 0))
);

COMMENT ON TABLE public.masked_regions IS 'where devices burn text into images of one size; no rectangle says that they burn in none';

CREATE TABLE public.move_instances (
    move_id uuid NOT NULL,
    place integer NOT NULL,
    sop_instance_uid text NOT NULL,
    result text DEFAULT 'remaining'::text NOT NULL,
    status integer,
    sentence text DEFAULT ''::text NOT NULL,
    commitment_asked boolean DEFAULT false NOT NULL,
    CONSTRAINT move_instances_result_check CHECK ((result = ANY (ARRAY['remaining'::text, 'completed'::text, 'warning'::text, 'failed'::text])))
);

COMMENT ON COLUMN public.move_instances.status IS 'of the C-STORE, as the destination answered';

COMMENT ON COLUMN public.move_instances.commitment_asked IS 'whether the destination was asked to keep what it has taken';

CREATE TABLE public.moves (
    id uuid NOT NULL,
    study_id uuid NOT NULL,
    series_instance_uid text,
    sop_instance_uid text,
    destination text NOT NULL,
    priority text NOT NULL,
    status text DEFAULT 'queued'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    sentence text DEFAULT ''::text NOT NULL,
    next_attempt_at timestamp with time zone,
    job bigint,
    asked_by text NOT NULL,
    asked_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT moves_priority_check CHECK ((priority = ANY (ARRAY['low'::text, 'medium'::text, 'high'::text]))),
    CONSTRAINT moves_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'running'::text, 'waiting'::text, 'completed'::text, 'partial'::text, 'failed'::text, 'cancelled'::text])))
);

COMMENT ON COLUMN public.moves.job IS 'number of the job that sends it, in jobs.procrastinate_jobs';

CREATE TABLE public.network_version (
    single boolean DEFAULT true NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT network_version_single_check CHECK (single)
);

COMMENT ON TABLE public.network_version IS 'changes with facilities, devices and operators, so that a process knows when to read them anew';

CREATE TABLE public.notice_addresses (
    recipient text NOT NULL,
    email text NOT NULL
);

COMMENT ON TABLE public.notice_addresses IS 'to which address an account has its notices sent, too';

CREATE TABLE public.notices (
    id uuid NOT NULL,
    recipient text NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    text text NOT NULL,
    about text NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    read_at timestamp with time zone,
    mailed_at timestamp with time zone,
    mail_refused_at timestamp with time zone
);

COMMENT ON TABLE public.notices IS 'the inbox of each account; texts name no procedure and no result';

COMMENT ON COLUMN public.notices.about IS 'what it is about, as BreakGlass/<id>';

COMMENT ON COLUMN public.notices.mail_refused_at IS 'when the mail server said that it never takes it';

CREATE TABLE public.object_verifications (
    object_key text NOT NULL,
    verified_at timestamp with time zone NOT NULL,
    result text NOT NULL,
    CONSTRAINT object_verifications_result_check CHECK ((result = ANY (ARRAY['intact'::text, 'missing'::text, 'truncated'::text, 'altered'::text, 'unreadable'::text])))
);

CREATE TABLE public.on_call_turns (
    id uuid NOT NULL,
    rota bigint NOT NULL,
    line integer NOT NULL,
    reader text NOT NULL,
    begins_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    CONSTRAINT on_call_turns_check CHECK ((ends_at > begins_at)),
    CONSTRAINT on_call_turns_line_check CHECK ((line = ANY (ARRAY[1, 2])))
);

COMMENT ON COLUMN public.on_call_turns.line IS '1: primary, 2: secondary';

CREATE TABLE public.operators (
    id uuid NOT NULL,
    facility_code text NOT NULL,
    name text NOT NULL,
    sex text DEFAULT ''::text NOT NULL,
    modalities text[] NOT NULL,
    licence_number text NOT NULL,
    licence_until date,
    active boolean DEFAULT true NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT operators_licence_number_check CHECK ((licence_number <> ''::text)),
    CONSTRAINT operators_name_check CHECK ((name <> ''::text)),
    CONSTRAINT operators_sex_check CHECK ((sex = ANY (ARRAY[''::text, 'F'::text, 'M'::text])))
);

COMMENT ON TABLE public.operators IS 'who may work devices of some modalities at a facility, with a licence';

CREATE TABLE public.order_alerts (
    id uuid NOT NULL,
    order_id uuid,
    requested_procedure_id text DEFAULT ''::text NOT NULL,
    facility_code text NOT NULL,
    rule text NOT NULL,
    rule_set_version text NOT NULL,
    effect text NOT NULL,
    procedure_key text NOT NULL,
    modality text NOT NULL,
    priority text NOT NULL,
    cost_bdt numeric(12,2),
    dose_msv double precision NOT NULL,
    outcome text NOT NULL,
    shown_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    saved_bdt numeric(12,2),
    saved_msv double precision,
    CONSTRAINT order_alerts_outcome_check CHECK ((outcome = ANY (ARRAY['shown'::text, 'refused'::text, 'held'::text, 'overridden'::text, 'accepted'::text])))
);

COMMENT ON COLUMN public.order_alerts.outcome IS 'shown: placed all the same; refused, held: it blocked; overridden: for a reason; accepted: cancelled or replaced';

COMMENT ON COLUMN public.order_alerts.saved_bdt IS 'only where the order was cancelled or replaced';

CREATE TABLE public.order_attachments (
    id uuid NOT NULL,
    order_id uuid NOT NULL,
    name text NOT NULL,
    media_type text NOT NULL,
    size_bytes integer NOT NULL,
    sha256 text NOT NULL,
    object_key text NOT NULL,
    attached_by text NOT NULL,
    attached_at timestamp with time zone DEFAULT now() NOT NULL,
    removed_at timestamp with time zone,
    removed_by text,
    removal_reason text,
    CONSTRAINT order_attachments_media_type_check CHECK ((media_type = ANY (ARRAY['application/pdf'::text, 'image/jpeg'::text, 'image/png'::text])))
);

COMMENT ON TABLE public.order_attachments IS 'photographs and scans of request forms; their bytes lie in a folder of their own';

COMMENT ON COLUMN public.order_attachments.removed_at IS 'when it was found to belong elsewhere; it is shown no more, and kept';

CREATE TABLE public.order_checks (
    id uuid NOT NULL,
    order_id uuid NOT NULL,
    facility_code text NOT NULL,
    trigger text NOT NULL,
    rule_set_version text NOT NULL,
    decision text NOT NULL,
    answers jsonb NOT NULL,
    overrides jsonb DEFAULT '[]'::jsonb NOT NULL,
    held boolean DEFAULT false NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    CONSTRAINT order_checks_decision_check CHECK ((decision = ANY (ARRAY['proceed'::text, 'proceed_with_warning'::text, 'suggest_alternative'::text, 'consult_radiologist'::text, 'blocked'::text]))),
    CONSTRAINT order_checks_trigger_check CHECK ((trigger = ANY (ARRAY['place'::text, 'change'::text, 'activate'::text, 'resume'::text, 'reinstate'::text])))
);

COMMENT ON COLUMN public.order_checks.answers IS 'of each procedure, without earlier studies that only some may know of';

COMMENT ON COLUMN public.order_checks.held IS 'the order was put on hold, because it is blocked and came by a way that cannot ask';

CREATE TABLE public.order_history (
    id bigint NOT NULL,
    order_id uuid NOT NULL,
    version integer NOT NULL,
    verb text NOT NULL,
    from_status text,
    to_status text NOT NULL,
    actor text NOT NULL,
    reason text,
    reason_code text,
    content jsonb,
    occurred_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON COLUMN public.order_history.reason_code IS 'of CID 9300 (PS3.16), where a modality discontinued a step';

COMMENT ON COLUMN public.order_history.content IS 'all that was ordered from this version on, where that changed';

ALTER TABLE public.order_history ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.order_history_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE SEQUENCE public.order_number
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE public.order_payers (
    order_id uuid NOT NULL,
    version integer NOT NULL,
    concession text NOT NULL,
    scheme text NOT NULL,
    member_number text NOT NULL,
    rules_on date NOT NULL,
    reason text NOT NULL,
    set_by text NOT NULL,
    set_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.order_payers IS 'who pays for an order beside the patient';

COMMENT ON COLUMN public.order_payers.rules_on IS 'the day whose concessions, schemes and packages hold';

CREATE TABLE public.orders (
    id uuid NOT NULL,
    facility_code text NOT NULL,
    placer text DEFAULT ''::text NOT NULL,
    placer_number text,
    accession_number text NOT NULL,
    status text NOT NULL,
    intent text NOT NULL,
    priority text NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    patient_id uuid NOT NULL,
    occurrence timestamp with time zone,
    authored_on timestamp with time zone NOT NULL,
    content jsonb NOT NULL,
    released uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT orders_accession_number_check CHECK (((length(accession_number) >= 1) AND (length(accession_number) <= 16))),
    CONSTRAINT orders_priority_check CHECK ((priority = ANY (ARRAY['routine'::text, 'urgent'::text, 'asap'::text, 'stat'::text]))),
    CONSTRAINT orders_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'active'::text, 'on-hold'::text, 'revoked'::text, 'completed'::text, 'entered-in-error'::text])))
);

COMMENT ON COLUMN public.orders.placer IS 'whose number placer_number is: assigning authority of the Placer Order Number';

COMMENT ON COLUMN public.orders.occurrence IS 'for when it was asked; when it is done is with its worklist items';

COMMENT ON COLUMN public.orders.content IS 'what else was ordered, as it was said; procedures have rows of their own';

COMMENT ON COLUMN public.orders.released IS 'worklist items that a hold or a cancellation took out, and that resuming puts back';

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

CREATE TABLE public.outdated_reports (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    report_id uuid NOT NULL,
    study_id uuid NOT NULL,
    report_version integer NOT NULL,
    cause text NOT NULL,
    instances integer NOT NULL,
    priority text NOT NULL,
    assigned_to text,
    since timestamp with time zone NOT NULL,
    due_at timestamp with time zone NOT NULL,
    escalated_at timestamp with time zone,
    closed_at timestamp with time zone,
    closed_by text,
    resolution text,
    comment text,
    signature_sha256 bytea,
    CONSTRAINT outdated_reports_cause_check CHECK ((cause = ANY (ARRAY['late-images'::text, 'rejected-images'::text]))),
    CONSTRAINT outdated_reports_check CHECK (((closed_at IS NULL) = (resolution IS NULL))),
    CONSTRAINT outdated_reports_priority_check CHECK ((priority = ANY (ARRAY['stat'::text, 'urgent'::text, 'routine'::text]))),
    CONSTRAINT outdated_reports_resolution_check CHECK ((resolution = ANY (ARRAY['reviewed-no-change'::text, 'new-version'::text, 'withdrawn'::text])))
);

COMMENT ON TABLE public.outdated_reports IS 'signed reports whose images changed since: until somebody has looked again';

COMMENT ON COLUMN public.outdated_reports.report_version IS 'the version that was signed before';

COMMENT ON COLUMN public.outdated_reports.instances IS 'how many images came late, or were rejected';

COMMENT ON COLUMN public.outdated_reports.signature_sha256 IS 'over who found when that nothing changes, and the hash of the version that stays';

CREATE TABLE public.patient_identifiers (
    patient_id uuid NOT NULL,
    kind text NOT NULL,
    value text NOT NULL,
    issuer text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT patient_identifiers_kind_check CHECK ((kind = ANY (ARRAY['NID'::text, 'BRN'::text, 'UHID'::text, 'MR'::text]))),
    CONSTRAINT patient_identifiers_value_check CHECK (((length(value) >= 1) AND (length(value) <= 64)))
);

COMMENT ON TABLE public.patient_identifiers IS 'numbers beside the one in patients: national ones, and those of other hospitals';

CREATE TABLE public.patient_links (
    patient_id uuid NOT NULL,
    other_id uuid NOT NULL,
    kind text NOT NULL,
    made_by text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    CONSTRAINT patient_links_check CHECK ((patient_id < other_id)),
    CONSTRAINT patient_links_kind_check CHECK ((kind = ANY (ARRAY['seealso'::text, 'different'::text])))
);

COMMENT ON COLUMN public.patient_links.kind IS 'seealso: perhaps one person, not merged; different: a person looked, and they are two';

CREATE TABLE public.patient_notes (
    id uuid NOT NULL,
    patient_id uuid NOT NULL,
    kind text NOT NULL,
    about text DEFAULT ''::text NOT NULL,
    text text NOT NULL,
    made_by text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    answer text DEFAULT ''::text NOT NULL,
    answered_by text,
    answered_at timestamp with time zone,
    restriction_id uuid,
    CONSTRAINT patient_notes_kind_check CHECK ((kind = ANY (ARRAY['correction'::text, 'restriction'::text]))),
    CONSTRAINT patient_notes_state_check CHECK ((state = ANY (ARRAY['open'::text, 'accepted'::text, 'refused'::text, 'ended'::text])))
);

COMMENT ON COLUMN public.patient_notes.about IS 'a Study Instance UID, a reportId, or empty for the person';

COMMENT ON COLUMN public.patient_notes.restriction_id IS 'the restriction of the person that it led to';

CREATE SEQUENCE public.patient_number
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

COMMENT ON SEQUENCE public.patient_number IS 'hospital numbers of who comes without one';

CREATE TABLE public.patient_repairs (
    id uuid NOT NULL,
    kind text NOT NULL,
    patient_id uuid NOT NULL,
    other_id uuid,
    reason text NOT NULL,
    before jsonb NOT NULL,
    message_key text,
    actor text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    undone_at timestamp with time zone,
    undone_by text,
    undone_reason text,
    CONSTRAINT patient_repairs_check CHECK (((kind = 'update'::text) = (other_id IS NULL))),
    CONSTRAINT patient_repairs_kind_check CHECK ((kind = ANY (ARRAY['update'::text, 'merge'::text, 'identify'::text])))
);

COMMENT ON TABLE public.patient_repairs IS 'what was put right about patients, and what was before, so that it can be undone';

COMMENT ON COLUMN public.patient_repairs.patient_id IS 'who was changed, or survived a merge';

COMMENT ON COLUMN public.patient_repairs.other_id IS 'who was merged';

COMMENT ON COLUMN public.patient_repairs.message_key IS 'sender and control id of the message that asked for it: it is done once';

CREATE TABLE public.patient_restrictions (
    id uuid NOT NULL,
    patient_id uuid NOT NULL,
    kind text NOT NULL,
    reason text NOT NULL,
    made_by text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    ended_by text,
    end_reason text,
    CONSTRAINT patient_restrictions_kind_check CHECK ((kind = ANY (ARRAY['staff'::text, 'vip'::text, 'patient-request'::text, 'safeguarding'::text])))
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
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    facility_code text DEFAULT ''::text NOT NULL,
    birth_date_estimated boolean DEFAULT false NOT NULL,
    phone text DEFAULT ''::text NOT NULL,
    details jsonb DEFAULT '{}'::jsonb NOT NULL,
    temporary boolean DEFAULT false NOT NULL,
    merged_into uuid,
    checked_at timestamp with time zone,
    name_search text DEFAULT ''::text NOT NULL,
    name_keys text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT patients_check CHECK ((merged_into <> id))
);

COMMENT ON COLUMN public.patients.patient_name IS 'as (0010,0010) gave it, component groups joined by =';

COMMENT ON COLUMN public.patients.birth_date IS 'as (0010,0030) gave it: YYYYMMDD or empty';

COMMENT ON COLUMN public.patients.facility_code IS 'where the patient was registered';

COMMENT ON COLUMN public.patients.details IS 'address, guardians, flags: as the API has them';

COMMENT ON COLUMN public.patients.temporary IS 'whether nobody knows yet who it is';

COMMENT ON COLUMN public.patients.merged_into IS 'the patient that this one was found to be; its numbers lead there';

COMMENT ON COLUMN public.patients.checked_at IS 'when the patient registry elsewhere last said what is known here';

COMMENT ON COLUMN public.patients.name_search IS 'the words of the name as written and as searched';

COMMENT ON COLUMN public.patients.name_keys IS 'the words of the name by their sound';

CREATE TABLE public.payment_holds (
    facility_code text NOT NULL,
    hold boolean NOT NULL,
    reason text NOT NULL,
    set_by text NOT NULL,
    set_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.payment_holds IS 'whether a facility keeps reports from patients until they have paid';

CREATE TABLE public.peer_review_committee (
    account text NOT NULL,
    appointed_by text NOT NULL,
    reason text NOT NULL,
    appointed_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.peer_review_committee IS 'who decides about discrepancies, and sees the scores of single readers';

CREATE TABLE public.peer_reviews (
    id uuid NOT NULL,
    report_id uuid NOT NULL,
    study_id uuid NOT NULL,
    facility_code text NOT NULL,
    modality text NOT NULL,
    reader text NOT NULL,
    practitioner text NOT NULL,
    involved text[] NOT NULL,
    drawn_for text NOT NULL,
    final_at timestamp with time zone NOT NULL,
    state text NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    reviewer text,
    claimed_until timestamp with time zone,
    score text,
    comment text DEFAULT ''::text NOT NULL,
    scored_at timestamp with time zone,
    counted_score text,
    decided_by text,
    decision_reason text DEFAULT ''::text NOT NULL,
    counted_at timestamp with time zone,
    CONSTRAINT peer_reviews_check CHECK (((state = 'counted'::text) = (counted_score IS NOT NULL))),
    CONSTRAINT peer_reviews_check1 CHECK ((NOT (reviewer = ANY (involved)))),
    CONSTRAINT peer_reviews_check2 CHECK (((counted_score = ANY (ARRAY['1'::text, '2a'::text])) OR (decided_by IS NOT NULL))),
    CONSTRAINT peer_reviews_counted_score_check CHECK ((counted_score = ANY (ARRAY['1'::text, '2a'::text, '2b'::text, '3a'::text, '3b'::text]))),
    CONSTRAINT peer_reviews_drawn_for_check CHECK ((drawn_for = ANY (ARRAY['random'::text, 'new-reader'::text]))),
    CONSTRAINT peer_reviews_score_check CHECK ((score = ANY (ARRAY['1'::text, '2a'::text, '2b'::text, '3a'::text, '3b'::text]))),
    CONSTRAINT peer_reviews_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'claimed'::text, 'arbitration'::text, 'counted'::text])))
);

COMMENT ON COLUMN public.peer_reviews.involved IS 'who signed or wrote the report: none of them reviews it';

COMMENT ON COLUMN public.peer_reviews.score IS 'RADPEER, as the reviewer found it';

COMMENT ON COLUMN public.peer_reviews.counted_score IS 'as it counts: 2b, 3a and 3b by decision of the committee only';

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
    missing_told_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT performed_procedure_steps_sop_instance_uid_check CHECK (((length(sop_instance_uid) >= 1) AND (length(sop_instance_uid) <= 64))),
    CONSTRAINT performed_procedure_steps_status_check CHECK ((status = ANY (ARRAY['IN PROGRESS'::text, 'COMPLETED'::text, 'DISCONTINUED'::text])))
);

COMMENT ON COLUMN public.performed_procedure_steps.received_end_at IS 'when COMPLETED or DISCONTINUED came; what is missing 15 minutes later is an incomplete transfer';

COMMENT ON COLUMN public.performed_procedure_steps.attributes IS 'the data sets of N-CREATE and N-SET, merged, DICOM JSON (PS3.18 F)';

COMMENT ON COLUMN public.performed_procedure_steps.number_missing IS 'referenced instances that are not stored, as of updated_at';

COMMENT ON COLUMN public.performed_procedure_steps.missing_told_at IS 'when its facility was told of the incomplete transfer';

CREATE TABLE public.performed_step_messages (
    id bigint NOT NULL,
    ae_title text NOT NULL,
    sop_instance_uid text NOT NULL,
    operation text NOT NULL,
    attributes jsonb DEFAULT '{}'::jsonb NOT NULL,
    event_type integer,
    state text DEFAULT 'open'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    sentence text DEFAULT ''::text NOT NULL,
    caused_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT performed_step_messages_operation_check CHECK ((operation = ANY (ARRAY['N-CREATE'::text, 'N-SET'::text, 'N-EVENT-REPORT'::text]))),
    CONSTRAINT performed_step_messages_state_check CHECK ((state = ANY (ARRAY['open'::text, 'sent'::text, 'refused'::text, 'given-up'::text])))
);

COMMENT ON COLUMN public.performed_step_messages.attributes IS 'the data set, DICOM JSON (PS3.18 F)';

COMMENT ON COLUMN public.performed_step_messages.event_type IS 'of N-EVENT-REPORT (PS3.4 table F.9.2-1)';

COMMENT ON COLUMN public.performed_step_messages.sentence IS 'why it was not taken';

ALTER TABLE public.performed_step_messages ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.performed_step_messages_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.practitioners (
    reference text NOT NULL,
    patient_references text[] DEFAULT '{}'::text[] NOT NULL,
    name text,
    name_bangla text DEFAULT ''::text NOT NULL,
    active boolean DEFAULT true NOT NULL,
    registration text,
    registered_from date,
    registered_until date,
    specialties text[] DEFAULT '{}'::text[] NOT NULL,
    privileges jsonb DEFAULT '[]'::jsonb NOT NULL
);

COMMENT ON TABLE public.practitioners IS 'what is known of practitioners beside their accounts';

COMMENT ON COLUMN public.practitioners.patient_references IS 'the practitioner as a patient, and the family: never opened by break-glass';

COMMENT ON COLUMN public.practitioners.name IS 'NULL where only the family is noted: such a practitioner is not in the registry';

COMMENT ON COLUMN public.practitioners.registration IS 'of the BMDC, as A-12345';

COMMENT ON COLUMN public.practitioners.privileges IS 'facility, modalities, first and last day of each';

CREATE TABLE public.prefetch_rules (
    id uuid NOT NULL,
    name text NOT NULL,
    enabled boolean NOT NULL,
    causes text[] NOT NULL,
    conditions jsonb NOT NULL,
    sources text[] NOT NULL,
    destinations text[] NOT NULL,
    most integer NOT NULL,
    not_older_than_days integer NOT NULL,
    related_only boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT prefetch_rules_most_check CHECK (((most >= 1) AND (most <= 20))),
    CONSTRAINT prefetch_rules_not_older_than_days_check CHECK ((not_older_than_days > 0))
);

CREATE TABLE public.prefetched_studies (
    prefetch_id uuid NOT NULL,
    study_instance_uid text NOT NULL,
    place integer NOT NULL,
    source text NOT NULL,
    study_date text NOT NULL,
    modalities text[] NOT NULL,
    description text NOT NULL,
    score integer NOT NULL,
    is_chosen boolean NOT NULL,
    reason text NOT NULL,
    pull_id uuid,
    move_ids uuid[] DEFAULT '{}'::uuid[] NOT NULL
);

COMMENT ON COLUMN public.prefetched_studies.source IS 'the archive it comes from; empty where it is here';

CREATE TABLE public.prefetches (
    id uuid NOT NULL,
    rule_id uuid,
    cause text NOT NULL,
    study_instance_uid text NOT NULL,
    facility_code text NOT NULL,
    subject jsonb NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    sentence text DEFAULT ''::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    caused_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT prefetches_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'fetching'::text, 'done'::text, 'failed'::text])))
);

CREATE TABLE public.procedure_catalogue (
    only_one boolean DEFAULT true NOT NULL,
    generation uuid DEFAULT gen_random_uuid() NOT NULL,
    CONSTRAINT procedure_catalogue_only_one_check CHECK (only_one)
);

COMMENT ON COLUMN public.procedure_catalogue.generation IS 'another one after every change, so that no process keeps what held before';

CREATE TABLE public.procedure_catalogues_shipped (
    sha256 text NOT NULL,
    loaded_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.procedure_catalogues_shipped IS 'files of the service that have been loaded; of each only what was new';

CREATE TABLE public.procedure_entries (
    key text NOT NULL,
    version integer NOT NULL,
    effective_from date NOT NULL,
    body jsonb NOT NULL,
    is_shipped boolean DEFAULT false NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT procedure_entries_key_check CHECK ((key ~ '^[A-Z][A-Z0-9_]{1,63}$'::text)),
    CONSTRAINT procedure_entries_version_check CHECK ((version > 0))
);

COMMENT ON TABLE public.procedure_entries IS 'on a day that entry holds which began last, and of those of one day the one of the highest version';

COMMENT ON COLUMN public.procedure_entries.is_shipped IS 'it came with the service';

CREATE TABLE public.procedure_terms (
    key text NOT NULL,
    facility_code text DEFAULT ''::text NOT NULL,
    ownership text DEFAULT ''::text NOT NULL,
    version integer NOT NULL,
    effective_from date NOT NULL,
    price_bdt numeric(12,2),
    turnaround_hours integer,
    priority text,
    reason text DEFAULT ''::text NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT procedure_terms_check CHECK (((facility_code = ''::text) <> (ownership = ''::text))),
    CONSTRAINT procedure_terms_ownership_check CHECK ((ownership = ANY (ARRAY[''::text, 'public'::text, 'private'::text, 'ngo'::text]))),
    CONSTRAINT procedure_terms_price_bdt_check CHECK ((price_bdt >= (0)::numeric)),
    CONSTRAINT procedure_terms_priority_check CHECK ((priority = ANY (ARRAY['routine'::text, 'urgent'::text, 'asap'::text, 'stat'::text]))),
    CONSTRAINT procedure_terms_turnaround_hours_check CHECK ((turnaround_hours > 0)),
    CONSTRAINT procedure_terms_version_check CHECK ((version > 0))
);

COMMENT ON TABLE public.procedure_terms IS 'of one facility, or of all facilities of an ownership; NULL says nothing, so the next wider one counts';

CREATE TABLE public.proven_copies (
    ae_title text NOT NULL,
    sop_instance_uid text NOT NULL,
    data_set_sha256 bytea NOT NULL,
    proven_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.proven_copies IS 'instances that were fetched from another archive and were byte for byte what is here';

CREATE TABLE public.provider_sessions (
    session_id uuid NOT NULL,
    issuer text NOT NULL,
    subject text NOT NULL,
    provider_session text,
    id_token text NOT NULL
);

COMMENT ON COLUMN public.provider_sessions.provider_session IS 'the claim sid';

COMMENT ON COLUMN public.provider_sessions.id_token IS 'the hint by which the provider knows who leaves';

CREATE TABLE public.pulls (
    id uuid NOT NULL,
    remote text NOT NULL,
    study_instance_uid text NOT NULL,
    facility_code text NOT NULL,
    priority text NOT NULL,
    status text DEFAULT 'queued'::text NOT NULL,
    total integer,
    came integer DEFAULT 0 NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    sentence text DEFAULT ''::text NOT NULL,
    next_attempt_at timestamp with time zone,
    reason text DEFAULT ''::text NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT pulls_priority_check CHECK ((priority = ANY (ARRAY['low'::text, 'medium'::text, 'high'::text]))),
    CONSTRAINT pulls_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'running'::text, 'waiting'::text, 'completed'::text, 'partial'::text, 'failed'::text, 'cancelled'::text])))
);

COMMENT ON COLUMN public.pulls.total IS 'instances that the archive lists; null before it was asked';

COMMENT ON COLUMN public.pulls.came IS 'how many of them are here';

COMMENT ON COLUMN public.pulls.reason IS 'why, where nobody asked for it: the rule that did';

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
    facility_code text DEFAULT ''::text NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    resolved_at timestamp with time zone,
    resolved_by text,
    resolution text,
    CONSTRAINT quarantine_reason_check CHECK ((reason = ANY (ARRAY['conflicting_duplicate'::text, 'patient_conflict'::text, 'series_conflict'::text, 'unindexable'::text, 'rejected'::text])))
);

CREATE TABLE public.queue_tokens (
    id uuid NOT NULL,
    facility_code text NOT NULL,
    room_id uuid NOT NULL,
    day date NOT NULL,
    number integer NOT NULL,
    step_id uuid NOT NULL,
    booking_id uuid,
    priority text NOT NULL,
    facts jsonb NOT NULL,
    status text DEFAULT 'waiting'::text NOT NULL,
    taken_at timestamp with time zone NOT NULL,
    called_at timestamp with time zone,
    calls integer DEFAULT 0 NOT NULL,
    CONSTRAINT queue_tokens_status_check CHECK ((status = ANY (ARRAY['waiting'::text, 'called'::text, 'missed'::text, 'left'::text])))
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

CREATE TABLE public.reader_figures (
    practitioner text NOT NULL,
    discrepancy_rate real,
    counted_at timestamp with time zone NOT NULL,
    CONSTRAINT reader_figures_discrepancy_rate_check CHECK (((discrepancy_rate >= (0)::double precision) AND (discrepancy_rate <= (1)::double precision)))
);

COMMENT ON TABLE public.reader_figures IS 'written by what counts quality; shown to the reader and the committee only';

CREATE TABLE public.reader_warnings (
    subject text NOT NULL,
    warned_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.reader_warnings IS 'of which expiring registrations and gaps of rotas somebody was warned';

CREATE TABLE public.readers (
    practitioner text NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    active boolean DEFAULT true NOT NULL,
    subspecialties text[] DEFAULT '{}'::text[] NOT NULL,
    languages text[] DEFAULT '{}'::text[] NOT NULL,
    sex text DEFAULT ''::text NOT NULL,
    age_groups text[] DEFAULT '{adult}'::text[] NOT NULL,
    certificates text[] DEFAULT '{}'::text[] NOT NULL,
    contracts jsonb DEFAULT '[]'::jsonb NOT NULL,
    home_facility text DEFAULT ''::text NOT NULL,
    home_district text DEFAULT ''::text NOT NULL,
    home_division text DEFAULT ''::text NOT NULL,
    abroad boolean DEFAULT false NOT NULL,
    abroad_approval text DEFAULT ''::text NOT NULL,
    cap_rvu real DEFAULT 60 NOT NULL,
    reads_sensitive boolean DEFAULT false NOT NULL,
    shifts jsonb DEFAULT '[]'::jsonb NOT NULL,
    absences jsonb DEFAULT '[]'::jsonb NOT NULL,
    recused_patients uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    recused_facilities text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT readers_age_groups_check CHECK ((age_groups <@ '{neonate,child,adult}'::text[])),
    CONSTRAINT readers_cap_rvu_check CHECK ((cap_rvu > (0)::double precision)),
    CONSTRAINT readers_practitioner_check CHECK ((practitioner ~ '^Practitioner/[A-Za-z0-9.-]{1,64}$'::text)),
    CONSTRAINT readers_sex_check CHECK ((sex = ANY (ARRAY[''::text, 'F'::text, 'M'::text])))
);

COMMENT ON TABLE public.readers IS 'what the network knows of who reads; name, registration and privileges are in the registry';

COMMENT ON COLUMN public.readers.contracts IS 'scope (facility, district, division, national), place, first and last day of each';

COMMENT ON COLUMN public.readers.abroad_approval IS 'by the data protection officer; without it nobody abroad is given a study';

COMMENT ON COLUMN public.readers.cap_rvu IS 'so many RVU may lie open with somebody';

COMMENT ON COLUMN public.readers.shifts IS 'days of the week (ISO 8601), begin and end in the zone of the service';

CREATE TABLE public.reading_batch_studies (
    batch_id uuid NOT NULL,
    study_id uuid NOT NULL,
    "position" integer NOT NULL
);

COMMENT ON TABLE public.reading_batch_studies IS 'in the order in which they are read; each is claimed, read and signed by itself';

CREATE TABLE public.reading_batches (
    id uuid NOT NULL,
    account text NOT NULL,
    facility_code text NOT NULL,
    modality text NOT NULL,
    region text NOT NULL,
    procedure_key text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone
);

CREATE TABLE public.reading_escalations (
    study_id uuid NOT NULL,
    deadline timestamp with time zone NOT NULL,
    step integer NOT NULL,
    reached_at timestamp with time zone NOT NULL,
    CONSTRAINT reading_escalations_step_check CHECK (((step >= 1) AND (step <= 3)))
);

COMMENT ON COLUMN public.reading_escalations.deadline IS 'another deadline is another clock, and is escalated anew';

CREATE TABLE public.reading_fees (
    id uuid NOT NULL,
    sequence bigint NOT NULL,
    report_id uuid NOT NULL,
    study_id uuid NOT NULL,
    corrects uuid,
    kind text NOT NULL,
    account text NOT NULL,
    practitioner text NOT NULL,
    facility_code text NOT NULL,
    procedure_key text NOT NULL,
    modality text NOT NULL,
    rvu numeric(6,2) NOT NULL,
    rate_id bigint,
    amount_bdt numeric(12,2) NOT NULL,
    earned_at timestamp with time zone NOT NULL,
    booked_at timestamp with time zone NOT NULL,
    booked_by text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    CONSTRAINT reading_fees_check CHECK ((((kind = 'fee'::text) AND (amount_bdt >= (0)::numeric)) OR ((kind = 'counter'::text) AND (amount_bdt <= (0)::numeric)))),
    CONSTRAINT reading_fees_kind_check CHECK ((kind = ANY (ARRAY['fee'::text, 'counter'::text])))
);

COMMENT ON TABLE public.reading_fees IS 'one fee for the first final report of a reading; corrected by a counter-entry and another fee';

COMMENT ON COLUMN public.reading_fees.corrects IS 'of a counter: the fee that it takes back; of a fee: the one in whose place it stands';

ALTER TABLE public.reading_fees ALTER COLUMN sequence ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.reading_fees_sequence_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.reading_filters (
    owner text NOT NULL,
    name text NOT NULL,
    filter jsonb NOT NULL,
    changed_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.reading_filters IS 'filters of the reading worklist that people keep for themselves, by account';

CREATE TABLE public.reading_items (
    study_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    received_at timestamp with time zone NOT NULL,
    sla_hours double precision NOT NULL,
    standing integer GENERATED ALWAYS AS (((
CASE priority
    WHEN 'stat'::text THEN 1000
    WHEN 'asap'::text THEN 700
    WHEN 'urgent'::text THEN 500
    ELSE 100
END +
CASE
    WHEN inpatient THEN 30
    ELSE 0
END) +
CASE
    WHEN critical THEN 50
    ELSE 0
END)) STORED,
    sensitive boolean NOT NULL,
    inpatient boolean DEFAULT false NOT NULL,
    critical boolean DEFAULT false NOT NULL,
    arriving boolean NOT NULL,
    completed_at timestamp with time zone,
    deadline timestamp with time zone,
    state text NOT NULL,
    priority text NOT NULL,
    facility_code text NOT NULL,
    assigned_to text,
    claimed_by text,
    locked_until timestamp with time zone,
    author text,
    study_instance_uid text NOT NULL,
    sensitive_classes text[] NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    at_once boolean DEFAULT false NOT NULL,
    modality text NOT NULL,
    modalities text[] NOT NULL,
    procedure_key text DEFAULT ''::text NOT NULL,
    region text DEFAULT ''::text NOT NULL,
    subspecialty text NOT NULL,
    rvu double precision NOT NULL,
    certificates text[] DEFAULT '{}'::text[] NOT NULL,
    age_group text NOT NULL,
    patient_sex text DEFAULT ''::text NOT NULL,
    half_at timestamp with time zone,
    half_told_at timestamp with time zone,
    breach_told_at timestamp with time zone,
    offer_expires_at timestamp with time zone,
    claimed_at timestamp with time zone,
    approver_differs boolean DEFAULT false NOT NULL,
    finished_at timestamp with time zone,
    CONSTRAINT reading_items_age_group_check CHECK ((age_group = ANY (ARRAY['neonate'::text, 'child'::text, 'adult'::text]))),
    CONSTRAINT reading_items_check CHECK ((((completed_at IS NULL) = (deadline IS NULL)) AND ((completed_at IS NULL) = (half_at IS NULL)))),
    CONSTRAINT reading_items_check1 CHECK (((claimed_by IS NULL) = (locked_until IS NULL))),
    CONSTRAINT reading_items_check2 CHECK (((state = 'offered'::text) = (offer_expires_at IS NOT NULL))),
    CONSTRAINT reading_items_priority_check CHECK ((priority = ANY (ARRAY['stat'::text, 'asap'::text, 'urgent'::text, 'routine'::text]))),
    CONSTRAINT reading_items_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'offered'::text, 'claimed'::text, 'drafted'::text, 'preliminary'::text, 'final'::text, 'removed'::text])))
);

COMMENT ON COLUMN public.reading_items.received_at IS 'when its first image came';

COMMENT ON COLUMN public.reading_items.standing IS 'the part of its urgency that time does not change';

COMMENT ON COLUMN public.reading_items.arriving IS 'images are still coming';

COMMENT ON COLUMN public.reading_items.completed_at IS 'when all images were there for the first time: the clock runs from then on';

COMMENT ON COLUMN public.reading_items.assigned_to IS 'whose queue it stands in, as account:<name>: offered, handed over, claimed or drafted';

COMMENT ON COLUMN public.reading_items.locked_until IS 'a claim that nobody renewed until then keeps nobody out';

COMMENT ON COLUMN public.reading_items.at_once IS 'stroke or trauma: a STAT study is due in half an hour';

COMMENT ON COLUMN public.reading_items.half_at IS 'when half of the hours of its clock have passed';

CREATE TABLE public.reading_notes (
    id uuid NOT NULL,
    study_id uuid NOT NULL,
    author text NOT NULL,
    author_display text NOT NULL,
    written_at timestamp with time zone NOT NULL,
    text text NOT NULL
);

CREATE TABLE public.reading_offers (
    id uuid NOT NULL,
    study_id uuid NOT NULL,
    reader text NOT NULL,
    account text NOT NULL,
    state text NOT NULL,
    step integer DEFAULT 0 NOT NULL,
    rvu real NOT NULL,
    made_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    reason_code text DEFAULT ''::text NOT NULL,
    score double precision NOT NULL,
    explain jsonb NOT NULL,
    rule_set_version text NOT NULL,
    CONSTRAINT reading_offers_check CHECK (((state = 'open'::text) = (ended_at IS NULL))),
    CONSTRAINT reading_offers_state_check CHECK ((state = ANY (ARRAY['open'::text, 'accepted'::text, 'declined'::text, 'expired'::text, 'withdrawn'::text]))),
    CONSTRAINT reading_offers_step_check CHECK (((step >= 0) AND (step <= 3)))
);

COMMENT ON COLUMN public.reading_offers.step IS 'of the escalation when it was made: 0 none, 1 half of the time, 2 three quarters, 3 all';

COMMENT ON COLUMN public.reading_offers.explain IS 'what the score is made of';

CREATE TABLE public.reading_rates (
    id bigint NOT NULL,
    practitioner text DEFAULT ''::text NOT NULL,
    contract text DEFAULT ''::text NOT NULL,
    procedure_key text DEFAULT ''::text NOT NULL,
    modality text DEFAULT ''::text NOT NULL,
    amount_bdt numeric(12,2) NOT NULL,
    per_rvu boolean NOT NULL,
    effective_from date NOT NULL,
    reason text NOT NULL,
    set_by text NOT NULL,
    set_at timestamp with time zone NOT NULL,
    CONSTRAINT reading_rates_amount_bdt_check CHECK ((amount_bdt >= (0)::numeric)),
    CONSTRAINT reading_rates_contract_check CHECK ((contract = ANY (ARRAY[''::text, 'facility'::text, 'district'::text, 'division'::text, 'national'::text])))
);

COMMENT ON TABLE public.reading_rates IS 'what a final report earns, from a day on; empty columns are for all';

ALTER TABLE public.reading_rates ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.reading_rates_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.receipt_lines (
    receipt_id uuid NOT NULL,
    charge_id uuid NOT NULL,
    amount numeric(12,2) NOT NULL
);

CREATE TABLE public.receipt_numbers (
    facility_code text NOT NULL,
    year integer NOT NULL,
    last integer NOT NULL
);

CREATE TABLE public.receipts (
    id uuid NOT NULL,
    number text NOT NULL,
    order_id uuid NOT NULL,
    facility_code text NOT NULL,
    method text NOT NULL,
    exact numeric(12,2) NOT NULL,
    total numeric(12,2) NOT NULL,
    body jsonb NOT NULL,
    issued_by text NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    CONSTRAINT receipts_method_check CHECK ((method = ANY (ARRAY['cash'::text, 'card'::text, 'mobile'::text, 'bank'::text]))),
    CONSTRAINT receipts_total_check CHECK ((total = round(total)))
);

COMMENT ON COLUMN public.receipts.exact IS 'BDT; less than nothing where money was given back';

COMMENT ON COLUMN public.receipts.total IS 'in whole taka, what changed hands';

COMMENT ON COLUMN public.receipts.body IS 'what was printed of each item';

CREATE TABLE public.record_copies (
    id uuid NOT NULL,
    patient_id uuid NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    for_patient boolean NOT NULL,
    status text DEFAULT 'queued'::text NOT NULL,
    sentence text DEFAULT ''::text NOT NULL,
    job bigint,
    size_bytes bigint,
    sha256 text,
    expires_at timestamp with time zone,
    CONSTRAINT record_copies_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'completed'::text, 'failed'::text, 'expired'::text])))
);

COMMENT ON COLUMN public.record_copies.for_patient IS 'what the patient may see: released studies and reports, accesses without names';

CREATE TABLE public.recovery_codes (
    account_id uuid NOT NULL,
    code_sha256 bytea NOT NULL
);

CREATE TABLE public.reference_levels (
    id uuid NOT NULL,
    procedure_key text NOT NULL,
    quantity text NOT NULL,
    patient_group text NOT NULL,
    facility_code text,
    valid_from date NOT NULL,
    value double precision,
    source text NOT NULL,
    set_by text NOT NULL,
    set_at timestamp with time zone NOT NULL,
    CONSTRAINT reference_levels_value_check CHECK ((value > (0)::double precision))
);

CREATE TABLE public.reidentifications (
    project_id uuid NOT NULL,
    pseudonym text NOT NULL,
    sealed bytea NOT NULL
);

COMMENT ON TABLE public.reidentifications IS 'who a pseudonym is; sealed by keys/reidentification.key';

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
    original_transfer_syntax_uid text,
    original_pixel_data_head bytea,
    object_sha256 bytea,
    flags text[] CONSTRAINT instances_flags_not_null NOT NULL,
    source_ae_title text CONSTRAINT instances_source_ae_title_not_null NOT NULL,
    stored_at timestamp with time zone CONSTRAINT instances_stored_at_not_null NOT NULL,
    attributes bytea CONSTRAINT instances_attributes_not_null NOT NULL,
    corrections jsonb,
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

COMMENT ON COLUMN public.rejections.key_object_uid IS 'SOP Instance UID of the key object that rejected, or was written for the rejection';

CREATE TABLE public.relabellings (
    id uuid NOT NULL,
    cause text NOT NULL,
    patient_id uuid,
    state text DEFAULT 'waiting'::text NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    last_study uuid,
    studies integer NOT NULL,
    looked_at integer DEFAULT 0 NOT NULL,
    changed integer DEFAULT 0 NOT NULL,
    CONSTRAINT relabellings_cause_check CHECK ((cause = ANY (ARRAY['rules'::text, 'restriction'::text]))),
    CONSTRAINT relabellings_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'running'::text, 'done'::text])))
);

COMMENT ON COLUMN public.relabellings.patient_id IS 'the studies of this patient only; NULL means all';

COMMENT ON COLUMN public.relabellings.last_study IS 'how far it has come, in the order of ids';

CREATE TABLE public.reminder_refusals (
    facility_code text NOT NULL,
    mobile text NOT NULL,
    refused_at timestamp with time zone NOT NULL,
    refused_by text NOT NULL
);

COMMENT ON TABLE public.reminder_refusals IS 'who wants no reminders';

CREATE TABLE public.reminders (
    id uuid NOT NULL,
    facility_code text NOT NULL,
    booking_id uuid NOT NULL,
    moment text NOT NULL,
    begins timestamp with time zone NOT NULL,
    mobile text NOT NULL,
    language text NOT NULL,
    text text DEFAULT ''::text NOT NULL,
    status text DEFAULT 'due'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    reference text DEFAULT ''::text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT reminders_status_check CHECK ((status = ANY (ARRAY['due'::text, 'sent'::text, 'refused'::text, 'dropped'::text])))
);

COMMENT ON COLUMN public.reminders.begins IS 'the start it tells of: who is moved is told anew';

COMMENT ON COLUMN public.reminders.reference IS 'what the gateway calls the message';

CREATE TABLE public.remote_health (
    ae_title text NOT NULL,
    answered boolean,
    sentence text DEFAULT ''::text NOT NULL,
    milliseconds integer,
    checked_at timestamp with time zone,
    answered_at timestamp with time zone,
    since timestamp with time zone,
    due_at timestamp with time zone DEFAULT '1970-01-01 00:00:00+00'::timestamp with time zone NOT NULL
);

COMMENT ON COLUMN public.remote_health.answered IS 'how the last check went; null before the first';

COMMENT ON COLUMN public.remote_health.since IS 'since when it answers, or does not';

CREATE TABLE public.repair_rows (
    repair_id uuid NOT NULL,
    relation text NOT NULL,
    row_id text NOT NULL,
    before jsonb,
    after jsonb
);

CREATE TABLE public.repairs (
    id uuid NOT NULL,
    kind text NOT NULL,
    facility_code text NOT NULL,
    study_instance_uids text[] NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    reason text NOT NULL,
    actor text NOT NULL,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL,
    idempotency_key text,
    request_sha256 bytea,
    made_at timestamp with time zone NOT NULL,
    undone_at timestamp with time zone,
    undone_by text,
    undo_reason text
);

COMMENT ON COLUMN public.repairs.study_instance_uids IS 'the studies that it is about, that which was wrong first';

COMMENT ON COLUMN public.repairs.request_sha256 IS 'of the request that had this idempotency key';

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

CREATE TABLE public.requested_procedures (
    id uuid NOT NULL,
    order_id uuid NOT NULL,
    "position" integer NOT NULL,
    requested_procedure_id text NOT NULL,
    study_instance_uid text NOT NULL,
    modality text NOT NULL,
    asked_start timestamp with time zone,
    content jsonb NOT NULL,
    removed_at timestamp with time zone,
    CONSTRAINT requested_procedures_requested_procedure_id_check CHECK (((length(requested_procedure_id) >= 1) AND (length(requested_procedure_id) <= 16))),
    CONSTRAINT requested_procedures_study_instance_uid_check CHECK (((length(study_instance_uid) >= 1) AND (length(study_instance_uid) <= 64)))
);

COMMENT ON COLUMN public.requested_procedures.study_instance_uid IS 'as it was planned first; its worklist item knows the one that it is planned under now';

COMMENT ON COLUMN public.requested_procedures.asked_start IS 'the start that the order gave to its item; an item with another one was booked';

COMMENT ON COLUMN public.requested_procedures.removed_at IS 'when a change of the order left it out';

CREATE TABLE public.retention_batches (
    id uuid NOT NULL,
    reason text NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamp with time zone NOT NULL,
    rules_version integer NOT NULL,
    state text DEFAULT 'proposed'::text NOT NULL,
    last_copies boolean DEFAULT false NOT NULL,
    decided_by text,
    decided_at timestamp with time zone,
    answer text DEFAULT ''::text NOT NULL,
    CONSTRAINT retention_batches_check CHECK ((decided_by <> proposed_by)),
    CONSTRAINT retention_batches_state_check CHECK ((state = ANY (ARRAY['proposed'::text, 'approved'::text, 'refused'::text])))
);

COMMENT ON COLUMN public.retention_batches.last_copies IS 'who approved knows that no other copy is known';

CREATE TABLE public.retention_items (
    id uuid NOT NULL,
    batch_id uuid NOT NULL,
    study_id uuid NOT NULL,
    study_instance_uid text NOT NULL,
    facility_code text NOT NULL,
    size_bytes bigint NOT NULL,
    verdict jsonb NOT NULL,
    kept_elsewhere text DEFAULT ''::text NOT NULL,
    state text DEFAULT 'proposed'::text NOT NULL,
    sentence text DEFAULT ''::text NOT NULL,
    rejection_id uuid,
    key_object_uid text,
    due_at timestamp with time zone,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT retention_items_state_check CHECK ((state = ANY (ARRAY['proposed'::text, 'approved'::text, 'refused'::text, 'binned'::text, 'restored'::text, 'kept'::text, 'purged'::text])))
);

COMMENT ON COLUMN public.retention_items.kept_elsewhere IS 'AE title: only the images go, where that archive has them';

COMMENT ON COLUMN public.retention_items.due_at IS 'when it is looked at next: to hide it, or to purge it';

CREATE TABLE public.retention_marks (
    study_id uuid NOT NULL,
    reason text NOT NULL,
    made_by text NOT NULL,
    made_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.retention_marks IS 'studies that somebody has marked to be kept for ever';

CREATE TABLE public.retention_state (
    only_row boolean DEFAULT true NOT NULL,
    removes boolean DEFAULT false NOT NULL,
    bin_days integer DEFAULT 30 NOT NULL,
    proof_days integer DEFAULT 7 NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    changed_by text,
    changed_at timestamp with time zone,
    CONSTRAINT retention_state_bin_days_check CHECK (((bin_days >= 1) AND (bin_days <= 3650))),
    CONSTRAINT retention_state_only_row_check CHECK (only_row),
    CONSTRAINT retention_state_proof_days_check CHECK (((proof_days >= 1) AND (proof_days <= 365)))
);

COMMENT ON COLUMN public.retention_state.removes IS 'whether anything may be removed at all';

COMMENT ON COLUMN public.retention_state.bin_days IS 'how long what is removed lies in the recycle bin';

COMMENT ON COLUMN public.retention_state.proof_days IS 'how old the proof may be that another archive has a copy';

CREATE TABLE public.retention_versions (
    version integer NOT NULL,
    rules jsonb NOT NULL,
    reason text NOT NULL,
    made_by text NOT NULL,
    made_at timestamp with time zone NOT NULL
);

CREATE TABLE public.rooms (
    id uuid NOT NULL,
    facility_code text NOT NULL,
    name text NOT NULL,
    name_bangla text DEFAULT ''::text NOT NULL,
    plan jsonb NOT NULL,
    active boolean DEFAULT true NOT NULL,
    no_show_rate double precision,
    overbooks boolean DEFAULT false NOT NULL,
    feed_sha256 bytea,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT rooms_name_check CHECK (((length(name) >= 1) AND (length(name) <= 64))),
    CONSTRAINT rooms_no_show_rate_check CHECK (((no_show_rate >= (0)::double precision) AND (no_show_rate <= (0.9)::double precision)))
);

COMMENT ON COLUMN public.rooms.plan IS 'its week: sessions, breaks, shifts of who operates; as the API has it';

COMMENT ON COLUMN public.rooms.no_show_rate IS 'the share that does not come; NULL: of the bookings of the last 90 days';

COMMENT ON COLUMN public.rooms.overbooks IS 'whether more are booked than there are slots, as many as do not come';

COMMENT ON COLUMN public.rooms.feed_sha256 IS 'of the secret in the address of its calendar and of its waiting room';

CREATE TABLE public.rotas (
    number bigint NOT NULL,
    key text NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    name text NOT NULL,
    subspecialty_group text NOT NULL,
    facility_codes text[],
    active boolean DEFAULT true NOT NULL,
    CONSTRAINT rotas_facility_codes_check CHECK ((facility_codes <> '{}'::text[])),
    CONSTRAINT rotas_key_check CHECK ((key ~ '^[a-z0-9-]{1,32}$'::text)),
    CONSTRAINT rotas_name_check CHECK ((name <> ''::text))
);

COMMENT ON COLUMN public.rotas.facility_codes IS 'NULL for all';

COMMENT ON COLUMN public.rotas.active IS 'both of its lines must be covered at all times';

ALTER TABLE public.rotas ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.rotas_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.routing_rules (
    id uuid NOT NULL,
    name text NOT NULL,
    enabled boolean NOT NULL,
    priority integer NOT NULL,
    conditions jsonb NOT NULL,
    destinations text[] NOT NULL,
    send_when text NOT NULL,
    send_from time without time zone,
    send_until time without time zone,
    time_zone text NOT NULL,
    bandwidth_kib_per_second integer,
    give_up_after_days integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT routing_rules_bandwidth_kib_per_second_check CHECK ((bandwidth_kib_per_second > 0)),
    CONSTRAINT routing_rules_give_up_after_days_check CHECK ((give_up_after_days > 0)),
    CONSTRAINT routing_rules_send_when_check CHECK ((send_when = ANY (ARRAY['instances-stored'::text, 'study-received'::text])))
);

COMMENT ON COLUMN public.routing_rules.send_from IS 'begin of the window in which it sends, in its time zone; null for always';

COMMENT ON COLUMN public.routing_rules.created_at IS 'what was stored earlier is not sent by the rule';

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
    status_trigger text DEFAULT 'request'::text NOT NULL,
    status_reason text,
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

COMMENT ON COLUMN public.scheduled_procedure_steps.status_trigger IS 'what gave it the status: request, or a verb of its transitions';

COMMENT ON COLUMN public.scheduled_procedure_steps.service_request IS 'the order it belongs to, as ServiceRequest/111';

COMMENT ON COLUMN public.scheduled_procedure_steps.station_pool IS 'where no station is named: any station of this pool; without both, any of the modality';

COMMENT ON COLUMN public.scheduled_procedure_steps.patient_name_match IS 'component groups as PS3.4 C.2.2.2.1 compares them';

COMMENT ON COLUMN public.scheduled_procedure_steps.patient_name_keys IS 'the words of the name by their sound';

COMMENT ON COLUMN public.scheduled_procedure_steps.details IS 'the item as it was placed';

CREATE TABLE public.scheduling_rules (
    facility_code text NOT NULL,
    rules jsonb NOT NULL,
    version integer DEFAULT 1 NOT NULL
);

COMMENT ON COLUMN public.scheduling_rules.rules IS 'breaks, nurses, minutes, grace, reminders of a facility; as the API has them';

CREATE TABLE public.second_opinions (
    id uuid NOT NULL,
    study_id uuid NOT NULL,
    facility_code text NOT NULL,
    status text NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    asked_by text NOT NULL,
    asked_of text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    question text NOT NULL,
    answer text,
    answered_at timestamp with time zone,
    CONSTRAINT second_opinions_check CHECK (((status = ANY (ARRAY['given'::text, 'declined'::text])) = (answer IS NOT NULL))),
    CONSTRAINT second_opinions_check1 CHECK ((asked_by <> asked_of)),
    CONSTRAINT second_opinions_status_check CHECK ((status = ANY (ARRAY['asked'::text, 'given'::text, 'declined'::text, 'withdrawn'::text])))
);

CREATE TABLE public.second_steps (
    secret_sha256 bytea NOT NULL,
    account_id uuid NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.second_steps IS 'people whose password was right, and whose code is asked for';

CREATE TABLE public.sensitivity_rule_versions (
    rule_id uuid NOT NULL,
    version integer NOT NULL,
    body jsonb NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamp with time zone NOT NULL
);

CREATE TABLE public.sensitivity_rules (
    id uuid NOT NULL,
    sensitive_class text NOT NULL,
    kind text NOT NULL,
    system text NOT NULL,
    value text NOT NULL,
    display text NOT NULL,
    policy text,
    modalities text[] NOT NULL,
    with_words text[] NOT NULL,
    enabled boolean NOT NULL,
    version integer NOT NULL,
    CONSTRAINT sensitivity_rules_sensitive_class_check CHECK ((sensitive_class = ANY (ARRAY['S1'::text, 'S2'::text, 'S3'::text, 'S4'::text, 'S5'::text, 'S6'::text, 'S7'::text])))
);

COMMENT ON TABLE public.sensitivity_rules IS 'rules that a hospital added or changed; all others come with the service';

CREATE TABLE public.sensitivity_state (
    only_one boolean DEFAULT true NOT NULL,
    version integer DEFAULT 0 NOT NULL,
    shipped_sha256 text DEFAULT ''::text NOT NULL,
    CONSTRAINT sensitivity_state_only_one_check CHECK (only_one)
);

COMMENT ON COLUMN public.sensitivity_state.version IS 'goes up with every change of a rule';

COMMENT ON COLUMN public.sensitivity_state.shipped_sha256 IS 'the rules of the service with which studies were last labelled';

CREATE TABLE public.sessions (
    id uuid NOT NULL,
    secret_sha256 bytea NOT NULL,
    account_id uuid,
    link_id uuid,
    begun_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    authenticated_at timestamp with time zone,
    address text DEFAULT ''::text NOT NULL,
    agent text DEFAULT ''::text NOT NULL,
    CONSTRAINT sessions_check CHECK (((account_id IS NULL) <> (link_id IS NULL)))
);

COMMENT ON COLUMN public.sessions.link_id IS 'the link that was opened: such a session sees its study alone';

COMMENT ON COLUMN public.sessions.expires_at IS 'the end, however often it is used';

COMMENT ON COLUMN public.sessions.authenticated_at IS 'when the person last proved who it is; NULL of links';

COMMENT ON COLUMN public.sessions.agent IS 'the class of the program: browser, program or other';

CREATE TABLE public.sign_in_attempts (
    name_sha256 bytea NOT NULL,
    address text NOT NULL,
    attempts integer NOT NULL,
    last_at timestamp with time zone NOT NULL,
    waits_until timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.sign_in_attempts IS 'attempts since the last that was right';

CREATE TABLE public.station_pools (
    facility_code text NOT NULL,
    name text NOT NULL,
    modality text NOT NULL,
    ae_titles text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT station_pools_name_check CHECK (((length(name) >= 1) AND (length(name) <= 16)))
);

COMMENT ON TABLE public.station_pools IS 'stations that take each other''s work';

CREATE TABLE public.storage_days (
    day date NOT NULL,
    free_bytes bigint NOT NULL,
    total_bytes bigint NOT NULL,
    uncompressed_bytes bigint NOT NULL,
    due_bytes bigint NOT NULL
);

COMMENT ON COLUMN public.storage_days.uncompressed_bytes IS 'of images that compression at rest could compress';

COMMENT ON COLUMN public.storage_days.due_bytes IS 'of studies whose time is over by the rules of retention';

CREATE TABLE public.storage_samples (
    day date NOT NULL,
    facility_code text NOT NULL,
    modality text NOT NULL,
    studies bigint NOT NULL,
    size_bytes bigint NOT NULL
);

COMMENT ON COLUMN public.storage_samples.modality IS 'the first of a study that makes images';

CREATE TABLE public.study_labellings (
    id bigint NOT NULL,
    study_id uuid NOT NULL,
    cause text NOT NULL,
    from_classes text[] NOT NULL,
    to_classes text[] NOT NULL,
    from_confidentiality text NOT NULL,
    to_confidentiality text NOT NULL,
    actor text NOT NULL,
    reason text,
    occurred_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT study_labellings_cause_check CHECK ((cause = ANY (ARRAY['stored'::text, 'registered'::text, 'rules'::text, 'restriction'::text, 'marked'::text])))
);

ALTER TABLE public.study_labellings ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.study_labellings_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.study_links (
    id uuid NOT NULL,
    secret_sha256 bytea NOT NULL,
    study_instance_uid text NOT NULL,
    facility_code text NOT NULL,
    made_by text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    opened integer DEFAULT 0 NOT NULL,
    report_id uuid,
    pin_hash text,
    most_openings integer,
    wrong_pins integer DEFAULT 0 NOT NULL,
    closed_until timestamp with time zone,
    ended_by text,
    CONSTRAINT study_links_most_openings_check CHECK ((most_openings > 0))
);

COMMENT ON COLUMN public.study_links.report_id IS 'the report that it opens, and no images; NULL means the images';

COMMENT ON COLUMN public.study_links.wrong_pins IS 'wrong PINs of its whole life';

CREATE TABLE public.study_marks (
    study_id uuid NOT NULL,
    raised text[] DEFAULT '{}'::text[] NOT NULL,
    cleared text[] DEFAULT '{}'::text[] NOT NULL,
    at_least text DEFAULT 'N'::text NOT NULL,
    CONSTRAINT study_marks_at_least_check CHECK ((at_least = ANY (ARRAY['N'::text, 'R'::text, 'V'::text]))),
    CONSTRAINT study_marks_check CHECK ((NOT (raised && cleared)))
);

COMMENT ON TABLE public.study_marks IS 'what people said of a study: the rules neither lower what is raised nor raise what is cleared';

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

CREATE TABLE public.superseded_objects (
    object_key text NOT NULL,
    sop_instance_uid text NOT NULL,
    delete_at timestamp with time zone NOT NULL
);

CREATE TABLE public.takeover_slices (
    source text NOT NULL,
    first_date text NOT NULL,
    last_date text NOT NULL,
    first_time text NOT NULL,
    last_time text NOT NULL,
    patient_id text NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    CONSTRAINT takeover_slices_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'listed'::text, 'split'::text, 'incomplete'::text])))
);

COMMENT ON TABLE public.takeover_slices IS 'queries that list a foreign archive; an empty key asks for any value';

COMMENT ON COLUMN public.takeover_slices.first_time IS 'hours and minutes, as 0930';

COMMENT ON COLUMN public.takeover_slices.patient_id IS 'as it is matched: AB* or AB';

COMMENT ON COLUMN public.takeover_slices.state IS 'split: its parts have all of it; incomplete: that is not proven';

CREATE TABLE public.takeover_sources (
    source text NOT NULL,
    answers_queries boolean DEFAULT false NOT NULL
);

COMMENT ON TABLE public.takeover_sources IS 'foreign archives that are copied, by AE title or the URL of their DICOMweb';

COMMENT ON COLUMN public.takeover_sources.answers_queries IS 'whether it is asked for studies that have not come yet';

CREATE TABLE public.takeover_studies (
    source text NOT NULL,
    study_instance_uid text NOT NULL,
    patient_id text NOT NULL,
    accession_number text NOT NULL,
    study_date text NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    instances integer,
    missing integer,
    verified text DEFAULT ''::text NOT NULL,
    detail text DEFAULT ''::text NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT takeover_studies_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'copied'::text, 'differs'::text, 'failed'::text]))),
    CONSTRAINT takeover_studies_verified_check CHECK ((verified = ANY (ARRAY[''::text, 'uids'::text, 'count'::text, 'bytes'::text])))
);

COMMENT ON COLUMN public.takeover_studies.source IS 'AE title of the foreign archive, or the URL of its DICOMweb';

COMMENT ON COLUMN public.takeover_studies.instances IS 'how many the foreign archive lists; null before they were asked for';

COMMENT ON COLUMN public.takeover_studies.missing IS 'how many of them are not here';

CREATE TABLE public.tokens (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    token_sha256 bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    label text DEFAULT ''::text NOT NULL,
    prefix text DEFAULT ''::text NOT NULL,
    scopes text[],
    last_used_at timestamp with time zone
);

COMMENT ON COLUMN public.tokens.prefix IS 'the beginning of the key, by which its owner knows it again';

COMMENT ON COLUMN public.tokens.scopes IS 'permissions that it has at most; NULL for all of its account';

CREATE TABLE public.tombstones (
    uid_sha256 bytea NOT NULL,
    kind text NOT NULL,
    erasure_id uuid,
    erased_at timestamp with time zone NOT NULL,
    retention_batch_id uuid,
    CONSTRAINT tombstones_check CHECK ((num_nonnulls(erasure_id, retention_batch_id) = 1)),
    CONSTRAINT tombstones_kind_check CHECK ((kind = ANY (ARRAY['study'::text, 'series'::text, 'instance'::text, 'report'::text])))
);

COMMENT ON TABLE public.tombstones IS 'that something was here and was erased, for whoever knows its UID';

CREATE TABLE public.trainee_agreements (
    report_id uuid NOT NULL,
    difference text NOT NULL,
    said_by text NOT NULL,
    said_at timestamp with time zone NOT NULL,
    CONSTRAINT trainee_agreements_difference_check CHECK ((difference = ANY (ARRAY['none'::text, 'minor'::text, 'major'::text])))
);

COMMENT ON TABLE public.trainee_agreements IS 'how far the preliminary report of a trainee was from the final one, by who signed it';

CREATE TABLE public.unassignable_studies (
    study_id uuid NOT NULL,
    since timestamp with time zone NOT NULL,
    looked_at timestamp with time zone NOT NULL,
    reasons jsonb NOT NULL,
    told_at timestamp with time zone
);

COMMENT ON COLUMN public.unassignable_studies.reasons IS 'how many readers are excluded for which reason';

COMMENT ON COLUMN public.unassignable_studies.told_at IS 'when people were told';

CREATE TABLE public.verification_passes (
    id uuid NOT NULL,
    began_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    last_key text DEFAULT ''::text NOT NULL,
    objects bigint DEFAULT 0 NOT NULL,
    size_bytes bigint DEFAULT 0 NOT NULL,
    damaged bigint DEFAULT 0 NOT NULL
);

COMMENT ON COLUMN public.verification_passes.last_key IS 'how far it has come, in the order of the keys';

CREATE TABLE public.visits (
    id uuid NOT NULL,
    facility_code text NOT NULL,
    idempotency_key text,
    request_sha256 bytea,
    mobile text DEFAULT ''::text NOT NULL,
    language text DEFAULT 'bn'::text NOT NULL,
    reminders boolean DEFAULT true NOT NULL,
    made_by text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    CONSTRAINT visits_language_check CHECK ((language = ANY (ARRAY['bn'::text, 'en'::text])))
);

COMMENT ON COLUMN public.visits.mobile IS 'as +8801XXXXXXXXX; empty: that of the patient in the registry';

CREATE TABLE public.waiting_list (
    id uuid NOT NULL,
    facility_code text NOT NULL,
    step_id uuid NOT NULL,
    priority text NOT NULL,
    facts jsonb NOT NULL,
    not_before timestamp with time zone,
    mobile text DEFAULT ''::text NOT NULL,
    language text DEFAULT 'bn'::text NOT NULL,
    status text DEFAULT 'waiting'::text NOT NULL,
    booking_id uuid,
    expires_at timestamp with time zone,
    declined integer DEFAULT 0 NOT NULL,
    looked_at timestamp with time zone,
    made_by text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    CONSTRAINT waiting_list_language_check CHECK ((language = ANY (ARRAY['bn'::text, 'en'::text]))),
    CONSTRAINT waiting_list_status_check CHECK ((status = ANY (ARRAY['waiting'::text, 'offered'::text, 'booked'::text, 'left'::text])))
);

COMMENT ON COLUMN public.waiting_list.booking_id IS 'the time that is held for it until expires_at, or that it was given';

CREATE TABLE public.worker_marks (
    name text NOT NULL,
    at timestamp with time zone,
    "position" bigint
);

COMMENT ON TABLE public.worker_marks IS 'until when a repeated task has done its work';

COMMENT ON COLUMN public.worker_marks."position" IS 'up to which place of the outbox a reader has had the events';

CREATE TABLE public.workitem_global_subscriptions (
    ae_title text NOT NULL,
    facility_code text,
    deletion_lock boolean NOT NULL,
    keys jsonb DEFAULT '{}'::jsonb NOT NULL
);

COMMENT ON COLUMN public.workitem_global_subscriptions.facility_code IS 'whose new workitems it is subscribed to; null for all';

COMMENT ON COLUMN public.workitem_global_subscriptions.keys IS 'matching keys of a filtered global subscription, DICOM JSON model';

CREATE TABLE public.workitem_reports (
    number bigint NOT NULL,
    ae_title text NOT NULL,
    sop_instance_uid text NOT NULL,
    event_type smallint NOT NULL,
    attributes jsonb NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    sentence text DEFAULT ''::text NOT NULL,
    queued_at timestamp with time zone NOT NULL,
    CONSTRAINT workitem_reports_event_type_check CHECK (((event_type >= 1) AND (event_type <= 5)))
);

COMMENT ON TABLE public.workitem_reports IS 'N-EVENT-REPORTs that a subscriber has still to be sent; gone when it has answered, or after a day';

ALTER TABLE public.workitem_reports ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.workitem_reports_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.workitem_subscriptions (
    sop_instance_uid text NOT NULL,
    ae_title text NOT NULL,
    deletion_lock boolean NOT NULL
);

CREATE TABLE public.workitems (
    sop_instance_uid text NOT NULL,
    facility_code text NOT NULL,
    state text NOT NULL,
    transaction_uid text,
    scheduled_start_at timestamp with time zone NOT NULL,
    attributes jsonb NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT workitems_check CHECK (((transaction_uid IS NULL) = (state = 'SCHEDULED'::text))),
    CONSTRAINT workitems_state_check CHECK ((state = ANY (ARRAY['SCHEDULED'::text, 'IN PROGRESS'::text, 'COMPLETED'::text, 'CANCELED'::text])))
);

COMMENT ON COLUMN public.workitems.transaction_uid IS 'lock of the performer; never shown (PS3.4 CC.2.7.3)';

COMMENT ON COLUMN public.workitems.attributes IS 'DICOM JSON model, without Transaction UID';

CREATE SEQUENCE public.worklist_number
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE public.worklist_queries (
    ae_title text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    answers integer NOT NULL,
    modality text NOT NULL,
    station text NOT NULL,
    start_date text NOT NULL,
    others text[] NOT NULL
);

COMMENT ON TABLE public.worklist_queries IS 'what each application entity asked its worklist for last; nothing of patients';

COMMENT ON COLUMN public.worklist_queries.others IS 'keywords of other matching keys that had a value, without the value';

ALTER TABLE ONLY jobs.procrastinate_events ALTER COLUMN id SET DEFAULT nextval('jobs.procrastinate_events_id_seq'::regclass);

ALTER TABLE ONLY jobs.procrastinate_jobs ALTER COLUMN id SET DEFAULT nextval('jobs.procrastinate_jobs_id_seq'::regclass);

ALTER TABLE ONLY jobs.procrastinate_periodic_defers ALTER COLUMN id SET DEFAULT nextval('jobs.procrastinate_periodic_defers_id_seq'::regclass);

ALTER TABLE ONLY jobs.procrastinate_events
    ADD CONSTRAINT procrastinate_events_pkey PRIMARY KEY (id);

ALTER TABLE ONLY jobs.procrastinate_jobs
    ADD CONSTRAINT procrastinate_jobs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY jobs.procrastinate_periodic_defers
    ADD CONSTRAINT procrastinate_periodic_defers_pkey PRIMARY KEY (id);

ALTER TABLE ONLY jobs.procrastinate_periodic_defers
    ADD CONSTRAINT procrastinate_periodic_defers_unique UNIQUE (task_name, periodic_id, defer_timestamp);

ALTER TABLE ONLY jobs.procrastinate_workers
    ADD CONSTRAINT procrastinate_workers_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_name_key UNIQUE (name);

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);

ALTER TABLE ONLY public.application_entities
    ADD CONSTRAINT application_entities_pkey PRIMARY KEY (ae_title);

ALTER TABLE ONLY public.appropriateness_rules
    ADD CONSTRAINT appropriateness_rules_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.approval_delegations
    ADD CONSTRAINT approval_delegations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.associations
    ADD CONSTRAINT associations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.audit_arrivals
    ADD CONSTRAINT audit_arrivals_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.audit_checkpoints
    ADD CONSTRAINT audit_checkpoints_pkey PRIMARY KEY (sequence, reason);

ALTER TABLE ONLY public.audit_records
    ADD CONSTRAINT audit_records_pkey PRIMARY KEY (sequence, sealed_at);

ALTER TABLE ONLY public.audit_repositories
    ADD CONSTRAINT audit_repositories_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.audit_spools
    ADD CONSTRAINT audit_spools_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.availability_notices
    ADD CONSTRAINT availability_notices_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.availability
    ADD CONSTRAINT availability_pkey PRIMARY KEY (component, since);

ALTER TABLE ONLY public.billing_items
    ADD CONSTRAINT billing_items_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.billing_rules
    ADD CONSTRAINT billing_rules_pkey PRIMARY KEY (kind, code, version);

ALTER TABLE ONLY public.blocked_times
    ADD CONSTRAINT blocked_times_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.booking_changes
    ADD CONSTRAINT booking_changes_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.bookings
    ADD CONSTRAINT bookings_one_at_a_time EXCLUDE USING gist (int8range(device_number, device_number, '[]'::text) WITH &&, int4range(lane, lane, '[]'::text) WITH &&, during WITH &&) WHERE ((status = ANY (ARRAY['held'::text, 'booked'::text, 'arrived'::text])));

ALTER TABLE ONLY public.bookings
    ADD CONSTRAINT bookings_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.break_glass_uses
    ADD CONSTRAINT break_glass_uses_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.break_glass_uses
    ADD CONSTRAINT break_glass_uses_relation_id_key UNIQUE (relation_id);

ALTER TABLE ONLY public.calendar_days
    ADD CONSTRAINT calendar_days_pkey PRIMARY KEY (facility_code, day, kind);

ALTER TABLE ONLY public.care_relations
    ADD CONSTRAINT care_relations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.charge_entries
    ADD CONSTRAINT charge_entries_charge_id_number_key UNIQUE (charge_id, number);

ALTER TABLE ONLY public.charge_entries
    ADD CONSTRAINT charge_entries_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.charge_postings
    ADD CONSTRAINT charge_postings_pkey PRIMARY KEY (entry_id);

ALTER TABLE ONLY public.charges
    ADD CONSTRAINT charges_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.charges
    ADD CONSTRAINT charges_procedure_id_key UNIQUE (procedure_id);

ALTER TABLE ONLY public.commitment_inquiries
    ADD CONSTRAINT commitment_inquiries_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.commitment_inquiries
    ADD CONSTRAINT commitment_inquiries_transaction_uid_key UNIQUE (transaction_uid);

ALTER TABLE ONLY public.commitment_outcomes
    ADD CONSTRAINT commitment_outcomes_pkey PRIMARY KEY (inquiry_id, sop_instance_uid);

ALTER TABLE ONLY public.commitment_requests
    ADD CONSTRAINT commitment_requests_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.damaged_objects
    ADD CONSTRAINT damaged_objects_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.deidentification_projects
    ADD CONSTRAINT deidentification_projects_name_key UNIQUE (name);

ALTER TABLE ONLY public.deidentification_projects
    ADD CONSTRAINT deidentification_projects_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_study_id_ae_title_key UNIQUE (study_id, ae_title);

ALTER TABLE ONLY public.delivery_instances
    ADD CONSTRAINT delivery_instances_pkey PRIMARY KEY (delivery_id, sop_instance_uid);

ALTER TABLE ONLY public.device_history
    ADD CONSTRAINT device_history_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.device_test_plans
    ADD CONSTRAINT device_test_plans_pkey PRIMARY KEY (device_number, test);

ALTER TABLE ONLY public.device_tests
    ADD CONSTRAINT device_tests_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_facility_code_ae_title_key UNIQUE (facility_code, ae_title);

ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_pkey PRIMARY KEY (number);

ALTER TABLE ONLY public.dose_events
    ADD CONSTRAINT dose_events_pkey PRIMARY KEY (study_id, event_uid);

ALTER TABLE ONLY public.dose_examinations
    ADD CONSTRAINT dose_examinations_pkey PRIMARY KEY (study_id);

ALTER TABLE ONLY public.dose_notes
    ADD CONSTRAINT dose_notes_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.dose_notes
    ADD CONSTRAINT dose_notes_study_id_kind_quantity_key UNIQUE (study_id, kind, quantity);

ALTER TABLE ONLY public.duty_holders
    ADD CONSTRAINT duty_holders_pkey PRIMARY KEY (duty, facility_code, account);

ALTER TABLE ONLY public.encounters
    ADD CONSTRAINT encounters_facility_code_number_key UNIQUE (facility_code, number);

ALTER TABLE ONLY public.encounters
    ADD CONSTRAINT encounters_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.erasure_studies
    ADD CONSTRAINT erasure_studies_pkey PRIMARY KEY (erasure_id, study_id);

ALTER TABLE ONLY public.erasures
    ADD CONSTRAINT erasures_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.export_instances
    ADD CONSTRAINT export_instances_pkey PRIMARY KEY (export_id, place);

ALTER TABLE ONLY public.exports
    ADD CONSTRAINT exports_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.facilities
    ADD CONSTRAINT facilities_pkey PRIMARY KEY (code);

ALTER TABLE ONLY public.facility_figures
    ADD CONSTRAINT facility_figures_pkey PRIMARY KEY (modality, facility_code);

ALTER TABLE ONLY public.facility_ways
    ADD CONSTRAINT facility_ways_pkey PRIMARY KEY (from_facility, to_facility);

ALTER TABLE ONLY public.figures_version
    ADD CONSTRAINT figures_version_pkey PRIMARY KEY (single);

ALTER TABLE ONLY public.film_orders
    ADD CONSTRAINT film_orders_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.geocodes
    ADD CONSTRAINT geocodes_pkey PRIMARY KEY (code);

ALTER TABLE ONLY public.hl7_deliveries
    ADD CONSTRAINT hl7_deliveries_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.hl7_deliveries
    ADD CONSTRAINT hl7_deliveries_receiver_control_id_key UNIQUE (receiver, control_id);

ALTER TABLE ONLY public.hl7_messages
    ADD CONSTRAINT hl7_messages_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.hl7_receivers
    ADD CONSTRAINT hl7_receivers_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.hl7_senders
    ADD CONSTRAINT hl7_senders_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.hl7_senders
    ADD CONSTRAINT hl7_senders_sending_application_sending_facility_key UNIQUE (sending_application, sending_facility);

ALTER TABLE ONLY public.identities
    ADD CONSTRAINT identities_pkey PRIMARY KEY (issuer, subject);

ALTER TABLE ONLY public.image_exposures
    ADD CONSTRAINT image_exposures_pkey PRIMARY KEY (study_id, sop_instance_uid);

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

ALTER TABLE ONLY public.incident_steps
    ADD CONSTRAINT incident_steps_pkey PRIMARY KEY (incident_id, number);

ALTER TABLE ONLY public.incidents
    ADD CONSTRAINT incidents_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.indicator_cells
    ADD CONSTRAINT indicator_cells_facility_code_modality_priority_subspecialt_key UNIQUE (facility_code, modality, priority, subspecialty, sensitive);

ALTER TABLE ONLY public.indicator_cells
    ADD CONSTRAINT indicator_cells_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.indicator_days_due
    ADD CONSTRAINT indicator_days_due_pkey PRIMARY KEY (source, day);

ALTER TABLE ONLY public.indicator_days
    ADD CONSTRAINT indicator_days_pkey PRIMARY KEY (measure, day);

ALTER TABLE ONLY public.indicator_months
    ADD CONSTRAINT indicator_months_pkey PRIMARY KEY (measure, month);

ALTER TABLE ONLY public.indicator_protocols
    ADD CONSTRAINT indicator_protocols_facility_code_modality_protocol_procedu_key UNIQUE (facility_code, modality, protocol, procedure_key, patient_group, quantity);

ALTER TABLE ONLY public.indicator_protocols
    ADD CONSTRAINT indicator_protocols_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.indicator_studies
    ADD CONSTRAINT indicator_studies_pkey PRIMARY KEY (study_id);

ALTER TABLE ONLY public.instance_revisions
    ADD CONSTRAINT instance_revisions_pkey PRIMARY KEY (object_key);

ALTER TABLE ONLY public.instances
    ADD CONSTRAINT instances_pkey PRIMARY KEY (sop_instance_uid);

ALTER TABLE ONLY public.legal_holds
    ADD CONSTRAINT legal_holds_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.licence_warnings
    ADD CONSTRAINT licence_warnings_pkey PRIMARY KEY (subject, licence_until, days);

ALTER TABLE ONLY public.masked_regions
    ADD CONSTRAINT masked_regions_pkey PRIMARY KEY (manufacturer, model, rows, columns);

ALTER TABLE ONLY public.move_instances
    ADD CONSTRAINT move_instances_pkey PRIMARY KEY (move_id, sop_instance_uid);

ALTER TABLE ONLY public.moves
    ADD CONSTRAINT moves_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.network_version
    ADD CONSTRAINT network_version_pkey PRIMARY KEY (single);

ALTER TABLE ONLY public.notice_addresses
    ADD CONSTRAINT notice_addresses_pkey PRIMARY KEY (recipient);

ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.object_verifications
    ADD CONSTRAINT object_verifications_pkey PRIMARY KEY (object_key);

ALTER TABLE ONLY public.on_call_turns
    ADD CONSTRAINT on_call_turns_one_at_a_time EXCLUDE USING gist (int8range(rota, rota, '[]'::text) WITH &&, int4range(line, line, '[]'::text) WITH &&, tstzrange(begins_at, ends_at) WITH &&);

ALTER TABLE ONLY public.on_call_turns
    ADD CONSTRAINT on_call_turns_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.operators
    ADD CONSTRAINT operators_facility_code_licence_number_key UNIQUE (facility_code, licence_number);

ALTER TABLE ONLY public.operators
    ADD CONSTRAINT operators_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.order_alerts
    ADD CONSTRAINT order_alerts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.order_attachments
    ADD CONSTRAINT order_attachments_object_key_key UNIQUE (object_key);

ALTER TABLE ONLY public.order_attachments
    ADD CONSTRAINT order_attachments_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.order_checks
    ADD CONSTRAINT order_checks_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.order_history
    ADD CONSTRAINT order_history_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.order_payers
    ADD CONSTRAINT order_payers_pkey PRIMARY KEY (order_id);

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_facility_code_accession_number_key UNIQUE (facility_code, accession_number);

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (sequence);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_position_key UNIQUE ("position");

ALTER TABLE ONLY public.outdated_reports
    ADD CONSTRAINT outdated_reports_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.patient_identifiers
    ADD CONSTRAINT patient_identifiers_pkey PRIMARY KEY (patient_id, kind, value, issuer);

ALTER TABLE ONLY public.patient_links
    ADD CONSTRAINT patient_links_pkey PRIMARY KEY (patient_id, other_id);

ALTER TABLE ONLY public.patient_notes
    ADD CONSTRAINT patient_notes_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.patient_repairs
    ADD CONSTRAINT patient_repairs_message_key_key UNIQUE (message_key);

ALTER TABLE ONLY public.patient_repairs
    ADD CONSTRAINT patient_repairs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.patient_restrictions
    ADD CONSTRAINT patient_restrictions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.patients
    ADD CONSTRAINT patients_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.patients
    ADD CONSTRAINT patients_reference_key UNIQUE (reference);

ALTER TABLE ONLY public.payment_holds
    ADD CONSTRAINT payment_holds_pkey PRIMARY KEY (facility_code);

ALTER TABLE ONLY public.peer_review_committee
    ADD CONSTRAINT peer_review_committee_pkey PRIMARY KEY (account);

ALTER TABLE ONLY public.peer_reviews
    ADD CONSTRAINT peer_reviews_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.peer_reviews
    ADD CONSTRAINT peer_reviews_report_id_key UNIQUE (report_id);

ALTER TABLE ONLY public.performed_instances
    ADD CONSTRAINT performed_instances_pkey PRIMARY KEY (performed_step_id, sop_instance_uid);

ALTER TABLE ONLY public.performed_of_scheduled
    ADD CONSTRAINT performed_of_scheduled_pkey PRIMARY KEY (performed_step_id, scheduled_step_id);

ALTER TABLE ONLY public.performed_procedure_steps
    ADD CONSTRAINT performed_procedure_steps_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.performed_procedure_steps
    ADD CONSTRAINT performed_procedure_steps_sop_instance_uid_key UNIQUE (sop_instance_uid);

ALTER TABLE ONLY public.performed_step_messages
    ADD CONSTRAINT performed_step_messages_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.practitioners
    ADD CONSTRAINT practitioners_pkey PRIMARY KEY (reference);

ALTER TABLE ONLY public.prefetch_rules
    ADD CONSTRAINT prefetch_rules_name_key UNIQUE (name);

ALTER TABLE ONLY public.prefetch_rules
    ADD CONSTRAINT prefetch_rules_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.prefetched_studies
    ADD CONSTRAINT prefetched_studies_pkey PRIMARY KEY (prefetch_id, study_instance_uid);

ALTER TABLE ONLY public.prefetches
    ADD CONSTRAINT prefetches_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.prefetches
    ADD CONSTRAINT prefetches_rule_id_study_instance_uid_key UNIQUE (rule_id, study_instance_uid);

ALTER TABLE ONLY public.procedure_catalogue
    ADD CONSTRAINT procedure_catalogue_pkey PRIMARY KEY (only_one);

ALTER TABLE ONLY public.procedure_catalogues_shipped
    ADD CONSTRAINT procedure_catalogues_shipped_pkey PRIMARY KEY (sha256);

ALTER TABLE ONLY public.procedure_entries
    ADD CONSTRAINT procedure_entries_pkey PRIMARY KEY (key, version);

ALTER TABLE ONLY public.procedure_terms
    ADD CONSTRAINT procedure_terms_pkey PRIMARY KEY (key, facility_code, ownership, version);

ALTER TABLE ONLY public.proven_copies
    ADD CONSTRAINT proven_copies_pkey PRIMARY KEY (ae_title, sop_instance_uid);

ALTER TABLE ONLY public.provider_sessions
    ADD CONSTRAINT provider_sessions_pkey PRIMARY KEY (session_id);

ALTER TABLE ONLY public.pulls
    ADD CONSTRAINT pulls_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.quarantine
    ADD CONSTRAINT quarantine_object_key_key UNIQUE (object_key);

ALTER TABLE ONLY public.quarantine
    ADD CONSTRAINT quarantine_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.queue_tokens
    ADD CONSTRAINT queue_tokens_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.queue_tokens
    ADD CONSTRAINT queue_tokens_room_id_day_number_key UNIQUE (room_id, day, number);

ALTER TABLE ONLY public.radiology_reports
    ADD CONSTRAINT radiology_reports_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.radiology_reports
    ADD CONSTRAINT radiology_reports_report_id_key UNIQUE (report_id);

ALTER TABLE ONLY public.reader_figures
    ADD CONSTRAINT reader_figures_pkey PRIMARY KEY (practitioner);

ALTER TABLE ONLY public.reader_warnings
    ADD CONSTRAINT reader_warnings_pkey PRIMARY KEY (subject);

ALTER TABLE ONLY public.readers
    ADD CONSTRAINT readers_pkey PRIMARY KEY (practitioner);

ALTER TABLE ONLY public.reading_batch_studies
    ADD CONSTRAINT reading_batch_studies_pkey PRIMARY KEY (batch_id, study_id);

ALTER TABLE ONLY public.reading_batches
    ADD CONSTRAINT reading_batches_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.reading_escalations
    ADD CONSTRAINT reading_escalations_pkey PRIMARY KEY (study_id, deadline, step);

ALTER TABLE ONLY public.reading_fees
    ADD CONSTRAINT reading_fees_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.reading_filters
    ADD CONSTRAINT reading_filters_pkey PRIMARY KEY (owner, name);

ALTER TABLE ONLY public.reading_items
    ADD CONSTRAINT reading_items_pkey PRIMARY KEY (study_id);

ALTER TABLE ONLY public.reading_notes
    ADD CONSTRAINT reading_notes_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.reading_offers
    ADD CONSTRAINT reading_offers_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.reading_rates
    ADD CONSTRAINT reading_rates_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.receipt_lines
    ADD CONSTRAINT receipt_lines_pkey PRIMARY KEY (receipt_id, charge_id);

ALTER TABLE ONLY public.receipt_numbers
    ADD CONSTRAINT receipt_numbers_pkey PRIMARY KEY (facility_code, year);

ALTER TABLE ONLY public.receipts
    ADD CONSTRAINT receipts_number_key UNIQUE (number);

ALTER TABLE ONLY public.receipts
    ADD CONSTRAINT receipts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.record_copies
    ADD CONSTRAINT record_copies_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.recovery_codes
    ADD CONSTRAINT recovery_codes_pkey PRIMARY KEY (account_id, code_sha256);

ALTER TABLE ONLY public.reference_levels
    ADD CONSTRAINT reference_levels_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.reference_levels
    ADD CONSTRAINT reference_levels_procedure_key_quantity_patient_group_facil_key UNIQUE NULLS NOT DISTINCT (procedure_key, quantity, patient_group, facility_code, valid_from);

ALTER TABLE ONLY public.reidentifications
    ADD CONSTRAINT reidentifications_pkey PRIMARY KEY (project_id, pseudonym);

ALTER TABLE ONLY public.rejected_instances
    ADD CONSTRAINT rejected_instances_pkey PRIMARY KEY (object_key, sop_instance_uid);

ALTER TABLE ONLY public.rejection_references
    ADD CONSTRAINT rejection_references_pkey PRIMARY KEY (rejection_id, sop_instance_uid);

ALTER TABLE ONLY public.rejection_withdrawals
    ADD CONSTRAINT rejection_withdrawals_pkey PRIMARY KEY (rejection_id);

ALTER TABLE ONLY public.rejections
    ADD CONSTRAINT rejections_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.relabellings
    ADD CONSTRAINT relabellings_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.reminder_refusals
    ADD CONSTRAINT reminder_refusals_pkey PRIMARY KEY (facility_code, mobile);

ALTER TABLE ONLY public.reminders
    ADD CONSTRAINT reminders_booking_id_moment_begins_key UNIQUE (booking_id, moment, begins);

ALTER TABLE ONLY public.reminders
    ADD CONSTRAINT reminders_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.remote_health
    ADD CONSTRAINT remote_health_pkey PRIMARY KEY (ae_title);

ALTER TABLE ONLY public.repair_rows
    ADD CONSTRAINT repair_rows_pkey PRIMARY KEY (repair_id, relation, row_id);

ALTER TABLE ONLY public.repairs
    ADD CONSTRAINT repairs_actor_idempotency_key_key UNIQUE (actor, idempotency_key);

ALTER TABLE ONLY public.repairs
    ADD CONSTRAINT repairs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.report_versions
    ADD CONSTRAINT report_versions_pkey PRIMARY KEY (report_id, version_no);

ALTER TABLE ONLY public.requested_procedures
    ADD CONSTRAINT requested_procedures_order_id_position_key UNIQUE (order_id, "position");

ALTER TABLE ONLY public.requested_procedures
    ADD CONSTRAINT requested_procedures_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.requested_procedures
    ADD CONSTRAINT requested_procedures_study_instance_uid_key UNIQUE (study_instance_uid);

ALTER TABLE ONLY public.retention_batches
    ADD CONSTRAINT retention_batches_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.retention_items
    ADD CONSTRAINT retention_items_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.retention_marks
    ADD CONSTRAINT retention_marks_pkey PRIMARY KEY (study_id);

ALTER TABLE ONLY public.retention_state
    ADD CONSTRAINT retention_state_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY public.retention_versions
    ADD CONSTRAINT retention_versions_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.rooms
    ADD CONSTRAINT rooms_facility_code_name_key UNIQUE (facility_code, name);

ALTER TABLE ONLY public.rooms
    ADD CONSTRAINT rooms_feed_sha256_key UNIQUE (feed_sha256);

ALTER TABLE ONLY public.rooms
    ADD CONSTRAINT rooms_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.rotas
    ADD CONSTRAINT rotas_key_key UNIQUE (key);

ALTER TABLE ONLY public.rotas
    ADD CONSTRAINT rotas_pkey PRIMARY KEY (number);

ALTER TABLE ONLY public.routing_rules
    ADD CONSTRAINT routing_rules_name_key UNIQUE (name);

ALTER TABLE ONLY public.routing_rules
    ADD CONSTRAINT routing_rules_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.scheduled_procedure_step_transitions
    ADD CONSTRAINT scheduled_procedure_step_transitions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.scheduled_procedure_steps
    ADD CONSTRAINT scheduled_procedure_steps_facility_code_scheduled_procedure_key UNIQUE (facility_code, scheduled_procedure_step_id);

ALTER TABLE ONLY public.scheduled_procedure_steps
    ADD CONSTRAINT scheduled_procedure_steps_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.scheduling_rules
    ADD CONSTRAINT scheduling_rules_pkey PRIMARY KEY (facility_code);

ALTER TABLE ONLY public.second_opinions
    ADD CONSTRAINT second_opinions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.second_steps
    ADD CONSTRAINT second_steps_pkey PRIMARY KEY (secret_sha256);

ALTER TABLE ONLY public.sensitivity_rule_versions
    ADD CONSTRAINT sensitivity_rule_versions_pkey PRIMARY KEY (rule_id, version);

ALTER TABLE ONLY public.sensitivity_rules
    ADD CONSTRAINT sensitivity_rules_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.sensitivity_state
    ADD CONSTRAINT sensitivity_state_pkey PRIMARY KEY (only_one);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_secret_sha256_key UNIQUE (secret_sha256);

ALTER TABLE ONLY public.sign_in_attempts
    ADD CONSTRAINT sign_in_attempts_pkey PRIMARY KEY (name_sha256, address);

ALTER TABLE ONLY public.station_pools
    ADD CONSTRAINT station_pools_pkey PRIMARY KEY (facility_code, name);

ALTER TABLE ONLY public.storage_days
    ADD CONSTRAINT storage_days_pkey PRIMARY KEY (day);

ALTER TABLE ONLY public.storage_samples
    ADD CONSTRAINT storage_samples_pkey PRIMARY KEY (day, facility_code, modality);

ALTER TABLE ONLY public.study_labellings
    ADD CONSTRAINT study_labellings_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.study_links
    ADD CONSTRAINT study_links_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.study_links
    ADD CONSTRAINT study_links_secret_sha256_key UNIQUE (secret_sha256);

ALTER TABLE ONLY public.study_marks
    ADD CONSTRAINT study_marks_pkey PRIMARY KEY (study_id);

ALTER TABLE ONLY public.study_transitions
    ADD CONSTRAINT study_transitions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.superseded_objects
    ADD CONSTRAINT superseded_objects_pkey PRIMARY KEY (object_key);

ALTER TABLE ONLY public.takeover_slices
    ADD CONSTRAINT takeover_slices_pkey PRIMARY KEY (source, first_date, last_date, first_time, last_time, patient_id);

ALTER TABLE ONLY public.takeover_sources
    ADD CONSTRAINT takeover_sources_pkey PRIMARY KEY (source);

ALTER TABLE ONLY public.takeover_studies
    ADD CONSTRAINT takeover_studies_pkey PRIMARY KEY (source, study_instance_uid);

ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_token_sha256_key UNIQUE (token_sha256);

ALTER TABLE ONLY public.tombstones
    ADD CONSTRAINT tombstones_pkey PRIMARY KEY (uid_sha256);

ALTER TABLE ONLY public.trainee_agreements
    ADD CONSTRAINT trainee_agreements_pkey PRIMARY KEY (report_id);

ALTER TABLE ONLY public.unassignable_studies
    ADD CONSTRAINT unassignable_studies_pkey PRIMARY KEY (study_id);

ALTER TABLE ONLY public.verification_passes
    ADD CONSTRAINT verification_passes_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.visits
    ADD CONSTRAINT visits_facility_code_made_by_idempotency_key_key UNIQUE (facility_code, made_by, idempotency_key);

ALTER TABLE ONLY public.visits
    ADD CONSTRAINT visits_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.waiting_list
    ADD CONSTRAINT waiting_list_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.worker_marks
    ADD CONSTRAINT worker_marks_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.workitem_global_subscriptions
    ADD CONSTRAINT workitem_global_subscriptions_pkey PRIMARY KEY (ae_title);

ALTER TABLE ONLY public.workitem_reports
    ADD CONSTRAINT workitem_reports_pkey PRIMARY KEY (number);

ALTER TABLE ONLY public.workitem_subscriptions
    ADD CONSTRAINT workitem_subscriptions_pkey PRIMARY KEY (sop_instance_uid, ae_title);

ALTER TABLE ONLY public.workitems
    ADD CONSTRAINT workitems_pkey PRIMARY KEY (sop_instance_uid);

ALTER TABLE ONLY public.worklist_queries
    ADD CONSTRAINT worklist_queries_pkey PRIMARY KEY (ae_title);

CREATE INDEX idx_procrastinate_jobs_worker_not_null ON jobs.procrastinate_jobs USING btree (worker_id) WHERE ((worker_id IS NOT NULL) AND (status = 'doing'::jobs.procrastinate_job_status));

CREATE INDEX idx_procrastinate_workers_last_heartbeat ON jobs.procrastinate_workers USING btree (last_heartbeat);

CREATE INDEX procrastinate_events_job_id_fkey_v1 ON jobs.procrastinate_events USING btree (job_id);

CREATE INDEX procrastinate_jobs_id_lock_idx_v1 ON jobs.procrastinate_jobs USING btree (id, lock) WHERE (status = ANY (ARRAY['todo'::jobs.procrastinate_job_status, 'doing'::jobs.procrastinate_job_status]));

CREATE UNIQUE INDEX procrastinate_jobs_lock_idx_v1 ON jobs.procrastinate_jobs USING btree (lock) WHERE (status = 'doing'::jobs.procrastinate_job_status);

CREATE INDEX procrastinate_jobs_priority_idx_v1 ON jobs.procrastinate_jobs USING btree (priority DESC, id) WHERE (status = 'todo'::jobs.procrastinate_job_status);

CREATE INDEX procrastinate_jobs_queue_name_idx_v1 ON jobs.procrastinate_jobs USING btree (queue_name);

CREATE UNIQUE INDEX procrastinate_jobs_queueing_lock_idx_v1 ON jobs.procrastinate_jobs USING btree (queueing_lock) WHERE (status = 'todo'::jobs.procrastinate_job_status);

CREATE INDEX procrastinate_periodic_defers_job_id_fkey_v1 ON jobs.procrastinate_periodic_defers USING btree (job_id);

CREATE INDEX appropriateness_rules_effective ON public.appropriateness_rules USING btree (effective_from DESC, made_at DESC) WHERE (withdrawn_at IS NULL);

CREATE INDEX approval_delegations_delegate ON public.approval_delegations USING btree (delegate, facility_code) WHERE (ended_at IS NULL);

CREATE INDEX associations_calling ON public.associations USING btree (calling_ae_title, opened_at DESC, id DESC);

CREATE INDEX associations_opened ON public.associations USING btree (opened_at DESC, id DESC);

CREATE INDEX associations_position ON public.associations USING btree ("position");

CREATE INDEX audit_records_actor ON ONLY public.audit_records USING btree (actor, occurred_at, id);

CREATE INDEX audit_records_id ON ONLY public.audit_records USING btree (id);

CREATE INDEX audit_records_patient ON ONLY public.audit_records USING btree (patient_reference, occurred_at, id) WHERE (patient_reference <> ''::text);

CREATE INDEX audit_records_study ON ONLY public.audit_records USING btree (study_instance_uid, occurred_at, id) WHERE (study_instance_uid <> ''::text);

CREATE INDEX audit_records_time ON ONLY public.audit_records USING btree (occurred_at, id);

CREATE INDEX availability_notices_newest ON public.availability_notices USING btree (caused_at DESC, id DESC);

CREATE INDEX availability_until ON public.availability USING btree (component, until);

CREATE INDEX blocked_times_device ON public.blocked_times USING btree (device_number, ends);

CREATE INDEX blocked_times_room ON public.blocked_times USING btree (room_id, ends);

CREATE INDEX booking_changes_booking ON public.booking_changes USING btree (booking_id);

CREATE INDEX bookings_coming ON public.bookings USING btree (begins) WHERE (status = 'booked'::text);

CREATE INDEX bookings_device ON public.bookings USING btree (device_number, begins);

CREATE UNIQUE INDEX bookings_external ON public.bookings USING btree (facility_code, external_id) WHERE ((external_id IS NOT NULL) AND (status <> 'cancelled'::text));

CREATE UNIQUE INDEX bookings_one_of_step ON public.bookings USING btree (step_id) WHERE (status = ANY (ARRAY['booked'::text, 'arrived'::text]));

CREATE INDEX bookings_room ON public.bookings USING btree (room_id, begins);

CREATE INDEX bookings_step ON public.bookings USING btree (step_id);

CREATE INDEX bookings_visit ON public.bookings USING btree (visit_id);

CREATE INDEX break_glass_uses_actor ON public.break_glass_uses USING btree (actor, begins_at);

CREATE INDEX break_glass_uses_patient ON public.break_glass_uses USING btree (patient_id);

CREATE INDEX break_glass_uses_running ON public.break_glass_uses USING btree (ends_at) WHERE (stop_told_at IS NULL);

CREATE INDEX break_glass_uses_unreviewed ON public.break_glass_uses USING btree (review_due_at) WHERE (outcome IS NULL);

CREATE INDEX care_relations_actor_patient ON public.care_relations USING btree (actor, patient_id);

CREATE INDEX care_relations_patient ON public.care_relations USING btree (patient_id);

CREATE INDEX charges_captured ON public.charges USING btree (facility_code, captured_at);

CREATE INDEX charges_newest ON public.charges USING btree (id DESC);

CREATE INDEX charges_order ON public.charges USING btree (order_id);

CREATE UNIQUE INDEX charges_repeats ON public.charges USING btree (repeats) WHERE (state <> 'credited'::text);

CREATE INDEX charges_study ON public.charges USING btree (study_id);

CREATE INDEX commitment_inquiries_cause ON public.commitment_inquiries USING btree (cause_id);

CREATE INDEX commitment_inquiries_newest ON public.commitment_inquiries USING btree (caused_at DESC, id DESC);

CREATE INDEX commitment_outcomes_instance ON public.commitment_outcomes USING btree (sop_instance_uid);

CREATE INDEX commitment_requests_newest ON public.commitment_requests USING btree (requested_at DESC, id DESC);

CREATE INDEX commitment_requests_open ON public.commitment_requests USING btree (ae_title, transaction_uid) WHERE (state = 'open'::text);

CREATE INDEX damaged_objects_newest ON public.damaged_objects USING btree (found_at DESC, id DESC);

CREATE UNIQUE INDEX damaged_objects_open ON public.damaged_objects USING btree (object_key) WHERE (state = 'open'::text);

CREATE INDEX damaged_objects_study ON public.damaged_objects USING btree (study_id) WHERE (state = 'open'::text);

CREATE INDEX deliveries_due ON public.deliveries USING btree (next_attempt_at) WHERE (state = 'waiting'::text);

CREATE INDEX deliveries_newest ON public.deliveries USING btree (caused_at DESC, id DESC);

CREATE INDEX deliveries_sending ON public.deliveries USING btree (ae_title) WHERE (state = 'sending'::text);

CREATE INDEX delivery_instances_waiting ON public.delivery_instances USING btree (delivery_id) WHERE (state <> 'sent'::text);

CREATE INDEX device_history_device ON public.device_history USING btree (device_number, id);

CREATE INDEX device_tests_device ON public.device_tests USING btree (device_number, test, done_on DESC, recorded_at DESC, id DESC);

CREATE UNIQUE INDEX devices_name ON public.devices USING btree (facility_code, name) WHERE (name <> ''::text);

CREATE INDEX devices_room ON public.devices USING btree (room_id);

CREATE INDEX dose_examinations_performed ON public.dose_examinations USING btree (performed_at);

CREATE INDEX dose_examinations_protocol ON public.dose_examinations USING btree (protocol, performed_at);

CREATE INDEX dose_notes_open ON public.dose_notes USING btree (made_at) WHERE (closed_at IS NULL);

CREATE INDEX encounters_patient ON public.encounters USING btree (patient_id, began_at DESC);

CREATE INDEX erasure_studies_study ON public.erasure_studies USING btree (study_id);

CREATE INDEX erasures_patient ON public.erasures USING btree (patient_id, asked_at DESC);

CREATE INDEX exports_asked_at ON public.exports USING btree (asked_at DESC, id DESC);

CREATE INDEX exports_not_over ON public.exports USING btree (asked_at) WHERE (status = ANY (ARRAY['queued'::text, 'running'::text, 'completed'::text]));

CREATE INDEX facility_ways_back ON public.facility_ways USING btree (to_facility);

CREATE INDEX film_orders_asked_at ON public.film_orders USING btree (asked_at DESC, id);

CREATE INDEX geocodes_parent ON public.geocodes USING btree (parent);

CREATE INDEX hl7_deliveries_caused ON public.hl7_deliveries USING btree (caused_at DESC, id DESC);

CREATE INDEX hl7_deliveries_open ON public.hl7_deliveries USING btree (receiver, order_id, number) WHERE (state = 'open'::text);

CREATE INDEX hl7_messages_control_id ON public.hl7_messages USING btree (control_id, sending_application, sending_facility, received_at);

CREATE INDEX hl7_messages_received ON public.hl7_messages USING btree (received_at DESC, id DESC);

CREATE INDEX hl7_messages_waiting ON public.hl7_messages USING btree (received_at DESC, id DESC) WHERE (state = ANY (ARRAY['failed'::text, 'quarantined'::text]));

CREATE INDEX identities_account ON public.identities USING btree (account_id);

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

CREATE INDEX image_exposures_taken ON public.image_exposures USING btree (taken_at);

CREATE INDEX imaging_studies_alphabetic ON public.imaging_studies USING btree (patient_name_alphabetic text_pattern_ops);

CREATE INDEX imaging_studies_codes_and_readers ON public.imaging_studies USING gin (procedure_codes, performers, interpreters);

CREATE INDEX imaging_studies_days ON public.imaging_studies USING btree ((((COALESCE(started, created_at) AT TIME ZONE 'Asia/Dhaka'::text))::date) DESC);

CREATE INDEX imaging_studies_dicom_patient_id ON public.imaging_studies USING btree (dicom_patient_id, study_date DESC);

CREATE INDEX imaging_studies_encounter ON public.imaging_studies USING btree (encounter_id) WHERE (encounter_id IS NOT NULL);

CREATE INDEX imaging_studies_flagged ON public.imaging_studies USING btree (created_at, id) WHERE (flags && '{identity_review,wrong_worklist_entry}'::text[]);

CREATE INDEX imaging_studies_group ON public.imaging_studies USING btree (study_group_id) WHERE (study_group_id IS NOT NULL);

CREATE INDEX imaging_studies_ideographic ON public.imaging_studies USING btree (patient_name_ideographic text_pattern_ops) WHERE (patient_name_ideographic <> ''::text);

CREATE INDEX imaging_studies_newest ON public.imaging_studies USING btree (COALESCE(started, created_at) DESC, id DESC);

CREATE INDEX imaging_studies_order ON public.imaging_studies USING btree (study_date DESC NULLS LAST, study_time DESC NULLS LAST, study_instance_uid) INCLUDE (facility_code, sensitive, patient_id, sensitive_classes) WHERE findable;

CREATE INDEX imaging_studies_patient_name ON public.imaging_studies USING gin (patient_name_search public.gin_trgm_ops);

CREATE INDEX imaging_studies_phonetic ON public.imaging_studies USING btree (patient_name_phonetic text_pattern_ops) WHERE (patient_name_phonetic <> ''::text);

CREATE INDEX imaging_studies_planned ON public.imaging_studies USING btree (planned_study_instance_uid) WHERE (planned_study_instance_uid IS NOT NULL);

CREATE INDEX imaging_studies_sensitive ON public.imaging_studies USING btree (patient_id) WHERE sensitive;

CREATE INDEX imaging_studies_service_request ON public.imaging_studies USING btree (service_request) WHERE (service_request IS NOT NULL);

CREATE INDEX imaging_studies_unmatched ON public.imaging_studies USING btree (created_at, id) WHERE (match = ANY (ARRAY['probable'::text, 'none'::text]));

CREATE UNIQUE INDEX incidents_dose_once ON public.incidents USING btree (study_id) WHERE (cause = 'dose-over-expected'::text);

CREATE INDEX incidents_found ON public.incidents USING btree (found_at);

CREATE INDEX indicator_studies_moments ON public.indicator_studies USING brin (ordered_at, scheduled_at, started_at, completed_at, preliminary_at, final_at, deadline) WITH (pages_per_range='16', autosummarize='on');

CREATE INDEX indicator_studies_open ON public.indicator_studies USING btree (deadline) WHERE ((final_at IS NULL) AND (deadline IS NOT NULL));

CREATE INDEX instance_revisions_instance ON public.instance_revisions USING btree (sop_instance_uid, replaced_at);

CREATE INDEX instance_revisions_study ON public.instance_revisions USING btree (study_id);

CREATE INDEX instances_object_key ON public.instances USING btree (object_key);

CREATE INDEX instances_recompressed ON public.instances USING btree (object_key COLLATE "C") WHERE (original_transfer_syntax_uid IS NOT NULL);

CREATE INDEX instances_series ON public.instances USING btree (series_id, instance_number);

CREATE INDEX instances_stored_at ON public.instances USING brin (stored_at);

CREATE INDEX instances_study ON public.instances USING btree (study_id);

CREATE INDEX legal_holds_in_force ON public.legal_holds USING btree (patient_id) WHERE (lifted_at IS NULL);

CREATE INDEX link_openings_link ON public.link_openings USING btree (link_id, opened_at DESC);

CREATE INDEX moves_asked_at ON public.moves USING btree (asked_at DESC, id DESC);

CREATE INDEX moves_not_over ON public.moves USING btree (asked_at) WHERE (status = ANY (ARRAY['queued'::text, 'running'::text, 'waiting'::text]));

CREATE INDEX notices_recipient ON public.notices USING btree (recipient, made_at DESC, id DESC);

CREATE INDEX on_call_turns_ends_at ON public.on_call_turns USING btree (ends_at);

CREATE INDEX on_call_turns_reader ON public.on_call_turns USING btree (reader);

CREATE INDEX order_alerts_order ON public.order_alerts USING btree (order_id);

CREATE INDEX order_alerts_shown ON public.order_alerts USING btree (shown_at);

CREATE INDEX order_attachments_order ON public.order_attachments USING btree (order_id, attached_at);

CREATE INDEX order_checks_order ON public.order_checks USING btree (order_id, asked_at DESC);

CREATE INDEX order_history_moments ON public.order_history USING brin (occurred_at) WITH (autosummarize='on');

CREATE INDEX order_history_order ON public.order_history USING btree (order_id, id);

CREATE INDEX orders_created ON public.orders USING btree (created_at DESC, id DESC);

CREATE INDEX orders_patient ON public.orders USING btree (patient_id, created_at DESC);

CREATE UNIQUE INDEX orders_placer_number ON public.orders USING btree (facility_code, placer, placer_number);

CREATE INDEX orders_status ON public.orders USING btree (status, created_at DESC, id DESC);

CREATE INDEX outbox_unplaced ON public.outbox USING btree (sequence) WHERE ("position" IS NULL);

CREATE INDEX outbox_unrelayed ON public.outbox USING btree ("position") WHERE (relayed_at IS NULL);

CREATE INDEX outdated_reports_closed ON public.outdated_reports USING btree (report_id, closed_at);

CREATE INDEX outdated_reports_due ON public.outdated_reports USING btree (due_at, id) WHERE (closed_at IS NULL);

CREATE UNIQUE INDEX outdated_reports_open ON public.outdated_reports USING btree (report_id) WHERE (closed_at IS NULL);

CREATE INDEX outdated_reports_study ON public.outdated_reports USING btree (study_id) WHERE (closed_at IS NULL);

CREATE INDEX patient_identifiers_value ON public.patient_identifiers USING btree (value, kind, issuer);

CREATE INDEX patient_links_other ON public.patient_links USING btree (other_id);

CREATE INDEX patient_notes_patient ON public.patient_notes USING btree (patient_id, made_at DESC);

CREATE INDEX patient_repairs_other ON public.patient_repairs USING btree (other_id) WHERE (other_id IS NOT NULL);

CREATE INDEX patient_repairs_patient ON public.patient_repairs USING btree (patient_id, made_at DESC);

CREATE INDEX patient_restrictions_patient ON public.patient_restrictions USING btree (patient_id) WHERE (ended_at IS NULL);

CREATE INDEX patients_merged_into ON public.patients USING btree (merged_into) WHERE (merged_into IS NOT NULL);

CREATE INDEX patients_name_keys ON public.patients USING gin (name_keys);

CREATE INDEX patients_name_search ON public.patients USING gin (name_search public.gin_trgm_ops);

CREATE INDEX patients_patient_id ON public.patients USING btree (patient_id, issuer_of_patient_id);

CREATE INDEX patients_phone ON public.patients USING btree (phone) WHERE (phone <> ''::text);

CREATE INDEX peer_reviews_arbitration ON public.peer_reviews USING btree (scored_at, id) WHERE (state = 'arbitration'::text);

CREATE INDEX peer_reviews_final ON public.peer_reviews USING btree (final_at);

CREATE INDEX peer_reviews_reader ON public.peer_reviews USING btree (reader, final_at);

CREATE INDEX peer_reviews_waiting ON public.peer_reviews USING btree (final_at, id) WHERE (state = ANY (ARRAY['waiting'::text, 'claimed'::text]));

CREATE INDEX performed_of_scheduled_scheduled ON public.performed_of_scheduled USING btree (scheduled_step_id);

CREATE INDEX performed_procedure_steps_missing ON public.performed_procedure_steps USING btree (received_end_at) WHERE (number_missing > 0);

CREATE INDEX performed_procedure_steps_studies ON public.performed_procedure_steps USING gin (study_instance_uids);

CREATE INDEX performed_step_messages_open ON public.performed_step_messages USING btree (ae_title, sop_instance_uid, id) WHERE (state = 'open'::text);

CREATE UNIQUE INDEX practitioners_registration ON public.practitioners USING btree (registration);

CREATE INDEX prefetches_caused_at ON public.prefetches USING btree (caused_at DESC, id DESC);

CREATE INDEX provider_sessions_session ON public.provider_sessions USING btree (issuer, provider_session);

CREATE INDEX provider_sessions_subject ON public.provider_sessions USING btree (issuer, subject);

CREATE INDEX pulls_asked_at ON public.pulls USING btree (asked_at DESC, id DESC);

CREATE UNIQUE INDEX pulls_open ON public.pulls USING btree (remote, study_instance_uid) WHERE (status = ANY (ARRAY['queued'::text, 'running'::text, 'waiting'::text]));

CREATE INDEX quarantine_open ON public.quarantine USING btree (received_at) WHERE (resolved_at IS NULL);

CREATE INDEX quarantine_open_instance ON public.quarantine USING btree (sop_instance_uid) WHERE (resolved_at IS NULL);

CREATE INDEX queue_tokens_booking ON public.queue_tokens USING btree (booking_id);

CREATE INDEX queue_tokens_step ON public.queue_tokens USING btree (step_id);

CREATE INDEX radiology_reports_days ON public.radiology_reports USING btree ((((created_at AT TIME ZONE 'Asia/Dhaka'::text))::date) DESC);

CREATE INDEX radiology_reports_newest ON public.radiology_reports USING btree (created_at DESC, id DESC);

CREATE INDEX reading_batch_studies_study ON public.reading_batch_studies USING btree (study_id);

CREATE INDEX reading_batches_account ON public.reading_batches USING btree (account, made_at);

CREATE INDEX reading_fees_account ON public.reading_fees USING btree (account, booked_at);

CREATE UNIQUE INDEX reading_fees_corrected_once ON public.reading_fees USING btree (corrects, kind) WHERE (corrects IS NOT NULL);

CREATE UNIQUE INDEX reading_fees_once ON public.reading_fees USING btree (report_id) WHERE ((kind = 'fee'::text) AND (corrects IS NULL));

CREATE INDEX reading_items_assigned ON public.reading_items USING btree (assigned_to) WHERE (state <> ALL (ARRAY['final'::text, 'removed'::text]));

CREATE INDEX reading_items_due ON public.reading_items USING btree (deadline) WHERE ((state <> ALL (ARRAY['final'::text, 'removed'::text])) AND (breach_told_at IS NULL));

CREATE INDEX reading_items_half ON public.reading_items USING btree (half_at) WHERE ((state <> ALL (ARRAY['final'::text, 'removed'::text])) AND (half_told_at IS NULL));

CREATE INDEX reading_items_locked ON public.reading_items USING btree (locked_until) WHERE (state <> ALL (ARRAY['final'::text, 'removed'::text]));

CREATE INDEX reading_items_open ON public.reading_items USING btree (facility_code) WHERE (state <> ALL (ARRAY['final'::text, 'removed'::text]));

CREATE INDEX reading_items_patient ON public.reading_items USING btree (patient_id);

CREATE INDEX reading_notes_study ON public.reading_notes USING btree (study_id, written_at);

CREATE INDEX reading_offers_account ON public.reading_offers USING btree (account) WHERE (state = 'open'::text);

CREATE UNIQUE INDEX reading_offers_one_open ON public.reading_offers USING btree (study_id) WHERE (state = 'open'::text);

CREATE INDEX reading_offers_reader ON public.reading_offers USING btree (reader, made_at);

CREATE INDEX reading_offers_study ON public.reading_offers USING btree (study_id, made_at);

CREATE INDEX receipt_lines_charge ON public.receipt_lines USING btree (charge_id);

CREATE INDEX receipts_day ON public.receipts USING btree (facility_code, issued_at);

CREATE INDEX receipts_order ON public.receipts USING btree (order_id);

CREATE INDEX record_copies_expires_at ON public.record_copies USING btree (expires_at) WHERE (status = 'completed'::text);

CREATE INDEX record_copies_patient ON public.record_copies USING btree (patient_id, asked_at DESC);

CREATE INDEX rejected_instances_rejection ON public.rejected_instances USING btree (rejection_id);

CREATE INDEX rejection_references_in_force ON public.rejection_references USING btree (sop_instance_uid) WHERE in_force;

CREATE INDEX rejections_newest ON public.rejections USING btree (rejected_at DESC, id DESC);

CREATE INDEX rejections_study ON public.rejections USING btree (study_instance_uid);

CREATE INDEX relabellings_asked_at ON public.relabellings USING btree (asked_at DESC, id DESC);

CREATE INDEX repair_rows_row ON public.repair_rows USING btree (relation, row_id);

CREATE INDEX repairs_newest ON public.repairs USING btree (made_at DESC, id DESC);

CREATE INDEX repairs_studies ON public.repairs USING gin (study_instance_uids);

CREATE INDEX report_versions_signed ON public.report_versions USING brin (signed_at) WITH (autosummarize='on');

CREATE INDEX retention_batches_newest ON public.retention_batches USING btree (proposed_at DESC, id DESC);

CREATE INDEX retention_items_batch ON public.retention_items USING btree (batch_id);

CREATE INDEX retention_items_bin ON public.retention_items USING btree (changed_at DESC, id DESC) WHERE (state = 'binned'::text);

CREATE INDEX retention_items_due ON public.retention_items USING btree (due_at) WHERE (state = ANY (ARRAY['approved'::text, 'binned'::text]));

CREATE UNIQUE INDEX retention_items_study ON public.retention_items USING btree (study_id) WHERE (state = ANY (ARRAY['proposed'::text, 'approved'::text, 'binned'::text]));

CREATE INDEX scheduled_procedure_step_transitions_step ON public.scheduled_procedure_step_transitions USING btree (step_id);

CREATE INDEX scheduled_procedure_steps_accession ON public.scheduled_procedure_steps USING btree (accession_number, facility_code);

CREATE INDEX scheduled_procedure_steps_open ON public.scheduled_procedure_steps USING btree (facility_code, scheduled_start, id) WHERE (status = ANY (ARRAY['SCHEDULED'::text, 'ARRIVED'::text, 'READY'::text]));

CREATE INDEX scheduled_procedure_steps_order ON public.scheduled_procedure_steps USING btree (service_request) WHERE (service_request IS NOT NULL);

CREATE INDEX scheduled_procedure_steps_patient ON public.scheduled_procedure_steps USING btree (patient_id, facility_code);

CREATE INDEX scheduled_procedure_steps_start ON public.scheduled_procedure_steps USING btree (scheduled_start DESC, id DESC);

CREATE INDEX scheduled_procedure_steps_study ON public.scheduled_procedure_steps USING btree (study_instance_uid);

CREATE INDEX scheduled_procedure_steps_unfinished ON public.scheduled_procedure_steps USING btree (scheduled_start) WHERE (status = ANY (ARRAY['SCHEDULED'::text, 'ARRIVED'::text, 'READY'::text, 'STARTED'::text]));

CREATE INDEX second_opinions_asked_of ON public.second_opinions USING btree (asked_of, asked_at) WHERE (status = 'asked'::text);

CREATE UNIQUE INDEX second_opinions_once ON public.second_opinions USING btree (study_id, asked_of) WHERE (status = 'asked'::text);

CREATE INDEX second_opinions_study ON public.second_opinions USING btree (study_id, asked_at);

CREATE INDEX sessions_account ON public.sessions USING btree (account_id) WHERE (account_id IS NOT NULL);

CREATE INDEX sessions_expires_at ON public.sessions USING btree (expires_at);

CREATE INDEX sign_in_attempts_last_at ON public.sign_in_attempts USING btree (last_at);

CREATE INDEX study_labellings_study ON public.study_labellings USING btree (study_id);

CREATE INDEX study_links_report ON public.study_links USING btree (report_id) WHERE (report_id IS NOT NULL);

CREATE INDEX study_links_study ON public.study_links USING btree (study_instance_uid, made_at DESC);

CREATE INDEX study_transitions_study ON public.study_transitions USING btree (study_id);

CREATE INDEX superseded_objects_due ON public.superseded_objects USING btree (delete_at);

CREATE INDEX takeover_slices_waiting ON public.takeover_slices USING btree (source, last_date DESC, last_time DESC, patient_id) WHERE (state = 'waiting'::text);

CREATE INDEX takeover_studies_newest ON public.takeover_studies USING btree (source, state, study_date DESC);

CREATE INDEX tokens_account ON public.tokens USING btree (account_id);

CREATE UNIQUE INDEX waiting_list_step ON public.waiting_list USING btree (step_id) WHERE (status = ANY (ARRAY['waiting'::text, 'offered'::text]));

CREATE INDEX workitem_reports_subscriber ON public.workitem_reports USING btree (ae_title, number);

CREATE INDEX workitem_subscriptions_subscriber ON public.workitem_subscriptions USING btree (ae_title);

CREATE INDEX workitems_attributes ON public.workitems USING gin (attributes jsonb_path_ops);

CREATE INDEX workitems_state ON public.workitems USING btree (facility_code, state, scheduled_start_at, sop_instance_uid);

CREATE TRIGGER procrastinate_jobs_notify_queue_job_aborted_v1 AFTER UPDATE OF abort_requested ON jobs.procrastinate_jobs FOR EACH ROW WHEN (((old.abort_requested = false) AND (new.abort_requested = true) AND (new.status = 'doing'::jobs.procrastinate_job_status))) EXECUTE FUNCTION jobs.procrastinate_notify_queue_abort_job_v1();

CREATE TRIGGER procrastinate_jobs_notify_queue_job_inserted_v1 AFTER INSERT ON jobs.procrastinate_jobs FOR EACH ROW WHEN ((new.status = 'todo'::jobs.procrastinate_job_status)) EXECUTE FUNCTION jobs.procrastinate_notify_queue_job_inserted_v1();

CREATE TRIGGER procrastinate_trigger_abort_requested_events_v1 AFTER UPDATE OF abort_requested ON jobs.procrastinate_jobs FOR EACH ROW WHEN ((new.abort_requested = true)) EXECUTE FUNCTION jobs.procrastinate_trigger_abort_requested_events_procedure_v1();

CREATE TRIGGER procrastinate_trigger_delete_jobs_v1 BEFORE DELETE ON jobs.procrastinate_jobs FOR EACH ROW EXECUTE FUNCTION jobs.procrastinate_unlink_periodic_defers_v1();

CREATE TRIGGER procrastinate_trigger_scheduled_events_v1 AFTER INSERT OR UPDATE ON jobs.procrastinate_jobs FOR EACH ROW WHEN (((new.scheduled_at IS NOT NULL) AND (new.status = 'todo'::jobs.procrastinate_job_status))) EXECUTE FUNCTION jobs.procrastinate_trigger_function_scheduled_events_v1();

CREATE TRIGGER procrastinate_trigger_status_events_insert_v1 AFTER INSERT ON jobs.procrastinate_jobs FOR EACH ROW WHEN ((new.status = 'todo'::jobs.procrastinate_job_status)) EXECUTE FUNCTION jobs.procrastinate_trigger_function_status_events_insert_v1();

CREATE TRIGGER procrastinate_trigger_status_events_update_v1 AFTER UPDATE OF status ON jobs.procrastinate_jobs FOR EACH ROW EXECUTE FUNCTION jobs.procrastinate_trigger_function_status_events_update_v1();

CREATE TRIGGER bookings_forget_visits AFTER DELETE ON public.bookings REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.forget_empty_visits();

CREATE TRIGGER charge_entries_insert_only BEFORE DELETE OR UPDATE ON public.charge_entries FOR EACH ROW EXECUTE FUNCTION public.refuse_change_of_ledger();

CREATE TRIGGER reading_fees_insert_only BEFORE DELETE OR UPDATE ON public.reading_fees FOR EACH ROW EXECUTE FUNCTION public.refuse_change_of_ledger();

CREATE TRIGGER reading_rates_insert_only BEFORE DELETE OR UPDATE ON public.reading_rates FOR EACH ROW EXECUTE FUNCTION public.refuse_change_of_ledger();

CREATE TRIGGER receipt_lines_insert_only BEFORE DELETE OR UPDATE ON public.receipt_lines FOR EACH ROW EXECUTE FUNCTION public.refuse_change_of_ledger();

CREATE TRIGGER receipts_insert_only BEFORE DELETE OR UPDATE ON public.receipts FOR EACH ROW EXECUTE FUNCTION public.refuse_change_of_ledger();

CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_checkpoints FOR EACH STATEMENT EXECUTE FUNCTION public.audit_refuse();

CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE ON public.audit_records FOR EACH ROW EXECUTE FUNCTION public.audit_refuse();

CREATE TRIGGER refuse_delete AFTER DELETE ON public.audit_arrivals REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.audit_only_sealed();

CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON public.audit_arrivals FOR EACH STATEMENT EXECUTE FUNCTION public.audit_refuse();

CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON public.audit_records FOR EACH STATEMENT EXECUTE FUNCTION public.audit_refuse();

CREATE TRIGGER refuse_update BEFORE UPDATE ON public.audit_arrivals FOR EACH STATEMENT EXECUTE FUNCTION public.audit_refuse();

CREATE TRIGGER report_versions_insert_only BEFORE DELETE OR UPDATE ON public.report_versions FOR EACH ROW EXECUTE FUNCTION public.refuse_change_of_signed_version();

ALTER TABLE ONLY jobs.procrastinate_events
    ADD CONSTRAINT procrastinate_events_job_id_fkey FOREIGN KEY (job_id) REFERENCES jobs.procrastinate_jobs(id) ON DELETE CASCADE;

ALTER TABLE ONLY jobs.procrastinate_jobs
    ADD CONSTRAINT procrastinate_jobs_worker_id_fkey FOREIGN KEY (worker_id) REFERENCES jobs.procrastinate_workers(id) ON DELETE SET NULL;

ALTER TABLE ONLY jobs.procrastinate_periodic_defers
    ADD CONSTRAINT procrastinate_periodic_defers_job_id_fkey FOREIGN KEY (job_id) REFERENCES jobs.procrastinate_jobs(id);

ALTER TABLE ONLY public.availability_notices
    ADD CONSTRAINT availability_notices_rejection_id_fkey FOREIGN KEY (rejection_id) REFERENCES public.rejections(id);

ALTER TABLE ONLY public.blocked_times
    ADD CONSTRAINT blocked_times_device_number_fkey FOREIGN KEY (device_number) REFERENCES public.devices(number) ON DELETE CASCADE;

ALTER TABLE ONLY public.blocked_times
    ADD CONSTRAINT blocked_times_room_id_fkey FOREIGN KEY (room_id) REFERENCES public.rooms(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.booking_changes
    ADD CONSTRAINT booking_changes_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES public.bookings(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.bookings
    ADD CONSTRAINT bookings_device_number_fkey FOREIGN KEY (device_number) REFERENCES public.devices(number);

ALTER TABLE ONLY public.bookings
    ADD CONSTRAINT bookings_room_id_fkey FOREIGN KEY (room_id) REFERENCES public.rooms(id);

ALTER TABLE ONLY public.bookings
    ADD CONSTRAINT bookings_step_id_fkey FOREIGN KEY (step_id) REFERENCES public.scheduled_procedure_steps(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.bookings
    ADD CONSTRAINT bookings_visit_id_fkey FOREIGN KEY (visit_id) REFERENCES public.visits(id);

ALTER TABLE ONLY public.break_glass_uses
    ADD CONSTRAINT break_glass_uses_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES public.patients(id);

ALTER TABLE ONLY public.break_glass_uses
    ADD CONSTRAINT break_glass_uses_relation_id_fkey FOREIGN KEY (relation_id) REFERENCES public.care_relations(id);

ALTER TABLE ONLY public.care_relations
    ADD CONSTRAINT care_relations_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES public.patients(id);

ALTER TABLE ONLY public.charge_entries
    ADD CONSTRAINT charge_entries_charge_id_fkey FOREIGN KEY (charge_id) REFERENCES public.charges(id);

ALTER TABLE ONLY public.charge_postings
    ADD CONSTRAINT charge_postings_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES public.charge_entries(id);

ALTER TABLE ONLY public.commitment_outcomes
    ADD CONSTRAINT commitment_outcomes_inquiry_id_fkey FOREIGN KEY (inquiry_id) REFERENCES public.commitment_inquiries(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_rule_id_fkey FOREIGN KEY (rule_id) REFERENCES public.routing_rules(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.delivery_instances
    ADD CONSTRAINT delivery_instances_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES public.deliveries(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.device_history
    ADD CONSTRAINT device_history_device_number_fkey FOREIGN KEY (device_number) REFERENCES public.devices(number) ON DELETE CASCADE;

ALTER TABLE ONLY public.device_test_plans
    ADD CONSTRAINT device_test_plans_device_number_fkey FOREIGN KEY (device_number) REFERENCES public.devices(number) ON DELETE CASCADE;

ALTER TABLE ONLY public.device_tests
    ADD CONSTRAINT device_tests_device_number_fkey FOREIGN KEY (device_number) REFERENCES public.devices(number) ON DELETE CASCADE;

ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_room_id_fkey FOREIGN KEY (room_id) REFERENCES public.rooms(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.dose_events
    ADD CONSTRAINT dose_events_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.imaging_studies(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.dose_examinations
    ADD CONSTRAINT dose_examinations_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.imaging_studies(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.dose_notes
    ADD CONSTRAINT dose_notes_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.imaging_studies(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.encounters
    ADD CONSTRAINT encounters_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES public.patients(id);

ALTER TABLE ONLY public.erasure_studies
    ADD CONSTRAINT erasure_studies_erasure_id_fkey FOREIGN KEY (erasure_id) REFERENCES public.erasures(id);

ALTER TABLE ONLY public.erasures
    ADD CONSTRAINT erasures_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES public.patients(id);

ALTER TABLE ONLY public.export_instances
    ADD CONSTRAINT export_instances_export_id_fkey FOREIGN KEY (export_id) REFERENCES public.exports(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.exports
    ADD CONSTRAINT exports_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.deidentification_projects(id);

ALTER TABLE ONLY public.facilities
    ADD CONSTRAINT facilities_district_fkey FOREIGN KEY (district) REFERENCES public.geocodes(code);

ALTER TABLE ONLY public.facilities
    ADD CONSTRAINT facilities_division_fkey FOREIGN KEY (division) REFERENCES public.geocodes(code);

ALTER TABLE ONLY public.facilities
    ADD CONSTRAINT facilities_upazila_fkey FOREIGN KEY (upazila) REFERENCES public.geocodes(code);

ALTER TABLE ONLY public.film_orders
    ADD CONSTRAINT film_orders_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.imaging_studies(id);

ALTER TABLE ONLY public.geocodes
    ADD CONSTRAINT geocodes_parent_fkey FOREIGN KEY (parent) REFERENCES public.geocodes(code);

ALTER TABLE ONLY public.hl7_deliveries
    ADD CONSTRAINT hl7_deliveries_receiver_fkey FOREIGN KEY (receiver) REFERENCES public.hl7_receivers(name) ON DELETE CASCADE;

ALTER TABLE ONLY public.identities
    ADD CONSTRAINT identities_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.image_exposures
    ADD CONSTRAINT image_exposures_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.imaging_studies(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.imaging_series
    ADD CONSTRAINT imaging_series_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.imaging_studies(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.imaging_studies
    ADD CONSTRAINT imaging_studies_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES public.patients(id);

ALTER TABLE ONLY public.incident_steps
    ADD CONSTRAINT incident_steps_incident_id_fkey FOREIGN KEY (incident_id) REFERENCES public.incidents(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.incidents
    ADD CONSTRAINT incidents_device_number_fkey FOREIGN KEY (device_number) REFERENCES public.devices(number) ON DELETE SET NULL;

ALTER TABLE ONLY public.incidents
    ADD CONSTRAINT incidents_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.imaging_studies(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.indicator_studies
    ADD CONSTRAINT indicator_studies_cell_id_fkey FOREIGN KEY (cell_id) REFERENCES public.indicator_cells(id);

ALTER TABLE ONLY public.instance_revisions
    ADD CONSTRAINT instance_revisions_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.imaging_studies(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.instances
    ADD CONSTRAINT instances_series_id_fkey FOREIGN KEY (series_id) REFERENCES public.imaging_series(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.legal_holds
    ADD CONSTRAINT legal_holds_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES public.patients(id);

ALTER TABLE ONLY public.link_openings
    ADD CONSTRAINT link_openings_link_id_fkey FOREIGN KEY (link_id) REFERENCES public.study_links(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.move_instances
    ADD CONSTRAINT move_instances_move_id_fkey FOREIGN KEY (move_id) REFERENCES public.moves(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.moves
    ADD CONSTRAINT moves_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.imaging_studies(id);

ALTER TABLE ONLY public.on_call_turns
    ADD CONSTRAINT on_call_turns_reader_fkey FOREIGN KEY (reader) REFERENCES public.readers(practitioner);

ALTER TABLE ONLY public.on_call_turns
    ADD CONSTRAINT on_call_turns_rota_fkey FOREIGN KEY (rota) REFERENCES public.rotas(number) ON DELETE CASCADE;

ALTER TABLE ONLY public.operators
    ADD CONSTRAINT operators_facility_code_fkey FOREIGN KEY (facility_code) REFERENCES public.facilities(code);

ALTER TABLE ONLY public.order_alerts
    ADD CONSTRAINT order_alerts_order_id_fkey FOREIGN KEY (order_id) REFERENCES public.orders(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.order_attachments
    ADD CONSTRAINT order_attachments_order_id_fkey FOREIGN KEY (order_id) REFERENCES public.orders(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.order_checks
    ADD CONSTRAINT order_checks_order_id_fkey FOREIGN KEY (order_id) REFERENCES public.orders(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.order_history
    ADD CONSTRAINT order_history_order_id_fkey FOREIGN KEY (order_id) REFERENCES public.orders(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES public.patients(id);

ALTER TABLE ONLY public.outdated_reports
    ADD CONSTRAINT outdated_reports_report_id_fkey FOREIGN KEY (report_id) REFERENCES public.radiology_reports(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.outdated_reports
    ADD CONSTRAINT outdated_reports_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.imaging_studies(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.patient_identifiers
    ADD CONSTRAINT patient_identifiers_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES public.patients(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.patient_links
    ADD CONSTRAINT patient_links_other_id_fkey FOREIGN KEY (other_id) REFERENCES public.patients(id);

ALTER TABLE ONLY public.patient_links
    ADD CONSTRAINT patient_links_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES public.patients(id);

ALTER TABLE ONLY public.patient_notes
    ADD CONSTRAINT patient_notes_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES public.patients(id);

ALTER TABLE ONLY public.patient_notes
    ADD CONSTRAINT patient_notes_restriction_id_fkey FOREIGN KEY (restriction_id) REFERENCES public.patient_restrictions(id);

ALTER TABLE ONLY public.patient_repairs
    ADD CONSTRAINT patient_repairs_other_id_fkey FOREIGN KEY (other_id) REFERENCES public.patients(id);

ALTER TABLE ONLY public.patient_repairs
    ADD CONSTRAINT patient_repairs_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES public.patients(id);

ALTER TABLE ONLY public.patient_restrictions
    ADD CONSTRAINT patient_restrictions_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES public.patients(id);

ALTER TABLE ONLY public.patients
    ADD CONSTRAINT patients_merged_into_fkey FOREIGN KEY (merged_into) REFERENCES public.patients(id);

ALTER TABLE ONLY public.performed_instances
    ADD CONSTRAINT performed_instances_performed_step_id_fkey FOREIGN KEY (performed_step_id) REFERENCES public.performed_procedure_steps(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.performed_of_scheduled
    ADD CONSTRAINT performed_of_scheduled_performed_step_id_fkey FOREIGN KEY (performed_step_id) REFERENCES public.performed_procedure_steps(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.performed_of_scheduled
    ADD CONSTRAINT performed_of_scheduled_scheduled_step_id_fkey FOREIGN KEY (scheduled_step_id) REFERENCES public.scheduled_procedure_steps(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.prefetched_studies
    ADD CONSTRAINT prefetched_studies_prefetch_id_fkey FOREIGN KEY (prefetch_id) REFERENCES public.prefetches(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.prefetched_studies
    ADD CONSTRAINT prefetched_studies_pull_id_fkey FOREIGN KEY (pull_id) REFERENCES public.pulls(id);

ALTER TABLE ONLY public.prefetches
    ADD CONSTRAINT prefetches_rule_id_fkey FOREIGN KEY (rule_id) REFERENCES public.prefetch_rules(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.provider_sessions
    ADD CONSTRAINT provider_sessions_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.sessions(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.queue_tokens
    ADD CONSTRAINT queue_tokens_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES public.bookings(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.queue_tokens
    ADD CONSTRAINT queue_tokens_room_id_fkey FOREIGN KEY (room_id) REFERENCES public.rooms(id);

ALTER TABLE ONLY public.queue_tokens
    ADD CONSTRAINT queue_tokens_step_id_fkey FOREIGN KEY (step_id) REFERENCES public.scheduled_procedure_steps(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.radiology_reports
    ADD CONSTRAINT radiology_reports_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES public.patients(id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.radiology_reports
    ADD CONSTRAINT radiology_reports_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.imaging_studies(id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.reading_batch_studies
    ADD CONSTRAINT reading_batch_studies_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES public.reading_batches(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.reading_batch_studies
    ADD CONSTRAINT reading_batch_studies_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.imaging_studies(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.reading_escalations
    ADD CONSTRAINT reading_escalations_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.imaging_studies(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.reading_fees
    ADD CONSTRAINT reading_fees_corrects_fkey FOREIGN KEY (corrects) REFERENCES public.reading_fees(id);

ALTER TABLE ONLY public.reading_fees
    ADD CONSTRAINT reading_fees_rate_id_fkey FOREIGN KEY (rate_id) REFERENCES public.reading_rates(id);

ALTER TABLE ONLY public.reading_items
    ADD CONSTRAINT reading_items_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.imaging_studies(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.reading_notes
    ADD CONSTRAINT reading_notes_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.imaging_studies(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.reading_offers
    ADD CONSTRAINT reading_offers_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.imaging_studies(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.receipt_lines
    ADD CONSTRAINT receipt_lines_charge_id_fkey FOREIGN KEY (charge_id) REFERENCES public.charges(id);

ALTER TABLE ONLY public.receipt_lines
    ADD CONSTRAINT receipt_lines_receipt_id_fkey FOREIGN KEY (receipt_id) REFERENCES public.receipts(id);

ALTER TABLE ONLY public.record_copies
    ADD CONSTRAINT record_copies_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES public.patients(id);

ALTER TABLE ONLY public.recovery_codes
    ADD CONSTRAINT recovery_codes_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.reidentifications
    ADD CONSTRAINT reidentifications_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.deidentification_projects(id);

ALTER TABLE ONLY public.rejected_instances
    ADD CONSTRAINT rejected_instances_rejection_id_fkey FOREIGN KEY (rejection_id) REFERENCES public.rejections(id);

ALTER TABLE ONLY public.rejection_references
    ADD CONSTRAINT rejection_references_rejection_id_fkey FOREIGN KEY (rejection_id) REFERENCES public.rejections(id);

ALTER TABLE ONLY public.rejection_withdrawals
    ADD CONSTRAINT rejection_withdrawals_rejection_id_fkey FOREIGN KEY (rejection_id) REFERENCES public.rejections(id);

ALTER TABLE ONLY public.relabellings
    ADD CONSTRAINT relabellings_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES public.patients(id);

ALTER TABLE ONLY public.reminders
    ADD CONSTRAINT reminders_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES public.bookings(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.remote_health
    ADD CONSTRAINT remote_health_ae_title_fkey FOREIGN KEY (ae_title) REFERENCES public.application_entities(ae_title) ON DELETE CASCADE;

ALTER TABLE ONLY public.repair_rows
    ADD CONSTRAINT repair_rows_repair_id_fkey FOREIGN KEY (repair_id) REFERENCES public.repairs(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.report_versions
    ADD CONSTRAINT report_versions_report_id_fkey FOREIGN KEY (report_id) REFERENCES public.radiology_reports(id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.requested_procedures
    ADD CONSTRAINT requested_procedures_order_id_fkey FOREIGN KEY (order_id) REFERENCES public.orders(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.retention_items
    ADD CONSTRAINT retention_items_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES public.retention_batches(id);

ALTER TABLE ONLY public.retention_marks
    ADD CONSTRAINT retention_marks_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.imaging_studies(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.scheduled_procedure_step_transitions
    ADD CONSTRAINT scheduled_procedure_step_transitions_step_id_fkey FOREIGN KEY (step_id) REFERENCES public.scheduled_procedure_steps(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.second_opinions
    ADD CONSTRAINT second_opinions_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.imaging_studies(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.second_steps
    ADD CONSTRAINT second_steps_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_link_id_fkey FOREIGN KEY (link_id) REFERENCES public.study_links(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.storage_samples
    ADD CONSTRAINT storage_samples_day_fkey FOREIGN KEY (day) REFERENCES public.storage_days(day) ON DELETE CASCADE;

ALTER TABLE ONLY public.study_labellings
    ADD CONSTRAINT study_labellings_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.imaging_studies(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.study_links
    ADD CONSTRAINT study_links_report_id_fkey FOREIGN KEY (report_id) REFERENCES public.radiology_reports(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.study_marks
    ADD CONSTRAINT study_marks_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.imaging_studies(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.study_transitions
    ADD CONSTRAINT study_transitions_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.imaging_studies(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.tombstones
    ADD CONSTRAINT tombstones_erasure_id_fkey FOREIGN KEY (erasure_id) REFERENCES public.erasures(id);

ALTER TABLE ONLY public.tombstones
    ADD CONSTRAINT tombstones_retention_batch_id_fkey FOREIGN KEY (retention_batch_id) REFERENCES public.retention_batches(id);

ALTER TABLE ONLY public.trainee_agreements
    ADD CONSTRAINT trainee_agreements_report_id_fkey FOREIGN KEY (report_id) REFERENCES public.radiology_reports(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.unassignable_studies
    ADD CONSTRAINT unassignable_studies_study_id_fkey FOREIGN KEY (study_id) REFERENCES public.imaging_studies(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.waiting_list
    ADD CONSTRAINT waiting_list_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES public.bookings(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.waiting_list
    ADD CONSTRAINT waiting_list_step_id_fkey FOREIGN KEY (step_id) REFERENCES public.scheduled_procedure_steps(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.workitem_subscriptions
    ADD CONSTRAINT workitem_subscriptions_sop_instance_uid_fkey FOREIGN KEY (sop_instance_uid) REFERENCES public.workitems(sop_instance_uid) ON DELETE CASCADE;
