from datetime import timedelta

import pytest

import make
from radiology.quality.indicators.counting import count_due
from radiology.quality.indicators.following import recount
from reading import id_of

pytestmark = pytest.mark.anyio

INDICATORS = "/api/radiology/quality/indicators"
MINUTES = (7, 11, 13, 20, 31, 45, 52, 90, 121, 300, 1439)
"""From complete images to the first final report; in order, so that a rank can be counted off by hand."""


async def a_reported_study(app, completed, minutes, *, facility_code="LOCAL", modality="DX"):
    """A study that was complete at a moment, and the first final report so many minutes later; None: none yet."""
    stored = await make.a_study(app, Modality=modality, StudyDescription="Chest", facility_code=facility_code)
    study = await id_of(app, stored.study_instance_uid)
    async with app.db.transaction() as tx:
        await tx.run(
            "UPDATE imaging_studies SET status = 'completed', completed = %(at)s WHERE id = %(id)s",
            id=study,
            at=completed,
        )
        if minutes is not None:
            await sign(tx, study, completed + timedelta(minutes=minutes))
    return study


async def sign(tx, study, at, *, status="final", number=1):
    report = await tx.value(
        """
        INSERT INTO radiology_reports (study_id, patient_id, status, issued, category, code, author)
        SELECT id, patient_id, %(status)s, %(at)s, '[]', '{}', 'account:reader' FROM imaging_studies WHERE id = %(id)s
        RETURNING id
        """,
        id=study,
        at=at,
        status=status,
    )
    await tx.run(
        """
        INSERT INTO report_versions (report_id, version_no, status, content_json, rendered_text, sha256, author_ids,
            signed_at)
        VALUES (%(report)s, %(number)s, %(status)s, '{}', '', '', '{}', %(at)s)
        """,
        report=report,
        status=status,
        at=at,
        number=number,
    )


async def asked(client, of="", **parameters):
    answer = await client.get(INDICATORS + of, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()["indicators"]


def stage(found, key):
    return next(each for each in found["turnaround"]["stages"] if each["stage"] == key)


async def test_s85_percentiles_are_those_of_hand_and_what_is_open_and_late_is_a_breach(app, client_as, clock):
    began = clock.now() - timedelta(days=3)
    for minutes in MINUTES:
        await a_reported_study(app, began, minutes)
    # In time: eleven within a day. Late: one that took 25 hours, and two that are open and were due a day ago or more.
    await a_reported_study(app, began, 25 * 60)
    for hours in (60, 49):
        await a_reported_study(app, clock.now() - timedelta(hours=hours), None)
    # Not due yet: complete an hour ago.
    await a_reported_study(app, clock.now() - timedelta(hours=1), None)
    await recount(app)
    await count_due(app)

    manager = await client_as("manager")
    found = await asked(manager)
    headline = stage(found, "completed-final")
    assert headline["headline"]
    assert headline["n"] == 12
    assert (headline["p50Minutes"], headline["p90Minutes"], headline["p95Minutes"]) == (45, 1439, 1500)
    level = found["service-level"]
    assert (level["n"], level["met"], level["breached"], level["openLate"]) == (14, 11, 3, 2)
    assert level["share"] == round(11 / 14, 4)
    left = found["backlog"]
    assert (left["n"], left["withinTime"], left["upToTwice"], left["overTwice"]) == (3, 1, 0, 2)


async def test_s85_only_of_what_is_asked_for_and_only_for_who_answers_for_quality(app, client_as, clock):
    began = clock.now() - timedelta(days=3)
    for minutes in MINUTES:
        await a_reported_study(app, began, minutes)
        await a_reported_study(app, began, minutes * 2, modality="CT")
    await a_reported_study(app, began, 5, facility_code="TRAIN")
    async with app.db.transaction() as tx:
        await tx.run("INSERT INTO facilities (code, name, ownership, test) VALUES ('TRAIN', 'T', 'public', true)")
    await recount(app)
    await count_due(app)

    manager, radiographer = await client_as("manager"), await client_as("radiographer")
    by = stage(await asked(manager, by="modality"), "completed-final")
    assert [(row["group"]["modality"], row["n"], row["p90Minutes"]) for row in by["rows"]] == [
        ("CT", 11, 600),
        ("DX", 11, 300),
    ]
    assert by["n"] == 22
    only = stage(await asked(manager, "/turnaround", modality="CT"), "completed-final")
    assert (only["n"], only["p50Minutes"]) == (11, 90)
    before = (clock.now() - timedelta(days=10)).date().isoformat()
    assert stage(await asked(manager, to=before), "completed-final")["n"] == 0
    assert (await radiographer.get(INDICATORS)).status_code == 403
