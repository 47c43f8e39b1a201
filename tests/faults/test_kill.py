"""Kill -9 of every process at a random moment while four senders store: nothing acknowledged is lost, nothing is twice.

`./radi test` does a few rounds, `make faults` twenty.
"""

import json
import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pynetdicom.dsutils import encode

from data_sets import CT, data_set
from radiology.dicom_network.client import AssociationEndedError, Peer, connect
from service import Service

ROUNDS = 20 if os.environ.get("RADI_TEST_CAMPAIGN") == "whole" else 2
SENDERS = 4
PIXELS = bytes(20_000)


class Sender(threading.Thread):
    """Stores new objects of one study until the other end is gone; remembers what was acknowledged."""

    def __init__(self, port: int, study_instance_uid: str) -> None:
        super().__init__()
        self.acknowledged: dict[str, bytes] = {}
        self._port = port
        self._study = study_instance_uid
        self._series = generate_uid()

    def run(self) -> None:
        peer = Peer("127.0.0.1", self._port, "RADSVC", "SENDER")
        with (
            suppress(AssociationEndedError, OSError, EOFError),
            connect(peer, [(CT, [ExplicitVRLittleEndian])]) as association,
        ):
            for number in range(100_000):
                ds = data_set(
                    StudyInstanceUID=self._study,
                    SeriesInstanceUID=self._series,
                    InstanceNumber=number,
                    Rows=100,
                    Columns=100,
                    PixelData=PIXELS,
                )
                data = encode(ds, False, True)
                if association.store(CT, ds.SOPInstanceUID, data).status == 0:
                    self.acknowledged[ds.SOPInstanceUID] = data


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    running = Service(tmp_path)
    yield running
    running.stop()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_s08_nothing_acknowledged_is_lost_and_nothing_is_twice(service: Service) -> None:
    rng = random.Random(8)  # noqa: S311 - repeatable moments, not secrets.
    service.start()
    for round_number in range(ROUNDS):
        study = generate_uid()
        senders = [Sender(service.dicom_port, study) for _ in range(SENDERS)]
        for sender in senders:
            sender.start()
        time.sleep(rng.uniform(0.2, 1.5))
        service.kill(rng)
        for sender in senders:
            sender.join(30)
        service.start()

        acknowledged = {uid: data for sender in senders for uid, data in sender.acknowledged.items()}
        assert acknowledged, "the senders stored nothing before the kill"
        _check(service, study, acknowledged, round_number)


def _check(service: Service, study: str, acknowledged: dict[str, bytes], round_number: int) -> None:
    found: list[str] = []
    while page := json.loads(
        service.get(f"/dicomweb/studies/{study}/instances?limit=1000&offset={len(found)}", "application/dicom+json")
    ):
        found += [item["00080018"]["Value"][0] for item in page]
    assert len(found) == len(set(found)), f"round {round_number}: something is there twice"
    missing = acknowledged.keys() - set(found)
    assert not missing, f"round {round_number}: {len(missing)} of {len(acknowledged)} acknowledged instances are lost"
    series = {}
    for item in json.loads(service.get(f"/dicomweb/studies/{study}/series", "application/dicom+json")):
        series[item["0020000E"]["Value"][0]] = item["00201209"]["Value"][0]
    assert sum(series.values()) == len(found)
    for uid, data in acknowledged.items():
        path = f"/dicomweb/studies/{study}/series/{_series_of(data)}/instances/{uid}"
        body = service.get(path, 'multipart/related; type="application/dicom"; transfer-syntax=*')
        assert data in body, f"round {round_number}: {uid} came back changed"


def _series_of(data: bytes) -> str:
    return dcmread(BytesIO(data), force=True, specific_tags=["SeriesInstanceUID"]).SeriesInstanceUID
