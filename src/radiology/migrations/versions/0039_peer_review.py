"""Peer review of final reports: which were drawn, what reviewers found, and what the committee decided.

Reports and studies may be removed when their time is over; what was found of a reading stays, without them.
"""

from alembic import op

revision = "0039"
down_revision = "0038"

PEER_REVIEW = """
CREATE TABLE peer_review_committee (
    account text PRIMARY KEY,
    appointed_by text NOT NULL,
    reason text NOT NULL,
    appointed_at timestamptz NOT NULL
);
COMMENT ON TABLE peer_review_committee IS 'who decides about discrepancies, and sees the scores of single readers';

CREATE TABLE peer_reviews (
    id uuid PRIMARY KEY,
    report_id uuid NOT NULL UNIQUE,
    study_id uuid NOT NULL,
    facility_code text NOT NULL,
    modality text NOT NULL,
    reader text NOT NULL,
    practitioner text NOT NULL,
    involved text[] NOT NULL,
    drawn_for text NOT NULL CHECK (drawn_for IN ('random', 'new-reader')),
    final_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'claimed', 'arbitration', 'counted')),
    version integer NOT NULL DEFAULT 1,
    reviewer text,
    claimed_until timestamptz,
    score text CHECK (score IN ('1', '2a', '2b', '3a', '3b')),
    comment text NOT NULL DEFAULT '',
    scored_at timestamptz,
    counted_score text CHECK (counted_score IN ('1', '2a', '2b', '3a', '3b')),
    decided_by text,
    decision_reason text NOT NULL DEFAULT '',
    counted_at timestamptz,
    CHECK ((state = 'counted') = (counted_score IS NOT NULL)),
    CHECK (NOT (reviewer = ANY (involved))),
    CHECK (counted_score IN ('1', '2a') OR decided_by IS NOT NULL)
);
COMMENT ON COLUMN peer_reviews.involved IS 'who signed or wrote the report: none of them reviews it';
COMMENT ON COLUMN peer_reviews.score IS 'RADPEER, as the reviewer found it';
COMMENT ON COLUMN peer_reviews.counted_score IS 'as it counts: 2b, 3a and 3b by decision of the committee only';
CREATE INDEX peer_reviews_waiting ON peer_reviews (final_at, id) WHERE state IN ('waiting', 'claimed');
CREATE INDEX peer_reviews_arbitration ON peer_reviews (scored_at, id) WHERE state = 'arbitration';
CREATE INDEX peer_reviews_final ON peer_reviews (final_at);
CREATE INDEX peer_reviews_reader ON peer_reviews (reader, final_at);
"""


def upgrade() -> None:
    """Apply."""
    op.execute(PEER_REVIEW)
