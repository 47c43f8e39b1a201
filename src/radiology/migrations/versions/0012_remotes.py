"""Other archives: whether they answer, and studies that are fetched from them."""

from alembic import op

revision = "0012"
down_revision = "0011"

TABLES = """
CREATE TABLE remote_health (
    ae_title text PRIMARY KEY REFERENCES application_entities (ae_title) ON DELETE CASCADE,
    answered boolean,
    sentence text NOT NULL DEFAULT '',
    milliseconds integer,
    checked_at timestamptz,
    answered_at timestamptz,
    since timestamptz,
    due_at timestamptz NOT NULL DEFAULT 'epoch'
);
COMMENT ON COLUMN remote_health.answered IS 'how the last check went; null before the first';
COMMENT ON COLUMN remote_health.since IS 'since when it answers, or does not';

CREATE TABLE pulls (
    id uuid PRIMARY KEY,
    remote text NOT NULL,
    study_instance_uid text NOT NULL,
    facility_code text NOT NULL,
    priority text NOT NULL CHECK (priority IN ('low', 'medium', 'high')),
    status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'waiting', 'completed', 'partial', 'failed',
        'cancelled')),
    total integer,
    came integer NOT NULL DEFAULT 0,
    attempts integer NOT NULL DEFAULT 0,
    sentence text NOT NULL DEFAULT '',
    next_attempt_at timestamptz,
    reason text NOT NULL DEFAULT '',
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN pulls.total IS 'instances that the archive lists; null before it was asked';
COMMENT ON COLUMN pulls.came IS 'how many of them are here';
COMMENT ON COLUMN pulls.reason IS 'why, where nobody asked for it: the rule that did';
CREATE INDEX pulls_asked_at ON pulls (asked_at DESC, id DESC);
CREATE UNIQUE INDEX pulls_open ON pulls (remote, study_instance_uid) WHERE status IN ('queued', 'running', 'waiting');
"""


def upgrade() -> None:
    op.execute(TABLES)
