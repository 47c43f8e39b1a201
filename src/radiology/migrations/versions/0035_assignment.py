"""Offers of studies to readers, their escalation, what nobody can be offered, and batches.

What a study's offer is worth is in `reading_items`, which is the truth about where its reading stands; the rows here say
who was asked for it, why, and what he or she answered.
"""

from alembic import op

revision = "0035"
down_revision = "0034"

ASSIGNMENT = """
CREATE TABLE reading_offers (
    id uuid PRIMARY KEY,
    study_id uuid NOT NULL REFERENCES imaging_studies (id) ON DELETE CASCADE,
    reader text NOT NULL,
    account text NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'accepted', 'declined', 'expired', 'withdrawn')),
    step integer NOT NULL DEFAULT 0 CHECK (step BETWEEN 0 AND 3),
    rvu real NOT NULL,
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    reason_code text NOT NULL DEFAULT '',
    score double precision NOT NULL,
    explain jsonb NOT NULL,
    rule_set_version text NOT NULL,
    CHECK ((state = 'open') = (ended_at IS NULL))
);
CREATE UNIQUE INDEX reading_offers_one_open ON reading_offers (study_id) WHERE state = 'open';
CREATE INDEX reading_offers_study ON reading_offers (study_id, made_at);
CREATE INDEX reading_offers_reader ON reading_offers (reader, made_at);
CREATE INDEX reading_offers_account ON reading_offers (account) WHERE state = 'open';
COMMENT ON COLUMN reading_offers.step IS 'of the escalation when it was made: 0 none, 1 half of the time, 2 three quarters, 3 all';
COMMENT ON COLUMN reading_offers.explain IS 'what the score is made of';

CREATE TABLE reading_escalations (
    study_id uuid NOT NULL REFERENCES imaging_studies (id) ON DELETE CASCADE,
    deadline timestamptz NOT NULL,
    step integer NOT NULL CHECK (step BETWEEN 1 AND 3),
    reached_at timestamptz NOT NULL,
    PRIMARY KEY (study_id, deadline, step)
);
COMMENT ON COLUMN reading_escalations.deadline IS 'another deadline is another clock, and is escalated anew';

CREATE TABLE unassignable_studies (
    study_id uuid PRIMARY KEY REFERENCES imaging_studies (id) ON DELETE CASCADE,
    since timestamptz NOT NULL,
    looked_at timestamptz NOT NULL,
    reasons jsonb NOT NULL,
    told_at timestamptz
);
COMMENT ON COLUMN unassignable_studies.reasons IS 'how many readers are excluded for which reason';
COMMENT ON COLUMN unassignable_studies.told_at IS 'when people were told';

CREATE TABLE reading_batches (
    id uuid PRIMARY KEY,
    account text NOT NULL,
    facility_code text NOT NULL,
    modality text NOT NULL,
    region text NOT NULL,
    procedure_key text NOT NULL,
    made_at timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE INDEX reading_batches_account ON reading_batches (account, made_at);

CREATE TABLE reading_batch_studies (
    batch_id uuid NOT NULL REFERENCES reading_batches (id) ON DELETE CASCADE,
    study_id uuid NOT NULL REFERENCES imaging_studies (id) ON DELETE CASCADE,
    position integer NOT NULL,
    PRIMARY KEY (batch_id, study_id)
);
CREATE INDEX reading_batch_studies_study ON reading_batch_studies (study_id);
COMMENT ON TABLE reading_batch_studies IS 'in the order in which they are read; each is claimed, read and signed by itself';
"""


def upgrade() -> None:
    """Apply."""
    op.execute(ASSIGNMENT)
