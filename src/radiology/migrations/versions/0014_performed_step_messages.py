"""Messages of performed procedure steps that are passed on to other systems, in the order in which they came.

They are written in the transaction that takes the message from the modality, so that none is lost, and keep what became
of them for whoever asks.
"""

from alembic import op

revision = "0014"
down_revision = "0013"

TABLES = """
CREATE TABLE performed_step_messages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ae_title text NOT NULL,
    sop_instance_uid text NOT NULL,
    operation text NOT NULL CHECK (operation IN ('N-CREATE', 'N-SET', 'N-EVENT-REPORT')),
    attributes jsonb NOT NULL DEFAULT '{}',
    event_type integer,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'sent', 'refused', 'given-up')),
    attempts integer NOT NULL DEFAULT 0,
    sentence text NOT NULL DEFAULT '',
    caused_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX performed_step_messages_open ON performed_step_messages (ae_title, sop_instance_uid, id)
    WHERE state = 'open';
COMMENT ON COLUMN performed_step_messages.attributes IS 'the data set, DICOM JSON (PS3.18 F)';
COMMENT ON COLUMN performed_step_messages.event_type IS 'of N-EVENT-REPORT (PS3.4 table F.9.2-1)';
COMMENT ON COLUMN performed_step_messages.sentence IS 'why it was not taken';
"""


def upgrade() -> None:
    op.execute(TABLES)
