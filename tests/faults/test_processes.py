"""The service in processes of its own: limits hold over all of them, and a campaign of bad peers costs nothing lasting.

`./radi test` does one round, `make faults` many.
"""

import os
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from bystander import Bystander, wait_for
from radiology.dicom_network.association import EXPLICIT_VR_LITTLE_ENDIAN
from radiology.dicom_network.client import VERIFICATION, AssociationRejectedError, Peer, Requestor, connect
from radiology.dicom_network.pdu import AssociateRJ, AssociateRQ, ProposedContext, encode
from raw_peer import CT, EXPLICIT, RawPeer, data_pdus, store_command
from service import Service

WHOLE = os.environ.get("RADI_TEST_CAMPAIGN") == "whole"
ROUNDS, FLOOD = (30, 600) if WHOLE else (1, 300)
ALL, PER_AE = 12, 7
SETTINGS = {
    "dimse_processes": 2,
    "max_associations": ALL,
    "max_associations_per_ae": PER_AE,
    "artim_seconds": 1,
    "dimse_timeout_seconds": 1,
    "idle_timeout_seconds": 3,
    "log_format": "json",
}
GROWTH_KIB = 64 * 1024


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    running = Service(tmp_path, **SETTINGS)
    running.start()
    yield running
    running.stop()


def associate(service: Service, calling_ae_title: str) -> Requestor | AssociateRJ:
    peer = Peer("127.0.0.1", service.dicom_port, "RADSVC", calling_ae_title)
    try:
        return connect(peer, [(VERIFICATION, [EXPLICIT_VR_LITTLE_ENDIAN])])
    except AssociationRejectedError as rejected:
        return rejected.rejection


def dimse_processes(service: Service) -> list[int]:
    return [pid for pid in service.processes() if "dimse" in Path(f"/proc/{pid}/comm").read_text()]


def connections_to(port: int) -> int:
    """Connections to a port of ours that we have not closed (states 01 and 08 of the kernel's table)."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(f":{port:04X}") and row[3] in {"01", "08"} for row in rows)


def status_of(pid: int, key: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_limits_hold_over_all_processes_and_a_campaign_leaves_nothing(service: Service) -> None:
    pids = dimse_processes(service)
    assert len(pids) == 2
    limits_hold(service)
    wait_for(lambda: used(service) == 0)
    before = {pid: (status_of(pid, "VmRSS"), status_of(pid, "Threads")) for pid in pids}
    bystander = Bystander(service.dicom_port)
    bystander.start()
    rng = random.Random(20)  # noqa: S311 - repeatable garbage, not secrets.
    for _ in range(ROUNDS):
        campaign(service, rng)
        bystander.check()
    bystander.end()
    wait_for(lambda: used(service) == 0)
    wait_for(lambda: connections_to(service.dicom_port) == 0)
    for pid, (resident_kib, threads) in before.items():
        wait_for(lambda pid=pid, most=threads: status_of(pid, "Threads") <= most + 2)
        assert status_of(pid, "VmHWM") - resident_kib < GROWTH_KIB
    told(service)


def limits_hold(service: Service) -> None:
    """So many of one title, and so many in all; a place that is given back is free for whichever process is asked."""
    with ExitStack() as opened:
        mine = [associate(service, "CT1") for _ in range(PER_AE + 3)]
        others = [associate(service, f"MR{number}") for number in range(ALL - PER_AE + 2)]
        taken = [one for one in mine + others if isinstance(one, Requestor)]
        for one in taken:
            opened.enter_context(one)
        assert mine[PER_AE:] == [AssociateRJ(2, 3, 2)] * 3
        assert others[ALL - PER_AE :] == [AssociateRJ(2, 3, 2)] * 2
        assert len(taken) == ALL


def used(service: Service) -> int:
    """How many associations are open, as the service counts them."""
    for line in service.get("/metrics", "text/plain").decode().splitlines():
        if line.startswith("radiology_associations_open"):
            return int(float(line.split()[-1]))
    raise AssertionError("the gauge is missing")


def campaign(service: Service, rng: random.Random) -> None:
    """Connections that say nothing, garbage, stalled messages, and bytes that drip, all at once."""
    address = ("127.0.0.1", service.dicom_port)
    asking = encode(AssociateRQ("RADSVC", "BAD", (ProposedContext(1, CT, (EXPLICIT,)),)))
    silent = [RawPeer(address) for _ in range(FLOOD)]
    for _ in range(20):
        silent.append(RawPeer(address))
        with suppress(OSError):
            silent[-1].send(rng.randbytes(rng.randrange(1, 2000)))
    stalled = []
    for cut in range(1, 5):
        stalled.append(RawPeer(address))
        with suppress(OSError):
            stalled[-1].send(asking)
            stalled[-1].receive()
            stalled[-1].send((store_command() + data_pdus(bytes(1000)))[: -cut * 50])
    dripping = RawPeer(address)
    until = time.monotonic() + 10
    with suppress(OSError):
        dripping.send(asking)
        dripping.receive()
        dripping.send(store_command())
        while time.monotonic() < until:
            dripping.send(b"\4\0\0\0\0\7\0\0\0\3\1\0x")
            time.sleep(0.2)
    assert time.monotonic() < until, "the drip was not broken off"
    for peer in [*silent, *stalled, dripping]:
        peer.sock.close()


def told(service: Service) -> None:
    """What happened stands in the metrics and in the log."""
    metrics = service.get("/metrics", "text/plain").decode()
    assert 'radiology_associations_total{outcome="timed out"}' in metrics
    assert 'radiology_associations_refused_total{reason="too_many_associations"}' in metrics
    assert 'radiology_associations_refused_total{reason="pushed out"}' in metrics
    log = service.log_path.read_text()
    assert '"event":"association.refused"' in log
    assert '"reason":"pushed out"' in log
    assert "Traceback" not in log
