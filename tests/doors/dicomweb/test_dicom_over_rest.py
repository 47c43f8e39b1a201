"""The specification's own DICOM query and metadata (domain rule 1.9)."""

from typing import Any

import pytest

import make
from conftest import ClientAs
from radiology.app import App

pytestmark = pytest.mark.anyio

QUERY = "/api/radiology/dicom/query"


async def test_the_payload_of_the_specification_works(app: App, client_as: ClientAs) -> None:
    client = await client_as("radiologist")
    body = {"level": "STUDY", "query": {"PatientID": "12345", "StudyDate": "20260121", "Modality": "DX"}}
    nothing = await client.post(QUERY, json=body)
    assert (nothing.status_code, nothing.json()) == (
        200,
        {"results": [], "total": 0, "totalIsExact": True, "next": None},
    )
    await make.a_study(app, PatientID="12345", Modality="DX")
    answer = (await client.post(QUERY, json=body)).json()
    assert answer["total"] == 1
    assert answer["results"][0]["00100020"]["Value"] == ["12345"]


@pytest.mark.parametrize(
    ("level", "count"), [("PATIENT", 1), ("STUDY", 2), ("SERIES", 2), ("IMAGE", 4), ("INSTANCE", 4)]
)
async def test_every_level_is_answered(app: App, client_as: ClientAs, level: str, count: int) -> None:
    for _ in range(2):
        await make.a_study(app, instances=2, PatientID="9")
    client = await client_as("radiologist")
    answer = (await client.post(QUERY, json={"level": level, "query": {"00100020": 9}, "limit": 1})).json()
    assert answer["total"] == count
    assert answer["next"] == (1 if count > 1 else None)


@pytest.mark.parametrize(
    "body",
    [
        {"level": "HOSPITAL", "query": {}},
        {"level": "STUDY", "query": {"NoSuchKey": "1"}},
        {"level": "STUDY", "query": {"StudyDate": "soon"}},
        {"level": "STUDY", "query": {"PatientID": {"x": 1}}},
    ],
)
async def test_a_bad_level_or_key_is_refused(client_as: ClientAs, body: dict[str, Any]) -> None:
    client = await client_as("radiologist")
    assert (await client.post(QUERY, json=body)).status_code == 400


async def test_metadata_of_a_study_and_of_its_series(app: App, client_as: ClientAs) -> None:
    stored = await make.a_study(app, instances=2)
    client = await client_as("radiologist")
    path = f"/api/radiology/studies/{stored.study_instance_uid}/dicom/metadata"
    assert len((await client.get(path)).json()) == 2
    (series,) = (await client.get(path, params={"level": "series"})).json()
    assert series["00201209"]["Value"] == [2]
    assert (await client.get(path, params={"level": "planet"})).status_code == 400
    assert (await client.get("/api/radiology/studies/1.2.3/dicom/metadata")).status_code == 404
