"""Rules of the check at order time, what was answered, and what was overridden.

A set of rules is never changed: another one takes its place from a day on. Where there is none, those that come with
the product hold. An alert outlives its order, since it says nothing of anybody: it is what quality figures count.
"""

from alembic import op

revision = "0033"
down_revision = "0032"

RULES = """
CREATE TABLE appropriateness_rules (
    version text PRIMARY KEY CHECK (length(version) BETWEEN 1 AND 40),
    effective_from date NOT NULL,
    content jsonb NOT NULL,
    reason text NOT NULL,
    accepted_cases text[] NOT NULL DEFAULT '{}',
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    withdrawn_by text,
    withdrawn_at timestamptz,
    CHECK ((withdrawn_by IS NULL) = (withdrawn_at IS NULL))
);
CREATE INDEX appropriateness_rules_effective ON appropriateness_rules (effective_from DESC, made_at DESC)
    WHERE withdrawn_at IS NULL;
COMMENT ON COLUMN appropriateness_rules.accepted_cases IS 'golden cases that it answers otherwise, which was meant';
"""

CHECKS = """
CREATE TABLE order_checks (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    facility_code text NOT NULL,
    trigger text NOT NULL CHECK (trigger IN ('place', 'change', 'activate', 'resume', 'reinstate')),
    rule_set_version text NOT NULL,
    decision text NOT NULL CHECK (decision IN ('proceed', 'proceed_with_warning', 'suggest_alternative',
        'consult_radiologist', 'blocked')),
    answers jsonb NOT NULL,
    overrides jsonb NOT NULL DEFAULT '[]',
    held boolean NOT NULL DEFAULT false,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL
);
CREATE INDEX order_checks_order ON order_checks (order_id, asked_at DESC);
COMMENT ON COLUMN order_checks.answers IS 'of each procedure, without earlier studies that only some may know of';
COMMENT ON COLUMN order_checks.held IS 'the order was put on hold, because it is blocked and came by a way that cannot ask';
"""

ALERTS = """
CREATE TABLE order_alerts (
    id uuid PRIMARY KEY,
    order_id uuid REFERENCES orders (id) ON DELETE SET NULL,
    requested_procedure_id text NOT NULL DEFAULT '',
    facility_code text NOT NULL,
    rule text NOT NULL,
    rule_set_version text NOT NULL,
    effect text NOT NULL,
    procedure_key text NOT NULL,
    modality text NOT NULL,
    priority text NOT NULL,
    cost_bdt numeric(12, 2),
    dose_msv double precision NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('shown', 'refused', 'held', 'overridden', 'accepted')),
    shown_at timestamptz NOT NULL,
    ended_at timestamptz,
    saved_bdt numeric(12, 2),
    saved_msv double precision
);
CREATE INDEX order_alerts_shown ON order_alerts (shown_at);
CREATE INDEX order_alerts_order ON order_alerts (order_id);
COMMENT ON COLUMN order_alerts.outcome IS
    'shown: placed all the same; refused, held: it blocked; overridden: for a reason; accepted: cancelled or replaced';
COMMENT ON COLUMN order_alerts.saved_bdt IS 'only where the order was cancelled or replaced';
"""


def upgrade() -> None:
    """Apply."""
    for statements in (RULES, CHECKS, ALERTS):
        op.execute(statements)
