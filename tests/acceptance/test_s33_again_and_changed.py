"""33. Given the same object again, then 0000 and nothing new; with changed pixels the second copy is held.

By STOW-RS the failure reason is C104; the first stays served.
"""

from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from data_sets import CT, data_set, part10
from multipart import RELATED, related
from node import Node
from requestor import requestor

pytestmark = pytest.mark.anyio


def send(node: Node, ds: Dataset) -> None:
    with requestor(node, [(CT, ExplicitVRLittleEndian)]) as modality:
        assert modality.send_c_store(ds).Status == 0x0000


async def test_s33_the_same_adds_nothing_and_other_pixels_are_held(node: Node, client_as: Any) -> None:
    ds = data_set()
    send(node, ds)
    told, stored = node.value("SELECT count(*) FROM outbox"), node.stored_bytes(ds.SOPInstanceUID)
    send(node, ds)
    assert node.value("SELECT count(*) FROM outbox") == told
    assert node.value("SELECT count(*) FROM instances") == 1
    ds.PixelData = bytes(128)
    send(node, ds)
    assert node.value("SELECT array_agg(reason) FROM quarantine") == ["conflicting_duplicate"]
    assert node.stored_bytes(ds.SOPInstanceUID) == stored
    client = await client_as("qa")
    ds.PixelData = bytes(127) + b"1"
    answer = await client.post("/dicomweb/studies", content=related(part10(ds)), headers={"content-type": RELATED})
    assert answer.status_code == 409
    assert answer.json()["00081198"]["Value"][0]["00081197"]["Value"] == [0xC104]
