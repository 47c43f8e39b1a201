"""30. Given no order, then the study is in the reconciliation worklist, and no report of it is approved unconfirmed."""

from typing import Any

import pytest
from pydicom.uid import ExplicitVRLittleEndian

from data_sets import CT, data_set
from node import Node
from radiology.reports.schemas import REPORT_EXAMPLE
from requestor import requestor

pytestmark = pytest.mark.anyio


async def test_s30_a_study_without_an_order_is_confirmed_before_a_report_is_approved(
    node: Node, client_as: Any
) -> None:
    ds = data_set()
    with requestor(node, [(CT, ExplicitVRLittleEndian)]) as modality:
        assert modality.send_c_store(ds).Status == 0x0000
    qa, radiologist = await client_as("qa"), await client_as("radiologist")
    study = (await qa.get(f"/api/radiology/studies/{ds.StudyInstanceUID}")).json()
    assert study["match"] == "none"
    (waiting,) = (await qa.get("/api/radiology/reconciliation")).json()["results"]
    assert ds.StudyInstanceUID in str(waiting)
    body = {name: value for name, value in REPORT_EXAMPLE.items() if name not in {"subject", "encounter"}}
    report = (await radiologist.post("/api/radiology/reports", json={**body, "studyId": study["id"]})).json()
    address = f"/api/radiology/reports/{report['id']}/approve"
    refused = await radiologist.post(address)
    assert (refused.status_code, "reconciliation" in refused.json()["detail"]) == (409, True)
    confirm = f"/api/radiology/reconciliation/studies/{study['id']}/confirm"
    answer = await qa.post(confirm, json={"reason": "Walk-in of the emergency room."})
    assert answer.status_code == 201, answer.text
    assert (await qa.get(f"/api/radiology/studies/{ds.StudyInstanceUID}")).json()["match"] == "confirmed"
    assert (await radiologist.post(address)).json()["status"] == "final"
