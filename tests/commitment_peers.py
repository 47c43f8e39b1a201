"""A peer that asks for storage commitment and takes results, on its own association and on ours: pynetdicom."""

import queue
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, generate_uid
from pynetdicom import AE, evt
from pynetdicom.sop_class import StorageCommitmentPushModel, StorageCommitmentPushModelInstance

from node import KNOWN, Node
from radiology.application_entities.model import ApplicationEntity
from storage_peers import register


@dataclass
class Result:
    """What an N-EVENT-REPORT said."""

    event_type: int
    transaction_uid: str
    committed: list[str]
    failed: dict[str, int]


@dataclass
class Results:
    """The results that came, in order, and the status that each is answered with."""

    status: int = 0x0000
    _came: queue.Queue[Result] = field(default_factory=queue.Queue)

    def take(self, event: evt.Event) -> tuple[int, None]:
        """The handler of pynetdicom."""
        said = event.event_information
        committed = [item.ReferencedSOPInstanceUID for item in said.get("ReferencedSOPSequence", [])]
        failed = {item.ReferencedSOPInstanceUID: item.FailureReason for item in said.get("FailedSOPSequence", [])}
        self._came.put(Result(event.request.EventTypeID, said.TransactionUID, committed, failed))
        return self.status, None

    def next(self, limit_seconds: float = 15) -> Result:
        return self._came.get(timeout=limit_seconds)

    @property
    def is_empty(self) -> bool:
        return self._came.empty()


def a_request(*uids: str, sop_class: str = CTImageStorage, transaction_uid: str | None = None) -> Dataset:
    """The action information of a request."""
    ds = Dataset()
    ds.TransactionUID = transaction_uid or generate_uid()
    ds.ReferencedSOPSequence = []
    for uid in uids:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = UID(sop_class), uid
        ds.ReferencedSOPSequence.append(item)
    return ds


@contextmanager
def asked(
    node: Node, requests: Sequence[Dataset], results: Results, *, action_type: int = 1, expected: int = 0x0000
) -> Iterator[Any]:
    """MODALITY1 has asked for commitment, and its association stays open until the block ends."""
    ae = AE(ae_title=KNOWN)
    ae.add_requested_context(StorageCommitmentPushModel, ExplicitVRLittleEndian)
    association = ae.associate(
        "127.0.0.1", node.port, ae_title="RADSVC", evt_handlers=[(evt.EVT_N_EVENT_REPORT, results.take)]
    )
    assert association.is_established
    # The reactor of pynetdicom must not take the response for a request of ours; see requestor.py.
    checkpoint = association._reactor_checkpoint
    checkpoint.clear()
    resume, checkpoint.set = checkpoint.set, lambda: None
    while not association._is_paused:
        time.sleep(0.001)
    time.sleep(0.01)
    for request in requests:
        status, _ = association.send_n_action(
            request, action_type, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
        )
        assert status.Status == expected
    checkpoint.set = resume
    checkpoint.set()
    try:
        yield association
    finally:
        association.release()


@contextmanager
def listening(node: Node, results: Results, **fields: Any) -> Iterator[ApplicationEntity]:
    """MODALITY1 takes associations on which we are the SCP."""
    ae = AE(ae_title=KNOWN)
    ae.add_supported_context(StorageCommitmentPushModel, scu_role=False, scp_role=True)
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, results.take)])
    try:
        yield register(node, KNOWN, server.socket.getsockname()[1], move_destination=False, **fields)
    finally:
        server.shutdown()
