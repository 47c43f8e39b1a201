"""Patients and visits: numbers by issuer, names in two scripts, merges that can be undone.

A merged patient keeps its row, its numbers and its name, and only points to the survivor: so nothing has to be guessed
when the merge is undone.
"""

from alembic import op

revision = "0024"
down_revision = "0023"

TABLES = """
CREATE TABLE patient_identifiers (
    patient_id uuid NOT NULL REFERENCES patients (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('NID', 'BRN', 'UHID', 'MR')),
    value text NOT NULL CHECK (length(value) BETWEEN 1 AND 64),
    issuer text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (patient_id, kind, value, issuer)
);
CREATE INDEX patient_identifiers_value ON patient_identifiers (value, kind, issuer);
COMMENT ON TABLE patient_identifiers IS 'numbers beside the one in patients: national ones, and those of other hospitals';

CREATE SEQUENCE patient_number;
COMMENT ON SEQUENCE patient_number IS 'hospital numbers of who comes without one';

CREATE INDEX patients_name_keys ON patients USING gin (name_keys);
CREATE INDEX patients_name_search ON patients USING gin (name_search gin_trgm_ops);
CREATE INDEX patients_phone ON patients (phone) WHERE phone <> '';
"""

ENCOUNTERS = """
CREATE TABLE encounters (
    id uuid PRIMARY KEY,
    patient_id uuid NOT NULL REFERENCES patients (id),
    facility_code text NOT NULL,
    number text NOT NULL CHECK (length(number) BETWEEN 1 AND 64),
    class text NOT NULL CHECK (class IN ('IMP', 'AMB', 'EMER')),
    status text NOT NULL CHECK (status IN ('in-progress', 'finished', 'cancelled')),
    ward text NOT NULL DEFAULT '',
    bed text NOT NULL DEFAULT '',
    attending text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    began_at timestamptz NOT NULL,
    ended_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (facility_code, number),
    CHECK ((status = 'in-progress') = (ended_at IS NULL))
);
CREATE INDEX encounters_patient ON encounters (patient_id, began_at DESC);
COMMENT ON TABLE encounters IS 'visits: FHIR Encounter';
COMMENT ON COLUMN encounters.number IS 'Admission ID (0038,0010), unique in its facility';
COMMENT ON COLUMN encounters.class IS 'HL7 v3 ActCode: inpatient, ambulatory, emergency';
COMMENT ON COLUMN encounters.attending IS 'who is responsible, as Practitioner/222';
"""

REPAIRS = """
CREATE TABLE patient_repairs (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('update', 'merge', 'identify')),
    patient_id uuid NOT NULL REFERENCES patients (id),
    other_id uuid REFERENCES patients (id),
    reason text NOT NULL,
    before jsonb NOT NULL,
    message_key text UNIQUE,
    actor text NOT NULL,
    made_at timestamptz NOT NULL,
    undone_at timestamptz,
    undone_by text,
    undone_reason text,
    CHECK ((kind = 'update') = (other_id IS NULL))
);
CREATE INDEX patient_repairs_patient ON patient_repairs (patient_id, made_at DESC);
CREATE INDEX patient_repairs_other ON patient_repairs (other_id) WHERE other_id IS NOT NULL;
COMMENT ON TABLE patient_repairs IS 'what was put right about patients, and what was before, so that it can be undone';
COMMENT ON COLUMN patient_repairs.patient_id IS 'who was changed, or survived a merge';
COMMENT ON COLUMN patient_repairs.other_id IS 'who was merged';
COMMENT ON COLUMN patient_repairs.message_key IS 'sender and control id of the message that asked for it: it is done once';

CREATE TABLE patient_links (
    patient_id uuid NOT NULL REFERENCES patients (id),
    other_id uuid NOT NULL REFERENCES patients (id),
    kind text NOT NULL CHECK (kind IN ('seealso', 'different')),
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    PRIMARY KEY (patient_id, other_id),
    CHECK (patient_id < other_id)
);
CREATE INDEX patient_links_other ON patient_links (other_id);
COMMENT ON COLUMN patient_links.kind IS 'seealso: perhaps one person, not merged; different: a person looked, and they are two';
"""


def upgrade() -> None:
    """Create everything."""
    for part in (TABLES, ENCOUNTERS, REPAIRS):
        op.execute(part)
