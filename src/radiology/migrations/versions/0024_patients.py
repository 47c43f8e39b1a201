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

CREATE INDEX patients_name_keys ON patients USING gin (name_keys);
CREATE INDEX patients_name_search ON patients USING gin (name_search gin_trgm_ops);
CREATE INDEX patients_phone ON patients (phone) WHERE phone <> '';
"""


def upgrade() -> None:
    """Create everything."""
    op.execute(TABLES)
