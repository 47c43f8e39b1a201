"""HL7 version 2: who sends, what came in, what could not be used, what goes out.

A message, what it changed and its acknowledgement are one transaction, so a message that was acknowledged is here.
"""

from alembic import op

revision = "0026"
down_revision = "0025"

INCOMING = """
CREATE TABLE hl7_senders (
    name text PRIMARY KEY,
    sending_application text NOT NULL,
    sending_facility text NOT NULL DEFAULT '',
    facility_code text,
    hosts text[] NOT NULL DEFAULT '{}',
    tls text NOT NULL DEFAULT 'allowed' CHECK (tls IN ('required', 'allowed')),
    certificate_fingerprint text NOT NULL DEFAULT '',
    certificate_subject text NOT NULL DEFAULT '',
    messages text[] NOT NULL DEFAULT '{patients,orders,appointments}',
    charset text NOT NULL DEFAULT '',
    time_zone text NOT NULL DEFAULT '',
    mappings jsonb NOT NULL DEFAULT '{}',
    enabled boolean NOT NULL DEFAULT true,
    description text NOT NULL DEFAULT '',
    UNIQUE (sending_application, sending_facility)
);
COMMENT ON COLUMN hl7_senders.sending_facility IS 'MSH-4; empty for any';
COMMENT ON COLUMN hl7_senders.charset IS 'used whatever MSH-18 says; empty to believe it';
COMMENT ON COLUMN hl7_senders.mappings IS 'what its codes mean here';

CREATE TABLE hl7_messages (
    id uuid PRIMARY KEY,
    sender text,
    sending_application text NOT NULL,
    sending_facility text NOT NULL,
    control_id text NOT NULL,
    type text NOT NULL,
    facility_code text,
    host text NOT NULL,
    received_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('processed', 'failed', 'quarantined', 'dismissed')),
    code text NOT NULL CHECK (code IN ('AA', 'AE', 'AR')),
    error_code integer NOT NULL DEFAULT 0,
    place text NOT NULL DEFAULT '',
    sentence text NOT NULL DEFAULT '',
    content bytea NOT NULL,
    corrected bytea,
    digest bytea NOT NULL,
    acknowledgement bytea NOT NULL,
    attempts integer NOT NULL DEFAULT 1,
    effects jsonb NOT NULL DEFAULT '{}',
    study_instance_uids text[] NOT NULL DEFAULT '{}',
    handled_at timestamptz,
    handled_by text,
    reason text NOT NULL DEFAULT ''
);
CREATE INDEX hl7_messages_control_id ON hl7_messages (control_id, sending_application, sending_facility, received_at);
CREATE INDEX hl7_messages_received ON hl7_messages (received_at DESC, id DESC);
CREATE INDEX hl7_messages_waiting ON hl7_messages (received_at DESC, id DESC)
    WHERE state IN ('failed', 'quarantined');
COMMENT ON TABLE hl7_messages IS 'messages that came over MLLP; those that are failed or quarantined wait for a person';
COMMENT ON COLUMN hl7_messages.content IS 'the bytes as they came';
COMMENT ON COLUMN hl7_messages.corrected IS 'what a person made of it, and was used instead';
COMMENT ON COLUMN hl7_messages.digest IS 'SHA-256 without MSH-7, so that a message that is sent again is known';
COMMENT ON COLUMN hl7_messages.effects IS 'references of what was made or changed, and remarks';
"""

OUTGOING = """
CREATE TABLE hl7_receivers (
    name text PRIMARY KEY,
    host text NOT NULL,
    port integer NOT NULL CHECK (port BETWEEN 1 AND 65535),
    tls boolean NOT NULL DEFAULT false,
    receiving_application text NOT NULL DEFAULT '',
    receiving_facility text NOT NULL DEFAULT '',
    facility_code text,
    form text NOT NULL DEFAULT 'ORM^O01' CHECK (form IN ('ORM^O01', 'OMG^O19')),
    version text NOT NULL DEFAULT '2.5.1',
    charset text NOT NULL DEFAULT 'UNICODE UTF-8',
    statuses text[] NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    description text NOT NULL DEFAULT ''
);
COMMENT ON TABLE hl7_receivers IS 'systems that are told how orders fare';
COMMENT ON COLUMN hl7_receivers.facility_code IS 'whose orders it is told of; NULL for all';
COMMENT ON COLUMN hl7_receivers.statuses IS 'order statuses (table 0038) that it is told';

CREATE TABLE hl7_deliveries (
    id uuid PRIMARY KEY,
    number bigint GENERATED ALWAYS AS IDENTITY,
    receiver text NOT NULL REFERENCES hl7_receivers (name) ON DELETE CASCADE,
    order_id uuid NOT NULL,
    facility_code text NOT NULL,
    study_instance_uids text[] NOT NULL,
    control_id text NOT NULL,
    status text NOT NULL,
    content bytea NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'sent', 'refused', 'given-up', 'dismissed')),
    code text NOT NULL DEFAULT '',
    sentence text NOT NULL DEFAULT '',
    attempts integer NOT NULL DEFAULT 0,
    caused_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    UNIQUE (receiver, control_id)
);
CREATE INDEX hl7_deliveries_open ON hl7_deliveries (receiver, order_id, number) WHERE state = 'open';
CREATE INDEX hl7_deliveries_caused ON hl7_deliveries (caused_at DESC, id DESC);
COMMENT ON TABLE hl7_deliveries IS 'messages about orders, sent to each receiver in the order of their numbers';
COMMENT ON COLUMN hl7_deliveries.status IS 'ORC-5 (table 0038)';
COMMENT ON COLUMN hl7_deliveries.code IS 'MSA-1 of the answer';
"""


def upgrade() -> None:
    """Create everything."""
    op.execute(INCOMING)
    op.execute(OUTGOING)
