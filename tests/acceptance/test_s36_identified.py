"""Scenario 36: an unknown trauma patient is identified; the report shows both identities, its signed text unchanged."""

from typing import Any

import pytest

import make

pytestmark = pytest.mark.anyio
TEXTS = {"code": {"text": "CT head"}, "findings": "Extradural haematoma.", "technique": "CT without contrast.",
         "impression": "Extradural haematoma.", "recommendation": "Neurosurgery at once."}  # fmt: skip
PATH, REPORTS = "/api/radiology/patients", "/api/radiology/reports"


async def test_s36_the_report_shows_both_identities_and_its_signed_text_is_unchanged(app: Any, client_as: Any) -> None:
    clerk, doctor = await client_as("records"), await client_as("consultant")
    (unknown,) = (await clerk.post(f"{PATH}/unknown", json={"kind": "male", "ageYears": 40})).json()["results"]
    number = unknown["identifiers"][0]["value"]
    study = await make.a_study(app, PatientID=number, PatientName="UNKNOWN^MALE", PatientSex="M",
                               PatientBirthDate="19860101")  # fmt: skip
    made = await doctor.post(REPORTS, json=TEXTS | {"studyId": study.study_instance_uid})
    assert made.status_code == 201, made.text
    report = made.json()["id"]
    async with app.db.transaction() as tx:
        await tx.run("UPDATE imaging_studies SET match = 'confirmed'")
    approved = await doctor.post(f"{REPORTS}/{report}/approve")
    assert approved.status_code == 200, approved.text
    signed = (await doctor.get(f"{REPORTS}/{report}/versions")).json()

    known = await clerk.post(PATH, json={"identifiers": [{"type": "MR", "value": "H-7"}], "name": "Karim^Abdul",
                                         "nameBangla": "করিম^আব্দুল", "birthDate": "1984-03-02", "sex": "M"})  # fmt: skip
    identified = await clerk.post(f"{PATH}/{number}/merge", json={"into": "H-7", "reason": "The family came."})
    assert (identified.status_code, identified.json()["kind"]) == (201, "identify")

    shown = (await doctor.get(f"{REPORTS}/{report}")).json()
    assert shown["subject"]["reference"] == known.json()["reference"]
    assert shown["subject"]["display"] == "Karim^Abdul=করিম^আব্দুল"
    cover = shown["registeredAtSigning"]
    assert (cover["patientId"], cover["name"]) == (number, "UNKNOWN^MALE")
    assert (await doctor.get(f"{REPORTS}/{report}/versions")).json() == signed
    verified = await doctor.get(f"{REPORTS}/{report}/verify")
    assert verified.json()["valid"] is True, verified.text
    link = await doctor.post(f"{REPORTS}/{report}/links", json={"hours": 1})
    page = await clerk.get(link.json()["url"], follow_redirects=True)
    assert "Registered at signing as" in page.text
    assert number in page.text
    assert "H-7" in page.text
