"""What is not recorded does not happen: strict reads, and every act whose record is part of its transaction."""

from typing import Any

import psycopg
import pytest
from fastapi import FastAPI

import make
from conftest import ClientAs
from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.audit import actions
from radiology.audit import spool as spools

pytestmark = pytest.mark.anyio


async def test_a_read_that_cannot_be_recorded_is_refused_in_strict_mode(
    app: App, service: FastAPI, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = await make.a_study(app)
    reader = await client_as("radiologist")
    service.state.archive.trail._strict = True

    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spools.os, "write", full)
    for path in (
        f"/dicomweb/studies/{stored.study_instance_uid}/metadata",
        "/dicomweb/studies",
        f"/api/radiology/studies/{stored.study_instance_uid}",
        f"/light/{stored.study_instance_uid}",
    ):
        answer = await reader.get(path)
        assert answer.status_code == 503, path
        assert "cannot be recorded" in answer.json()["detail"]
        assert stored.study_instance_uid not in answer.text
    assert (await reader.get("/health/live")).status_code == 200
    assert (await reader.get("/api/radiology/studies/1.2.3")).status_code == 404


@pytest.mark.parametrize("action", ["break-glass.start", "export", "study.delete"])
async def test_an_act_whose_record_cannot_be_written_is_rolled_back(app: App, action: str) -> None:
    with psycopg.connect(app.settings.database_dsn, autocommit=True) as connection:
        connection.execute(
            """
            CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no room'; END $$;
            CREATE TRIGGER broken BEFORE INSERT ON audit_arrivals FOR EACH ROW EXECUTE FUNCTION broken();
            """
        )

    async def act() -> None:
        async with app.db.transaction() as tx:
            await tx.run("INSERT INTO worker_marks (name, position) VALUES ('act', 1)")
            await actions.record(tx, SYSTEM, action, "1.2.3", purpose="BTG")

    with pytest.raises(psycopg.errors.RaiseException):
        await act()
    async with app.db.transaction() as tx:
        assert await tx.value("SELECT count(*) FROM worker_marks WHERE name = 'act'") == 0
