"""Durable jobs: the tables of Procrastinate in a schema of their own.

Its functions name its tables without a schema; each is given the schema as its search path, so that a job can be
enqueued in any of our transactions. Procrastinate is pinned to the version whose schema this is: a newer one comes with
a revision that brings the tables along.
"""

from typing import Any

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0003"
down_revision = "0002"

OWN_SEARCH_PATH = """
DO $$
DECLARE
    made regprocedure;
BEGIN
    FOR made IN SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'jobs'::regnamespace LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = jobs, pg_catalog', made);
    END LOOP;
END
$$;
"""


def upgrade() -> None:
    connection: Any = op.get_bind().connection.driver_connection
    connection.execute("CREATE SCHEMA jobs")
    connection.execute("SET LOCAL search_path = jobs, public")
    connection.execute(SchemaManager.get_schema())
    connection.execute("SET LOCAL search_path = public")
    connection.execute(OWN_SEARCH_PATH)
