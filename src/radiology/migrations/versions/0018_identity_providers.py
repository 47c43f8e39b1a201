"""People of an identity provider: which account is whose, and which session began by which session there.

An account belongs to issuer and subject, which never change and are never given to somebody else; names and addresses
of mail do and are. The session of the provider is kept so that leaving there is leaving here, and the other way.
"""

from alembic import op

revision = "0018"
down_revision = "0017"

TABLES = """
CREATE TABLE identities (
    issuer text NOT NULL,
    subject text NOT NULL,
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    linked_at timestamptz NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX identities_account ON identities (account_id);

CREATE TABLE provider_sessions (
    session_id uuid PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    issuer text NOT NULL,
    subject text NOT NULL,
    provider_session text,
    id_token text NOT NULL
);
CREATE INDEX provider_sessions_subject ON provider_sessions (issuer, subject);
CREATE INDEX provider_sessions_session ON provider_sessions (issuer, provider_session);
COMMENT ON COLUMN provider_sessions.provider_session IS 'the claim sid';
COMMENT ON COLUMN provider_sessions.id_token IS 'the hint by which the provider knows who leaves';
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(TABLES)
