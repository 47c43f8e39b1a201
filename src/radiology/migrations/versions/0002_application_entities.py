"""The registry of application entities with all that PS3.8 and the quirks of peers ask for."""

from alembic import op

revision = "0002"
down_revision = "0001"

TABLES = """
ALTER TABLE application_entities
    ALTER COLUMN services SET DEFAULT '{echo,store,find,move,get,mwl,mpps,commit,ups}',
    ADD COLUMN hosts text[] NOT NULL DEFAULT '{}',
    ADD COLUMN move_destination boolean NOT NULL DEFAULT false,
    ADD COLUMN tls text NOT NULL DEFAULT 'allowed' CHECK (tls IN ('required', 'allowed', 'off')),
    ADD COLUMN certificate_fingerprint text NOT NULL DEFAULT '',
    ADD COLUMN certificate_subject text NOT NULL DEFAULT '',
    ADD COLUMN outgoing_associations integer NOT NULL DEFAULT 4 CHECK (outgoing_associations > 0),
    ADD COLUMN transfer_syntaxes text[] NOT NULL DEFAULT '{}',
    ADD COLUMN wide_area boolean NOT NULL DEFAULT false,
    ADD COLUMN default_charset text NOT NULL DEFAULT '',
    ADD COLUMN utc_offset text NOT NULL DEFAULT '',
    ADD COLUMN sensitive_access text NOT NULL DEFAULT 'none' CHECK (sensitive_access IN ('none', 'mask', 'full')),
    ADD COLUMN trusted_for_rejection boolean NOT NULL DEFAULT false,
    ADD COLUMN wants_warnings boolean NOT NULL DEFAULT true,
    ADD COLUMN auto_complete boolean NOT NULL DEFAULT true,
    ADD COLUMN offers_commitment boolean NOT NULL DEFAULT false,
    ADD COLUMN checks_user boolean NOT NULL DEFAULT false,
    ADD COLUMN dicomweb_url text NOT NULL DEFAULT '',
    ADD COLUMN dicomweb_user text NOT NULL DEFAULT '',
    ADD COLUMN dicomweb_secret text NOT NULL DEFAULT '',
    ADD COLUMN enabled boolean NOT NULL DEFAULT true,
    ADD COLUMN description text NOT NULL DEFAULT '';
COMMENT ON COLUMN application_entities.host IS 'where it listens';
COMMENT ON COLUMN application_entities.hosts IS 'where it may call from: addresses, networks, names; empty: host';
COMMENT ON COLUMN application_entities.certificate_fingerprint IS 'SHA-256 of its certificate, 64 hexadecimal digits';
COMMENT ON COLUMN application_entities.auto_complete IS 'whether a study is complete when nothing has come from it for a while';
"""


def upgrade() -> None:
    op.execute(TABLES)
