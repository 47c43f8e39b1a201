import pytest
from pydicom.uid import ExplicitVRLittleEndian

from data_sets import CT, data_set
from requestor import requestor

MR = "1.2.840.10008.5.1.4.1.1.4"


@pytest.mark.parametrize(
    ("changes", "status", "element"),
    [
        ({"SOPClassUID": MR}, 0xA900, 0x00080016),
        ({"SOPInstanceUID": "1.2.3.4"}, 0xA900, 0x00080018),
        ({"StudyInstanceUID": None}, 0xC101, 0x0020000D),
        ({"SeriesInstanceUID": ""}, 0xC101, 0x0020000E),
    ],
)
def test_s06_a_data_set_that_contradicts_its_command_is_refused(node, changes, status, element):
    ds = data_set(**changes)
    with requestor(node, [(CT, ExplicitVRLittleEndian)]) as association:
        answer = _store_as(association, ds, "1.2.826.0.1.3680043.8.498.1")

    assert answer.Status == status
    assert answer.OffendingElement == element
    assert node.value("SELECT count(*) FROM instances") == 0
    assert list(node.app.objects.keys()) == []
    assert list(node.app.objects.root.rglob("*.part")) == []


def _store_as(association, ds, sop_instance_uid):
    """Send a data set under a command of CT and this UID (pynetdicom itself takes the command from the data set)."""
    from io import BytesIO

    from pynetdicom.dimse_primitives import C_STORE
    from pynetdicom.dsutils import encode

    request = C_STORE()
    request.MessageID = 1
    request.AffectedSOPClassUID = CT
    differs = ds.get("SOPInstanceUID") == "1.2.3.4"
    request.AffectedSOPInstanceUID = sop_instance_uid if differs else ds.SOPInstanceUID
    request.Priority = 2
    request.DataSet = BytesIO(encode(ds, False, True))
    context = association.accepted_contexts[0]
    association.dimse.send_msg(request, context.context_id)
    _, answer = association.dimse.get_msg(block=True)
    return answer
