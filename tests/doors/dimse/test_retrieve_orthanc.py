"""Orthanc as the other end of C-MOVE: it asks for a study, and receives it."""

import pytest

import make
from node import running_node
from orthanc import AE_TITLE, orthanc
from storage_peers import register


@pytest.fixture
def node(settings):
    with running_node(settings) as running:
        yield running


@pytest.mark.peer("Query/Retrieve MOVE (SCP)", "Orthanc")
@pytest.mark.peer("Storage (SCU)", "Orthanc")
def test_orthanc_moves_a_study_to_itself(node, tmp_path):
    stored = node.wait(make.a_study(node.app, instances=5))
    asked = {"Level": "Study", "Resources": [{"StudyInstanceUID": stored.study_instance_uid}], "Synchronous": True}
    with orthanc(node, tmp_path / "orthanc") as peer:
        register(node, AE_TITLE, peer.dicom_port)
        peer.call("POST", "/modalities/radsvc/move", asked)
        instances = [peer.call("GET", f"/instances/{instance}") for instance in peer.call("GET", "/instances")]
    assert sorted(each["MainDicomTags"]["SOPInstanceUID"] for each in instances) == sorted(stored.files)
