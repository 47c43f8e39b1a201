"""Film orders: what is printed on which printer, and how far it has come."""

from alembic import op

revision = "0011"
down_revision = "0010"

TABLES = """
CREATE TABLE film_orders (
    id uuid PRIMARY KEY,
    study_id uuid NOT NULL REFERENCES imaging_studies (id),
    printer text NOT NULL,
    film jsonb NOT NULL,
    pictures jsonb NOT NULL,
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'printing', 'printed', 'failed', 'cancelled')),
    sheets integer NOT NULL CHECK (sheets > 0),
    sheets_printed integer NOT NULL DEFAULT 0 CHECK (sheets_printed BETWEEN 0 AND sheets),
    attempts integer NOT NULL DEFAULT 0,
    sentence text NOT NULL DEFAULT '',
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX film_orders_asked_at ON film_orders (asked_at DESC, id);
COMMENT ON COLUMN film_orders.sheets_printed IS 'how many the printer has taken; printing goes on behind them';
"""


def upgrade() -> None:
    op.execute(TABLES)
