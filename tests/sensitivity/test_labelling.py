"""Studies are labelled in the transaction that stores or registers them, with history, audit and event."""

from typing import Any

import pytest

import make
from radiology.app import App
from radiology.studies.schemas import STUDY_EXAMPLE

pytestmark = pytest.mark.anyio

STUDIES = "/api/radiology/studies"


async def one(app: App, statement: Any, **parameters: Any) -> Any:
    async with app.db.transaction() as tx:
        return await tx.value(statement, **parameters)


async def label_of(app: App, uid: str) -> str:
    return await one(
        app,
        """SELECT array_to_string(sensitive_classes, ',') || ' ' || confidentiality || ' '
            || array_to_string(sensitivity_policies, ',')
        FROM imaging_studies WHERE study_instance_uid = %(uid)s""",
        uid=uid,
    )


async def test_a_mammogram_is_labelled_as_it_is_stored(app: App) -> None:
    stored = await make.a_study(app, Modality="MG", instances=3)
    assert await label_of(app, stored.study_instance_uid) == "S2 R SEX"
    assert await one(app, "SELECT count(*) FROM study_labellings") == 1
    body = await one(app, "SELECT body FROM outbox WHERE type = 'radiology.study.labelled.v1'")
    assert (body["sensitive_classes"], body["confidentiality"]) == (["S2"], "R")


async def test_a_late_series_makes_a_study_sensitive(app: App) -> None:
    stored = await make.a_study(app)
    assert await label_of(app, stored.study_instance_uid) == " N "
    first = stored.objects[0]
    late = make.an_object(
        StudyInstanceUID=first.StudyInstanceUID,
        PatientID=first.PatientID,
        AccessionNumber=first.AccessionNumber,
        BodyPartExamined="BREAST",
    )
    await make.store(app, late)
    assert await label_of(app, stored.study_instance_uid) == "S2 R SEX"


async def test_the_second_coding_of_a_registered_study_counts(client_as: Any, app: App) -> None:
    radiographer = await client_as("radiographer")
    codings = [
        {"system": "http://loinc.org", "code": "24725-4", "display": "Head CT"},
        {"system": "http://loinc.org", "code": "24606-6"},
    ]
    body = {**STUDY_EXAMPLE, "studyId": "study-77", "procedureCode": [{"coding": codings}]}
    answer = await radiographer.post(STUDIES, json=body)
    assert answer.status_code == 201, answer.text
    assert await label_of(app, answer.json()["studyInstanceUID"]) == "S2 R SEX"


async def test_what_is_not_sensitive_costs_no_row(app: App) -> None:
    await make.a_study(app)
    assert await one(app, "SELECT count(*) FROM study_labellings") == 0
