"""Fixtures that every test may use.

`shared_data`  folder of real sample files, or a skip.
`dsn`          connection string of a fresh, migrated database of this test alone (a copy of a template, about 30 ms).
`settings`     settings with that database and an empty data folder; `app` the same as an opened App.
`client_as`    `await client_as("radiologist")` gives an HTTP client with a bearer token of that role; more keywords:
               `practitioner="Practitioner/222"`, `name="..."`. `client` is the same without a token.

Tests that are coroutines carry `pytestmark = pytest.mark.anyio`.
"""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import quote

import httpx2
import psycopg
import pytest
from fastapi import FastAPI

import interoperability
from radiology.access import accounts
from radiology.app import App
from radiology.doors.http.assemble import build
from radiology.kit import migrate
from radiology.kit.clock import SetClock
from radiology.kit.db import Database
from radiology.kit.objects import LocalObjects
from radiology.kit.postgres import USER, EmbeddedPostgres
from radiology.settings import Settings

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
TEMPLATE = "template_radiology"
ROOMY_BYTES = 2 * 1024**3


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--interoperability FILE` writes which services were shown to work with which peers."""
    parser.addoption("--interoperability", metavar="FILE", default=None)


def pytest_configure(config: pytest.Config) -> None:
    """See `interoperability`."""
    interoperability.install(config)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """See `interoperability`."""
    interoperability.note(items)


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
    data = Path(tempfile.mkdtemp(prefix="radi-postgres-", dir=_in_memory()))
    with EmbeddedPostgres(data, sockets / "s", shared_buffers_mib=32, durable=False) as server:
        _administer(server, f"CREATE DATABASE {TEMPLATE}")
        migrate.upgrade(_dsn(server, TEMPLATE))
        yield server
    shutil.rmtree(data, ignore_errors=True)
    shutil.rmtree(sockets, ignore_errors=True)


def _in_memory() -> str | None:
    """A folder in memory, where there is one with room: making a database of 1,300 files takes 30 ms there, not 200."""
    shared = Path("/dev/shm")  # noqa: S108 - a folder with a name of its own is made in it.
    is_roomy = shared.is_dir() and os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > ROOMY_BYTES
    return str(shared) if is_roomy else None


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


@pytest.fixture
async def service(app: App) -> AsyncIterator[FastAPI]:
    """The HTTP service of this test, with its lifespan running."""
    built = build(app)
    async with built.router.lifespan_context(built):
        yield built


@pytest.fixture
async def client(service: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody who has not signed in."""
    async with _client(service, {}) as opened:
        yield opened


ClientAs = Callable[..., Awaitable[httpx2.AsyncClient]]


@pytest.fixture
async def client_as(service: FastAPI, app: App) -> AsyncIterator[ClientAs]:
    """Makes a client with a bearer token of a role."""
    async with AsyncExitStack() as stack:

        async def make(role: str, *, name: str | None = None, practitioner: str | None = None) -> httpx2.AsyncClient:
            await accounts.make_account(app, name or role, role=role, practitioner=practitioner)
            token = await accounts.make_token(app, name or role, role=role)
            return await stack.enter_async_context(_client(service, {"authorization": f"Bearer {token}"}))

        yield make


def _client(service: FastAPI, headers: dict[str, str]) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=service, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url="http://radiology.test", headers=headers)


def _administer(server: EmbeddedPostgres, statement: str) -> None:
    with psycopg.connect(_dsn(server, "postgres"), autocommit=True) as connection:
        connection.execute(statement)  # pyright: ignore[reportArgumentType, reportCallIssue]


def _dsn(server: EmbeddedPostgres, database: str) -> str:
    return f"postgresql://{USER}@/{database}?host={quote(str(server.socket_dir), safe='')}"
