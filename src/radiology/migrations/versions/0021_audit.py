"""The audit record: what arrives, and what is sealed into a chain of hashes; both append-only.

Whoever acts inserts into `audit_arrivals`, in its own transaction and without waiting for anybody. One sealer moves
what is committed into `audit_records`, in one order: each row carries the hash of the row before. The sealed rows lie
in one partition for each month of sealing, so that what is too old goes as a whole month; `audit_checkpoints` keeps
where the chain was then. `audit_events` shows both.

Triggers refuse every change, for the owner of the tables too. An arrival may be deleted only once it is sealed.
"""

from alembic import op

revision = "0021"
down_revision = "0020"

ARRIVALS = """
DROP TABLE audit_events;

CREATE TABLE audit_arrivals (
    id uuid PRIMARY KEY,
    occurred_at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    actor_kind text NOT NULL DEFAULT '',
    actor_display text NOT NULL DEFAULT '',
    actor_role text NOT NULL DEFAULT '',
    on_behalf_of text NOT NULL DEFAULT '',
    action text NOT NULL,
    subject text NOT NULL,
    outcome smallint NOT NULL DEFAULT 0 CHECK (outcome IN (0, 4, 8, 12)),
    purpose text NOT NULL DEFAULT '',
    address text NOT NULL DEFAULT '',
    source text NOT NULL DEFAULT '',
    request_id text NOT NULL DEFAULT '',
    connection jsonb,
    detail jsonb
);
COMMENT ON COLUMN audit_arrivals.outcome IS 'EventOutcomeIndicator of PS3.15 A.5: 0 success, 4 minor, 8 serious, 12 major failure';
COMMENT ON COLUMN audit_arrivals.connection IS 'AE titles, class of user agent, what the door knows besides; no secrets';
COMMENT ON COLUMN audit_arrivals.detail IS 'ids and codes only';
"""

RECORDS = """
CREATE TABLE audit_records (
    sequence bigint NOT NULL,
    sealed_at timestamptz NOT NULL,
    id uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
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
    hash bytea NOT NULL,
    PRIMARY KEY (sequence, sealed_at)
) PARTITION BY RANGE (sealed_at);
CREATE INDEX audit_records_id ON audit_records (id);
CREATE INDEX audit_records_time ON audit_records (occurred_at, id);
CREATE INDEX audit_records_patient ON audit_records (patient_reference, occurred_at, id) WHERE patient_reference <> '';
CREATE INDEX audit_records_study ON audit_records (study_instance_uid, occurred_at, id) WHERE study_instance_uid <> '';
CREATE INDEX audit_records_actor ON audit_records (actor, occurred_at, id);
COMMENT ON COLUMN audit_records.study_instance_uid IS 'the study that the subject belonged to when the record was sealed';

CREATE TABLE audit_checkpoints (
    sequence bigint NOT NULL,
    reason text NOT NULL CHECK (reason IN ('regular', 'verified', 'retention')),
    hash bytea NOT NULL,
    sealed_at timestamptz NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sequence, reason)
);
COMMENT ON TABLE audit_checkpoints IS 'places in the chain from which it can be verified';

CREATE VIEW audit_events AS
SELECT id, occurred_at, actor, actor_kind, actor_display, actor_role, on_behalf_of, action, subject, outcome, purpose,
    address, source, request_id, connection, detail, study_instance_uid, patient_reference, sequence
FROM audit_records
UNION ALL
SELECT id, occurred_at, actor, actor_kind, actor_display, actor_role, on_behalf_of, action, subject, outcome, purpose,
    address, source, request_id, connection, detail, '', '', NULL
FROM audit_arrivals;
"""

GUARDS = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit record is append-only: % of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE FUNCTION audit_only_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM gone WHERE NOT EXISTS (SELECT FROM audit_records WHERE audit_records.id = gone.id)) THEN
        RAISE EXCEPTION 'the audit record is append-only: DELETE of what is not sealed is refused'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER refuse_update BEFORE UPDATE ON audit_arrivals FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON audit_arrivals FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER refuse_delete AFTER DELETE ON audit_arrivals REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION audit_only_sealed();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON audit_records FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON audit_records FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
"""

MONTHS = """
CREATE FUNCTION audit_make_month(moment timestamptz) RETURNS void LANGUAGE plpgsql AS $$
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
COMMENT ON FUNCTION audit_make_month IS 'make the partition of the month (UTC) that a moment lies in, where it is not there';

CREATE FUNCTION audit_drop_month(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF name !~ '^audit_records_[0-9]{6}$' THEN
        RAISE EXCEPTION '% is no month of the audit record', name;
    END IF;
    EXECUTE format('DROP TABLE %I', name);
END
$$;

CREATE VIEW audit_months AS
SELECT child.relname::text AS name,
    (to_date(right(child.relname, 6), 'YYYYMM') + interval '1 month') AT TIME ZONE 'UTC' AS ends_at
FROM pg_inherits
JOIN pg_class AS child ON child.oid = pg_inherits.inhrelid
WHERE pg_inherits.inhparent = 'audit_records'::regclass;
"""

MARKS = """
CREATE TABLE audit_spools (
    name text PRIMARY KEY,
    position bigint NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE audit_spools IS 'how many bytes of each local spool file have become records';

CREATE TABLE audit_repositories (
    name text PRIMARY KEY,
    sequence bigint NOT NULL,
    sent_at timestamptz,
    failed_at timestamptz,
    failure text NOT NULL DEFAULT ''
);
COMMENT ON TABLE audit_repositories IS 'up to which record each audit repository has been sent the messages';
"""


def upgrade() -> None:
    for statements in (ARRIVALS, RECORDS, GUARDS, MONTHS, MARKS):
        op.execute(statements)
