"""Readers, the on-call rota, who holds which duty, and of what somebody was warned.

Name, registration and privileges stay in the registry of practitioners, which may be another server, so nothing here
refers to a row of it.
"""

from alembic import op

revision = "0032"
down_revision = "0031"

READERS = """
CREATE TABLE readers (
    practitioner text PRIMARY KEY CHECK (practitioner ~ '^Practitioner/[A-Za-z0-9.-]{1,64}$'),
    version integer NOT NULL DEFAULT 1,
    active boolean NOT NULL DEFAULT true,
    subspecialties text[] NOT NULL DEFAULT '{}',
    languages text[] NOT NULL DEFAULT '{}',
    sex text NOT NULL DEFAULT '' CHECK (sex IN ('', 'F', 'M')),
    age_groups text[] NOT NULL DEFAULT '{adult}' CHECK (age_groups <@ '{neonate,child,adult}'),
    certificates text[] NOT NULL DEFAULT '{}',
    contracts jsonb NOT NULL DEFAULT '[]',
    home_facility text NOT NULL DEFAULT '',
    home_district text NOT NULL DEFAULT '',
    home_division text NOT NULL DEFAULT '',
    abroad boolean NOT NULL DEFAULT false,
    abroad_approval text NOT NULL DEFAULT '',
    cap_rvu real NOT NULL DEFAULT 60 CHECK (cap_rvu > 0),
    reads_sensitive boolean NOT NULL DEFAULT false,
    shifts jsonb NOT NULL DEFAULT '[]',
    absences jsonb NOT NULL DEFAULT '[]',
    recused_patients uuid[] NOT NULL DEFAULT '{}',
    recused_facilities text[] NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE readers IS 'what the network knows of who reads; name, registration and privileges are in the registry';
COMMENT ON COLUMN readers.contracts IS 'scope (facility, district, division, national), place, first and last day of each';
COMMENT ON COLUMN readers.abroad_approval IS 'by the data protection officer; without it nobody abroad is given a study';
COMMENT ON COLUMN readers.cap_rvu IS 'so many RVU may lie open with somebody';
COMMENT ON COLUMN readers.shifts IS 'days of the week (ISO 8601), begin and end in the zone of the service';

CREATE TABLE reader_figures (
    practitioner text PRIMARY KEY,
    discrepancy_rate real CHECK (discrepancy_rate BETWEEN 0 AND 1),
    counted_at timestamptz NOT NULL
);
COMMENT ON TABLE reader_figures IS 'written by what counts quality; shown to the reader and the committee only';

CREATE TABLE rotas (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text NOT NULL UNIQUE CHECK (key ~ '^[a-z0-9-]{1,32}$'),
    version integer NOT NULL DEFAULT 1,
    name text NOT NULL CHECK (name <> ''),
    subspecialty_group text NOT NULL,
    facility_codes text[] CHECK (facility_codes <> '{}'),
    active boolean NOT NULL DEFAULT true
);
COMMENT ON COLUMN rotas.facility_codes IS 'NULL for all';
COMMENT ON COLUMN rotas.active IS 'both of its lines must be covered at all times';

CREATE TABLE on_call_turns (
    id uuid PRIMARY KEY,
    rota bigint NOT NULL REFERENCES rotas (number) ON DELETE CASCADE,
    line integer NOT NULL CHECK (line IN (1, 2)),
    reader text NOT NULL REFERENCES readers (practitioner),
    begins_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL CHECK (ends_at > begins_at),
    CONSTRAINT on_call_turns_one_at_a_time EXCLUDE USING gist (
        int8range(rota, rota, '[]') WITH &&,
        int4range(line, line, '[]') WITH &&,
        tstzrange(begins_at, ends_at) WITH &&
    )
);
CREATE INDEX on_call_turns_ends_at ON on_call_turns (ends_at);
CREATE INDEX on_call_turns_reader ON on_call_turns (reader);
COMMENT ON COLUMN on_call_turns.line IS '1: primary, 2: secondary';

CREATE TABLE duty_holders (
    duty text NOT NULL CHECK (duty IN ('head', 'director')),
    facility_code text NOT NULL,
    account text NOT NULL,
    PRIMARY KEY (duty, facility_code, account)
);
COMMENT ON TABLE duty_holders IS 'heads of radiology and directors, as account:<name>, who are told when reading is late';

CREATE TABLE reader_warnings (
    subject text PRIMARY KEY,
    warned_at timestamptz NOT NULL
);
COMMENT ON TABLE reader_warnings IS 'of which expiring registrations and gaps of rotas somebody was warned';
"""


def upgrade() -> None:
    """Apply."""
    op.execute(READERS)
