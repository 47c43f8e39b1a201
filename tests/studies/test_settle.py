"""A study is told of once when it becomes stable: by whichever comes first, whoever dies in the middle."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from data_sets import data_set, part10
from node import Node, running_node
from radiology.access.model import SYSTEM
from radiology.application_entities.model import ApplicationEntity
from radiology.kit.clock import SetClock
from radiology.settings import Settings
from radiology.studies.actions.settle import settle_studies
from radiology.studies.actions.status import change_status
from radiology.studies.model import Status, StatusChange
from radiology.studies.receive import Source
from requestor import requestor
from worklist import MPPS, begun, ended, place

SETTLE_AND_WAIT = """
import asyncio, sys, time
from datetime import UTC, datetime, timedelta
from radiology import events
from radiology.kit.db import Database
from radiology.studies.actions.settle import _events
from radiology.studies.queries import upkeep

async def main():
    db = Database(sys.argv[1])
    await db.open()
    async with db.transaction() as tx:
        settled = await upkeep.settle(
            tx, now=datetime.now(UTC) + timedelta(hours=1), radiography_seconds=120, fluoroscopy_seconds=600,
            cross_section_seconds=300, radiography=["DX"], fluoroscopy=["XA"],
        )
        for study in settled:
            await events.emit(tx, *_events(study))
        print(len(settled), flush=True)
        time.sleep(600)

asyncio.run(main())
"""


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    with running_node(settings) as running:
        yield running


def store(node: Node, ds: Any, *, source: str = "") -> None:
    with node.archive.receive_file(Source("LOCAL", ae_title=source)) as reception:
        reception.write(part10(ds))
        stored = node.archive.arrivals.submit(reception.finish())
    node.archive.arrivals.flush()
    stored.result(10)


def later(node: Node, minutes: float = 60) -> Any:
    return replace(node.app, clock=SetClock(node.app.clock.now() + timedelta(minutes=minutes)))


def told(node: Node) -> int:
    return node.value("SELECT count(*) FROM outbox WHERE type = 'radiology.study.received.v1'")


def test_killed_in_the_middle_it_is_settled_once_after_the_restart(node: Node) -> None:
    store(node, data_set())
    process = subprocess.Popen(
        [sys.executable, "-c", SETTLE_AND_WAIT, node.app.settings.database_dsn], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "1\n"
    assert node.wait(settle_studies(later(node))) == 0  # The other one holds it.
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    process.stdout.close()
    assert told(node) == 0
    while not (settled := node.wait(settle_studies(later(node)))):
        assert node.value("SELECT status FROM imaging_studies") == "in-progress"
    assert settled == 1
    assert node.wait(settle_studies(later(node))) == 0
    assert told(node) == 1


def test_several_workers_tell_of_it_once(node: Node) -> None:
    for _ in range(5):
        store(node, data_set())

    async def together() -> list[int]:
        return await asyncio.gather(*(settle_studies(later(node)) for _ in range(4)))

    assert sum(node.wait(together())) == 5
    assert told(node) == 5


def test_it_is_told_of_again_when_more_has_come(node: Node) -> None:
    ds = data_set()
    store(node, ds)
    node.wait(settle_studies(later(node)))
    store(node, data_set(StudyInstanceUID=ds.StudyInstanceUID))
    assert node.wait(settle_studies(later(node, minutes=1))) == 0
    assert node.wait(settle_studies(later(node))) == 1
    assert told(node) == 2


def test_quiet_completes_no_study_of_a_machine_that_is_not_auto_complete(node: Node) -> None:
    node.register(ApplicationEntity("PAUSES", auto_complete=False))
    held, other = data_set(), data_set()
    store(node, held, source="PAUSES")
    store(node, data_set(StudyInstanceUID=held.StudyInstanceUID), source="MODALITY1")
    store(node, other, source="MODALITY1")
    assert node.wait(settle_studies(later(node))) == 1
    assert status_of(node, other) == "completed"
    assert status_of(node, held) == "in-progress"

    change = StatusChange(Status.COMPLETED)
    node.wait(change_status(node.app, SYSTEM, held.StudyInstanceUID, change, []))
    assert status_of(node, held) == "completed"
    store(node, data_set(StudyInstanceUID=held.StudyInstanceUID), source="PAUSES")
    assert status_of(node, held) == "in-progress"
    assert node.wait(settle_studies(later(node))) == 1, "it was said that all is there: late images settle"


def test_mpps_completes_a_study_of_a_machine_that_is_not_auto_complete(node: Node) -> None:
    node.register(
        ApplicationEntity("PAUSES", services=["echo", "store", "mpps"], facility_code="LOCAL", auto_complete=False)
    )
    item, uid = place(node), generate_uid()
    ds = data_set(StudyInstanceUID=item.study_instance_uid)
    with requestor(node, [(MPPS, ExplicitVRLittleEndian)], ae_title="PAUSES") as modality:
        assert modality.send_n_create(begun(item), MPPS, uid)[0].Status == 0x0000
        store(node, ds, source="PAUSES")
        assert node.wait(settle_studies(later(node))) == 0
        assert modality.send_n_set(ended("COMPLETED", images=[ds]), MPPS, uid)[0].Status == 0x0000
    assert status_of(node, ds) == "completed"


def status_of(node: Node, ds: Any) -> str:
    return node.value(
        "SELECT status FROM imaging_studies WHERE study_instance_uid = %(uid)s", uid=str(ds.StudyInstanceUID)
    )
