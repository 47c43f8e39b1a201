"""Prefetch: rules, and what they found and chose for each new study."""

from alembic import op

revision = "0013"
down_revision = "0012"

TABLES = """
CREATE TABLE prefetch_rules (
    id uuid PRIMARY KEY,
    name text NOT NULL UNIQUE,
    enabled boolean NOT NULL,
    causes text[] NOT NULL,
    conditions jsonb NOT NULL,
    sources text[] NOT NULL,
    destinations text[] NOT NULL,
    most integer NOT NULL CHECK (most BETWEEN 1 AND 20),
    not_older_than_days integer NOT NULL CHECK (not_older_than_days > 0),
    related_only boolean NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE prefetches (
    id uuid PRIMARY KEY,
    rule_id uuid REFERENCES prefetch_rules (id) ON DELETE CASCADE,
    cause text NOT NULL,
    study_instance_uid text NOT NULL,
    facility_code text NOT NULL,
    subject jsonb NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'fetching', 'done', 'failed')),
    sentence text NOT NULL DEFAULT '',
    attempts integer NOT NULL DEFAULT 0,
    caused_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (rule_id, study_instance_uid)
);
CREATE INDEX prefetches_caused_at ON prefetches (caused_at DESC, id DESC);

CREATE TABLE prefetched_studies (
    prefetch_id uuid NOT NULL REFERENCES prefetches (id) ON DELETE CASCADE,
    study_instance_uid text NOT NULL,
    place integer NOT NULL,
    source text NOT NULL,
    study_date text NOT NULL,
    modalities text[] NOT NULL,
    description text NOT NULL,
    score integer NOT NULL,
    is_chosen boolean NOT NULL,
    reason text NOT NULL,
    pull_id uuid REFERENCES pulls (id),
    move_ids uuid[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (prefetch_id, study_instance_uid)
);
COMMENT ON COLUMN prefetched_studies.source IS 'the archive it comes from; empty where it is here';
"""


def upgrade() -> None:
    op.execute(TABLES)
