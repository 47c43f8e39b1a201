"""What protects accounts: a second step, waits of who guesses, the proof of a session, and keys that reach less far.

Of names that somebody tried only the hash is kept: people type their password where the name belongs. Attempts are
counted per name and address, so that whoever guesses at one place keeps nobody out at another.
"""

from alembic import op

revision = "0017"
down_revision = "0016"

TABLES = """
ALTER TABLE accounts
    ADD COLUMN totp_secret text,
    ADD COLUMN totp_confirmed_at timestamptz,
    ADD COLUMN totp_step bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN accounts.totp_secret IS 'shared with the app of the person, in base32 (RFC 6238)';
COMMENT ON COLUMN accounts.totp_confirmed_at IS 'since when signing in needs it';
COMMENT ON COLUMN accounts.totp_step IS 'the time step of the last code that was taken: none is taken twice';

CREATE TABLE recovery_codes (
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    code_sha256 bytea NOT NULL,
    PRIMARY KEY (account_id, code_sha256)
);

CREATE TABLE sign_in_attempts (
    name_sha256 bytea NOT NULL,
    address text NOT NULL,
    attempts integer NOT NULL,
    last_at timestamptz NOT NULL,
    waits_until timestamptz NOT NULL,
    PRIMARY KEY (name_sha256, address)
);
CREATE INDEX sign_in_attempts_last_at ON sign_in_attempts (last_at);
COMMENT ON TABLE sign_in_attempts IS 'attempts since the last that was right';

CREATE TABLE second_steps (
    secret_sha256 bytea PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE second_steps IS 'people whose password was right, and whose code is asked for';

ALTER TABLE sessions
    ADD COLUMN authenticated_at timestamptz,
    ADD COLUMN address text NOT NULL DEFAULT '',
    ADD COLUMN agent text NOT NULL DEFAULT '';
CREATE INDEX sessions_account ON sessions (account_id) WHERE account_id IS NOT NULL;
COMMENT ON COLUMN sessions.authenticated_at IS 'when the person last proved who it is; NULL of links';
COMMENT ON COLUMN sessions.agent IS 'the class of the program: browser, program or other';

ALTER TABLE tokens
    ADD COLUMN label text NOT NULL DEFAULT '',
    ADD COLUMN prefix text NOT NULL DEFAULT '',
    ADD COLUMN scopes text[],
    ADD COLUMN last_used_at timestamptz;
CREATE INDEX tokens_account ON tokens (account_id);
COMMENT ON COLUMN tokens.prefix IS 'the beginning of the key, by which its owner knows it again';
COMMENT ON COLUMN tokens.scopes IS 'permissions that it has at most; NULL for all of its account';
"""


def upgrade() -> None:
    """Add the columns and tables."""
    op.execute(TABLES)
