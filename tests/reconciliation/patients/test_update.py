"""What the registry says of a patient changes, and everything that shows the patient with it."""

from typing import Any
from uuid import UUID

import pytest

import make
from node import Node
from ordering import a_patient, an_order
from query import found, identifier
from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.patients.identifiers import Identifier, Kind
from radiology.patients.model import Demographics
from radiology.reconciliation.patients.model import Asked
from radiology.reconciliation.patients.update import Said, update_in

pytestmark = pytest.mark.anyio

PATH = "/api/radiology/patients"
KARIM = {"identifiers": [{"type": "MR", "value": "DMC-1"}, {"type": "NID", "value": "1234567890"}],
         "name": "Karim^Abdul", "birthDate": "1980-01-15", "sex": "M", "phone": "01712345678"}  # fmt: skip


async def value(app: App, statement: Any) -> Any:
    async with app.db.transaction() as tx:
        return await tx.value(statement)


async def test_a_change_is_shown_by_studies_worklist_and_searches_at_once(app: App, node: Node, client_as: Any) -> None:
    clerk = await client_as("records")
    made = (await clerk.post(PATH, json=KARIM)).json()
    study = await make.a_study(app, PatientID="DMC-1", PatientName="Karim^Abdul", PatientBirthDate="19800115",
                               PatientSex="M", PatientAge="046Y")  # fmt: skip
    order = an_order(patient=a_patient(1))
    assert (await clerk.post("/api/radiology/orders", json=order)).status_code == 201
    changed = await clerk.put(f"{PATH}/{made['id']}", json=KARIM | {"name": "Kareem^Abdul", "birthDate": "1981-01-15"})
    assert changed.status_code == 200, changed.text
    assert (changed.json()["version"], changed.json()["name"]) == (made["version"] + 1, "Kareem^Abdul")
    keys = dict.fromkeys(("PatientID", "PatientName", "PatientBirthDate", "AccessionNumber"), "")
    (image,) = found(node, identifier("STUDY", StudyInstanceUID=study.study_instance_uid, **keys))
    assert (str(image.PatientName), image.PatientBirthDate, image.PatientID) == ("Kareem^Abdul", "19810115", "DMC-1")
    assert image.AccessionNumber == study.objects[0].AccessionNumber
    told = "SELECT jsonb_build_array(patient_name, details->'patient'->>'birthDate') FROM scheduled_procedure_steps"
    assert await value(app, told) == ["Kareem^Abdul", "1981-01-15"]
    registered = """
        SELECT jsonb_build_array(patient_name, accession_number IS NOT NULL)
        FROM imaging_studies
        WHERE number_of_instances = 0
    """
    assert await value(app, registered) == ["Kareem^Abdul", True]
    (repair,) = (await clerk.get(f"{PATH}/{made['id']}/repairs")).json()["results"]
    assert (repair["kind"], repair["actor"]) == ("update", "account:records")
    assert await value(app, "SELECT body->>'studies' FROM outbox WHERE type = 'radiology.patient.updated.v1'") == "2"


async def test_changing_nothing_changes_nothing_and_versions_are_minded(app: App, client_as: Any) -> None:
    clerk = await client_as("records")
    made = (await clerk.post(PATH, json=KARIM)).json()
    same = await clerk.put(f"{PATH}/{made['id']}", json=KARIM)
    assert (same.status_code, same.json()["version"]) == (200, made["version"])
    assert await value(app, "SELECT count(*) FROM patient_repairs") == 0
    stale = await clerk.put(f"{PATH}/{made['id']}", json=KARIM | {"name": "X", "version": 99})
    assert stale.status_code == 412


async def test_a_new_hospital_number_leaves_the_old_one_finding_the_patient(client_as: Any) -> None:
    clerk = await client_as("records")
    made = (await clerk.post(PATH, json=KARIM)).json()
    body = KARIM | {"identifiers": [{"type": "MR", "value": "DMC-9"}]}
    changed = (await clerk.put(f"{PATH}/{made['id']}", json=body)).json()
    assert [each["value"] for each in changed["identifiers"]] == ["DMC-9", "DMC-1"], "a NID that is not said is gone"
    for number in ("DMC-1", "DMC-9"):
        assert len((await clerk.get(PATH, params={"query": number})).json()["results"]) == 1
    assert (await clerk.post(PATH, json=KARIM | {"identifiers": [{"type": "MR", "value": "DMC-1"}]})).status_code == 200


async def test_a_number_of_somebody_else_is_refused(client_as: Any) -> None:
    clerk = await client_as("records")
    made = (await clerk.post(PATH, json=KARIM)).json()
    other = {"identifiers": [{"type": "MR", "value": "DMC-2"}], "name": "Khatun^Rahela"}
    await clerk.post(PATH, json=other)
    refused = await clerk.put(f"{PATH}/{made['id']}", json=KARIM | {"identifiers": other["identifiers"]})
    assert refused.status_code == 409


async def test_a_message_changes_what_it_says_and_is_followed_once(app: App, client_as: Any) -> None:
    clerk = await client_as("records")
    made = (await clerk.post(PATH, json=KARIM)).json()
    numbers = (Identifier(Kind.BRN, "19800000000000001"),)
    said = Said(Demographics("DMC-1", "LOCAL", sex="F", identifiers=numbers))
    for _ in range(2):
        async with app.db.transaction() as tx:
            await update_in(tx, app, SYSTEM, UUID(made["id"]), said, Asked("A08", "HIS", "HIS|7"))
    after = (await clerk.get(f"{PATH}/{made['id']}")).json()
    assert (after["name"], after["birthDate"], after["sex"], after["phone"]) == (
        "Karim^Abdul", "1980-01-15", "F", "+8801712345678",
    )  # fmt: skip
    assert {each["type"] for each in after["identifiers"]} == {"MR", "NID", "BRN"}
    assert after["version"] == made["version"] + 1
