"""`radi doctor`: what is right is said, what is wrong is said with what to do."""

import socket
from pathlib import Path

import psycopg
import pytest

from radiology import doctor
from radiology.kit.postgres import EmbeddedPostgres
from radiology.settings import Settings


def wrong(settings: Settings) -> dict[str, str]:
    return {finding.sentence: finding.remedy for finding in doctor.examine(settings) if not finding.good}


def test_nothing_is_wrong_with_a_good_installation(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.data_dir.mkdir(parents=True)
    monkeypatch.setattr(doctor, "check_ports", lambda _: None)
    monkeypatch.setattr(doctor, "SLOW_SYNC_SECONDS", 60)
    findings = list(doctor.examine(settings))
    assert [finding.sentence for finding in findings if not finding.good] == []
    said = "\n".join(finding.sentence for finding in findings)
    assert "Search in Bangla works" in said
    assert "PostgreSQL 18 answers" in said
    assert "making 4 KiB safe" in said


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    found = wrong(Settings(data_dir=tmp_path, database_url="postgresql://x@127.0.0.1:1/y"))
    assert any("The database cannot be reached" in sentence and "DATABASE_URL" in found[sentence] for sentence in found)


def test_a_disk_below_its_reserve_and_a_taken_port(settings: Settings) -> None:
    settings.data_dir.mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = wrong(settings.model_copy(update={"disk_reserve_bytes": 2**62, "http_port": port}))
    assert any("RADI_DISK_RESERVE_BYTES" in remedy for remedy in found.values())
    assert any(f"RADI_HTTP_PORT={port + 1}" in sentence for sentence in found)


def test_a_database_whose_letters_are_only_ascii(postgres: EmbeddedPostgres) -> None:
    """LC_CTYPE C: trigrams find nothing in Bangla, and nobody would notice before a patient is not found."""
    with psycopg.connect(postgres.dsn, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS ascii_only")
        locale = "LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C'"
        connection.execute(f"CREATE DATABASE ascii_only TEMPLATE template0 ENCODING 'UTF8' {locale}")
    with psycopg.connect(postgres.dsn.replace("@/radiology?", "@/ascii_only?"), autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        findings = list(doctor.database_findings(connection))
    assert [finding.remedy for finding in findings if not finding.good] == [
        "Make the database with LC_CTYPE 'C.UTF-8'; with 'C' its trigrams know no Bangla letters."
    ]


def test_a_spelling_mistake_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RADI_HTPP_PORT", "8081")
    assert any(
        "RADI_HTPP_PORT" in sentence for sentence in wrong(Settings(data_dir=tmp_path, db_host="127.0.0.1", db_port=1))
    )
