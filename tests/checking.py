"""Orders that rules have something to say of, and earlier examinations of their patient."""

from typing import Any

import httpx2

import make
from ordering import a_patient, an_order
from radiology.app import App

PATH = "/api/radiology/orders"
LOCAL = "urn:bd:radiology:local-procedure"


def by_key(key: str, modality: str, **changes: Any) -> dict[str, Any]:
    """A requested procedure by its key in the catalogue."""
    return {"modality": modality, "code": {"coding": [{"system": LOCAL, "code": key}]}, **changes}


def an_order_of(key: str, modality: str, *, reason: str | None = None, **changes: Any) -> dict[str, Any]:
    """An order of one procedure, with a reason in words and no other fact than those that are said."""
    said = {"safety": None, "reasonCode": None, "priority": "routine", **changes}
    return an_order(procedures=[by_key(key, modality)], reason=reason, **said)


def a_woman(born: str = "2000-06-01", **changes: Any) -> dict[str, Any]:
    """A patient of 25."""
    return a_patient(2002, name="Begum^Salma", birthDate=born, sex="F", **changes)


async def examined(
    app: App,
    client: httpx2.AsyncClient,
    description: str,
    modality: str,
    *,
    on: str = "20260118",
    carer: str | None = None,
    **patient: Any,
) -> str:
    """An examination of the usual patient that is completed; its Study Instance UID. carer: who takes care, too."""
    identity = {"PatientID": "DMC-1001", "IssuerOfPatientID": "LOCAL", "PatientName": "Karim^Abdul",
                "PatientBirthDate": "19800115", "PatientSex": "M"}  # fmt: skip
    stored = await make.a_study(
        app, StudyDate=on, Modality=modality, StudyDescription=description, **identity | patient
    )
    if carer:
        await make.care(app, carer, stored.study_instance_uid)
    answer = await client.put(
        f"/api/radiology/studies/{stored.study_instance_uid}/status",
        json={"status": "completed", "completed": f"{on[:4]}-{on[4:6]}-{on[6:]}T15:00:00+06:00"},
    )
    assert answer.status_code == 200, answer.text
    return stored.study_instance_uid


def findings(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What rules say of the first procedure, by rule; of an order, of a check, and of a refusal."""
    check = body.get("check", body)
    return {each["rule"]: each for each in check["procedures"][0]["findings"]}
