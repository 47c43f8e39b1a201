"""19. Given MPPS DISCONTINUED with 110514, then the order is scheduled again, and the images are in reconciliation."""

from typing import Any

import pytest
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from data_sets import CT, data_set
from node import Node
from requestor import requestor
from worklist import MPPS, MWL, begun, ended, place, query

pytestmark = pytest.mark.anyio

CONTEXTS = [(uid, ExplicitVRLittleEndian) for uid in (MPPS, MWL, CT)]


async def test_s19_the_order_is_scheduled_again_and_the_images_wait_for_a_person(node: Node, client_as: Any) -> None:
    item = place(node, serviceRequest="ServiceRequest/19")
    ds = data_set(StudyInstanceUID=item.study_instance_uid, AccessionNumber=item.accession_number)
    uid = generate_uid()
    with requestor(node, CONTEXTS) as modality:
        assert modality.send_n_create(begun(item), MPPS, uid)[0].Status == 0x0000
        assert modality.send_c_store(ds).Status == 0x0000
        end = ended("DISCONTINUED", reason="110514", images=[ds])
        assert modality.send_n_set(end, MPPS, uid)[0].Status == 0x0000
        (again,) = [answer for status, answer in modality.send_c_find(query(), MWL) if status.Status == 0xFF00]
    assert again.AccessionNumber == item.accession_number
    assert again.StudyInstanceUID != item.study_instance_uid
    client = await client_as("qa")
    images = (await client.get(f"/api/radiology/studies/{item.study_instance_uid}")).json()
    assert images["match"] == "none"
    assert images["flags"] == ["wrong_worklist_entry"]
    assert "basedOn" not in images
    ordered = (await client.get(f"/api/radiology/studies/{again.StudyInstanceUID}")).json()
    assert (ordered["status"], ordered["basedOn"]) == ("registered", [{"reference": "ServiceRequest/19"}])
    waiting = (await client.get("/api/radiology/reconciliation")).json()["results"]
    assert item.study_instance_uid in str(waiting)
