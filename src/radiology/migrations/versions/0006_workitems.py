"""Unified procedure steps: workitems, who watches them, and what the watchers have still to be told."""

from alembic import op

revision = "0006"
down_revision = "0005"

TABLES = """
CREATE TABLE workitems (
    sop_instance_uid text PRIMARY KEY,
    facility_code text NOT NULL,
    state text NOT NULL CHECK (state IN ('SCHEDULED', 'IN PROGRESS', 'COMPLETED', 'CANCELED')),
    transaction_uid text,
    scheduled_start_at timestamptz NOT NULL,
    attributes jsonb NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((transaction_uid IS NULL) = (state = 'SCHEDULED'))
);
COMMENT ON COLUMN workitems.transaction_uid IS 'lock of the performer; never shown (PS3.4 CC.2.7.3)';
COMMENT ON COLUMN workitems.attributes IS 'DICOM JSON model, without Transaction UID';
CREATE INDEX workitems_state ON workitems (facility_code, state, scheduled_start_at, sop_instance_uid);
CREATE INDEX workitems_attributes ON workitems USING gin (attributes jsonb_path_ops);

CREATE TABLE workitem_subscriptions (
    sop_instance_uid text NOT NULL REFERENCES workitems (sop_instance_uid) ON DELETE CASCADE,
    ae_title text NOT NULL,
    deletion_lock boolean NOT NULL,
    PRIMARY KEY (sop_instance_uid, ae_title)
);
CREATE INDEX workitem_subscriptions_subscriber ON workitem_subscriptions (ae_title);

CREATE TABLE workitem_global_subscriptions (
    ae_title text PRIMARY KEY,
    facility_code text,
    deletion_lock boolean NOT NULL,
    keys jsonb NOT NULL DEFAULT '{}'
);
COMMENT ON COLUMN workitem_global_subscriptions.facility_code IS 'whose new workitems it is subscribed to; null for all';
COMMENT ON COLUMN workitem_global_subscriptions.keys IS 'matching keys of a filtered global subscription, DICOM JSON model';

CREATE TABLE workitem_reports (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ae_title text NOT NULL,
    sop_instance_uid text NOT NULL,
    event_type smallint NOT NULL CHECK (event_type BETWEEN 1 AND 5),
    attributes jsonb NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    sentence text NOT NULL DEFAULT '',
    queued_at timestamptz NOT NULL
);
COMMENT ON TABLE workitem_reports IS 'N-EVENT-REPORTs that a subscriber has still to be sent; gone when it has answered, or after a day';
CREATE INDEX workitem_reports_subscriber ON workitem_reports (ae_title, number);
"""


def upgrade() -> None:
    op.execute(TABLES)
