"""Moves asked for over REST, with the result of each instance."""

from alembic import op

revision = "0007"
down_revision = "0006"

TABLES = """
CREATE TABLE moves (
    id uuid PRIMARY KEY,
    study_id uuid NOT NULL REFERENCES imaging_studies (id),
    series_instance_uid text,
    sop_instance_uid text,
    destination text NOT NULL,
    priority text NOT NULL CHECK (priority IN ('low', 'medium', 'high')),
    status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'waiting', 'completed', 'partial', 'failed',
        'cancelled')),
    attempts integer NOT NULL DEFAULT 0,
    sentence text NOT NULL DEFAULT '',
    next_attempt_at timestamptz,
    job bigint,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN moves.job IS 'number of the job that sends it, in jobs.procrastinate_jobs';
CREATE INDEX moves_asked_at ON moves (asked_at DESC, id DESC);
CREATE INDEX moves_not_over ON moves (asked_at) WHERE status IN ('queued', 'running', 'waiting');

CREATE TABLE move_instances (
    move_id uuid NOT NULL REFERENCES moves (id) ON DELETE CASCADE,
    place integer NOT NULL,
    sop_instance_uid text NOT NULL,
    result text NOT NULL DEFAULT 'remaining' CHECK (result IN ('remaining', 'completed', 'warning', 'failed')),
    status integer,
    sentence text NOT NULL DEFAULT '',
    commitment_asked boolean NOT NULL DEFAULT false,
    PRIMARY KEY (move_id, sop_instance_uid)
);
COMMENT ON COLUMN move_instances.status IS 'of the C-STORE, as the destination answered';
COMMENT ON COLUMN move_instances.commitment_asked IS 'whether the destination was asked to keep what it has taken';
"""


def upgrade() -> None:
    op.execute(TABLES)
