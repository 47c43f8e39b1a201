"""Charges, packages, schemes, receipts, and what readers earn.

A charge outlives its order, which may be removed when its time is over: accounts are kept longer, so nothing here
refers to rows of orders or studies. Who the patient is stands with the order alone. What was said, posted or paid is
never changed: charges have a history, and ledgers are corrected by counter-entries.
"""

from alembic import op

revision = "0036"
down_revision = "0035"

RULES = """
CREATE TABLE billing_rules (
    kind text NOT NULL CHECK (kind IN ('concession', 'scheme', 'package')),
    code text NOT NULL CHECK (code ~ '^[a-z0-9-]{1,32}$'),
    version integer NOT NULL,
    effective_from date NOT NULL,
    body jsonb NOT NULL,
    reason text NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (kind, code, version)
);
COMMENT ON TABLE billing_rules IS 'what was ever said of concessions, schemes and packages; the newest that has begun holds';

CREATE TABLE payment_holds (
    facility_code text PRIMARY KEY,
    hold boolean NOT NULL,
    reason text NOT NULL,
    set_by text NOT NULL,
    set_at timestamptz NOT NULL
);
COMMENT ON TABLE payment_holds IS 'whether a facility keeps reports from patients until they have paid';
"""

CHARGES = """
CREATE FUNCTION refuse_change_of_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a ledger is corrected by another entry, never changed';
END
$$;

CREATE TABLE order_payers (
    order_id uuid PRIMARY KEY,
    version integer NOT NULL,
    concession text NOT NULL,
    scheme text NOT NULL,
    member_number text NOT NULL,
    rules_on date NOT NULL,
    reason text NOT NULL,
    set_by text NOT NULL,
    set_at timestamptz NOT NULL
);
COMMENT ON TABLE order_payers IS 'who pays for an order beside the patient';
COMMENT ON COLUMN order_payers.rules_on IS 'the day whose concessions, schemes and packages hold';

CREATE TABLE charges (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL,
    procedure_id uuid NOT NULL UNIQUE,
    position integer NOT NULL,
    facility_code text NOT NULL,
    study_id uuid,
    state text NOT NULL CHECK (state IN ('planned', 'captured', 'credited')),
    version integer NOT NULL,
    procedure_key text NOT NULL,
    modality text NOT NULL,
    item text NOT NULL,
    item_bangla text NOT NULL,
    sensitive boolean NOT NULL,
    priced_on date NOT NULL,
    captured_at timestamptz,
    list_price numeric(12, 2) CHECK (list_price >= 0),
    own_price numeric(12, 2) CHECK (own_price >= 0),
    package text NOT NULL DEFAULT '',
    discount numeric(12, 2) NOT NULL DEFAULT 0 CHECK (discount >= 0),
    vat numeric(12, 2) NOT NULL DEFAULT 0 CHECK (vat >= 0),
    scheme_share numeric(12, 2) NOT NULL DEFAULT 0 CHECK (scheme_share >= 0),
    patient_share numeric(12, 2) NOT NULL DEFAULT 0 CHECK (patient_share >= 0),
    waived text NOT NULL DEFAULT '' CHECK (waived IN ('', 'exempted', 'repeat')),
    waived_reason text NOT NULL DEFAULT '',
    repeats uuid,
    CHECK (coalesce(own_price, list_price, 0) - discount + vat = scheme_share + patient_share),
    CHECK ((waived = 'repeat') = (repeats IS NOT NULL))
);
COMMENT ON COLUMN charges.procedure_id IS 'of requested_procedures: a procedure is charged once, whatever was repeated in it';
COMMENT ON COLUMN charges.position IS 'of the procedure in its order';
COMMENT ON COLUMN charges.list_price IS 'BDT, of the day priced_on; NULL where nobody has said what it costs';
COMMENT ON COLUMN charges.own_price IS 'said by a person for this charge alone';
COMMENT ON COLUMN charges.repeats IS 'the charge whose images were all rejected for quality';
CREATE INDEX charges_order ON charges (order_id);
CREATE INDEX charges_study ON charges (study_id);
CREATE INDEX charges_newest ON charges (id DESC);
CREATE INDEX charges_captured ON charges (facility_code, captured_at);
CREATE UNIQUE INDEX charges_repeats ON charges (repeats) WHERE state <> 'credited';

CREATE TABLE charge_entries (
    id uuid PRIMARY KEY,
    charge_id uuid NOT NULL REFERENCES charges (id),
    number integer NOT NULL,
    verb text NOT NULL,
    body jsonb NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    occurred_at timestamptz NOT NULL,
    UNIQUE (charge_id, number)
);
COMMENT ON TABLE charge_entries IS 'the history of each charge; body is the charge as it was from then on';
CREATE TRIGGER charge_entries_insert_only BEFORE UPDATE OR DELETE ON charge_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_ledger();

CREATE TABLE charge_postings (
    entry_id uuid PRIMARY KEY REFERENCES charge_entries (id),
    status text NOT NULL CHECK (status IN ('posted', 'refused')),
    reference text NOT NULL,
    sentence text NOT NULL,
    at timestamptz NOT NULL
);
COMMENT ON TABLE charge_postings IS 'what the billing service said to each entry; those without a row are still to be told';

CREATE TABLE billing_items (
    id uuid PRIMARY KEY,
    body jsonb NOT NULL,
    accepted_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE billing_items IS 'the billing service of who has no other: every item once, as it was told';

CREATE TABLE receipt_numbers (
    facility_code text NOT NULL,
    year integer NOT NULL,
    last integer NOT NULL,
    PRIMARY KEY (facility_code, year)
);

CREATE TABLE receipts (
    id uuid PRIMARY KEY,
    number text NOT NULL UNIQUE,
    order_id uuid NOT NULL,
    facility_code text NOT NULL,
    method text NOT NULL CHECK (method IN ('cash', 'card', 'mobile', 'bank')),
    exact numeric(12, 2) NOT NULL,
    total numeric(12, 2) NOT NULL CHECK (total = round(total)),
    body jsonb NOT NULL,
    issued_by text NOT NULL,
    issued_at timestamptz NOT NULL
);
COMMENT ON COLUMN receipts.exact IS 'BDT; less than nothing where money was given back';
COMMENT ON COLUMN receipts.total IS 'in whole taka, what changed hands';
COMMENT ON COLUMN receipts.body IS 'what was printed of each item';
CREATE INDEX receipts_order ON receipts (order_id);
CREATE INDEX receipts_day ON receipts (facility_code, issued_at);
CREATE TRIGGER receipts_insert_only BEFORE UPDATE OR DELETE ON receipts
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_ledger();

CREATE TABLE receipt_lines (
    receipt_id uuid NOT NULL REFERENCES receipts (id),
    charge_id uuid NOT NULL REFERENCES charges (id),
    amount numeric(12, 2) NOT NULL,
    PRIMARY KEY (receipt_id, charge_id)
);
CREATE INDEX receipt_lines_charge ON receipt_lines (charge_id);
CREATE TRIGGER receipt_lines_insert_only BEFORE UPDATE OR DELETE ON receipt_lines
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_ledger();

CREATE FUNCTION is_held_for_payment(study uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM charges AS c
        JOIN payment_holds AS held ON held.facility_code = c.facility_code AND held.hold
        JOIN facilities AS f ON f.code = c.facility_code AND f.ownership = 'private'
        JOIN orders AS o ON o.id = c.order_id
        WHERE c.study_id = study
          AND c.state <> 'credited'
          AND c.patient_share > (SELECT coalesce(sum(l.amount), 0) FROM receipt_lines AS l WHERE l.charge_id = c.id)
          AND o.priority <> 'stat'
          AND NOT EXISTS (
              SELECT FROM reading_items AS r
              WHERE r.study_id = study
                AND (r.critical OR r.inpatient OR r.priority = 'stat')
          )
          AND NOT EXISTS (
              SELECT FROM encounters AS visit
              JOIN imaging_studies AS s ON s.id = study AND s.patient_id = visit.patient_id
              WHERE visit.class = 'IMP'
                AND visit.status <> 'cancelled'
                AND visit.facility_code = c.facility_code
                AND visit.began_at <= coalesce(s.completed, now())
                AND coalesce(visit.ended_at, 'infinity') >= coalesce(s.started, s.created_at)
          )
    )
$$;
COMMENT ON FUNCTION is_held_for_payment IS 'whether a patient gets the report of a study only after paying; never STAT, critical or of an inpatient';
"""

READING_FEES = """
CREATE TABLE reading_rates (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    practitioner text NOT NULL DEFAULT '',
    contract text NOT NULL DEFAULT '' CHECK (contract IN ('', 'facility', 'district', 'division', 'national')),
    procedure_key text NOT NULL DEFAULT '',
    modality text NOT NULL DEFAULT '',
    amount_bdt numeric(12, 2) NOT NULL CHECK (amount_bdt >= 0),
    per_rvu boolean NOT NULL,
    effective_from date NOT NULL,
    reason text NOT NULL,
    set_by text NOT NULL,
    set_at timestamptz NOT NULL
);
COMMENT ON TABLE reading_rates IS 'what a final report earns, from a day on; empty columns are for all';
CREATE TRIGGER reading_rates_insert_only BEFORE UPDATE OR DELETE ON reading_rates
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_ledger();

CREATE TABLE reading_fees (
    id uuid PRIMARY KEY,
    sequence bigint GENERATED ALWAYS AS IDENTITY,
    report_id uuid NOT NULL,
    study_id uuid NOT NULL,
    corrects uuid REFERENCES reading_fees (id),
    kind text NOT NULL CHECK (kind IN ('fee', 'counter')),
    account text NOT NULL,
    practitioner text NOT NULL,
    facility_code text NOT NULL,
    procedure_key text NOT NULL,
    modality text NOT NULL,
    rvu numeric(6, 2) NOT NULL,
    rate_id bigint REFERENCES reading_rates (id),
    amount_bdt numeric(12, 2) NOT NULL CHECK ((kind = 'fee' AND amount_bdt >= 0) OR (kind = 'counter' AND amount_bdt <= 0)),
    earned_at timestamptz NOT NULL,
    booked_at timestamptz NOT NULL,
    booked_by text NOT NULL,
    reason text NOT NULL DEFAULT ''
);
COMMENT ON TABLE reading_fees IS 'one fee for the first final report of a reading; corrected by a counter-entry and another fee';
COMMENT ON COLUMN reading_fees.corrects IS 'of a counter: the fee that it takes back; of a fee: the one in whose place it stands';
CREATE UNIQUE INDEX reading_fees_once ON reading_fees (report_id) WHERE kind = 'fee' AND corrects IS NULL;
CREATE UNIQUE INDEX reading_fees_corrected_once ON reading_fees (corrects, kind) WHERE corrects IS NOT NULL;
CREATE INDEX reading_fees_account ON reading_fees (account, booked_at);
CREATE TRIGGER reading_fees_insert_only BEFORE UPDATE OR DELETE ON reading_fees
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_ledger();
"""


def upgrade() -> None:
    """Apply."""
    op.execute(RULES)
    op.execute(CHARGES)
    op.execute(READING_FEES)
