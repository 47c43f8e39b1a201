"""An association that pynetdicom opens, as the independent other end."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pynetdicom import AE
from pynetdicom.association import Association

from node import Node


@contextmanager
def requestor(
    node: Node,
    contexts: Sequence[tuple[str, str]],
    *,
    ae_title: str = "MODALITY1",
    ext_neg: Sequence[Any] = (),
    evt_handlers: Sequence[Any] = (),
) -> Iterator[Association]:
    """MODALITY1, or another, calls the node, proposing (abstract syntax, transfer syntax) pairs.

    pynetdicom's reactor thread takes answers that come within a millisecond of the request for requests of their own,
    and the sender waits in vain; ours come that fast. So the reactor is parked while the block runs.
    """
    ae = AE(ae_title=ae_title)
    for abstract_syntax, transfer_syntax in contexts:
        ae.add_requested_context(abstract_syntax, transfer_syntax)
    association = ae.associate(
        "127.0.0.1", node.port, ae_title="RADSVC", ext_neg=list(ext_neg), evt_handlers=list(evt_handlers)
    )
    assert association.is_established
    checkpoint = association._reactor_checkpoint
    checkpoint.clear()
    resume, checkpoint.set = checkpoint.set, lambda: None
    while not association._is_paused:
        time.sleep(0.001)
    time.sleep(0.01)
    try:
        yield association
    finally:
        checkpoint.set = resume
        checkpoint.set()
        association.release()
