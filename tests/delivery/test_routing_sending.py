"""What a rule sends on: to DCMTK's storescp and to pynetdicom, which may be away, slow, or the sender itself."""

import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

import make
from node import Node, free_port, running_node
from radiology.delivery.routing.model import Conditions
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


def test_nothing_goes_back_to_its_sender_and_nothing_older_than_the_rule(node):
    node.wait(make.a_study(node.app))
    add_rule(node, "")
    add_rule(node, "RECEIVER", name="New", created_at=datetime.now(UTC) + timedelta(hours=1))
    assert follow(node) == 0
    assert state(node) is None


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


def test_bandwidth_is_limited(node):
    add_rule(node, "RECEIVER", bandwidth_kib_per_second=4)
    node.wait(make.a_study(node.app, instances=3, PixelData=bytes(2048), Rows=32, Columns=32))
    with counting(node) as came, worker(node):
        began = time.monotonic()
        follow(node)
        until(lambda: state(node) == "sent")
    assert len(came) == 3
    assert time.monotonic() - began > 1
