"""41. Given a study entered in error, then it is absent from search; read directly it says entered-in-error."""

from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from data_sets import CT, data_set
from node import Node
from requestor import requestor

pytestmark = pytest.mark.anyio

FIND = "1.2.840.10008.5.1.4.1.2.2.1"


async def test_s41_a_study_entered_in_error_is_found_by_no_search(node: Node, client_as: Any) -> None:
    ds = data_set()
    with requestor(node, [(CT, ExplicitVRLittleEndian)]) as modality:
        assert modality.send_c_store(ds).Status == 0x0000
    client = await client_as("qa")
    address = f"/api/radiology/studies/{ds.StudyInstanceUID}"
    withdrawn = await client.put(
        f"{address}/status", json={"status": "entered-in-error", "reason": "Phantom of the engineer."}
    )
    assert withdrawn.status_code == 200, withdrawn.text
    assert (await client.get("/api/radiology/studies")).json()["results"] == []
    assert (await client.get("/api/radiology/studies", params={"patient": "DMC-1001"})).json()["results"] == []
    assert (await client.get("/dicomweb/studies")).json() == []
    for uid in (f"/dicomweb/studies/{ds.StudyInstanceUID}", f"/dicomweb/studies/{ds.StudyInstanceUID}/metadata"):
        assert (await client.get(uid)).status_code == 404
    asked = Dataset()
    asked.QueryRetrieveLevel, asked.StudyInstanceUID = "STUDY", ds.StudyInstanceUID
    with requestor(node, [(FIND, ExplicitVRLittleEndian)]) as workstation:
        assert [status.Status for status, _ in workstation.send_c_find(asked, FIND)] == [0x0000]
    read = (await client.get(address)).json()
    assert read["status"] == "entered-in-error"
    resource = (await client.get(f"/fhir/R4/ImagingStudy/{read['id']}")).json()
    assert (resource["resourceType"], resource["status"]) == ("ImagingStudy", "entered-in-error")
    assert resource["identifier"][0] == {"system": "urn:dicom:uid", "value": f"urn:oid:{ds.StudyInstanceUID}"}
    assert "series" not in resource, "its images are hidden"
    history = node.value(
        """
        SELECT json_build_array(from_status, to_status, trigger, actor, reason)
        FROM study_transitions ORDER BY id DESC LIMIT 1
        """
    )
    assert history == ["in-progress", "entered-in-error", "withdraw", "account:qa", "Phantom of the engineer."]
