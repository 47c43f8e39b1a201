"""C-CANCEL of a Modality Worklist query (PS3.4 K.4.1.3), by pynetdicom and by DCMTK's findscu."""

import io
import subprocess
from collections.abc import Iterator

import pytest
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom.dimse_primitives import C_FIND
from pynetdicom.dsutils import encode

from node import Node, running_node
from radiology.settings import Settings
from radiology.standards.dicom.uids import VERIFICATION
from requestor import requestor
from worklist import MWL, place, query

ITEMS = 30


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    with running_node(settings) as running:
        for number in range(ITEMS):
            place(running, accessionNumber=f"ACC{number}")
        yield running


@pytest.mark.peer("Modality Worklist (SCP)", "pynetdicom")
def test_nothing_more_comes_after_a_cancel(node: Node) -> None:
    """The cancel follows the query at once, so that all matches that come were under way or come too much."""
    contexts = [(MWL, ExplicitVRLittleEndian), (VERIFICATION, ExplicitVRLittleEndian)]
    with requestor(node, contexts) as association:
        context = next(each for each in association.accepted_contexts if each.abstract_syntax == MWL)
        asked = C_FIND()
        asked.MessageID, asked.AffectedSOPClassUID, asked.Priority = 7, MWL, 0
        asked.Identifier = io.BytesIO(encode(query(), False, True))
        association.dimse.send_msg(asked, context.context_id)
        association.send_c_cancel(7, context.context_id)
        statuses: list[int] = []
        while not statuses or statuses[-1] in (0xFF00, 0xFF01):
            _, answer = association.dimse.get_msg(block=True)
            statuses.append(answer.Status)
        assert statuses[-1] == 0xFE00
        assert len(statuses) < ITEMS
        assert association.send_c_echo().Status == 0
        whole = [status.Status for status, _ in association.send_c_find(query(), MWL)]
    assert whole == [0xFF00] * ITEMS + [0x0000]


@pytest.mark.peer("Modality Worklist (SCP)", "DCMTK findscu")
def test_findscu_cancels_and_ends_in_order(node: Node) -> None:
    """Whether its cancel comes before the last match is a race; either end is in order."""
    argv = [
        "findscu",
        "-v",
        "-W",
        "--cancel",
        "1",
        "-aet",
        "MODALITY1",
        "-aec",
        "RADSVC",
        "-k",
        "0008,0050",
        "127.0.0.1",
    ]
    done = subprocess.run([*argv, str(node.port)], capture_output=True, text=True, timeout=30, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "Sending Cancel Request" in said
    assert "MatchingTerminatedDueToCancelRequest" in said.replace(" ", "") or "Success" in said
