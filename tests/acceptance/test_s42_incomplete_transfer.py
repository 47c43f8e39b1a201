"""42. Given MPPS lists 120 instances and 118 come, then the transfer is incomplete after 15 minutes.

The facility is told once; the mark goes when the last ones have come.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from data_sets import CT, data_set
from node import Node
from radiology.kit.clock import SetClock
from radiology.studies.actions.transfers import follow_transfers
from requestor import requestor
from worklist import MPPS, begun, ended, place

pytestmark = pytest.mark.anyio

CONTEXTS = [(uid, ExplicitVRLittleEndian) for uid in (MPPS, CT)]


def follow(node: Node, *, minutes: float) -> int:
    later = replace(node.app, clock=SetClock(node.app.clock.now() + timedelta(minutes=minutes)))
    return node.wait(follow_transfers(later))


async def test_s42_two_of_120_do_not_come(node: Node, client_as: Any) -> None:
    radiographer = await client_as("radiographer")
    item = place(node)
    series = generate_uid()
    images = [
        data_set(StudyInstanceUID=item.study_instance_uid, SeriesInstanceUID=series, InstanceNumber=number)
        for number in range(120)
    ]
    uid = generate_uid()
    with requestor(node, CONTEXTS) as modality:
        assert modality.send_n_create(begun(item), MPPS, uid)[0].Status == 0x0000
        for image in images[:118]:
            assert modality.send_c_store(image).Status == 0x0000
        assert modality.send_n_set(ended("COMPLETED", images=images), MPPS, uid)[0].Status == 0x0000
    address = f"/api/radiology/studies/{item.study_instance_uid}"
    assert follow(node, minutes=14) == 0
    assert (await radiographer.get(address)).json()["flags"] == []
    assert follow(node, minutes=16) == 1
    assert follow(node, minutes=17) == 0
    assert (await radiographer.get(address)).json()["flags"] == ["incomplete_transfer"]
    told = "SELECT json_agg(body->'number_missing') FROM outbox WHERE type = 'radiology.study.transfer-incomplete.v1'"
    assert node.value(told) == [2]
    assert node.value("SELECT json_agg(json_build_array(recipient, kind)) FROM notices") == [
        ["account:radiographer", "study.transfer-incomplete"]
    ]
    with requestor(node, CONTEXTS) as modality:
        for image in images[118:]:
            assert modality.send_c_store(image).Status == 0x0000
    assert follow(node, minutes=18) == 1
    study = (await radiographer.get(address)).json()
    assert (study["flags"], study["status"], study["numberOfInstances"]) == ([], "completed", 120)
