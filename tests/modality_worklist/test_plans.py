"""What a worklist query costs the database: one statement, by the index of what is open, whatever else is there."""

from datetime import timedelta
from typing import Any

import pytest

from radiology.access.model import application_entity
from radiology.app import App
from radiology.modality_worklist import search
from radiology.modality_worklist.answering import candidates
from statements import Sent, sent_statements

pytestmark = pytest.mark.anyio

STATION = application_entity("CT1", facility_code=None, may_read=True, may_write=True)
ROWS = 6_000
FILL = """
    INSERT INTO scheduled_procedure_steps (id, scheduled_procedure_step_id, facility_code, status, accession_number,
        requested_procedure_id, study_instance_uid, modality, station_ae_titles, scheduled_start, patient_id,
        issuer_of_patient_id, patient_name, patient_name_match, patient_name_keys, details)
    SELECT gen_random_uuid(), 'SPS' || n, 'LOCAL', CASE WHEN mod(n, 3) = 0 THEN 'COMPLETED' ELSE 'SCHEDULED' END,
        'A' || n, 'RP' || n, '2.25.' || n, 'CT', ARRAY['CT' || mod(n, 40)],
        %(now)s::timestamptz + mod(n, 61) * interval '1 day', 'P' || n, 'LOCAL', 'Karim^Abdul', '{karim^abdul}',
        '{karim,abdul}', '{"requestedProcedure": "CT head"}'
    FROM generate_series(1, %(rows)s) AS n
"""


@pytest.fixture
async def filled(app: App) -> App:
    async with app.db.transaction() as tx:
        await tx.run(FILL, now=app.clock.now(), rows=ROWS)
        await tx.run("ANALYZE scheduled_procedure_steps")
    return app


async def ask(app: App, asked: dict[str, Any], step: dict[str, Any]) -> list[Sent]:
    """The statements of one query."""
    item = {"00400100": {"vr": "SQ", "Value": [step]}}
    query = search.parse({**asked, **item}, zone=app.settings.zone)
    with sent_statements() as sent:
        assert await candidates(app, query, "CT1", "LOCAL", visible_to=STATION)
    return sent


def element(vr: str, value: Any) -> dict[str, Any]:
    return {"vr": vr, "Value": [value]}


def today(app: App) -> str:
    return f"{app.clock.now() + timedelta(hours=6):%Y%m%d}"


@pytest.mark.parametrize(
    ("asked", "step", "index"),
    [
        ({}, {}, "scheduled_procedure_steps_open"),
        ({}, {"00400001": element("AE", "CT1"), "00400002": "today"}, "scheduled_procedure_steps_open"),
        ({}, {"00080060": element("CS", "CT"), "00400002": "today"}, "scheduled_procedure_steps_open"),
        ({"00100010": element("PN", {"Alphabetic": "Karim*"})}, {}, "scheduled_procedure_steps_open"),
        ({"00080050": element("SH", "A1")}, {"00400001": element("AE", "*")}, "scheduled_procedure_steps_accession"),
        ({"00100020": element("LO", "P1")}, {"00400001": element("AE", "*")}, "scheduled_procedure_steps_patient"),
    ],
    ids=["nothing", "station", "modality", "name", "accession", "patient"],
)
async def test_a_query_is_one_statement_that_reads_by_an_index(filled: App, asked: Any, step: Any, index: str) -> None:
    step = {tag: element("DA", today(filled)) if value == "today" else value for tag, value in step.items()}
    (sent,) = await ask(filled, asked, step)
    async with filled.db.transaction() as tx:
        plan = "\n".join(await tx.values("EXPLAIN " + sent.statement, **sent.parameters))  # type: ignore[arg-type]
    assert index in plan
    assert "Seq Scan on scheduled_procedure_steps" not in plan
