"""Kill -9 of a worker in the middle of a move and of a forward: all arrives, and at most what was in the air twice."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import evt

import make
from make import Stored
from node import Node, running_node
from radiology.access.model import SYSTEM
from radiology.delivery.moves.actions import start_move
from radiology.settings import Settings
from radiology.studies.queries.retrieve import Target
from routing_rules import add_rule
from storage_peers import receiver
from waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

INSTANCES, IN_THE_AIR = 8, 5
#: Its jobs are taken over when its heartbeat is old; a test does not wait for that.
WORKER_IS_DEAD = "UPDATE jobs.procrastinate_workers SET last_heartbeat = now() - interval '1 hour' RETURNING 1"


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    with running_node(settings) as running:
        yield running


@contextmanager
def worker_process(node: Node, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`radi serve worker` over the database and the folder of the node, until the block ends."""
    settings = node.app.settings
    environment = {
        **os.environ,
        "RADI_DATABASE_URL": settings.database_dsn,
        "RADI_DATA_DIR": str(settings.data_dir),
        "RADI_DISK_RESERVE_BYTES": "0",
    }
    with log.open("ab") as out:
        command = [sys.executable, "-m", "radiology.cli", "serve", "worker"]
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def a_move(node: Node, study: Stored) -> None:
    node.wait(start_move(node.app, SYSTEM, Target(study.study_instance_uid), "RECEIVER", "medium"))


def a_forward(node: Node, study: Stored) -> None:
    add_rule(node, "RECEIVER")


@pytest.mark.parametrize(
    ("begin", "is_over"),
    [
        (a_move, "SELECT status = 'completed' FROM moves"),
        (a_forward, "SELECT state = 'sent' FROM deliveries"),
    ],
)
def test_a_killed_worker_loses_nothing_and_repeats_at_most_what_was_in_the_air(
    node: Node, tmp_path: Path, begin: Callable[[Node, Stored], None], is_over: str
) -> None:
    came: list[str] = []
    in_the_air, killed = threading.Event(), threading.Event()

    def on_store(event: evt.Event) -> int:
        came.append(event.request.AffectedSOPInstanceUID)
        if len(came) == IN_THE_AIR:
            in_the_air.set()
            killed.wait(30)
        return 0x0000

    study, log = node.wait(make.a_study(node.app, instances=INSTANCES)), tmp_path / "worker.log"
    with receiver(node, on_store, classes=[CTImageStorage], syntaxes=[ExplicitVRLittleEndian]):
        begin(node, study)
        with worker_process(node, log) as first:
            assert in_the_air.wait(30), log.read_text()
            first.send_signal(signal.SIGKILL)
            first.wait(10)
        killed.set()
        node.value(WORKER_IS_DEAD)
        with worker_process(node, log):
            until(lambda: bool(node.value(is_over)), 60)
    times = Counter(came)
    assert set(times) == set(study.files)
    assert {uid: count for uid, count in times.items() if count > 1} in ({}, {came[IN_THE_AIR - 1]: 2})
