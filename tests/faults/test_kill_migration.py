"""Kill -9 of `radi migrate-from` at any moment: started again it ends with everything here, and nothing twice."""

import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom.uid import generate_uid

from command_line import RADI, environment, radi
from make import an_object, as_file
from node import Node, running_node
from orthanc import AE_TITLE, orthanc
from radiology.settings import Settings
from radiology.studies.actions.recover import recover
from storage_peers import register

STUDIES, INSTANCES = 12, 4
KILLS = 3
PIXELS = bytes(256 * 1024)


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    with running_node(settings) as running:
        yield running


@pytest.mark.peer("Query/Retrieve GET (SCU)", "Orthanc")
@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_migration_that_is_killed_goes_on_and_nothing_is_twice(node: Node, tmp_path: Path) -> None:
    rng = random.Random(5)  # noqa: S311 - repeatable moments, not secrets.
    settings = node.app.settings
    with orthanc(node, tmp_path / "orthanc") as peer:
        for study in range(STUDIES):
            shared = {"StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid(), "PatientID": f"K{study}"}
            for _ in range(INSTANCES):
                peer.send(as_file(an_object(**shared, Rows=512, Columns=256, PixelData=PIXELS)))
        register(node, AE_TITLE, peer.dicom_port)
        for _ in range(KILLS):
            kill_in_the_middle(node, rng)
        before = node.value("SELECT count(*) FROM instances")
        assert 0 < before < STUDIES * INSTANCES
        ended = radi(settings, "migrate-from", AE_TITLE)
        assert (ended.code, ended.out) == (0, f"{STUDIES} copied, 0 waiting, 0 differ, 0 failed.\n"), ended.err
        report = radi(settings, "migrate-from", AE_TITLE, "--report").out.splitlines()
        assert sum(",copied,4,0,uids," in line for line in report) == STUDIES
    # What was durable and not in the index when the process died is found by recovery, and is here already.
    node.wait(recover(node.archive, older_than_seconds=0))
    assert node.value("SELECT count(*) FROM instances") == STUDIES * INSTANCES
    assert node.value("SELECT count(*) FROM imaging_studies") == STUDIES
    told = "SELECT count(*) FROM outbox WHERE type = %(type)s"
    assert node.value(told, type="radiology.study.registered.v1") == STUDIES
    stored = "SELECT sum((body ->> 'instances')::int) FROM outbox WHERE type = 'radiology.study.instances-stored.v1'"
    assert node.value(stored) == STUDIES * INSTANCES


def kill_in_the_middle(node: Node, rng: random.Random) -> None:
    """Start the command slowly, let some instances come, and kill it."""
    before = node.value("SELECT count(*) FROM instances")
    process = subprocess.Popen(
        [RADI, "migrate-from", AE_TITLE, "--kib-per-second", "2048"], env=environment(node.app.settings)
    )
    try:
        until = time.monotonic() + 30
        while node.value("SELECT count(*) FROM instances") < before + rng.randint(1, 8):
            assert process.poll() is None
            assert time.monotonic() < until
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
