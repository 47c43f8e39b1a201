"""De-identified exports: projects with their approval, exports with what became of each instance, and where devices burn
text into their images.

What would name somebody again is sealed by keys that lie outside of the database: a dump of it names nobody.
"""

from alembic import op

revision = "0020"
down_revision = "0019"

TABLES = """
CREATE TABLE deidentification_projects (
    id uuid PRIMARY KEY,
    name text NOT NULL UNIQUE,
    purpose text NOT NULL,
    profile text NOT NULL CHECK (profile IN ('research', 'teaching', 'teleradiology')),
    options jsonb NOT NULL,
    sealed_key bytea NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    approved_by text,
    approved_at timestamptz,
    ended_at timestamptz,
    CHECK (approved_by <> created_by),
    CHECK ((approved_by IS NULL) = (approved_at IS NULL))
);
COMMENT ON COLUMN deidentification_projects.sealed_key IS 'what makes its pseudonyms, UIDs and dates; sealed by keys/deidentification.key';

CREATE TABLE reidentifications (
    project_id uuid NOT NULL REFERENCES deidentification_projects (id),
    pseudonym text NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (project_id, pseudonym)
);
COMMENT ON TABLE reidentifications IS 'who a pseudonym is; sealed by keys/reidentification.key';

CREATE TABLE exports (
    id uuid PRIMARY KEY,
    project_id uuid NOT NULL REFERENCES deidentification_projects (id),
    status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'completed', 'failed', 'cancelled', 'expired')),
    sentence text NOT NULL DEFAULT '',
    skipped jsonb NOT NULL DEFAULT '[]',
    job bigint,
    size_bytes bigint,
    sha256 text,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz
);
COMMENT ON COLUMN exports.skipped IS 'studies that were asked for and are not exported, each with its reason';
CREATE INDEX exports_asked_at ON exports (asked_at DESC, id DESC);
CREATE INDEX exports_not_over ON exports (asked_at) WHERE status IN ('queued', 'running', 'completed');

CREATE TABLE export_instances (
    export_id uuid NOT NULL REFERENCES exports (id) ON DELETE CASCADE,
    place integer NOT NULL,
    study_instance_uid text NOT NULL,
    sop_instance_uid text NOT NULL,
    result text NOT NULL DEFAULT 'remaining' CHECK (result IN ('remaining', 'written', 'withheld')),
    reason text NOT NULL DEFAULT '',
    written jsonb,
    sealed bytea,
    PRIMARY KEY (export_id, place)
);
COMMENT ON COLUMN export_instances.written IS 'the line of the manifest';
COMMENT ON COLUMN export_instances.sealed IS 'old and new UIDs; sealed by keys/reidentification.key';

CREATE TABLE masked_regions (
    manufacturer text NOT NULL,
    model text NOT NULL,
    rows integer NOT NULL CHECK (rows > 0),
    columns integer NOT NULL CHECK (columns > 0),
    rectangles jsonb NOT NULL,
    set_by text NOT NULL,
    set_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (manufacturer, model, rows, columns)
);
COMMENT ON TABLE masked_regions IS 'where devices burn text into images of one size; no rectangle says that they burn in none';
"""


def upgrade() -> None:
    op.execute(TABLES)
