"""Scenario 35: after a merge the old id finds the survivor, everywhere; unmerging restores exactly."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydicom.uid import ExplicitVRLittleEndian

import make
import worklist
from node import Node, running_node
from ordering import a_patient, an_order
from query import found, identifier
from radiology.settings import Settings
from reconciliation.outlets import served
from requestor import requestor

pytestmark = pytest.mark.anyio
PATH = "/api/radiology/patients"
WHY = {"reason": "Registered twice."}


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    with running_node(settings) as running:
        yield running


async def test_s35_the_old_id_finds_the_survivor_and_unmerging_restores_exactly(
    node: Node, app: Any, client_as: Any
) -> None:
    clerk = await client_as("records")
    survivor = await register(clerk, "P1", "Rahman^Abdur")
    merged = await register(clerk, "P2", "Rohman^Abdur")
    study = (await make.a_study(app, PatientID="P2", PatientName="Rohman^Abdur")).study_instance_uid
    order = an_order(patient=a_patient(2, id="P2", name="Rohman^Abdur", birthDate=None, sex=None))
    assert (await clerk.post("/api/radiology/orders", json=order)).status_code == 201
    before = await served(clerk, node, study)

    assert (await clerk.post(f"{PATH}/P2/merge", json=WHY | {"into": "P1"})).status_code == 201
    (hit,) = (await clerk.get(PATH, params={"query": "P2"})).json()["results"]
    assert hit["patient"]["id"] == survivor
    assert (await clerk.get(f"{PATH}/P2")).json()["id"] == survivor
    (image,) = found(node, identifier("STUDY", PatientID="P2", PatientName="", StudyInstanceUID=""))
    assert (image.StudyInstanceUID, image.PatientID, str(image.PatientName)) == (study, "P1", "Rahman^Abdur")
    assert numbers_listed(node, "P2") == numbers_listed(node, "P1") == ["P1"]

    undone = await clerk.post(f"{PATH}/P2/unmerge", json=WHY)
    assert undone.status_code == 200, undone.text
    assert await served(clerk, node, study) == before
    assert (await clerk.get(f"{PATH}/P2")).json()["id"] == merged
    assert numbers_listed(node, "P2") == ["P2"]


def numbers_listed(node: Node, number: str) -> list[str]:
    """The Patient IDs that a modality is answered when it asks its worklist for one."""
    asked = worklist.query(ScheduledStationAETitle="CT1", ScheduledProcedureStepStartDate="20260101-20281231")
    asked.PatientID = number
    with requestor(node, [(worklist.MWL, ExplicitVRLittleEndian)]) as association:
        return [found.PatientID for _, found in association.send_c_find(asked, worklist.MWL) if found is not None]


async def register(client: Any, number: str, name: str) -> str:
    made = await client.post(PATH, json={"identifiers": [{"type": "MR", "value": number}], "name": name})
    assert made.status_code == 201, made.text
    return made.json()["id"]
