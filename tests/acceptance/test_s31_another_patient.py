"""31. Given the study of patient A, when an object of patient B comes for it (score below 0.60), then it is held.

C-STORE has said 0000; the object is visible nowhere, and somebody is told to decide about it.
"""

from typing import Any

import pytest
from pydicom.uid import ExplicitVRLittleEndian

from data_sets import CT, data_set
from node import Node
from requestor import requestor

pytestmark = pytest.mark.anyio


async def test_s31_an_object_of_another_patient_is_held(node: Node, client_as: Any) -> None:
    ds = data_set()
    other = data_set(StudyInstanceUID=ds.StudyInstanceUID, SeriesInstanceUID=ds.SeriesInstanceUID, PatientID="X-9",
                     PatientName="Begum^Rahima", PatientSex="F", PatientBirthDate="20010203")  # fmt: skip
    with requestor(node, [(CT, ExplicitVRLittleEndian)]) as modality:
        assert [modality.send_c_store(each).Status for each in (ds, other)] == [0x0000, 0x0000]
    client = await client_as("consultant")
    study = f"/dicomweb/studies/{ds.StudyInstanceUID}"
    seen = (await client.get(f"{study}/instances", headers={"accept": "application/dicom+json"})).json()
    assert [each["00080018"]["Value"] for each in seen] == [[ds.SOPInstanceUID]]
    address = f"{study}/series/{ds.SeriesInstanceUID}/instances/{other.SOPInstanceUID}"
    assert (await client.get(address, headers={"accept": "application/dicom"})).status_code == 404
    assert (await client.get(f"/api/radiology/studies/{ds.StudyInstanceUID}")).json()["numberOfInstances"] == 1
    assert (await client.get("/dicomweb/studies?PatientID=X-9")).json() == []
    assert node.value("SELECT json_build_array(reason, resolved_at) FROM quarantine") == ["patient_conflict", None]
    assert node.value("SELECT count(*) FROM outbox WHERE type = 'radiology.instance.quarantined.v1'") == 1
    waiting = (await (await client_as("qa")).get("/api/radiology/reconciliation")).json()["results"]
    assert "patient-conflict" in {each["kind"] for each in waiting}
