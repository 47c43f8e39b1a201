"""What a rule sends on: to DCMTK's storescp and to pynetdicom, which may be away, slow, or the sender itself."""

import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydicom.dataset import Dataset

import make
from node import KNOWN, Node, free_port, running_node
from orthanc import orthanc
from radiology.access.model import SYSTEM
from radiology.application_entities.model import ApplicationEntity
from radiology.delivery.routing import actions
from radiology.delivery.routing.model import Conditions
from requestor import requestor
from routing_rules import add_rule, follow
from storage_peers import receiver, register, storescp
from waiting import until
from working import worker

CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
MAKE_DUE = "UPDATE deliveries SET next_attempt_at = now() WHERE state = 'waiting' RETURNING 1"


@pytest.fixture
def node(settings):
    with running_node(settings) as running:
        yield running


def state(node: Node) -> str | None:
    return node.value("SELECT string_agg(state, ' ' ORDER BY ae_title) FROM deliveries")


@contextmanager
def counting(node: Node, *, status: int = 0, **fields: object):
    """A receiver that takes CT; the SOP Instance UIDs that came."""
    came: list[str] = []

    def on_store(event) -> int:
        came.append(event.request.AffectedSOPInstanceUID)
        return status

    with receiver(node, on_store, classes=[CT], syntaxes=[EXPLICIT], **fields):
        yield came


@pytest.mark.peer("Storage (SCU)", "DCMTK storescp")
def test_what_matches_goes_to_each_destination_once_and_what_comes_late_too(node, tmp_path):
    stored = node.wait(make.a_study(node.app, instances=3))
    node.wait(make.a_study(node.app, Modality="MR"))
    with storescp(node, tmp_path / "in") as folder, counting(node) as came, worker(node):
        add_rule(node, "STORESCP", "RECEIVER", conditions=Conditions(modalities=["CT"]))
        assert follow(node) == 2
        until(lambda: state(node) == "sent sent")
        assert len(list(folder.iterdir())) == 3
        assert sorted(came) == sorted(stored.files)
        late = make.an_object(StudyInstanceUID=stored.study_instance_uid, PatientID=stored.objects[0].PatientID)
        node.wait(make.store(node.app, late))
        assert follow(node) == 2
        until(lambda: state(node) == "sent sent")
        assert sorted(came) == sorted([*stored.files, late.SOPInstanceUID])


def test_a_receiver_that_is_away_gets_it_when_it_is_back(node):
    port = free_port()
    register(node, "RECEIVER", port)
    add_rule(node, "RECEIVER")
    node.wait(make.a_study(node.app))
    with worker(node):
        follow(node)
        until(lambda: state(node) == "waiting")
        assert "RECEIVER cannot be called" in node.value("SELECT sentence FROM deliveries")
        assert node.value("SELECT next_attempt_at > now() + interval '50 s' FROM deliveries")
        assert follow(node) == 0
        with counting(node) as came:
            node.value(MAKE_DUE)
            assert follow(node) == 1
            until(lambda: state(node) == "sent")
            assert len(came) == 1


def test_nothing_is_sent_outside_the_window(node):
    local = datetime.now(UTC) + timedelta(hours=6)
    add_rule(node, "RECEIVER", send_from=(local + timedelta(hours=2)).time(),
             send_until=(local + timedelta(hours=3)).time())  # fmt: skip
    node.wait(make.a_study(node.app))
    register(node, "RECEIVER", free_port())
    assert follow(node) == 0
    assert state(node) == "waiting"
    assert node.value("SELECT next_attempt_at > now() + interval '1 hour' FROM deliveries")


def test_nothing_older_than_the_rule_is_sent(node):
    node.wait(make.a_study(node.app))
    add_rule(node, "RECEIVER", name="New", created_at=datetime.now(UTC) + timedelta(hours=1))
    assert follow(node) == 0
    assert state(node) is None


def store_as(node: Node, ae_title: str, *images: Dataset) -> None:
    """An application entity stores objects over an association of its own."""
    with requestor(node, [(CT, EXPLICIT)], ae_title=ae_title) as association:
        for image in images:
            assert association.send_c_store(image).Status == 0


def test_nothing_goes_back_to_its_sender(node):
    add_rule(node, KNOWN, "RECEIVER")
    with counting(node, ae_title=KNOWN) as back, counting(node) as came, worker(node):
        image = make.an_object()
        store_as(node, KNOWN, image)
        assert follow(node) == 1
        until(lambda: state(node) == "sent")
    assert came == [image.SOPInstanceUID]
    assert back == []


def test_archives_that_route_to_each_other_in_a_ring_come_to_an_end(node):
    """RECEIVER sends on what it gets, and under another title it comes back here, where it is already."""
    node.register(ApplicationEntity("RING"))
    add_rule(node, "RECEIVER")
    images = [make.an_object() for _ in range(2)]
    with counting(node) as came, worker(node):
        store_as(node, KNOWN, *images)
        follow(node)
        until(lambda: state(node) == "sent sent")
        store_as(node, "RING", *images)
        assert follow(node) == 0
    assert len(came) == 2


def test_cancelled_and_retried_at_once_while_an_instance_is_in_the_air(node):
    add_rule(node, "RECEIVER")
    stored = node.wait(make.a_study(node.app, instances=3))
    in_the_air, decided = threading.Event(), threading.Event()
    came: list[str] = []

    def on_store(event) -> int:
        came.append(event.request.AffectedSOPInstanceUID)
        if len(came) == 1:
            in_the_air.set()
            decided.wait(10)
        return 0

    with receiver(node, on_store, classes=[CT], syntaxes=[EXPLICIT]), worker(node):
        follow(node)
        assert in_the_air.wait(10)
        delivery_id = node.value("SELECT id FROM deliveries")
        node.wait(actions.cancel(node.app, SYSTEM, delivery_id))
        node.wait(actions.retry(node.app, SYSTEM, delivery_id))
        assert follow(node) == 0, "the attempt before is not over"
        decided.set()
        until(lambda: follow(node) == 1)
        until(lambda: state(node) == "sent")
    assert sorted(came) == sorted(stored.files)


def events_of(node: Node, kind: str) -> list[dict[str, Any]]:
    return node.value("SELECT coalesce(json_agg(body), '[]') FROM outbox WHERE type = %(kind)s",
                      kind=f"radiology.delivery.{kind}.v1")  # fmt: skip


def test_the_end_of_a_delivery_is_told(node):
    add_rule(node, "RECEIVER")
    study = node.wait(make.a_study(node.app, instances=2))
    with counting(node), worker(node):
        follow(node)
        until(lambda: state(node) == "sent")
    (told,) = events_of(node, "completed")
    assert (told["study_instance_uid"], told["ae_title"], told["sent"]) == (study.study_instance_uid, "RECEIVER", 2)
    assert events_of(node, "failed") == []


def test_a_delivery_whose_job_is_gone_is_sent_and_one_whose_job_was_given_up_has_failed(node):
    add_rule(node, "RECEIVER")
    node.wait(make.a_study(node.app))
    register(node, "RECEIVER", free_port())
    assert follow(node) == 1
    node.value("DELETE FROM jobs.procrastinate_jobs RETURNING 1")
    assert follow(node) == 1
    node.value("UPDATE jobs.procrastinate_jobs SET status = 'failed' RETURNING 1")
    assert follow(node) == 0
    assert state(node) == "failed"
    assert "log of the worker" in node.value("SELECT sentence FROM deliveries")
    assert [told["waiting"] for told in events_of(node, "failed")] == [1]


def test_what_the_receiver_refuses_has_failed_with_its_reason(node):
    add_rule(node, "RECEIVER")
    node.wait(make.a_study(node.app))
    with counting(node, status=0xC000), worker(node):
        follow(node)
        until(lambda: state(node) == "failed")
    assert node.value("SELECT sentence FROM deliveries") == "The receiver answered C000."


def test_a_destination_with_one_association_gets_one_study_at_a_time(node):
    add_rule(node, "RECEIVER")
    for _ in range(3):
        node.wait(make.a_study(node.app))
    register(node, "RECEIVER", free_port(), outgoing_associations=1)
    assert follow(node) == 1
    assert node.value("SELECT count(*) FROM deliveries WHERE state = 'sending'") == 1


def test_an_attempt_that_was_killed_is_taken_up_where_it_was(node):
    add_rule(node, "RECEIVER")
    stored = node.wait(make.a_study(node.app, instances=3))
    with counting(node) as came:
        assert follow(node) == 1
        sent = stored.sop_instance_uid
        node.value(
            "UPDATE delivery_instances SET state = 'sent' WHERE sop_instance_uid = %(uid)s RETURNING 1", uid=sent
        )
        with worker(node):
            until(lambda: state(node) == "sent")
    assert sorted(came) == sorted(uid for uid in stored.files if uid != sent)


def test_bandwidth_is_limited_within_an_instance(node):
    add_rule(node, "RECEIVER", bandwidth_kib_per_second=24)
    node.wait(make.a_study(node.app, PixelData=bytes(40 * 1024), Rows=160, Columns=128))
    with counting(node) as came, worker(node):
        began = time.monotonic()
        follow(node)
        until(lambda: len(came) == 1)
        assert time.monotonic() - began > 1
        until(lambda: state(node) == "sent")


@pytest.mark.peer("DICOMweb (client)", "Orthanc")
def test_bandwidth_is_limited_over_dicomweb(node, tmp_path):
    add_rule(node, "CLOUD", bandwidth_kib_per_second=24)
    node.wait(make.a_study(node.app, PixelData=bytes(40 * 1024), Rows=160, Columns=128))
    with orthanc(node, tmp_path / "orthanc", dicomweb=True) as peer, worker(node):
        node.register(ApplicationEntity("CLOUD", dicomweb_url=f"http://127.0.0.1:{peer.http_port}/dicom-web"))
        began = time.monotonic()
        follow(node)
        until(lambda: state(node) == "sent")
        assert time.monotonic() - began > 1


def test_bandwidth_is_limited(node):
    add_rule(node, "RECEIVER", bandwidth_kib_per_second=4)
    node.wait(make.a_study(node.app, instances=3, PixelData=bytes(2048), Rows=32, Columns=32))
    with counting(node) as came, worker(node):
        began = time.monotonic()
        follow(node)
        until(lambda: state(node) == "sent")
    assert len(came) == 3
    assert time.monotonic() - began > 1
