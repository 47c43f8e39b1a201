"""Doses over REST: of a study and a patient, levels that are set, notes and the incidents that follow from them."""

import pytest
from pydicom.uid import generate_uid

import dose_reports
import make
from dose_reading import settle

pytestmark = pytest.mark.anyio
PATH = "/api/radiology/quality/dose"


async def a_head_ct(app, dlp: float, patient: str = "P1") -> make.Stored:
    shared = {
        "StudyInstanceUID": generate_uid(), "PatientID": patient, "StudyDescription": "CT head without contrast",
    }  # fmt: skip
    return await make.store(app, make.an_object(**shared), dose_reports.ct_report((40, dlp), **shared))


async def test_the_dose_of_a_study_is_told_event_by_event_with_how_it_is_known(app, client_as):
    stored = await a_head_ct(app, 800)
    await settle(app)
    radiologist = await client_as("radiologist")

    told = (await radiologist.get(f"{PATH}/studies/{stored.study_instance_uid}")).json()

    assert (told["source"], told["doses"]) == ("rdsr", {"DLP": 800, "CTDIvol": 40})
    assert told["effectiveDose"]["mSv"] == pytest.approx(1.68)
    assert told["effectiveDose"]["explain"][0]["source"].startswith("AAPM Report 96")
    assert (told["events"][0]["DLPMgyCm"], told["events"][0]["phantomCm"]) == (800, 16)
    bare = await make.a_study(app)
    assert (await radiologist.get(f"{PATH}/studies/{bare.study_instance_uid}")).json() is None


async def test_the_doses_of_a_patient_add_up(app, client_as):
    await a_head_ct(app, 800)
    await a_head_ct(app, 700)
    await a_head_ct(app, 500, patient="P2")
    await settle(app)

    told = (await (await client_as("radiologist")).get(f"{PATH}/patients/P1")).json()

    assert told["twelveMonths"] == {"examinations": 2, "mSv": 3.15, "byDLP": 3.15, "typical": 0.0, "unknown": 0}
    assert len(told["examinations"]) == 2


async def test_a_level_that_is_set_holds_from_its_day_on(app, client_as):
    quality = await client_as("qa")
    body = {
        "procedureKey": "CT_HEAD_WO", "quantity": "DLP", "value": 600, "validFrom": "2026-01-01",
        "source": "Survey of 2025",
    }  # fmt: skip

    assert (await quality.put(f"{PATH}/levels", json=body)).status_code == 204
    assert (await quality.put(f"{PATH}/levels", json=body | {"procedureKey": "NONE"})).status_code == 422
    assert (await quality.put(f"{PATH}/levels", json=body | {"patientGroup": "old"})).status_code == 422
    assert (await (await client_as("radiologist")).put(f"{PATH}/levels", json=body)).status_code == 403
    for number in range(20):
        await a_head_ct(app, 600 + number, patient=f"P{number}")
    await settle(app)

    asked = {"protocol": "CT_HEAD_WO", "date_to": "2026-01-21"}
    found = (await quality.get(f"{PATH}/comparison", params=asked)).json()["results"]

    told = next(each for each in found if each["quantity"] == "DLP")
    assert told["reference"] == {
        "value": 600, "scope": "national", "source": "Survey of 2025", "validFrom": "2026-01-01",
    }  # fmt: skip
    assert (told["ratio"], told["aboveReference"]) == (round(609.5 / 600, 4), 0.95)
    levels = (await quality.get(f"{PATH}/levels", params={"procedure": "CT_HEAD_WO"})).json()
    assert [each["value"] for each in levels["set"]] == [600]
    assert levels["catalogue"]["CT_HEAD_WO"]["DLP"]


async def test_who_is_of_one_facility_sets_no_national_level(app, client_as):
    quality = await client_as("qa")
    async with app.db.transaction() as tx:
        await tx.run("UPDATE accounts SET facility_code = 'LOCAL' WHERE name = 'qa'")
    body = {"procedureKey": "CT_HEAD_WO", "quantity": "DLP", "value": 6, "validFrom": "2026-01-01", "source": "Mine"}

    assert (await quality.put(f"{PATH}/levels", json=body | {"facilityCode": None})).status_code == 403
    assert (await quality.put(f"{PATH}/levels", json=body | {"facilityCode": "LOCAL"})).status_code == 204


async def test_an_examination_far_above_is_noted_and_one_that_was_not_meant_is_an_incident(app, client_as):
    quality = await client_as("qa")
    noted, unmeant = await a_head_ct(app, 1600), await a_head_ct(app, 2500, patient="P2")
    await settle(app)
    await settle(app)

    notes = (await quality.get(f"{PATH}/notes")).json()["results"]
    incidents = (await quality.get("/api/radiology/quality/incidents")).json()["results"]

    assert {each["studyInstanceUID"] for each in notes} == {noted.study_instance_uid, unmeant.study_instance_uid}
    assert {each["kind"] for each in notes} == {"over-twice-reference"}
    assert [(each["cause"], each["studyInstanceUID"]) for each in incidents] == [
        ("dose-over-expected", unmeant.study_instance_uid)
    ]
    body = {"comment": "Two scans, as planned."}
    assert (await quality.post(f"{PATH}/notes/{notes[0]['id']}/close", json=body)).status_code == 204
    assert (await quality.post(f"{PATH}/notes/{notes[0]['id']}/close", json=body)).status_code == 409
    assert len((await quality.get(f"{PATH}/notes")).json()["results"]) == 1
    assert len((await quality.get(f"{PATH}/notes", params={"open": "false"})).json()["results"]) == 2


async def test_a_note_goes_when_the_dose_turns_out_to_be_another(app, client_as):
    quality = await client_as("qa")
    stored = await a_head_ct(app, 1600)
    await settle(app)
    async with app.db.transaction() as tx:
        await tx.run(
            "UPDATE instances SET attributes = replace(convert_from(attributes, 'UTF8'), '1600', '160')::bytea "
            "WHERE sop_class_uid LIKE '%%.88.67'"
        )
    await settle(app)

    assert (await quality.get(f"{PATH}/notes")).json()["results"] == []
    told = (await quality.get(f"{PATH}/studies/{stored.study_instance_uid}")).json()
    assert told["doses"]["DLP"] == 160


async def test_an_angiography_above_five_gray_is_to_be_followed_up(app, client_as):
    shared = {"StudyInstanceUID": generate_uid(), "PatientID": "P9", "StudyDescription": "Coronary angiography"}
    await make.store(
        app, make.an_object(**shared, Modality="XA"), dose_reports.projection_report((0.02, 5.2), **shared)
    )
    await settle(app)

    notes = (await (await client_as("qa")).get(f"{PATH}/notes")).json()["results"]

    assert [(each["kind"], each["value"]) for each in notes] == [("skin-dose", 5200)]
    texts = (await (await client_as("qa", name="other")).get(f"{PATH}/notes/texts")).json()
    assert set(texts["skin-dose"]) == {"en", "bn"}
