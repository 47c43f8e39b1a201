"""What a study asks of its reader."""

from datetime import date
from typing import Any

import pytest

from radiology.procedures.entries import procedure_of, shipped
from radiology.procedures.lookup import Catalogue
from radiology.reading_worklist.describing import Asked, Said, age_group, described
from radiology.reading_worklist.model import AgeGroup, Priority

ON = date(2026, 1, 21)
CATALOGUE = Catalogue([procedure_of(key, body) for key, body in shipped().items()], on=ON)
NOTHING = Catalogue([], on=ON)


def asked(catalogue: Catalogue = CATALOGUE, **said: Any) -> Asked:
    known: dict[str, Any] = {"facility_code": "LOCAL", "modalities": frozenset({"CT"}), "on": ON, **said}
    return described(Said(**known), catalogue)


def coded(code: str, display: str = "") -> list[dict[str, Any]]:
    return [{"coding": [{"system": "http://loinc.org", "code": code, "display": display}]}]


@pytest.mark.parametrize(
    ("modality", "description", "hours"),
    [("DX", "Chest X-ray", 4), ("US", "Abdomen Ultrasound", 2), ("CT", "CT Brain", 6), ("MR", "MRI Knee", 24),
     ("MG", "Mammography", 8)],
)  # fmt: skip
def test_routine_hours_of_the_five_procedures_of_the_specification(modality: str, description: str, hours: int) -> None:
    found = asked(modalities=frozenset({modality}), description=description, ordered_priority="routine")
    assert found.sla_hours == hours


def test_what_is_not_ordered_has_the_priority_of_the_catalogue() -> None:
    assert asked(description="CT Brain").priority == Priority.URGENT
    assert asked(description="CT Brain", ordered_priority="routine").priority == Priority.ROUTINE
    assert asked(NOTHING, description="CT Brain").priority == Priority.ROUTINE


@pytest.mark.parametrize(
    ("reasons", "hours"),
    [
        ([{"text": "Stroke since an hour"}], 0.5),
        ([{"text": "সড়ক দুর্ঘটনা"}], 0.5),
        ([{"text": "RTA, GCS 9"}], 0.5),
        ([{"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "I63.9"}]}], 0.5),
        ([{"coding": [{"system": "http://snomed.info/sct", "code": "417746004"}]}], 0.5),
        ([{"text": "Cough, started a week ago"}], 1),
    ],
)
def test_stat_is_an_hour_and_half_of_it_for_stroke_and_trauma(reasons: list[dict[str, Any]], hours: float) -> None:
    assert asked(reasons=reasons, description="CT Brain", ordered_priority="stat").sla_hours == hours
    assert asked(reasons=reasons, description="CT Brain", ordered_priority="urgent").sla_hours == 4


@pytest.mark.parametrize(
    ("modality", "description", "procedures", "rvu"),
    [("DX", "", 1, 1), ("US", "", 1, 2), ("MG", "", 1, 3), ("RF", "", 1, 3), ("BMD", "", 1, 0.5), ("CT", "", 1, 4),
     ("CT", "CT angio of something", 1, 6), ("MR", "", 1, 5), ("MR", "", 2, 8), ("NM", "", 1, 4), ("PT", "", 1, 8),
     ("SM", "", 1, 1)],
)  # fmt: skip
def test_relative_values_where_the_catalogue_knows_no_procedure(
    modality: str, description: str, procedures: int, rvu: float
) -> None:
    found = asked(
        NOTHING, modalities=frozenset({modality}), description=description, procedures=[{"text": "?"}] * procedures
    )
    assert found.rvu == rvu


def test_subspecialty_region_and_certificates() -> None:
    brain = asked(description="CT Brain", procedures=coded("30799-1", "CT Head WO contrast"))
    assert (brain.subspecialty, brain.region, brain.certificates) == ("neuro", "head", frozenset())
    breast = asked(modalities=frozenset({"MG"}), description="Mammography")
    assert (breast.subspecialty, breast.certificates) == ("breast", {"mammography"})
    heart = asked(description="CT coronary angiogram")
    assert (heart.subspecialty, heart.certificates) == ("cardiac", {"cardiac-ct"})
    unknown = asked(NOTHING, modalities=frozenset({"MR"}), description="MR lumbar spine")
    assert (unknown.subspecialty, unknown.region) == ("neuro", "spine")


def test_of_several_modalities_the_one_is_read_that_takes_most_work() -> None:
    assert asked(modalities=frozenset({"SR", "PR", "CT"})).modality == "CT"
    assert asked(modalities=frozenset({"PT", "CT"})).modality == "PT"


@pytest.mark.parametrize(
    ("born", "group"),
    [
        (date(2026, 1, 1), AgeGroup.NEONATE),
        (date(2025, 12, 24), AgeGroup.CHILD),
        (date(2008, 1, 22), AgeGroup.CHILD),
        (date(2008, 1, 21), AgeGroup.ADULT),
        (None, AgeGroup.ADULT),
        (date(2027, 1, 1), AgeGroup.ADULT),
    ],
)
def test_age_groups(born: date | None, group: AgeGroup) -> None:
    assert age_group(born, ON) == group
