"""Orders: requested procedures, accession numbers, attachments.

The numbers of an order are its own: the accession number for all of it, a Requested Procedure ID and a Study Instance
UID for each procedure. Numbers come from a sequence, so that no order waits for another; what is taken by a number from
elsewhere is stepped over. How far an order has come is kept nowhere: it is read from studies, worklist items and reports.
"""

from alembic import op

revision = "0025"
down_revision = "0024"

TABLES = """
CREATE SEQUENCE order_number;

CREATE TABLE orders (
    id uuid PRIMARY KEY,
    facility_code text NOT NULL,
    placer text NOT NULL DEFAULT '',
    placer_number text,
    accession_number text NOT NULL CHECK (length(accession_number) BETWEEN 1 AND 16),
    status text NOT NULL CHECK (status IN ('draft', 'active', 'on-hold', 'revoked', 'completed', 'entered-in-error')),
    intent text NOT NULL,
    priority text NOT NULL CHECK (priority IN ('routine', 'urgent', 'asap', 'stat')),
    version integer NOT NULL DEFAULT 1,
    patient_id uuid NOT NULL REFERENCES patients (id),
    occurrence timestamptz,
    authored_on timestamptz NOT NULL,
    content jsonb NOT NULL,
    released uuid[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (facility_code, accession_number)
);
COMMENT ON COLUMN orders.placer IS 'whose number placer_number is: assigning authority of the Placer Order Number';
COMMENT ON COLUMN orders.occurrence IS 'for when it was asked; when it is done is with its worklist items';
COMMENT ON COLUMN orders.content IS 'what else was ordered, as it was said; procedures have rows of their own';
COMMENT ON COLUMN orders.released IS 'worklist items that a hold or a cancellation took out, and that resuming puts back';
CREATE UNIQUE INDEX orders_placer_number ON orders (facility_code, placer, placer_number);
CREATE INDEX orders_patient ON orders (patient_id, created_at DESC);
CREATE INDEX orders_created ON orders (created_at DESC, id DESC);
CREATE INDEX orders_status ON orders (status, created_at DESC, id DESC);

CREATE TABLE requested_procedures (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    position integer NOT NULL,
    requested_procedure_id text NOT NULL CHECK (length(requested_procedure_id) BETWEEN 1 AND 16),
    study_instance_uid text NOT NULL UNIQUE CHECK (length(study_instance_uid) BETWEEN 1 AND 64),
    modality text NOT NULL,
    asked_start timestamptz,
    content jsonb NOT NULL,
    removed_at timestamptz,
    UNIQUE (order_id, position)
);
COMMENT ON COLUMN requested_procedures.study_instance_uid IS 'as it was planned first; its worklist item knows the one that it is planned under now';
COMMENT ON COLUMN requested_procedures.asked_start IS 'the start that the order gave to its item; an item with another one was booked';
COMMENT ON COLUMN requested_procedures.removed_at IS 'when a change of the order left it out';

CREATE TABLE order_history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    version integer NOT NULL,
    verb text NOT NULL,
    from_status text,
    to_status text NOT NULL,
    actor text NOT NULL,
    reason text,
    reason_code text,
    content jsonb,
    occurred_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN order_history.reason_code IS 'of CID 9300 (PS3.16), where a modality discontinued a step';
COMMENT ON COLUMN order_history.content IS 'all that was ordered from this version on, where that changed';
CREATE INDEX order_history_order ON order_history (order_id, id);

CREATE TABLE order_attachments (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    name text NOT NULL,
    media_type text NOT NULL CHECK (media_type IN ('application/pdf', 'image/jpeg', 'image/png')),
    size_bytes integer NOT NULL,
    sha256 text NOT NULL,
    object_key text NOT NULL UNIQUE,
    attached_by text NOT NULL,
    attached_at timestamptz NOT NULL DEFAULT now(),
    removed_at timestamptz,
    removed_by text,
    removal_reason text
);
COMMENT ON TABLE order_attachments IS 'photographs and scans of request forms; their bytes lie in a folder of their own';
COMMENT ON COLUMN order_attachments.removed_at IS 'when it was found to belong elsewhere; it is shown no more, and kept';
CREATE INDEX order_attachments_order ON order_attachments (order_id, attached_at);
"""


def upgrade() -> None:
    """Apply."""
    op.execute(TABLES)
