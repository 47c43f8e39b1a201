"""14. Given a C-CANCEL during 1,000 matches, then at most one further match, then FE00."""

from pydicom.uid import generate_uid

import make
from node import Node
from query import STUDY_ROOT
from radiology.dicom_network.client import Peer, connect
from radiology.dicom_network.message import CommandField, Element
from radiology.standards.dicom.data_set import encode
from radiology.standards.dicom.uids import EXPLICIT_VR_LITTLE_ENDIAN

MATCHES = 1_000


def test_s14_nothing_more_comes_after_a_cancel(node: Node) -> None:
    node.wait(make.store(node.app, *(make.an_object(StudyInstanceUID=generate_uid()) for _ in range(MATCHES))))
    everything = {"00080052": {"vr": "CS", "Value": ["STUDY"]}, "0020000D": {"vr": "UI"}}
    asked = encode(everything, EXPLICIT_VR_LITTLE_ENDIAN)
    contexts = [(STUDY_ROOT, [EXPLICIT_VR_LITTLE_ENDIAN])]
    with connect(Peer("127.0.0.1", node.port, "RADSVC", "MODALITY1"), contexts) as association:
        context = association.context_for(STUDY_ROOT)
        assert context is not None
        elements = {Element.AFFECTED_SOP_CLASS_UID: STUDY_ROOT, Element.PRIORITY: 0}
        request = association.new_request(CommandField.C_FIND_RQ, elements, with_data_set=True)
        association.send_message(context.context_id, request, asked)
        # The cancel is there before the first match is read, so that all that comes was under way or comes too much.
        cancel = association.new_request(CommandField.C_CANCEL_RQ, {}, with_data_set=False)
        cancel.elements[Element.MESSAGE_ID_BEING_RESPONDED_TO] = request.message_id  # type: ignore[index]
        association.send_message(context.context_id, cancel)
        statuses = []
        while not statuses or statuses[-1] == 0xFF00:
            statuses.append(association.response_to(request.message_id).command.status)
    assert statuses[-1] == 0xFE00
    assert len(statuses) < MATCHES
    node.wait(_alive(node))


async def _alive(node: Node) -> None:
    async with node.app.db.transaction() as tx:
        assert await tx.value("SELECT count(*) FROM imaging_studies") == MATCHES
