"""Facilities, devices, operators and places as spreadsheets."""

import csv
import io
from typing import Any

import pytest

from facilities.country import DEVICES, FACILITIES, SHEETS, a_device, a_facility, an_operator
from radiology.kit.sheets import Form, write

pytestmark = pytest.mark.anyio

FACILITY_COLUMNS = ["code", "name", "name_bangla", "ownership", "division", "district"]
ROWS: list[list[Any]] = [
    ["10000033", "Dhaka Medical College Hospital", "ঢাকা মেডিকেল কলেজ হাসপাতাল", "public", "30", "3026"],
    ["10000099", "Savar Clinic", "", "private", "30", "3026"],
]


async def posted(client: Any, kind: str, content: bytes, **asked: str) -> dict[str, Any]:
    answer = await client.post(f"{SHEETS}/{kind}", content=content, params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_facilities_are_taken_over_once_and_then_are_the_same(client_as, form: Form) -> None:
    administrator = await client_as("administrator")
    content = write(form, FACILITY_COLUMNS, ROWS)
    tried = await posted(administrator, "facilities", content, dryRun="true")
    assert (tried["added"], tried["saved"]) == (2, False)
    assert (await administrator.get(FACILITIES)).json()["results"] == []
    taken = await posted(administrator, "facilities", content)
    assert (taken["rows"], taken["added"], taken["saved"], taken["problems"]) == (2, 2, True, [])
    again = await posted(administrator, "facilities", content)
    assert (again["added"], again["changed"], again["same"]) == (0, 0, 2)
    changed = await posted(administrator, "facilities", write(form, FACILITY_COLUMNS, [[*ROWS[0][:4], "", ""]]))
    assert (changed["changed"], changed["same"]) == (1, 0)
    found = (await administrator.get(f"{FACILITIES}/10000033")).json()
    assert (found["nameBangla"], "district" in found) == ("ঢাকা মেডিকেল কলেজ হাসপাতাল", False)


async def test_bad_rows_are_told_and_all_or_what_is_right_is_taken(client_as) -> None:
    administrator = await client_as("administrator")
    content = write(
        "csv", FACILITY_COLUMNS,
        [*ROWS, ["10000100", "X", "", "royal", "", ""], ["10000101", "Y", "", "public", "30", "1004"], ROWS[0]],
    )  # fmt: skip
    refused = await posted(administrator, "facilities", content)
    assert (refused["rows"], refused["saved"], refused["bad"]) == (5, False, 3)
    assert [(each["row"], each["column"]) for each in refused["problems"]] == [
        (4, "ownership"), (5, "district"), (6, "")
    ]  # fmt: skip
    assert refused["problems"][1]["sentence"] == "1004 does not lie in 30"
    assert refused["problems"][2]["sentence"] == "says again what row 2 is about"
    assert (await administrator.get(FACILITIES)).json()["results"] == []
    taken = await posted(administrator, "facilities", content, partial="true")
    assert (taken["added"], taken["saved"], taken["bad"]) == (2, True, 3)
    assert [each["code"] for each in (await administrator.get(FACILITIES)).json()["results"]] == [
        "10000033", "10000099"
    ]  # fmt: skip


async def test_a_heading_that_is_not_known_keeps_everything_out(client_as) -> None:
    administrator = await client_as("administrator")
    content = write("csv", [*FACILITY_COLUMNS, "colour"], [[*ROWS[0], "red"]])
    refused = await posted(administrator, "facilities", content, partial="true")
    assert (refused["saved"], refused["added"]) == (False, 0)
    assert [(each["row"], each["column"]) for each in refused["problems"]] == [(1, "colour")]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_what_is_given_out_is_taken_over_as_the_same(client_as, form: Form) -> None:
    administrator = await client_as("administrator")
    await a_facility(administrator, nameBangla="হাসপাতাল", latitude=23.5, tier="District_Hospitals")
    await a_device(administrator, "=CT", procedures=["CT_BRAIN"], maxWeightKg=200, youngestMonths=12)
    await a_device(administrator, "CT 2", procedures=["CT_BRAIN"], installedOn="2020-02-29")
    await an_operator(administrator)
    for kind, count in (("facilities", 1), ("devices", 2), ("operators", 1), ("places", 72)):
        given = await administrator.get(f"{SHEETS}/{kind}", params={"format": form})
        assert given.status_code == 200
        assert f'filename="{kind}.{form}"' in given.headers["content-disposition"]
        report = await posted(administrator, kind, given.content)
        assert (report["same"], report["problems"], report["saved"]) == (count, [], True), kind


async def test_columns_that_are_not_there_stay_and_an_empty_cell_empties(client_as) -> None:
    administrator = await client_as("administrator")
    await a_facility(administrator)
    made = await a_device(administrator, manufacturer="Siemens", procedures=["CT_BRAIN"], aeTitle="CT1", contrast=True)
    columns = ["facility_code", "name", "modality", "licence_until", "ae_title"]
    report = await posted(administrator, "devices", write("csv", columns, [["LOCAL", "CT 1", "CT", "2028-01-31", ""]]))
    assert (report["changed"], report["problems"]) == (1, [])
    after = (await administrator.get(f"{DEVICES}/{made['number']}")).json()
    assert (after["licenceUntil"], after["manufacturer"], after["procedures"], after["contrast"]) == (
        "2028-01-31", "Siemens", ["CT_BRAIN"], True,
    )  # fmt: skip
    assert "aeTitle" not in after


async def test_texts_that_begin_like_a_formula_are_quoted(client_as) -> None:
    administrator = await client_as("administrator")
    await a_facility(administrator)
    await a_device(administrator, "=HYPERLINK(1)")
    given = await administrator.get(f"{SHEETS}/devices")
    rows = list(csv.DictReader(io.StringIO(given.content.decode("utf-8-sig"))))
    assert [row["name"] for row in rows] == ["'=HYPERLINK(1)"]


async def test_devices_and_operators_are_checked_against_facilities_and_catalogue(client_as) -> None:
    administrator = await client_as("administrator")
    await a_facility(administrator, "10000033")
    devices = write(
        "xlsx", ["facility_code", "name", "modality", "ae_title", "procedures", "licence_until"],
        [
            ["10000033", "CT 1", "CT", "CT1", "CT_BRAIN", "2027-01-31"],
            ["10000033", "CT 2", "CT", "CT1", "", "soon"],
            ["10000033", "CT 3", "CT", "CT1", "", ""],
            ["10000033", "CT 4", "CT", "", "CT_BRAIN; DANCE", ""],
            ["NOWHERE", "CT 5", "CT", "", "", ""],
        ],
    )  # fmt: skip
    report = await posted(administrator, "devices", devices, partial="true")
    assert [(each["row"], each["column"]) for each in report["problems"]] == [
        (3, "licence_until"), (4, "ae_title"), (5, "procedures"), (6, "facility_code")
    ]  # fmt: skip
    assert [each["name"] for each in (await administrator.get(DEVICES)).json()["results"]] == ["CT 1"]
    operators = write(
        "csv", ["facility_code", "licence_number", "name", "modalities"],
        [["10000033", "RT-1", "Rokeya Sultana", "CT; DX"], ["10000033", "RT-2", "Nobody", ""]],
    )  # fmt: skip
    report = await posted(administrator, "operators", operators, partial="true")
    assert (report["added"], [(each["row"], each["column"]) for each in report["problems"]]) == (1, [(3, "modalities")])


async def test_upazilas_are_imported_below_their_district(client_as) -> None:
    administrator = await client_as("administrator")
    rows = [["302699", "upazila", "3026", "Savar"], ["302698", "upazila", "3999", "Nowhere"]]
    report = await posted(administrator, "places", write("csv", ["code", "level", "parent", "name"], rows),
                          partial="true")  # fmt: skip
    assert (report["added"], [each["column"] for each in report["problems"]]) == (1, ["parent"])
    await a_facility(administrator, upazila="302699")
    found = (await administrator.get(FACILITIES, params={"place": "302699"})).json()["results"]
    assert [each["code"] for each in found] == ["LOCAL"]


async def test_spreadsheets_are_for_administrators(client_as) -> None:
    for role in ("radiographer", "manager"):
        client = await client_as(role)
        assert (await client.get(f"{SHEETS}/facilities")).status_code == 403
        assert (await client.post(f"{SHEETS}/facilities", content=b"code\n")).status_code == 403


async def test_what_is_no_spreadsheet_is_refused(client_as) -> None:
    administrator = await client_as("administrator")
    for content, status in ((b"\xff\xd8\xff", 422), (b"\xd0\xcf\x11\xe0", 415), (b"x" * (8 * 1024**2 + 1), 413)):
        assert (await administrator.post(f"{SHEETS}/facilities", content=content)).status_code == status
