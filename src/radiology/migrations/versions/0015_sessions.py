"""Sessions of people in browsers, and links that open one study.

Both are kept on the server, by the hash of their secret: what a browser or a link holds says nothing, can be ended at
any time, and reaches as far as its row says, not as far as its address does.
"""

from alembic import op

revision = "0015"
down_revision = "0014"

TABLES = """
CREATE TABLE study_links (
    id uuid PRIMARY KEY,
    secret_sha256 bytea NOT NULL UNIQUE,
    study_instance_uid text NOT NULL,
    facility_code text NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    opened integer NOT NULL DEFAULT 0
);
CREATE INDEX study_links_study ON study_links (study_instance_uid, made_at DESC);

CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    secret_sha256 bytea NOT NULL UNIQUE,
    account_id uuid REFERENCES accounts (id) ON DELETE CASCADE,
    link_id uuid REFERENCES study_links (id) ON DELETE CASCADE,
    begun_at timestamptz NOT NULL,
    used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CHECK ((account_id IS NULL) <> (link_id IS NULL))
);
CREATE INDEX sessions_expires_at ON sessions (expires_at);
COMMENT ON COLUMN sessions.link_id IS 'the link that was opened: such a session sees its study alone';
COMMENT ON COLUMN sessions.expires_at IS 'the end, however often it is used';
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(TABLES)
