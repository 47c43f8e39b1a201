"""Fixtures that every test may use.

`shared_data`  folder of real sample files, or a skip.
`dsn`          connection string of a fresh, migrated database of this test alone (a copy of a template, about 30 ms).
`settings`     settings with that database and an empty data folder; `app` the same as an opened App.
`client_as`    `await client_as("radiologist")` gives an HTTP client with a bearer token of that role; more keywords:
               `practitioner="Practitioner/222"`, `name="..."`. `client` is the same without a token.

Tests that are coroutines carry `pytestmark = pytest.mark.anyio`.
"""

import importlib
import os
import pkgutil
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from radiology.app import App
from radiology.kit.clock import SetClock
from radiology.kit.db import Database
from radiology.kit.objects import LocalObjects
from radiology.kit.postgres import USER, EmbeddedPostgres
from radiology.settings import Settings

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
TEMPLATE = "template_radiology"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real sample files, which lies beside the repository where the project is developed."""
    if not SHARED.is_dir():
        pytest.skip("the shared sample files are not beside this clone")
    return SHARED


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Coroutines run on asyncio, and on uvloop only where the server does."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """One PostgreSQL for the whole run of this process, without fsync, with the migrated template."""
    sockets = Path(tempfile.mkdtemp(prefix="radi-"))
    # Folders between the data and `/` are made private by pytest; the account that runs the server must pass.
    data = Path(tempfile.mkdtemp(prefix="radi-postgres-"))
    with EmbeddedPostgres(data, sockets / "s", shared_buffers_mib=32, durable=False) as server:
        _administer(server, f"CREATE DATABASE {TEMPLATE}")
        migrate(_dsn(server, TEMPLATE))
        yield server
    shutil.rmtree(data, ignore_errors=True)
    shutil.rmtree(sockets, ignore_errors=True)


@pytest.fixture
def dsn(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database for this test alone."""
    name = f"test_{os.urandom(6).hex()}"
    _administer(postgres, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
    yield _dsn(postgres, name)
    _administer(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def settings(dsn: str, tmp_path: Path) -> Settings:
    """Settings for this test alone."""
    return Settings(data_dir=tmp_path / "data", database_url=dsn, disk_reserve_bytes=0)


@pytest.fixture
def clock() -> SetClock:
    """A clock that stands still at 21 January 2026, 10:30 in Dhaka, until a test moves it."""
    return SetClock()


@pytest.fixture
async def app(settings: Settings, clock: SetClock) -> AsyncIterator[App]:
    """Everything that an action needs, with the database open."""
    opened = App(settings, Database(settings.database_dsn, connections=5), LocalObjects(settings.objects_dir), clock)
    await opened.db.open()
    yield opened
    await opened.db.close()


def migrate(dsn: str) -> None:
    """Bring a database to the newest schema."""
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from sqlalchemy import NullPool, create_engine, text

    versions = importlib.import_module("radiology.migrations.versions")
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn), poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num varchar(32) NOT NULL PRIMARY KEY)"))
        for name in sorted(module.name for module in pkgutil.iter_modules(versions.__path__)):
            revision = importlib.import_module(f"radiology.migrations.versions.{name}")
            with Operations.context(MigrationContext.configure(connection)):
                revision.upgrade()
            newest = revision.revision
        connection.execute(text("INSERT INTO alembic_version VALUES (:newest)"), {"newest": newest})
    engine.dispose()


def _administer(server: EmbeddedPostgres, statement: str) -> None:
    with psycopg.connect(_dsn(server, "postgres"), autocommit=True) as connection:
        connection.execute(statement)  # pyright: ignore[reportArgumentType, reportCallIssue]


def _dsn(server: EmbeddedPostgres, database: str) -> str:
    return f"postgresql://{USER}@/{database}?host={quote(str(server.socket_dir), safe='')}"
