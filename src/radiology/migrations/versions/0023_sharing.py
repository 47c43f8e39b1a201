"""Links to one study or one report: a PIN, a number of openings, and who opened them from where.

A PIN is kept as a hash. Each attempt is counted before it is looked at, so that guessing side by side gains nothing.
"""

from alembic import op

revision = "0023"
down_revision = "0022"

SHARING = """
ALTER TABLE study_links
    ADD COLUMN report_id uuid REFERENCES radiology_reports (id) ON DELETE CASCADE,
    ADD COLUMN pin_hash text,
    ADD COLUMN most_openings integer CHECK (most_openings > 0),
    ADD COLUMN wrong_pins integer NOT NULL DEFAULT 0,
    ADD COLUMN closed_until timestamptz,
    ADD COLUMN ended_by text;
COMMENT ON COLUMN study_links.report_id IS 'the report that it opens, and no images; NULL means the images';
COMMENT ON COLUMN study_links.wrong_pins IS 'wrong PINs of its whole life';
CREATE INDEX study_links_report ON study_links (report_id) WHERE report_id IS NOT NULL;

CREATE TABLE link_openings (
    link_id uuid NOT NULL REFERENCES study_links (id) ON DELETE CASCADE,
    opened_at timestamptz NOT NULL,
    network text NOT NULL
);
COMMENT ON COLUMN link_openings.network IS 'the network, not the address: the first 24 bits of IPv4, 48 of IPv6';
CREATE INDEX link_openings_link ON link_openings (link_id, opened_at DESC);
"""


def upgrade() -> None:
    """Add the columns and the table."""
    op.execute(SHARING)
