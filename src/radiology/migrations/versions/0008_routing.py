"""Routing rules, and what waits for a destination: a row for each study and destination, and for each instance of it."""

from alembic import op

revision = "0008"
down_revision = "0007"

TABLES = """
CREATE TABLE routing_rules (
    id uuid PRIMARY KEY,
    name text NOT NULL UNIQUE,
    enabled boolean NOT NULL,
    priority integer NOT NULL,
    conditions jsonb NOT NULL,
    destinations text[] NOT NULL,
    send_when text NOT NULL CHECK (send_when IN ('instances-stored', 'study-received')),
    send_from time,
    send_until time,
    time_zone text NOT NULL,
    bandwidth_kib_per_second integer CHECK (bandwidth_kib_per_second > 0),
    give_up_after_days integer NOT NULL CHECK (give_up_after_days > 0),
    created_at timestamptz NOT NULL
);
COMMENT ON COLUMN routing_rules.created_at IS 'what was stored earlier is not sent by the rule';
COMMENT ON COLUMN routing_rules.send_from IS 'begin of the window in which it sends, in its time zone; null for always';

CREATE TABLE deliveries (
    id uuid PRIMARY KEY,
    study_id uuid NOT NULL,
    study_instance_uid text NOT NULL,
    facility_code text NOT NULL,
    ae_title text NOT NULL,
    rule_id uuid REFERENCES routing_rules (id) ON DELETE SET NULL,
    rule_name text NOT NULL,
    priority integer NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sending', 'sent', 'failed', 'cancelled')),
    attempts integer NOT NULL DEFAULT 0,
    sentence text NOT NULL DEFAULT '',
    caused_at timestamptz NOT NULL,
    next_attempt_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    job bigint,
    UNIQUE (study_id, ae_title)
);
COMMENT ON TABLE deliveries IS 'a study that is sent to a destination by a routing rule';
COMMENT ON COLUMN deliveries.caused_at IS 'since when what waits is tried to be sent';
COMMENT ON COLUMN deliveries.job IS 'number of the job that sends it, in jobs.procrastinate_jobs';
CREATE INDEX deliveries_due ON deliveries (next_attempt_at) WHERE state = 'waiting';
CREATE INDEX deliveries_sending ON deliveries (ae_title) WHERE state = 'sending';
CREATE INDEX deliveries_newest ON deliveries (caused_at DESC, id DESC);

CREATE TABLE delivery_instances (
    delivery_id uuid NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
    sop_instance_uid text NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed')),
    sentence text NOT NULL DEFAULT '',
    commitment_asked boolean NOT NULL DEFAULT false,
    PRIMARY KEY (delivery_id, sop_instance_uid)
);
COMMENT ON COLUMN delivery_instances.commitment_asked IS 'whether the destination was asked to keep what it has taken';
CREATE INDEX delivery_instances_waiting ON delivery_instances (delivery_id) WHERE state <> 'sent';
"""


def upgrade() -> None:
    op.execute(TABLES)
