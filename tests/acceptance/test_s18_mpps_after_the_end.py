from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from requestor import requestor
from worklist import MPPS, begun, ended, place


def test_s18_a_step_that_has_ended_may_no_longer_be_updated(node):
    item = place(node)
    uid = generate_uid()
    with requestor(node, [(MPPS, ExplicitVRLittleEndian)]) as modality:
        assert modality.send_n_create(begun(item), MPPS, uid)[0].Status == 0x0000
        assert modality.send_n_create(begun(item), MPPS, uid)[0].Status == 0x0111
        assert modality.send_n_set(ended("COMPLETED"), MPPS, uid)[0].Status == 0x0000
        refused = modality.send_n_set(ended("COMPLETED"), MPPS, uid)[0]
        assert refused.Status == 0x0110
        assert refused.ErrorID == 0xA710
        assert "may no longer be updated" in refused.ErrorComment
