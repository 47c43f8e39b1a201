"""Readers over REST, their spreadsheet, duties, and registrations that expire."""

from datetime import UTC, datetime
from typing import Any

import pytest

from radiology.app import App
from radiology.kit.sheets import write
from radiology.practitioners.readers.actions import warn_of_registrations
from radiology.practitioners.readers.schemas import EXAMPLE
from radiology.practitioners.schemas import EXAMPLE as PRACTITIONER

pytestmark = pytest.mark.anyio

READERS, SHEETS, DUTIES = "/api/radiology/readers", "/api/radiology/reader-sheets", "/api/radiology/duties"
COLUMNS = [
    "practitioner",
    "name",
    "registration",
    "registered_until",
    "specialties",
    "privileges",
    "contracts",
    "shifts",
]


async def test_an_administrator_keeps_readers(client_as: Any) -> None:
    admin = await client_as("administrator")
    assert (await admin.put(f"{READERS}/222", json=EXAMPLE)).status_code == 422, "no such practitioner"
    await admin.put("/api/radiology/practitioners/222", json=PRACTITIONER)
    assert (await admin.put(f"{READERS}/222", json=EXAMPLE)).status_code == 204
    found = (await admin.get(f"{READERS}/222")).json()
    assert found["practitioner"]["registration"] == "A-12345"
    assert {name: found[name] for name in ("sex", "capRvu", "subspecialties", "version")} == {
        "sex": "F", "capRvu": 60, "subspecialties": ["neuro"], "version": 1
    }  # fmt: skip
    assert found["contracts"] == [{"scope": "division", "place": "30", "beginsOn": None, "endsOn": "2027-12-31"}]
    stale = await admin.put(f"{READERS}/222", json={**EXAMPLE, "version": 7})
    assert stale.status_code == 412
    for wrong in (
        {"subspecialties": ["brains"]}, {"ageGroups": []}, {"capRvu": 0},
        {"contracts": [{"scope": "national", "place": "1"}]},
        {"contracts": [{"scope": "district"}]}, {"shifts": [{"days": [8], "begins": "08:00", "ends": "09:00"}]},
        {"absences": [{"beginsOn": "2026-02-02", "endsOn": "2026-02-01"}]}, {"colour": "red"},
    ):  # fmt: skip
        assert (await admin.put(f"{READERS}/222", json={**EXAMPLE, **wrong})).status_code == 422, wrong
    assert [each["practitioner"]["reference"] for each in (await admin.get(READERS)).json()["results"]] == [
        "Practitioner/222"
    ]
    assert (await admin.get(READERS, params={"after": "Practitioner/222"})).json()["results"] == []


async def test_others_see_themselves_only(client_as: Any) -> None:
    admin = await client_as("administrator")
    for number in ("222", "223"):
        await admin.put(f"/api/radiology/practitioners/{number}", json={**PRACTITIONER, "registration": number})
        await admin.put(f"{READERS}/{number}", json=EXAMPLE)
    reader = await client_as("radiologist", practitioner="Practitioner/222")
    assert (await reader.get(f"{READERS}/222")).json()["account"] == "account:radiologist"
    assert (await reader.get(f"{READERS}/223")).status_code == 403
    assert (await reader.get(READERS)).status_code == 403
    assert (await reader.get(SHEETS)).status_code == 403
    assert (await reader.get(DUTIES)).status_code == 403
    assert (await reader.put(f"{READERS}/222", json=EXAMPLE)).status_code == 403
    assert (await admin.get(f"{READERS}/999")).status_code == 404


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_a_spreadsheet_is_taken_over_with_a_report_of_bad_rows(client_as: Any, form: Any) -> None:
    admin = await client_as("administrator")
    good = ["1", "Dr. Ayesha Rahman", "12345", "2030-12-31", "radiology", "10000033: CT DX; *: US",
            "national; district 3026 until 2026-12-31", "Sun-Thu 08:00-14:30"]  # fmt: skip
    bad = ["2", "Dr. Kamal Hossain", "A-12345", "2030-12-31", "radiology", "CT", "everywhere", "always"]
    same_registration = ["3", "Dr. Nasrin Akter", "A-12345", "2030-12-31", "radiology", "*: *", "national", ""]
    nobody = ["4", "", "", "", "", "", "national", ""]
    content = write(form, COLUMNS, [good, bad, same_registration, nobody])
    report = (await admin.post(SHEETS, content=content)).json()
    assert (report["rows"], report["added"], report["saved"], report["bad"]) == (4, 1, False, 3)
    assert [(each["row"], each["column"]) for each in report["problems"]] == [
        (3, "contracts"), (3, "privileges"), (3, "shifts"), (4, "registration"), (5, "name")
    ]  # fmt: skip
    assert (await admin.get(READERS)).json()["results"] == [], "all or nothing"
    tried = (await admin.post(SHEETS, params={"partial": True, "dryRun": True}, content=content)).json()
    assert (tried["added"], tried["saved"]) == (1, False)
    part = (await admin.post(SHEETS, params={"partial": True}, content=content)).json()
    assert (part["added"], part["saved"]) == (1, True)
    [found] = (await admin.get(READERS)).json()["results"]
    assert found["practitioner"]["privileges"][1]["facilityCode"] == "*"
    assert found["shifts"] == [{"days": [1, 2, 3, 4, 7], "begins": "08:00:00", "ends": "14:30:00"}]

    given = await admin.get(SHEETS, params={"format": form})
    again = (await admin.post(SHEETS, content=given.content)).json()
    assert (again["rows"], again["same"], again["problems"]) == (1, 1, []), "what is given out can be taken over"


async def test_columns_that_the_file_does_not_have_stay_as_they_are(client_as: Any) -> None:
    admin = await client_as("administrator")
    await admin.put("/api/radiology/practitioners/222", json=PRACTITIONER)
    await admin.put(f"{READERS}/222", json=EXAMPLE)
    before = (await admin.get(f"{READERS}/222")).json()
    before["shifts"][0]["days"].sort()
    content = write("csv", ["practitioner", "cap_rvu"], [["222", "25"]])
    report = (await admin.post(SHEETS, content=content)).json()
    assert (report["changed"], report["problems"]) == (1, [])
    after = (await admin.get(f"{READERS}/222")).json()
    assert after == {**before, "capRvu": 25, "version": before["version"] + 1}


async def test_who_is_head_and_director(client_as: Any) -> None:
    admin = await client_as("administrator")
    await client_as("consultant", name="rahim")
    assert (await admin.put(f"{DUTIES}/head/LOCAL", json={"accounts": ["account:rahim"]})).status_code == 204
    assert (await admin.put(f"{DUTIES}/director/*", json={"accounts": ["account:nobody"]})).status_code == 422
    assert (await admin.get(DUTIES)).json()["results"] == [
        {"duty": "head", "facilityCode": "LOCAL", "accounts": ["account:rahim"]}
    ]
    assert (await admin.put(f"{DUTIES}/head/LOCAL", json={"accounts": []})).status_code == 204
    assert (await admin.get(DUTIES)).json()["results"] == []


async def test_somebody_is_warned_of_a_registration_that_expires(app: App, client_as: Any, clock: Any) -> None:
    admin = await client_as("administrator")
    await admin.put("/api/radiology/practitioners/222", json={**PRACTITIONER, "registeredUntil": "2026-02-20"})
    await admin.put(f"{READERS}/222", json=EXAMPLE)
    reader = await client_as("radiologist", practitioner="Practitioner/222")
    assert [await warn_of_registrations(app), await warn_of_registrations(app)] == [1, 0]
    told = (await reader.get("/api/radiology/me/notices")).json()["results"]
    assert len(told) == 1
    assert "its last day is 2026-02-20" in told[0]["text"]
    clock.at = datetime(2026, 2, 16, tzinfo=UTC)
    assert await warn_of_registrations(app) == 1
    clock.at = datetime(2026, 2, 20, tzinfo=UTC)
    assert await warn_of_registrations(app) == 0, "its last day is a valid one"
    clock.at = datetime(2026, 2, 21, tzinfo=UTC)
    assert await warn_of_registrations(app) == 1
    assert "has expired" in (await admin.get("/api/radiology/me/notices")).json()["results"][0]["text"]
