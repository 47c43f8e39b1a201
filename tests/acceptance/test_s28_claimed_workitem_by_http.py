"""Scenario 28 by HTTP: nobody but its performer changes the state of a claimed workitem."""

import orjson
import pytest
from pydicom.uid import generate_uid

from conftest import ClientAs
from procedure_steps import task

pytestmark = pytest.mark.anyio
TYPE = {"Content-Type": "application/dicom+json"}


async def test_s28_another_transaction_uid_is_409_with_a_warning(client_as: ClientAs) -> None:
    performer, another = await client_as("radiologist"), await client_as("radiographer")
    body = orjson.dumps(task().to_json_dict())
    url = (await performer.post("/dicomweb/workitems", content=body, headers=TYPE)).headers["location"]

    def change(state: str, lock: str) -> bytes:
        return orjson.dumps({"00741000": {"vr": "CS", "Value": [state]}, "00081195": {"vr": "UI", "Value": [lock]}})

    lock = generate_uid()
    assert (await performer.put(url + "/state", content=change("IN PROGRESS", lock), headers=TYPE)).status_code == 200
    for state in ("IN PROGRESS", "COMPLETED", "CANCELED"):
        refused = await another.put(url + "/state", content=change(state, generate_uid()), headers=TYPE)
        assert refused.status_code == 409
        assert refused.headers["warning"] == '299 radiology: "The Transaction UID is incorrect."'
    assert (await performer.get(url)).json()[0]["00741000"]["Value"] == ["IN PROGRESS"]
