"""The service is killed while orders come in by HL7: what was acknowledged is there, and nothing is there twice."""

import json
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

import hl7_peer as peers
from node import free_port
from service import Service
from waiting import until

ORDERS = 12


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    started = Service(tmp_path, hl7_port=free_port(), http_processes=1, dimse_processes=1)
    yield started
    started.stop()


def _register(service: Service) -> None:
    body = json.dumps({"sendingApplication": "HIS", "sendingFacility": "DMCH", "facilityCode": "DMCH"}).encode()
    request = Request(
        f"http://127.0.0.1:{service.http_port}/api/radiology/hl7/senders/HIS",
        body,
        {"Authorization": f"Bearer {service.token}", "Content-Type": "application/json"},
        method="PUT",
    )
    with urlopen(request, timeout=30) as answer:  # noqa: S310
        assert answer.status == 200


def _port(service: Service) -> int:
    return int(service._environment["RADI_HL7_PORT"])  # pyright: ignore[reportPrivateUsage]


def _send(service: Service, messages: list[bytes], answers: dict[int, bytes]) -> None:
    """Send one after the other until the service is gone."""
    with suppress(OSError, KeyError), peers.Client(_port(service)) as client:
        for number, message in enumerate(messages):
            if number not in answers:
                said = client.ask(message)
                assert said.code == "AA", said.sentence
                answers[number] = said.raw


@pytest.mark.parametrize("seed", [1])
def test_what_was_acknowledged_is_done_once(service: Service, seed: int):
    messages = [peers.order(f"P{number}", id=f"K{number}", patient=peers.pid(str(number))) for number in range(ORDERS)]
    answers: dict[int, bytes] = {}
    service.start()
    _register(service)
    rng = random.Random(seed)  # noqa: S311
    kill_after = rng.randrange(2, ORDERS - 2)
    sending = threading.Thread(target=_send, args=(service, messages, answers))
    sending.start()
    until(lambda: len(answers) >= kill_after, 30)
    service.kill(rng)
    sending.join(30)
    before = dict(answers)
    service.start()
    answers.clear()
    _send(service, messages, answers)
    assert len(answers) == ORDERS
    assert all(answers[number] == raw for number, raw in before.items())
    found = json.loads(service.get(f"/api/radiology/orders?limit={ORDERS * 2}", "application/json"))["results"]
    assert sorted(order["placerNumber"] for order in found) == sorted(f"P{number}" for number in range(ORDERS))


def test_the_door_stands_alone(service: Service):
    service.start()
    _register(service)
    port = free_port()
    environment = {**service._environment, "RADI_HL7_PORT": str(port)}  # pyright: ignore[reportPrivateUsage]
    command = [sys.executable, "-m", "radiology.cli", "serve", "hl7"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: _answers(port), 90)
            with peers.Client(port) as client:
                assert client.ask(peers.order("P1")).code == "AA"
        finally:
            process.terminate()
        assert process.wait(30) == 0
    health = json.loads(service.get("/health", "application/json"))
    assert health["hl7_engine"]["status"] == "up"


def _answers(port: int) -> bool:
    with suppress(OSError), peers.Client(port):
        return True
    return False
