"""Putting right: repairs, each with the rows that it changed, as they were before it and after it.

A row that a repair made has no `before`, one that it removed no `after`; of a changed one only what changed is kept, so
that undoing a repair leaves alone what came to the row since.
"""

from alembic import op

revision = "0028"
down_revision = "0027"

TABLES = """
CREATE TABLE repairs (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    facility_code text NOT NULL,
    study_instance_uids text[] NOT NULL,
    version integer NOT NULL DEFAULT 1,
    reason text NOT NULL,
    actor text NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}',
    idempotency_key text,
    request_sha256 bytea,
    made_at timestamptz NOT NULL,
    undone_at timestamptz,
    undone_by text,
    undo_reason text,
    UNIQUE (actor, idempotency_key)
);
COMMENT ON COLUMN repairs.study_instance_uids IS 'the studies that it is about, that which was wrong first';
COMMENT ON COLUMN repairs.request_sha256 IS 'of the request that had this idempotency key';
CREATE INDEX repairs_newest ON repairs (made_at DESC, id DESC);
CREATE INDEX repairs_studies ON repairs USING gin (study_instance_uids);

CREATE TABLE repair_rows (
    repair_id uuid NOT NULL REFERENCES repairs (id) ON DELETE CASCADE,
    relation text NOT NULL,
    row_id text NOT NULL,
    before jsonb,
    after jsonb,
    PRIMARY KEY (repair_id, relation, row_id)
);
CREATE INDEX repair_rows_row ON repair_rows (relation, row_id);
"""


def upgrade() -> None:
    """Apply."""
    op.execute(TABLES)
