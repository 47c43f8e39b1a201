"""`radi audit`: verify the chain, and who saw what of a patient."""

import subprocess
import sys
from os import environ

import psycopg
import pytest

import make
from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.audit import actions

pytestmark = pytest.mark.anyio


def radi(app: App, *arguments: str) -> tuple[int, str]:
    """Exit code and output of a command over this test's database."""
    environment = {
        **environ,
        "RADI_DATA_DIR": str(app.settings.data_dir),
        "DATABASE_URL": app.settings.database_dsn,
        "RADI_DISK_RESERVE_BYTES": "0",
    }
    command = [sys.executable, "-m", "radiology.cli", "audit", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


async def test_the_chain_is_verified_and_who_saw_is_told(app: App) -> None:
    stored = await make.a_study(app, PatientID="P-90")
    async with app.db.transaction() as tx:
        await actions.record(tx, SYSTEM, "study.retrieve", stored.study_instance_uid)
    code, said = radi(app, "verify")
    assert code == 0, said
    assert "are as they were sealed" in said
    code, said = radi(app, "who-saw", "P-90", "--language", "bn")
    assert code == 0, said
    assert "ছবি দেখেছেন" in said
    assert radi(app, "who-saw", "nobody")[0] == 2
    with psycopg.connect(app.settings.database_dsn, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM audit_records WHERE sequence = 1")
    code, said = radi(app, "verify")
    assert code == 1, said
    assert "REMOVED: Record 1 is gone." in said
