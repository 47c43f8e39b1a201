"""The schema: what the revisions make is what is committed; migrating twice, by two, and from a newer one."""

import threading
from pathlib import Path

import psycopg
import pytest

from radiology import migrations
from radiology.kit import migrate
from radiology.kit.postgres import USER, EmbeddedPostgres


@pytest.fixture
def empty(postgres: EmbeddedPostgres, request: pytest.FixtureRequest) -> str:
    """A database without a table; it goes with the server at the end of the run."""
    name = f"empty_{abs(hash(request.node.name))}"
    with psycopg.connect(postgres.dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
    return postgres.dsn.replace(f"{USER}@/radiology?", f"{USER}@/{name}?")


def test_the_committed_schema_is_what_the_revisions_make() -> None:
    committed = Path(migrations.__file__).with_name("schema.sql")
    assert committed.read_text(encoding="utf-8") == migrate.fresh_schema(), "run `make schema`"


def test_an_empty_database_is_brought_to_the_newest_revision_once(empty: str) -> None:
    said: list[str] = []
    assert migrate.current(empty) is None
    assert migrate.upgrade(empty, progress=said.append) == migrate.newest()
    assert migrate.current(empty) == migrate.newest()
    migrate.upgrade(empty, progress=said.append)
    assert said == [f"bringing the database to revision {migrate.newest()}"]


def test_two_that_migrate_at_once_do_it_once(empty: str) -> None:
    said: list[str] = []
    threads = [threading.Thread(target=migrate.upgrade, args=(empty,), kwargs={"progress": said.append}) for _ in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([line for line in said if line.startswith("bringing")]) == 1
    assert migrate.current(empty) == migrate.newest()


def test_a_database_newer_than_we_are_is_refused(empty: str) -> None:
    migrate.upgrade(empty)
    with psycopg.connect(empty) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(migrate.MigrationError, match="newer than this version"):
        migrate.upgrade(empty)


def test_a_database_that_is_not_there_is_said_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(migrate.MigrationError, match=r"cannot be reached.*No such file"):
        migrate.wait_for_database(f"postgresql://radiology@/radiology?host={tmp_path}", seconds=0)


def test_revisions_are_numbered_without_gaps() -> None:
    versions = Path(migrations.__file__).with_name("versions")
    numbers = sorted(int(file.name[:4]) for file in versions.glob("[0-9]*.py"))
    assert numbers == list(range(1, len(numbers) + 1))
    assert migrate.newest() == f"{numbers[-1]:04}"
