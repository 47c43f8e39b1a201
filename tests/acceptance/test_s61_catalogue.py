"""61. Every LOINC code of the catalogue passes its check digit, except the four of the specification that are flagged.

The five entries of the specification are what they are there, byte for byte.
"""

from typing import Any

import pytest

from radiology.standards.loinc import could_exist

pytestmark = pytest.mark.anyio

PATH = "/api/radiology/procedures"
NAMES = (
    "modality", "procedure_code", "display", "turnaround_hours", "priority", "common_in_bd", "cost", "indications",
    "preparation", "radiation_dose",
)  # fmt: skip
SPECIFIED: dict[str, tuple[Any, ...]] = {
    "CHEST_XRAY": (
        "DX", "34839-5", "Chest X-ray", 4, "routine", True, "300.00",
        ["Chest pain", "Shortness of breath", "Fever", "Trauma"],
        "Remove jewelry and clothing from chest area", "0.1 mSv",
    ),
    "ABDOMEN_ULTRASOUND": (
        "US", "39026-1", "Abdomen Ultrasound", 2, "routine", True, "800.00",
        ["Abdominal pain", "Gallbladder disease", "Liver disease"], "6 hours fasting required", "None",
    ),
    "CT_BRAIN": (
        "CT", "24603-0", "CT Brain", 6, "urgent", True, "2500.00", ["Head trauma", "Stroke", "Severe headache"],
        "No preparation needed for non-contrast CT", "2-4 mSv",
    ),
    "MRI_KNEE": (
        "MR", "39625-0", "MRI Knee", 24, "routine", False, "5000.00",
        ["Joint pain", "Ligament injury", "Arthritis"], "Remove all metal objects", "None",
    ),
    "MAMMOGRAPHY": (
        "MG", "24606-6", "Mammography", 8, "routine", True, "1500.00",
        ["Breast screening", "Breast lump", "Breast pain"], "Avoid using deodorant on day of exam", "0.4 mSv",
    ),
}  # fmt: skip
FLAGGED = {"34839-5", "39026-1", "24603-0", "39625-0"}


async def test_s61_codes_have_their_check_digits_and_the_five_are_as_specified(client_as: Any) -> None:
    reader = await client_as("radiographer")
    listed = {each["key"]: each for each in (await reader.get(PATH)).json()["results"]}
    assert len(listed) == 84
    codings = [coding for each in listed.values() for coding in each["codings"]]
    assert all(could_exist(coding["code"]) for coding in codings if coding["system"] == "http://loinc.org")
    wrong = [each["procedure_code"] for each in listed.values() if not could_exist(each["procedure_code"])]
    assert set(wrong) == FLAGGED
    for key, specified in SPECIFIED.items():
        assert tuple(listed[key][name] for name in NAMES) == specified
        local = {"system": "urn:bd:radiology:local-procedure", "code": specified[1], "display": specified[2]}
        assert listed[key]["codings"][0] == local
        assert any(coding["system"] == "http://loinc.org" for coding in listed[key]["codings"])
