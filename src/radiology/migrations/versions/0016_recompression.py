"""Objects that no instance is to name any more, each deleted when its time has come.

A compressed object is written down here before it gets its name in the object store, and the one it replaces in the
transaction that replaces it: whatever a crash leaves is deleted, and never taken for an object that was received.
"""

from alembic import op

revision = "0016"
down_revision = "0015"

TABLES = """
CREATE TABLE superseded_objects (
    object_key text PRIMARY KEY,
    sop_instance_uid text NOT NULL,
    delete_at timestamptz NOT NULL
);
CREATE INDEX superseded_objects_due ON superseded_objects (delete_at);
-- The key of a compressed object says when it was compressed, not when it was stored.
CREATE INDEX instances_recompressed ON instances (object_key COLLATE "C")
    WHERE original_transfer_syntax_uid IS NOT NULL;
"""


def upgrade() -> None:
    op.execute(TABLES)
