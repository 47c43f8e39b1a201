"""What every command needs: settings, the database running and up to date, an App; refusals as a sentence."""

import sys
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn, TypeVar

if TYPE_CHECKING:
    from radiology.app import App
    from radiology.settings import Settings

T = TypeVar("T")

REFUSED = 2


def with_app(settings: "Settings", call: Callable[["App"], Awaitable[T]]) -> T:
    """Run one coroutine function on an opened App, and close it."""
    import asyncio

    from radiology.app import App

    async def run() -> T:
        app = App.of(settings, connections=1)
        await app.db.open()
        try:
            return await call(app)
        finally:
            await app.db.close()

    return asyncio.run(run())


def ask(call: Callable[["App"], Awaitable[T]]) -> T:
    """Run one coroutine function on an App whose database is running and up to date."""
    with database() as settings:
        return with_app(settings, call)


@contextmanager
def database(*, migrated: bool = True) -> "Generator[Settings]":
    """The settings, with their database running and, unless told otherwise, up to date."""
    with refusals():
        from radiology import supervisor
        from radiology.kit import migrate

        settings = load()
        with supervisor.database(settings, say=say_more):
            if migrated:
                migrate.wait_for_database(settings.database_dsn, seconds=10)
                migrate.upgrade(settings.database_dsn, progress=say_more)
            yield settings


@contextmanager
def refusals() -> Generator[None]:
    """Refusals of ours are a sentence and exit code 2."""
    from radiology.errors import RadiologyError
    from radiology.kit.migrate import MigrationError
    from radiology.kit.postgres import PostgresError
    from radiology.settings import SettingsError
    from radiology.supervisor import CannotServe
    from radiology.viewer.package import CannotBuild

    try:
        yield
    except (SettingsError, CannotServe, PostgresError, MigrationError, CannotBuild, RadiologyError) as e:
        refuse(str(e))


def load(**overrides: object) -> "Settings":
    """The settings as the environment says."""
    from radiology.settings import load_settings

    return load_settings(**overrides)


def refuse(sentence: str) -> NoReturn:
    """End with a sentence and exit code 2."""
    print(f"radi: {sentence}", file=sys.stderr)
    sys.exit(REFUSED)


def say(line: str) -> None:
    """A line of what the command is for."""
    print(line, flush=True)


def say_more(line: str) -> None:
    """A line beside it."""
    print(f"  {line}", file=sys.stderr, flush=True)
