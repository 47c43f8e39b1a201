"""S84: G a facility with 19 CT head exams, T the comparison says "insufficient"; with 20 the ratio of medians."""

from datetime import timedelta

import pytest
from pydicom.uid import generate_uid

import dose_reports
import make
from radiology.doors.worker import timetable
from radiology.studies.archive import open_archive

pytestmark = pytest.mark.anyio


async def a_head_ct(app, dlp: float) -> None:
    shared = {
        "StudyInstanceUID": generate_uid(),
        "PatientID": f"S84-{dlp}",
        "StudyDescription": "CT head without contrast",
    }
    await make.store(app, make.an_object(**shared), dose_reports.ct_report((40, dlp), **shared))


async def work(app, clock) -> None:
    """Let the worker do what follows, once nothing has come for long enough."""
    clock.advance(timedelta(days=1).total_seconds())
    async with app.db.transaction() as tx:
        await tx.run("UPDATE imaging_studies SET last_instance_at = %(then)s", then=clock.now() - timedelta(hours=12))
    with open_archive(app) as archive:
        tasks = {task.name: task.do for task in timetable.of(archive)}
        for name in ("studies.settle", "events.place", "dose.follow", "events.place", "dose-notes.follow"):
            while await tasks[name]():
                pass


async def test_s84_medians_are_compared_from_twenty_patients_on(app, clock, client_as):
    for number in range(19):
        await a_head_ct(app, 600 + 10 * number)
    await work(app, clock)
    quality = await client_as("qa")

    async def head() -> dict:
        found = (await quality.get("/api/radiology/quality/dose/comparison")).json()["results"]
        return next(row for row in found if (row["protocol"], row["quantity"]) == ("CT_HEAD_WO", "DLP"))

    told = await head()
    assert (told["n"], told["status"], told["median"], told["ratio"]) == (19, "insufficient", None, None)

    await a_head_ct(app, 790)
    await work(app, clock)

    told = await head()
    reference = told["reference"]["value"]
    assert (told["n"], told["status"], told["median"]) == (20, "compared", 695)
    assert told["ratio"] == round(695 / reference, 4)
    assert told["investigate"] == (reference < 695)
    sheet = await quality.get("/api/radiology/quality/dose/comparison.csv")
    assert "CT_HEAD_WO,adult,DLP,mGy·cm,20,compared,695" in sheet.text
