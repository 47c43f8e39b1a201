"""The same object with another header: taken where only the header differs, held where anything else does."""

from collections.abc import Iterator
from typing import Any

import pytest

from data_sets import data_set, part10
from node import Node, running_node
from radiology.settings import Settings
from radiology.studies.actions.recover import recover
from radiology.studies.index import Stored
from radiology.studies.receive import Source


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    with running_node(settings) as running:
        yield running


def store(node: Node, ds: Any, *, ae_title: str = "CT1") -> Stored:
    with node.archive.receive_file(Source("LOCAL", ae_title)) as reception:
        reception.write(part10(ds))
        future = node.archive.arrivals.submit(reception.finish())
    node.archive.arrivals.flush()
    return future.result(10)


def test_a_corrected_header_is_served_and_the_first_is_kept(node: Node) -> None:
    ds = data_set()
    first = part10(ds)
    store(node, ds)
    version = node.value("SELECT version FROM imaging_studies")
    ds.BodyPartExamined = "HEAD"
    stored = store(node, ds)
    assert (stored.quarantined, stored.duplicate) == (None, False)
    assert node.stored_bytes(ds.SOPInstanceUID) == part10(ds)
    assert node.app.objects.read(node.value("SELECT object_key FROM instance_revisions")) == first
    assert b"HEAD" in node.value("SELECT attributes FROM instances")
    assert node.value("SELECT version FROM imaging_studies") == version + 1
    assert node.value("SELECT number_of_instances FROM imaging_studies") == 1
    assert node.value("SELECT count(*) FROM outbox WHERE type = 'radiology.instance.header-revision.v1'") == 1
    assert node.value("SELECT count(*) FROM audit_arrivals WHERE action = 'study.header-revision'") == 1


def test_a_header_from_before_changes_nothing(node: Node) -> None:
    ds = data_set()
    store(node, ds)
    ds.BodyPartExamined = "HEAD"
    store(node, ds)
    served = part10(ds)
    del ds.BodyPartExamined
    assert store(node, ds).duplicate
    assert node.stored_bytes(ds.SOPInstanceUID) == served
    assert node.value("SELECT count(*) FROM instance_revisions") == 1
    assert len(list(node.app.objects.keys())) == 2


def test_what_is_kept_is_not_taken_for_lost(node: Node) -> None:
    ds = data_set()
    store(node, ds)
    ds.BodyPartExamined = "HEAD"
    store(node, ds)
    assert node.wait(recover(node.archive, older_than_seconds=-1)) == 0
    assert node.value("SELECT count(*) FROM quarantine") == 0


@pytest.mark.parametrize(
    ("changes", "ae_title"),
    [
        ({"BodyPartExamined": "HEAD"}, "CT2"),
        ({"BodyPartExamined": "HEAD", "PixelData": bytes(128)}, "CT1"),
        ({"PhotometricInterpretation": "MONOCHROME1"}, "CT1"),
        ({"SeriesInstanceUID": "1.2.3.4"}, "CT1"),
        ({"PatientName": "Begum^Rahima", "PatientID": "X-9", "PatientSex": "F", "PatientBirthDate": "20010203"}, "CT1"),
    ],
)
def test_anything_else_is_held(node: Node, changes: dict[str, Any], ae_title: str) -> None:
    ds = data_set()
    first = part10(ds)
    store(node, ds)
    for keyword, value in changes.items():
        setattr(ds, keyword, value)
    assert store(node, ds, ae_title=ae_title).quarantined == "conflicting_duplicate"
    assert node.stored_bytes(ds.SOPInstanceUID) == first
