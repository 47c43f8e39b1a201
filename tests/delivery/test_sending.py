"""The sending engine against receivers that reject, stall, abort, or take little."""

import socket
import threading
import time

import pytest
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.sop_class import _STORAGE_CLASSES

import make
from node import running_node
from radiology.access.model import SYSTEM
from radiology.application_entities.model import ApplicationEntity
from radiology.delivery.contexts import batches
from radiology.delivery.lines import OPEN_LINES
from radiology.delivery.results import NOT_PERFORMED
from radiology.delivery.sending import send
from radiology.standards.dicom.uids import STORAGE_SOP_CLASSES
from radiology.studies.queries.retrieve import StoredInstance, Target, instances_of
from storage_peers import receiver, register


@pytest.fixture
def node(settings):
    with running_node(settings.model_copy(update={"dimse_timeout_seconds": 1, "artim_seconds": 1})) as running:
        yield running
    OPEN_LINES.close()


def stored_in(node, study_instance_uid):
    async def ask():
        async with node.app.db.transaction() as tx:
            return await instances_of(tx, Target(study_instance_uid), visible_to=SYSTEM)

    return node.wait(ask())


def a_study(node, count=3):
    return stored_in(node, node.wait(make.a_study(node.app, instances=count)).study_instance_uid)


def sent(node, entity, instances, stop_after=None):
    told = []
    send(
        node.archive,
        entity,
        instances,
        on_sent=lambda instance, result: told.append((instance.sop_instance_uid, result)),
        is_stopped=lambda: stop_after is not None and len(told) >= stop_after,
    )
    return told


def take(_event):
    return 0x0000


def receiving(node, on_store=take, **fields):
    return receiver(node, on_store, classes=[CTImageStorage], syntaxes=[ExplicitVRLittleEndian], **fields)


def test_every_instance_is_told_of_in_order(node):
    instances = a_study(node)
    with receiving(node) as entity:
        told = sent(node, entity, instances)
    assert [uid for uid, _ in told] == [instance.sop_instance_uid for instance in instances]
    assert all(result.is_success for _, result in told)


def test_the_association_stays_for_the_next_and_only_a_moment(node):
    opened = []

    def on_store(event):
        opened.append(id(event.assoc))
        return 0

    instances = a_study(node)
    with receiving(node, on_store) as entity:
        sent(node, entity, instances[:1])
        sent(node, entity, instances[1:])
        assert len(set(opened)) == 1
        OPEN_LINES.close()
        sent(node, entity, instances[:1])
        assert len(set(opened)) == 2


def test_an_idle_association_that_the_peer_has_ended_is_opened_again(node):
    associations = []

    def on_store(event):
        associations.append(event.assoc)
        return 0

    instances = a_study(node)
    with receiving(node, on_store) as entity:
        sent(node, entity, instances[:1])
        associations[0].abort()
        told = sent(node, entity, instances[1:])
    assert all(result.is_success for _, result in told)


def test_one_association_only_is_not_held_between_two_sendings(node):
    instances = a_study(node)
    with receiving(node, outgoing_associations=1) as entity:
        sent(node, entity, instances[:1])
        assert entity.port not in [line.destination[2] for line in OPEN_LINES._idle]
        assert all(result.is_success for _, result in sent(node, entity, instances))


def test_stopping_leaves_the_rest_untold(node):
    instances = a_study(node, 5)
    with receiving(node) as entity:
        assert len(sent(node, entity, instances, stop_after=2)) == 2


def test_nobody_listens(node):
    instances = a_study(node)
    entity = register(node, "NOBODY", 1)
    told = sent(node, entity, instances)
    assert [result.status for _, result in told] == [NOT_PERFORMED] * 3
    assert all(result.may_succeed_later and "cannot be called" in result.sentence for _, result in told)


def test_a_peer_that_rejects(node):
    ae = AE(ae_title="STRICT")
    ae.add_supported_context(CTImageStorage)
    ae.require_calling_aet = ["SOMEBODY"]
    server = ae.start_server(("127.0.0.1", 0), block=False)
    entity = register(node, "STRICT", server.socket.getsockname()[1])
    told = sent(node, entity, a_study(node))
    server.shutdown()
    assert all("1/1/3" in result.sentence for _, result in told)


def test_a_peer_that_stalls_costs_one_timer(node):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        entity = register(node, "SILENT", silent.getsockname()[1])
        began = time.monotonic()
        told = sent(node, entity, a_study(node))
    assert [result.status for _, result in told] == [NOT_PERFORMED] * 3
    assert time.monotonic() - began < 5


def test_a_peer_that_stalls_in_the_middle_fails_the_rest(node):
    release, calls = threading.Event(), []

    def on_store(event):
        calls.append(event.request.AffectedSOPInstanceUID)
        if len(calls) == 2:
            release.wait(5)
        return 0

    with receiving(node, on_store) as entity:
        told = sent(node, entity, a_study(node, 4))
        release.set()
    assert [result.is_success for _, result in told] == [True, False, False, False]
    assert "nothing whole came" in told[1][1].sentence


def test_an_object_that_lost_its_end_fails_alone(node):
    instances = a_study(node)
    path = node.app.objects.path(instances[1].object_key)
    path.write_bytes(path.read_bytes()[:-10])
    with receiving(node) as entity:
        told = sent(node, entity, instances)
    assert [result.is_success for _, result in told] == [True, False, True]


def test_more_classes_than_one_association_can_propose(node):
    received = []
    classes = [str(uid) for uid in _STORAGE_CLASSES.values() if str(uid) in STORAGE_SOP_CLASSES][:70]
    images = [make.an_object(SOPClassUID=uid, PatientID="MANY") for uid in classes]
    node.wait(make.store(node.app, *images))
    instances = [each for image in images for each in stored_in(node, str(image.StudyInstanceUID))]

    def on_store(event):
        received.append((id(event.assoc), event.request.AffectedSOPInstanceUID))
        return 0

    with receiver(node, on_store, classes=classes, syntaxes=[ExplicitVRLittleEndian]) as entity:
        told = sent(node, entity, instances)
    assert all(result.is_success for _, result in told)
    assert sorted(uid for _, uid in received) == sorted(instance.sop_instance_uid for instance in instances)
    assert len({association for association, _ in received}) == 2


def test_batches_keep_to_128_contexts_and_lose_nobody():
    instances = [
        StoredInstance("1", "2", f"3.{n}", f"1.2.{n % 90}", f"1.2.840.10008.1.2.4.{50 + n % 2}", 1, "", 1, 0, 0, 0, b"")
        for n in range(400)
    ]
    made = batches(instances)
    assert all(len(batch.proposals) <= 128 for batch in made)
    assert sorted(i.sop_instance_uid for b in made for i in b.instances) == sorted(
        i.sop_instance_uid for i in instances
    )
    assert batches([]) == []


def test_a_record_that_does_not_say_where(node):
    told = sent(node, ApplicationEntity("VAGUE"), a_study(node, 1))
    assert "does not say where it listens" in told[0][1].sentence
