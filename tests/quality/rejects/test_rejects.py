"""Rejects and repeats from images that were taken and rejected; names of radiographers for quality alone."""

from typing import Any

import pytest
from pydicom.uid import DigitalXRayImageStorageForPresentation, generate_uid

import make
from dose_reading import settle
from radiology.quality.rejects.model import Exposures, Repeats, analysis, is_same_person

pytestmark = pytest.mark.anyio
PATH = "/api/radiology/quality/rejects"


async def knees(app, operator: str, views: list[str]) -> make.Stored:
    shared: dict[str, Any] = {
        "StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid(), "PatientID": operator,
        "SOPClassUID": DigitalXRayImageStorageForPresentation, "Modality": "DX", "BodyPartExamined": "KNEE",
        "OperatorsName": operator, "ImageType": ["ORIGINAL", "PRIMARY"], "AcquisitionDate": "20260121",
        "AcquisitionTime": "090000",
    }  # fmt: skip
    return await make.store(app, *(make.an_object(**shared, ViewPosition=view) for view in views))


async def reject(client, stored: make.Stored, *, category: str, title: str = "113001") -> None:
    body = {
        "title": title, "category": category, "reason": "Not diagnostic", "instances": [stored.sop_instance_uid],
    }  # fmt: skip
    answer = await client.post(f"/api/radiology/studies/{stored.study_instance_uid}/reject", json=body)
    assert answer.status_code == 201, answer.text


async def test_rejects_are_counted_by_reason_machine_month_and_radiographer(app, client_as):
    quality = await client_as("qa")
    first = await knees(app, "AKTER^SALMA", ["AP", "AP", "LL", "LL"])
    other = await knees(app, "ROY^BIMAL", ["AP", "LL"])
    wrong = await knees(app, "ROY^BIMAL", ["AP"])
    await reject(quality, first, category="positioning")
    await reject(quality, wrong, category="other", title="113038")
    await settle(app)

    told = (await quality.get(PATH)).json()

    assert (told["rejected"], told["exposures"], told["rate"]) == (1, 6, 0.1667)
    assert told["investigate"] is True
    assert told["byCategory"] == [{"category": "positioning", "rejected": 1}]
    assert told["repeats"] == {"repeated": 2, "exposures": 6, "rate": 0.3333}
    assert [(each["month"], each["rejected"]) for each in told["byMonth"]] == [("2026-01", 1)]
    people = {each["radiographer"]: (each["rejected"], each["exposures"]) for each in told["byRadiographer"]}
    assert people == {"BIMAL ROY": (0, 2), "SALMA AKTER": (1, 4)}
    same = (await quality.get("/api/radiology/studies/rejections/rate")).json()
    assert (same["rejected"], same["exposures"]) == (told["rejected"], told["exposures"])
    assert other.study_instance_uid


async def test_a_radiographer_sees_own_rejects_and_the_rate_of_all_and_no_name(app, client_as):
    quality = await client_as("qa")
    first = await knees(app, "AKTER^SALMA", ["AP", "LL"])
    await knees(app, "ROY^BIMAL", ["AP", "LL"])
    await reject(quality, first, category="motion")
    await settle(app)
    salma = await client_as("radiographer", name="Salma Akter")

    told = (await salma.get(f"{PATH}/mine")).json()

    assert (told["mine"]["rejected"], told["mine"]["exposures"]) == (1, 2)
    assert told["all"] == {"rejected": 1, "exposures": 4, "rate": 0.25, "goal": 0.08}
    assert "BIMAL" not in str(told)
    assert (await salma.get(PATH)).status_code == 403
    assert (await salma.get(f"{PATH}/rejects.csv")).status_code == 403
    sheet = (await quality.get(f"{PATH}/rejects.csv")).text
    assert "2026-01,,SALMA AKTER,motion,1" in sheet


def test_by_hand():
    exposures = [Exposures("2026-01", "A", "x", "", 90), Exposures("2026-01", "A", "x", "motion", 10)]
    repeats = [Repeats("2026-01", "A", "x", 80, 4)]

    told = analysis(exposures, repeats, with_operators=True)

    assert told["rate"] == 0.1
    assert told["investigate"] is False
    assert told["repeats"]["rate"] == 0.05
    assert told["byRadiographer"][0]["byCategory"] == [{"category": "motion", "rejected": 10}]


@pytest.mark.parametrize(
    ("operator", "display", "same"),
    [
        ("SALMA AKTER", "Salma Akter", True), ("AKTER SALMA", "salma akter", True), ("", "", False),
        ("SALMA AKTER", "Salma", False),
    ],
)  # fmt: skip
def test_people_are_known_by_all_words_of_their_name(operator, display, same):
    assert is_same_person(operator, display) is same
