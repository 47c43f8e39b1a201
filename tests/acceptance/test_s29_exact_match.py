"""29. Given an order with an accession number, when a matching object comes, then it is the order's study, match exact.

The order is in progress, and there is one notification when the study is stable.
"""

from dataclasses import replace
from datetime import timedelta

from pydicom.uid import ExplicitVRLittleEndian

from data_sets import CT, data_set
from node import Node
from radiology.kit.clock import SetClock
from radiology.studies.actions.settle import settle_studies
from requestor import requestor
from worklist import place


def test_s29_a_matching_object_makes_the_study_of_the_order(node: Node) -> None:
    item = place(node, serviceRequest="ServiceRequest/29")
    images = [data_set(AccessionNumber=item.accession_number) for _ in range(2)]
    images[1].StudyInstanceUID = images[0].StudyInstanceUID
    with requestor(node, [(CT, ExplicitVRLittleEndian)]) as modality:
        assert [modality.send_c_store(image).Status for image in images] == [0x0000, 0x0000]
    assert node.value("SELECT json_build_array(match, service_request, status) FROM imaging_studies") == [
        "exact",
        "ServiceRequest/29",
        "in-progress",
    ]
    assert told(node) == 0
    later = replace(node.app, clock=SetClock(node.app.clock.now() + timedelta(hours=1)))
    for _ in range(2):
        node.wait(settle_studies(later))
    assert node.value("SELECT status FROM imaging_studies") == "completed"
    assert told(node) == 1


def told(node: Node) -> int:
    return node.value("SELECT count(*) FROM outbox WHERE type = 'radiology.study.received.v1'")
