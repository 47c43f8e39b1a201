from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelMove

import make
from requestor import requestor
from storage_peers import receiver

MOVE = StudyRootQueryRetrieveInformationModelMove


def move(node, study_instance_uid, destination="RECEIVER"):
    ds = Dataset()
    ds.QueryRetrieveLevel, ds.StudyInstanceUID = "STUDY", study_instance_uid
    with requestor(node, [(MOVE, ExplicitVRLittleEndian)]) as association:
        *_, final = association.send_c_move(ds, destination, MOVE)
    return final


def test_s15_an_unknown_destination_is_a801(node):
    stored = node.wait(make.a_study(node.app))
    status, _ = move(node, stored.study_instance_uid, "NOBODY")
    assert status.Status == 0xA801


def test_s15_one_of_ten_that_fails_is_b000_with_the_failed_uid_list(node):
    stored = node.wait(make.a_study(node.app, instances=10))
    bad = str(stored.objects[4].SOPInstanceUID)

    def on_store(event):
        return 0xC000 if event.request.AffectedSOPInstanceUID == bad else 0x0000

    with receiver(node, on_store, classes=[CTImageStorage], syntaxes=[ExplicitVRLittleEndian]):
        status, failed = move(node, stored.study_instance_uid)
    assert status.Status == 0xB000
    assert (status.NumberOfCompletedSuboperations, status.NumberOfFailedSuboperations) == (9, 1)
    assert failed.FailedSOPInstanceUIDList == bad


def test_s15_all_that_fail_are_a702(node):
    stored = node.wait(make.a_study(node.app, instances=3))

    def on_store(_event):
        return 0xA700

    with receiver(node, on_store, classes=[CTImageStorage], syntaxes=[ExplicitVRLittleEndian]):
        status, failed = move(node, stored.study_instance_uid)
    assert (status.Status, status.NumberOfFailedSuboperations) == (0xA702, 3)
    assert sorted(failed.FailedSOPInstanceUIDList) == sorted(stored.files)
