"""The catalogue of procedures: entries by effective date, and their terms by facility or ownership.

Both are written once and never changed: a change is another version, so whoever asks for a day in the past is told what
held then, and a change is undone by saying again what was said before.
"""

from alembic import op

revision = "0030"
down_revision = "0029"

PROCEDURES = """
CREATE TABLE procedure_entries (
    key text NOT NULL CHECK (key ~ '^[A-Z][A-Z0-9_]{1,63}$'),
    version integer NOT NULL CHECK (version > 0),
    effective_from date NOT NULL,
    body jsonb NOT NULL,
    is_shipped boolean NOT NULL DEFAULT false,
    reason text NOT NULL DEFAULT '',
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (key, version)
);
COMMENT ON TABLE procedure_entries IS 'on a day that entry holds which began last, and of those of one day the one of the highest version';
COMMENT ON COLUMN procedure_entries.is_shipped IS 'it came with the service';

CREATE TABLE procedure_terms (
    key text NOT NULL,
    facility_code text NOT NULL DEFAULT '',
    ownership text NOT NULL DEFAULT '' CHECK (ownership IN ('', 'public', 'private', 'ngo')),
    version integer NOT NULL CHECK (version > 0),
    effective_from date NOT NULL,
    price_bdt numeric(12, 2) CHECK (price_bdt >= 0),
    turnaround_hours integer CHECK (turnaround_hours > 0),
    priority text CHECK (priority IN ('routine', 'urgent', 'asap', 'stat')),
    reason text NOT NULL DEFAULT '',
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (key, facility_code, ownership, version),
    CHECK ((facility_code = '') <> (ownership = ''))
);
COMMENT ON TABLE procedure_terms IS 'of one facility, or of all facilities of an ownership; NULL says nothing, so the next wider one counts';

CREATE TABLE procedure_catalogue (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    generation uuid NOT NULL DEFAULT gen_random_uuid()
);
COMMENT ON COLUMN procedure_catalogue.generation IS 'another one after every change, so that no process keeps what held before';
INSERT INTO procedure_catalogue DEFAULT VALUES;

CREATE TABLE procedure_catalogues_shipped (
    sha256 text PRIMARY KEY,
    loaded_at timestamptz NOT NULL
);
COMMENT ON TABLE procedure_catalogues_shipped IS 'files of the service that have been loaded; of each only what was new';
"""


def upgrade() -> None:
    """Apply."""
    op.execute(PROCEDURES)
