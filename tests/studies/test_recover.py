"""Recovery: what a crash left without rows is indexed, and nothing else is touched."""

from collections.abc import Iterator

import pytest

from data_sets import data_set, part10
from node import Node, running_node
from radiology.settings import Settings
from radiology.studies.actions.recover import recover
from radiology.studies.actions.settle import settle_studies
from radiology.studies.receive import Source


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    with running_node(settings) as running:
        yield running


def receive(node: Node, file: bytes):
    with node.archive.receive_file(Source("LOCAL")) as reception:
        reception.write(file)
        return reception.finish()


def test_objects_without_rows_are_indexed_once(node):
    files = {}
    for _ in range(5):
        ds = data_set()
        files[ds.SOPInstanceUID] = part10(ds)
        receive(node, files[ds.SOPInstanceUID])

    assert node.wait(recover(node.archive, older_than_seconds=0)) == 5
    assert node.value("SELECT count(*) FROM instances") == 5
    assert all(node.stored_bytes(uid) == file for uid, file in files.items())
    assert node.wait(recover(node.archive, older_than_seconds=0)) == 0


def test_what_another_process_is_about_to_index_is_left_alone(node):
    receive(node, part10(data_set()))
    assert node.wait(recover(node.archive, older_than_seconds=300)) == 0


def test_an_object_that_two_index_at_once_is_there_once(node):
    arrival = receive(node, part10(data_set()))
    assert node.wait(recover(node.archive, older_than_seconds=0)) == 1
    again = node.archive.arrivals.submit(arrival)
    node.archive.arrivals.flush()
    assert again.result(10).duplicate
    assert node.app.objects.path(arrival.object_key).exists()


def test_held_objects_are_not_indexed(node):
    ds = data_set()
    node.archive.arrivals.submit(receive(node, part10(ds)))
    ds.PixelData = bytes(128)
    node.archive.arrivals.submit(receive(node, part10(ds)))
    node.archive.arrivals.flush()
    node.archive.arrivals.submit(receive(node, part10(data_set()))).result(10)
    assert node.wait(recover(node.archive, older_than_seconds=0)) == 0
    assert node.value("SELECT count(*) FROM quarantine") == 1


def test_parts_of_a_crash_are_neither_indexed_nor_kept(node):
    reception = node.archive.receive_file(Source("LOCAL"))
    reception.write(part10(data_set())[:500])
    assert node.wait(recover(node.archive, older_than_seconds=0)) == 0
    assert node.app.objects.discard_parts(older_than_seconds=-1) == 1
    reception.discard()


def test_a_quiet_study_becomes_complete_and_is_told_once(node):
    node.archive.arrivals.submit(receive(node, part10(data_set())))
    node.archive.arrivals.flush()
    node.archive.arrivals.submit(receive(node, part10(data_set()))).result(10)
    assert node.wait(settle_studies(node.app)) == 0
    node.value("UPDATE imaging_studies SET last_instance_at = now() - interval '301 seconds' RETURNING 1")
    assert node.wait(settle_studies(node.app)) == 2
    assert node.wait(settle_studies(node.app)) == 0
    assert node.value("SELECT count(*) FROM outbox WHERE type = 'radiology.study.received.v1'") == 2
    assert node.value("SELECT count(*) FROM imaging_studies WHERE status = 'completed' AND completed IS NOT NULL") == 2
