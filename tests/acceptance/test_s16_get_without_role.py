from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MRImageStorage
from pynetdicom import build_role, evt
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelGet

import make
from requestor import requestor

GET = StudyRootQueryRetrieveInformationModelGet


def test_s16_without_role_selection_for_mr_those_count_failed_and_others_are_delivered(node):
    stored = node.wait(make.a_study(node.app, instances=2))
    shared = {"StudyInstanceUID": stored.study_instance_uid, "PatientID": stored.objects[0].PatientID}
    mr = [make.an_object(SOPClassUID=MRImageStorage, Modality="MR", InstanceNumber=n, **shared) for n in (1, 2, 3)]
    node.wait(make.store(node.app, *mr))
    received = []

    def on_store(event):
        received.append(event.request.AffectedSOPInstanceUID)
        return 0x0000

    ds = Dataset()
    ds.QueryRetrieveLevel, ds.StudyInstanceUID = "STUDY", stored.study_instance_uid
    contexts = [(uid, ExplicitVRLittleEndian) for uid in (GET, CTImageStorage, MRImageStorage)]
    role = build_role(CTImageStorage, scp_role=True)
    with requestor(node, contexts, ext_neg=[role], evt_handlers=[(evt.EVT_C_STORE, on_store)]) as association:
        *_, (status, failed) = association.send_c_get(ds, GET)
    assert status.Status == 0xB000
    assert (status.NumberOfCompletedSuboperations, status.NumberOfFailedSuboperations) == (2, 3)
    assert sorted(received) == sorted(stored.files)
    assert sorted(failed.FailedSOPInstanceUIDList) == sorted(image.SOPInstanceUID for image in mr)
