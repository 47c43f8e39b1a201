"""Bring the schema to the newest revision: Alembic revisions of plain SQL, forward only, one process at a time.

A revision's file begins with its number, `0007_report_versions.py`, and the number is the revision. So whether there is
anything to do is one query, and Alembic is imported only when there is.
"""

import re
import subprocess
import time
from collections.abc import Callable
from importlib.resources import files

import psycopg

from radiology.kit.postgres import bundled_programs, temporary_postgres

LOCK = 0x7261_6469_6D69_6772  # "radimigr"
WAIT_SECONDS = 120
LOCK_TIMEOUT, STATEMENT_TIMEOUT = "4s", "60s"
"""A revision that needs longer says so itself: SET LOCAL statement_timeout."""


class MigrationError(RuntimeError):
    """The schema cannot be used or brought up to date; the message is a sentence."""


def newest() -> str:
    """The newest revision of this installation; empty where there is none."""
    names = [file.name for file in files("radiology.migrations").joinpath("versions").iterdir()]
    return max((name[:4] for name in names if re.fullmatch(r"\d{4}_\w+\.py", name)), default="")


def current(dsn: str) -> str | None:
    """The revision of the database, None for an empty one. Raises psycopg.Error."""
    with psycopg.connect(dsn, autocommit=True, connect_timeout=5) as connection:
        return _current(connection)


def _current(connection: psycopg.Connection) -> str | None:
    there = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
    if there is None or there[0] is None:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return row[0] if row else None


def upgrade(dsn: str, *, progress: Callable[[str], None] = lambda _: None) -> str:
    """Bring the database to the newest revision; returns it. Nothing is done where it is there already.

    Raises MigrationError when the database is newer than this installation, or when another process migrates for longer
    than two minutes; psycopg.Error when the database cannot be reached.
    """
    target = newest()
    with psycopg.connect(dsn, autocommit=True, connect_timeout=5) as connection:
        if _needs_nothing(connection, target):
            return target
        _lock(connection, progress)
        if not _needs_nothing(connection, target):
            progress(f"bringing the database to revision {target}")
            _run_alembic(dsn)
    return target


def _needs_nothing(connection: psycopg.Connection, target: str) -> bool:
    now = _current(connection)
    if now is not None and now > target:
        raise MigrationError(
            f"The database has revision {now}, which is newer than this version of radiology knows ({target}). "
            "Start the newer version; an older one would damage the data."
        )
    return now == target


def _lock(connection: psycopg.Connection, progress: Callable[[str], None]) -> None:
    """Session lock; it falls when the connection closes, so a process that dies holds nothing up."""
    until = time.monotonic() + WAIT_SECONDS
    while not _got(connection):
        if time.monotonic() > until:
            raise MigrationError("Another process has been migrating this database for two minutes. See its log.")
        progress("waiting for another process that migrates")
        time.sleep(0.2)


def _got(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,)).fetchone()
    return bool(row and row[0])


def _run_alembic(dsn: str) -> None:
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    def connect() -> psycopg.Connection:
        options = f"-c lock_timeout={LOCK_TIMEOUT} -c statement_timeout={STATEMENT_TIMEOUT}"
        return psycopg.connect(dsn, options=options, application_name="radi migrate")

    config = Config()
    config.set_main_option("script_location", "radiology:migrations")
    config.set_main_option("path_separator", "os")
    engine = create_engine("postgresql+psycopg://", creator=connect, poolclass=NullPool)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()


def wait_for_database(dsn: str, *, seconds: float, progress: Callable[[str], None] = lambda _: None) -> None:
    """Wait until the database takes connections. Raises MigrationError with libpq's reason when the time is over."""
    began, told = time.monotonic(), 3.0
    while True:
        try:
            psycopg.connect(dsn, connect_timeout=5).close()
        except psycopg.OperationalError as e:
            waited = time.monotonic() - began
            if waited > seconds:
                raise MigrationError(f"The database cannot be reached: {str(e).strip()}") from e
            if waited > told:
                progress(f"waiting for the database, {waited:.0f} s so far")
                told += 5
            time.sleep(0.1)
        else:
            return


def normalised(dump: str) -> str:
    """A dump by pg_dump without what differs between versions and runs: comments, settings, blank lines in a row."""
    noise = re.compile(r"--|\\(un)?restrict|SET |SELECT pg_catalog\.set_config")
    kept = [line for line in dump.splitlines() if not noise.match(line)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip() + "\n"


def fresh_schema() -> str:
    """What the revisions make of an empty database of the bundled PostgreSQL, as text to commit and compare."""
    with temporary_postgres() as server:
        upgrade(server.dsn)
        command = [bundled_programs() / "pg_dump", "--schema-only", "--no-owner", "--no-privileges", server.dsn]
        done = subprocess.run(command, capture_output=True, check=True, text=True)  # noqa: S603  # Our own program.
    return normalised(done.stdout)
