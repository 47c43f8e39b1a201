from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from requestor import requestor
from worklist import MPPS, MWL, begun, ended, place, query

CONTEXTS = [(MWL, ExplicitVRLittleEndian), (MPPS, ExplicitVRLittleEndian)]


def answers(association, identifier):
    return [answer for status, answer in association.send_c_find(identifier, MWL) if status.Status == 0xFF00]


def test_s17_a_placed_item_is_found_and_gone_after_mpps_completed(node):
    item = place(node)
    with requestor(node, CONTEXTS) as modality:
        (answer,) = answers(modality, query())
        assert answer.StudyInstanceUID == item.study_instance_uid
        assert answer.StudyInstanceUID.startswith("2.25.")
        assert answer.AccessionNumber == item.accession_number
        uid = generate_uid()
        assert modality.send_n_create(begun(item), MPPS, uid)[0].Status == 0x0000
        assert modality.send_n_set(ended("COMPLETED"), MPPS, uid)[0].Status == 0x0000
        assert answers(modality, query()) == []
